/**
 * What is not in its place yet has a name of its own beside it, and takes its place in one rename. A crash before that
 * leaves it behind, maybe with a key in it, or as large as a journal: whoever owns the data directory next takes it away.
 */
import { type Dirent, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ending = '.unfinished';
/** `enroll` works beside an owner: what it is about to put in its place is not in the way, and younger than this. */
const besideMs = 60_000;
const besideName = /^identity\.json/;
/** What we make: what else stands there is a person's. */
const folders = new Set(['ca', 'config', 'journal', 'store']);
const copyOfJournal = `journal${ending}`;

/** The name, until it is finished, of what will stand there. */
export function unfinished(path: string): string {
  return `${path}${ending}`;
}

/** In the data directory and the folders in it. What cannot be taken away keeps nobody from starting. */
export function clearUnfinished(directory: string): void {
  const own = entriesOf(directory).filter((entry) => entry.isDirectory() && folders.has(entry.name));
  for (const folder of [directory, ...own.map(pathIn(directory))])
    for (const entry of entriesOf(folder)) if (isLeft(folder, entry)) takeAway(pathIn(folder)(entry));
}

function isLeft(folder: string, entry: Dirent): boolean {
  if (!entry.name.endsWith(ending)) return false;
  if (entry.isDirectory()) return entry.name === copyOfJournal;
  if (!besideName.test(entry.name)) return true;
  const { mtimeMs } = lstatSync(pathIn(folder)(entry), { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
  return Math.abs(Date.now() - mtimeMs) > besideMs;
}

function pathIn(folder: string): (entry: Dirent) => string {
  return ({ name }) => join(folder, name);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Where it can be: a disk that fails, or rights that were changed, are told by what needs them. */
export function takeAway(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It stays until the next start.
  }
}
