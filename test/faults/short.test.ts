/** Every row of the fault table in its short mode. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { seedOfThisRun } from '../kit/random.ts';
import { rows } from './rows.ts';
import { runRow, type Verdict, verdictLine } from './run-row.ts';

const seed = seedOfThisRun();
t.comment(`seed ${seed}`);
mkdirSync(join(projectRoot, 'var'), { recursive: true });
const options = {
  folder: mkdtempSync(join(projectRoot, 'var', 'faults-short-')),
  dist: join(projectRoot, 'dist'),
  short: true,
  seed,
};

for (const row of rows) {
  const missing = row.available?.() ?? '';
  t.test(`${row.id} - ${row.title}`, { skip: missing !== '' && missing, timeout: 180_000 }, async (t) => {
    check(t, await runRow(row, options));
  });
}

function check(
  t: { equal(found: unknown, wanted: unknown, message: string): unknown; comment(text: string): unknown },
  verdict: Verdict,
): void {
  t.comment(verdictLine(verdict));
  t.equal(verdict.outcome, 'PASS', verdict.failures.join('; ') || verdict.figures);
}
