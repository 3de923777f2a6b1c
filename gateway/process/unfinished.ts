/**
 * What is not in its place yet has a name of its own beside it, and takes its place in one rename. A crash before that
 * leaves it behind, maybe with a key in it, or as large as a journal: whoever owns the data directory next takes it away.
 */
import { type Dirent, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ending = '.unfinished';
/** `enroll` works beside an owner: what it is about to put in its place is not in the way, and younger than this. */
const besideMs = 60_000;
const besideName = /^identity\.json/;

/** The name, until it is finished, of what will stand there. */
export function unfinished(path: string): string {
  return `${path}${ending}`;
}

/** In the data directory and the folders in it. What cannot be taken away keeps nobody from starting. */
export function clearUnfinished(directory: string): void {
  for (const folder of [directory, ...entriesOf(directory).filter(isFolder).map(pathIn(directory))])
    for (const entry of entriesOf(folder)) if (isLeft(folder, entry)) takeAway(pathIn(folder)(entry));
}

function isLeft(folder: string, entry: Dirent): boolean {
  if (!entry.name.endsWith(ending)) return false;
  if (!besideName.test(entry.name)) return true;
  const { mtimeMs } = statSync(pathIn(folder)(entry), { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
  return Math.abs(Date.now() - mtimeMs) > besideMs;
}

function isFolder(entry: Dirent): boolean {
  return entry.isDirectory() && !entry.name.endsWith(ending);
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
