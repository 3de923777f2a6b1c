/**
 * The rows of the fault table in their short mode, as tests. They stand in several test files, because
 * tap's jobs share files and not the tests inside one. Each row is in exactly one group.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { seedOfThisRun } from '../kit/random.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';
import { type RunOptions, runRow, type Verdict, verdictLine } from './run-row.ts';

/** Of about the same length each. */
const groups = {
  kills: ['F1', 'F2', 'F41'],
  disk: ['F3', 'F4', 'F5', 'F6', 'F42'],
  line: ['F9', 'F10', 'F13', 'F31', 'F32'],
  messages: ['F16', 'F18', 'F19', 'F21', 'F26', 'F37'],
} as const;

export const rowLimitMs = 180_000;

/** Where the runs of a test file keep their files, and the seed that repeats them. */
export function shortOptions(name: string): RunOptions {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  mkdirSync(join(projectRoot, 'var'), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, 'var', `${name}-`));
  // A row that failed leaves its files for whoever looks into it.
  process.once('exit', () => readdirSync(folder).length === 0 && rmdirSync(folder));
  return { folder, dist: join(projectRoot, 'dist'), short: true, seed };
}

export function shortRows(group: keyof typeof groups): void {
  const options = shortOptions(`faults-${group}`);
  for (const id of groups[group]) {
    const row = rows.find((one) => one.id === id);
    if (row === undefined) throw new Error(`the group ${group} names ${id}, which is not there`);
    const missing = whyNot(row);
    t.test(`${id} - ${row.title}`, { skip: missing !== '' && missing, timeout: rowLimitMs }, async (t) => {
      checkVerdict(t, await runRow(row, options));
    });
  }
}

/** Rows that no group runs, or more than one. */
export function misplacedRows(): string[] {
  const placed = Object.values(groups).flat() as string[];
  return rows.map(({ id }) => id).filter((id) => placed.filter((one) => one === id).length !== 1);
}

export function whyNot(row: Row | undefined): string {
  return row?.available?.() ?? '';
}

export function checkVerdict(
  t: { equal(found: unknown, wanted: unknown, message: string): unknown; comment(text: string): unknown },
  verdict: Verdict,
): void {
  t.comment(verdictLine(verdict));
  t.equal(verdict.outcome, 'PASS', verdict.failures.join('; ') || verdict.figures);
}
