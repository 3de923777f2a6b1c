/**
 * A file of a data directory that a program wrote itself and reads again at its start: an identity, the CA, the context
 * of an administrator. Who starts the program is told which of them is damaged and what to do. What the file holds is
 * told to nobody, for it may be a key, and the error of a parser quotes what it could not read.
 */
import { readFileSync } from 'node:fs';
import { codeOf, exitCode, HilumError } from './errors.ts';
import { notReadable, storageError } from './storage.ts';

export interface OwnFile {
  file: string;
  /** How a sentence about it begins, up to its path: `The identity in`. */
  what: string;
  /** Of the errors: `<code>-unreadable`, `<code>-not-readable`. */
  code: string;
  /** What to do where it is damaged. */
  hint: string;
}

/** What is wrong with the content, in words that quote nothing of it; thrown by `read`. */
export class Unusable extends Error {}

/** @param read makes of its text what it stands for, or throws. @throws HilumError of exit 78; 75 where the disk fails */
export function readOwnFile<T>({ file, what, code, hint }: OwnFile, read: (text: string) => T): T {
  try {
    return read(readFileSync(file, 'utf8'));
  } catch (cause) {
    const system = /^E[A-Z]+$/.test(codeOf(cause)) ? codeOf(cause) : '';
    if (system !== '' && system !== 'ENOENT')
      throw (
        notReadable(`${code}-not-readable`, what, file, cause) ??
        storageError(`${what} ${file} cannot be read`, cause)
      );
    const why = system === 'ENOENT' ? 'it is not there' : wrongWith(cause);
    throw new HilumError(`${code}-unreadable`, `${what} ${file} cannot be used: ${why}.`, {
      hint,
      exit: exitCode.badConfig,
    });
  }
}

function wrongWith(cause: unknown): string {
  if (cause instanceof Unusable) return cause.message;
  return cause instanceof SyntaxError ? 'it is not JSON' : 'it is damaged';
}
