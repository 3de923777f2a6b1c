/**
 * Where lasting data is kept: folders are made, stores opened, and an operator is told in one sentence where that
 * cannot be. A place that refuses (no folder, no permission) does so until a person changes it: exit 78, and a supervisor
 * leaves it alone. What a volume does (full, failing, remounted read-only for that) may be over at another start: exit 75.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { codeOf, exitCode, HilumError, messageOf } from './errors.ts';

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission there',
  EPERM: 'the system does not permit it there',
  ENOENT: 'nothing can be made there',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'something else has that name',
  EISDIR: 'a folder stands where a file belongs',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its path is too long',
  EOPNOTSUPP: 'its file system cannot do what is needed',
  ENOTSUP: 'its file system cannot do what is needed',
};

const faults: Readonly<Record<string, string>> = {
  EROFS: 'its volume is mounted read-only',
  ENOSPC: 'its volume is full',
  EDQUOT: 'the quota of this user is used up',
  EIO: 'its disk fails',
  EMFILE: 'this process may open no more files (ulimit -n)',
  ENFILE: 'this machine may open no more files',
};

/**
 * Makes a folder for its owner alone, and what is missing above it; a power cut does not take it away again. Not by Node's
 * `recursive`, which never returns where a folder is there and the system makes none in it (/proc).
 * @param place the option or setting that names it
 * @throws HilumError that begins with `what`
 */
export function makeDirectory(directory: string, what = 'The folder', place = '--data'): void {
  if (directory === '') throw refused(`${what} has no name.`, place);
  try {
    const there = statSync(directory, { throwIfNoEntry: false });
    if (there !== undefined && !there.isDirectory()) throw refused(`${what} ${directory} is a file.`, place);
    if (there === undefined) make(directory);
  } catch (cause) {
    throw storageError(`${what} ${directory} cannot be made`, cause, place);
  }
}

function make(directory: string): void {
  const parent = dirname(directory);
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) make(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process was as fast.
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
  try {
    flushPath(parent);
  } catch (error) {
    // Who may make something in a folder may not always open it; then its file system has to see to that by itself.
    if (codeOf(error) !== 'EACCES') throw error;
  }
}

/** Makes a file's bytes or a folder's entries durable: a created file is not there after a power cut until its folder is flushed. */
export function flushPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * To be asked before anything in a data directory is looked for: to who may not look into it, all is missing.
 * @throws HilumError `data-not-readable`
 */
export function mayLookInto(directory: string): void {
  try {
    statSync(`${directory}/.`, { throwIfNoEntry: false });
  } catch (cause) {
    if (codeOf(cause) !== 'EACCES') return;
    const message = `The data directory ${directory} cannot be looked into (EACCES): ${refusals.EACCES}.`;
    throw new HilumError('data-not-readable', message, {
      hint: 'Run it as the user whose data that is; as installed: runuser -u hilum -- and the command.',
      exit: exitCode.badConfig,
      cause,
    });
  }
}

/** How a user shows that this user namespace has no number for: nothing can be said of it. */
const unmappedUser = 65_534;

/**
 * To be asked before anything is made in a data directory that is there: root may write in another user's, and what it makes there that
 * user cannot read, so its service would not start again, or run without what it cannot see.
 * @throws HilumError `data-of-another`
 */
export function mustBeOwn(directory: string): void {
  // Who is not root is told by the system where it may not write.
  if (process.getuid?.() !== 0) return;
  const owner = statSync(directory).uid;
  if (owner === 0 || owner === unmappedUser) return;
  const name = userName(owner);
  throw new HilumError(
    'data-of-another',
    `The data directory ${directory} is that of ${name}, and this is root: nothing was changed.`,
    {
      hint: `What is made here ${name} could not read. Run it as that user: runuser -u ${name} -- and the command.`,
      exit: exitCode.badConfig,
    },
  );
}

/** Its number where it has no name here. */
export function userName(user: number): string {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    const [name = ''] = lines.find((line) => line.split(':')[2] === String(user))?.split(':') ?? [];
    return name === '' ? String(user) : name;
  } catch {
    return String(user);
  }
}

/** The error for a file of a data directory that this user may not read; undefined for every other fault. */
export function notReadable(
  code: string,
  what: string,
  file: string,
  cause: unknown,
): HilumError | undefined {
  if (codeOf(cause) !== 'EACCES') return undefined;
  return new HilumError(code, `${what} ${file} cannot be read (EACCES): it was made by another user.`, {
    hint: `Give it to the owner of its directory: chown --reference=${dirname(file)} ${file}`,
    exit: exitCode.badConfig,
    cause,
  });
}

/** What this user may see of a file; undefined where it is not there, or may not be looked for. */
export function visible(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Why a file that somebody named cannot be read; '' where nothing is known. */
export function unreadable(cause: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ...refusals,
    ENOENT: 'there is no such file',
    EACCES: 'this user has no permission',
    EISDIR: 'it is a folder',
  };
  const reason = reasons[codeOf(cause)];
  return reason === undefined ? '' : `: ${reason}`;
}

/** Opens a store in a folder; what fails there, other than by our own refusal, is told with the place. */
export async function openStorage<T>(what: string, directory: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    throw storageError(`${what} in ${directory} cannot be opened`, cause);
  }
}

/** `what` says which thing cannot be done where, without a full stop; an error of ours stays as it is. */
export function storageError(what: string, cause: unknown, place = '--data'): HilumError {
  if (cause instanceof HilumError) return cause;
  const code = systemCodeOf(cause);
  const refusal = refusals[code];
  if (refusal !== undefined) return refused(`${what} (${code}): ${refusal}.`, place, cause);
  const fault = faults[code];
  const why = fault === undefined ? `: ${messageOf(cause)}` : ` (${code}): ${fault}`;
  return new HilumError('storage-fault', `${what}${why}.`, {
    hint: 'Look at the disk (dmesg, df); a supervisor may start this again.',
    exit: exitCode.tryAgain,
    cause,
  });
}

function refused(message: string, place: string, cause?: unknown): HilumError {
  return new HilumError('storage-refused', message, {
    hint: `Check ${place}, and that this user may write there.`,
    exit: exitCode.badConfig,
    cause,
  });
}

/** lmdb gives the system's number, Node its name. */
function systemCodeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' && code > 0 ? getSystemErrorName(-code) : codeOf(error);
}
