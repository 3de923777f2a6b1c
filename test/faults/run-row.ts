/** Runs one row in a folder of its own, cleans up, and gives its verdict. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../kit/random.ts';
import type { Row } from './row.ts';

export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly outcome: 'PASS' | 'FAIL' | 'SKIPPED';
  readonly figures: string;
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly seed: number;
}

export interface RunOptions {
  readonly folder: string;
  readonly dist: string;
  readonly short: boolean;
  readonly seed: number;
}

export async function runRow(row: Row, { folder, dist, short, seed }: RunOptions): Promise<Verdict> {
  const startedAt = performance.now();
  const verdict = (outcome: Verdict['outcome'], figures: string, failures: readonly string[]): Verdict => ({
    id: row.id,
    title: row.title,
    outcome,
    figures,
    failures,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    seed,
  });
  const missing = row.available?.() ?? '';
  if (missing !== '') return verdict('SKIPPED', missing, []);
  const own = join(folder, row.id);
  mkdirSync(own, { recursive: true });
  const cleanups: (() => unknown)[] = [];
  let result: Verdict;
  try {
    const { failures, figures } = await row.run({
      folder: own,
      dist,
      short,
      seed,
      random: seededRandom(seed),
      teardown: (cleanup) => cleanups.push(cleanup),
      progress: (text) => {
        if (process.stderr.isTTY) process.stderr.write(`      ${row.id} ${text}\n`);
      },
    });
    result = verdict(failures.length === 0 ? 'PASS' : 'FAIL', figures, failures);
  } catch (error) {
    result = verdict('FAIL', '', [error instanceof Error ? error.message : String(error)]);
  }
  for (const cleanup of cleanups.reverse()) await Promise.resolve(cleanup()).catch(() => undefined);
  if (result.outcome !== 'FAIL') rmSync(own, { recursive: true, force: true });
  return result;
}

export function verdictLine({ id, outcome, figures, failures, seconds }: Verdict): string {
  const lines = [`${id.padEnd(4)} ${outcome.padEnd(7)} ${figures} (${seconds} s)`];
  for (const failure of failures) lines.push(`       ${failure}`);
  return lines.join('\n');
}
