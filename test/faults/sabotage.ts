/**
 * Builds that break a promise on purpose. A fault kit that passes them would be broken itself: each
 * must make its row fail. The build is a copy of dist/ with one exact text changed; a text that is
 * not there exactly once is an error, so that a sabotage never silently stops sabotaging.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../kit/paths.ts';
import { rows } from './rows.ts';
import { type RunOptions, runRow, type Verdict } from './run-row.ts';

export interface Sabotage {
  readonly id: string;
  readonly title: string;
  /** The row that must fail on it. */
  readonly row: string;
  readonly file: string;
  readonly text: string;
  readonly instead: string;
  /** What the row must say: a build that merely crashes is not caught. */
  readonly caughtBy: RegExp;
}

export const sabotages: readonly Sabotage[] = [
  {
    id: 'S1',
    title: 'answers before the commit',
    row: 'F3',
    file: 'gateway/journal/receipts.js',
    text: 'this.#owed.push({ receipt, resolve, reject });',
    instead: 'this.#owed.push({ receipt, resolve, reject }); resolve(receipt);',
    caughtBy: /were answered and/,
  },
  {
    id: 'S2',
    title: 'overlappingSync on',
    row: 'F4',
    file: 'gateway/process/lmdb.js',
    text: 'overlappingSync: false,',
    instead: 'overlappingSync: true,',
    caughtBy: /image at moment/,
  },
  {
    id: 'S3',
    title: 'repeats are not looked up',
    row: 'F16',
    file: 'gateway/journal/journal.js',
    text: 'if (repeated !== undefined)',
    instead: 'if (false)',
    caughtBy: /doubled|readings|conflict/,
  },
  {
    id: 'S4',
    title: 'the payload is logged',
    row: 'F37',
    file: 'gateway/capture/mllp/message.js',
    text: 'counters.messages += 1;',
    instead:
      "counters.messages += 1; hooks.log('info', 'mllp-message', { block: framed.block.toString('latin1') });",
    caughtBy: /canary patient shows/,
  },
];

export async function runSabotage(sabotage: Sabotage, options: RunOptions): Promise<Verdict> {
  const folder = join(options.folder, sabotage.id);
  const dist = build(sabotage, options.dist, folder);
  const row = rows.find(({ id }) => id === sabotage.row);
  if (row === undefined) throw new Error(`${sabotage.id} names the row ${sabotage.row}, which is not there`);
  const verdict = await runRow(row, { ...options, dist, folder: join(folder, 'run') });
  rmSync(folder, { recursive: true, force: true });
  const how = verdict.failures.find((failure) => sabotage.caughtBy.test(failure));
  const caught = how !== undefined;
  const seen = `${verdict.figures} ${verdict.failures.join('; ').slice(0, 300)}`;
  return {
    ...verdict,
    id: sabotage.id,
    title: sabotage.title,
    outcome: verdict.outcome === 'SKIPPED' ? 'SKIPPED' : caught ? 'PASS' : 'FAIL',
    figures: caught ? `${sabotage.title}: caught by ${sabotage.row}: ${how}` : `${sabotage.title}: ${seen}`,
    failures: caught || verdict.outcome === 'SKIPPED' ? [] : [`${sabotage.row} did not catch it: ${seen}`],
  };
}

function build(sabotage: Sabotage, from: string, folder: string): string {
  const dist = join(folder, 'dist');
  mkdirSync(folder, { recursive: true });
  for (const part of ['gateway', 'control-plane', 'proto'])
    cpSync(join(from, part), join(dist, part), { recursive: true });
  for (const part of ['node_modules', 'package.json', 'proto'])
    symlinkSync(join(projectRoot, part), join(folder, part));
  const file = join(dist, sabotage.file);
  let text = readFileSync(file, 'utf8');
  const replace = (what: string, instead: string) => {
    if (text.split(what).length !== 2)
      throw new Error(`${sabotage.id}: "${what}" is not exactly once in ${sabotage.file}`);
    text = text.replace(what, () => instead);
  };
  replace(sabotage.text, sabotage.instead);
  writeFileSync(file, text);
  return dist;
}
