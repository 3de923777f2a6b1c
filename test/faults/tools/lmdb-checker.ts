/**
 * Checks images of what lmdb-writer wrote: each must open and hold every record promised by its marks.
 * Run as a program it takes a list of images, because a damaged LMDB file can end the process (SIGSEGV,
 * assertion): `checkImages` starts it again after the image that killed it.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { checkFile } from '../../../gateway/process/lmdb.ts';
import { nodeArgsFor } from '../../kit/paths.ts';

export type Mode = 'safe' | 'early' | 'flushed';

export interface ImageCase {
  /** The folder that holds data.mdb. */
  readonly folder: string;
  /** The last round promised; -1 for none. */
  readonly promised: number;
}

export const recordsPerRound = 4;

/** True where the file is written and opened with overlappingSync: false. */
export function isSafe(mode: Mode): boolean {
  return mode === 'safe' || mode === 'early';
}

export function keyOf(round: number, record: number): string {
  return `k${String(round * recordsPerRound + record).padStart(8, '0')}`;
}

export function valueFor(round: number): Buffer {
  return Buffer.alloc(500 + ((round * 37) % 3000), 65 + (round % 26));
}

/** Some rounds delete an old record, so that pages are reused. */
export function expectedRemoval(round: number): number | undefined {
  return round > 20 && round % 3 === 0 ? round - 20 : undefined;
}

/** What each image is: 'ok', 'missing n', 'error ...' or 'crash SIGSEGV'. */
export async function checkImages(
  cases: readonly ImageCase[],
  mode: Mode,
  folder: string,
): Promise<string[]> {
  const list = join(folder, 'cases.json');
  writeFileSync(list, JSON.stringify(cases));
  const verdicts: string[] = [];
  while (verdicts.length < cases.length) {
    const from = String(verdicts.length);
    const args = [...nodeArgsFor(import.meta.url, './lmdb-checker.ts'), list, from, mode];
    const { lines, ended } = await run(args);
    verdicts.push(...lines);
    if (verdicts.length < cases.length) verdicts.push(`crash ${ended}`);
  }
  return verdicts;
}

function run(args: string[]): Promise<{ lines: string[]; ended: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: 60_000 }, (_error, stdout) => {
      const lines = stdout.split('\n').filter((line) => line !== '');
      resolve({ lines, ended: String(child.signalCode ?? child.exitCode) });
    });
  });
}

async function check({ folder, promised }: ImageCase, mode: Mode): Promise<string> {
  try {
    const safe = isSafe(mode) ? { overlappingSync: false } : {};
    checkFile(join(folder, 'data.mdb'));
    const db = open<Buffer, string>({ path: folder, encoding: 'binary', ...safe });
    let missing = 0;
    for (let round = 0; round <= promised; round += 1) {
      const value = valueFor(round);
      // Record 0 of a round may have been deleted later; the others stay for good.
      for (let record = 1; record < recordsPerRound; record += 1) {
        if (!db.get(keyOf(round, record))?.equals(value)) missing += 1;
      }
    }
    // Walks every page: a tree that is broken past the promised records shows here.
    let count = 0;
    for (const { value } of db.getRange({})) count += value.length > 0 ? 1 : 0;
    await db.close();
    return missing > 0 ? `missing ${missing}` : count < promised ? 'short' : 'ok';
  } catch (error) {
    return `error ${(error as Error).message.split('\n')[0]}`;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [list = '', from = '0', mode = 'safe'] = process.argv.slice(2);
  const cases = JSON.parse(readFileSync(list, 'utf8')) as ImageCase[];
  for (const image of cases.slice(Number(from)))
    process.stdout.write(`${await check(image, mode as Mode)}\n`);
}
