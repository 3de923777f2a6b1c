/** Builds that break a promise on purpose must be caught by their row, in its short mode. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { seedOfThisRun } from '../kit/random.ts';
import { rows } from './rows.ts';
import { type Verdict, verdictLine } from './run-row.ts';
import { runSabotage, sabotages } from './sabotage.ts';

const seed = seedOfThisRun();
t.comment(`seed ${seed}`);
mkdirSync(join(projectRoot, 'var'), { recursive: true });
const options = {
  folder: mkdtempSync(join(projectRoot, 'var', 'sabotage-')),
  dist: join(projectRoot, 'dist'),
  short: true,
  seed,
};

for (const sabotage of sabotages) {
  const missing = rows.find(({ id }) => id === sabotage.row)?.available?.() ?? '';
  const title = `sabotage - ${sabotage.title}: caught by ${sabotage.row}`;
  t.test(title, { skip: missing !== '' && missing, timeout: 180_000 }, async (t) => {
    check(t, await runSabotage(sabotage, options));
  });
}

function check(
  t: { equal(found: unknown, wanted: unknown, message: string): unknown; comment(text: string): unknown },
  verdict: Verdict,
): void {
  t.comment(verdictLine(verdict));
  t.equal(verdict.outcome, 'PASS', verdict.failures.join('; ') || verdict.figures);
}
