/**
 * Crash points (crash.c): the calls by which a program changes the files of one folder, numbered, and a kill at one of them.
 * Invariant: LMDB's own writes inside of a transaction are counted and are no points of their own: F3 has them, as what
 * a power cut leaves of them, and a kill leaves more.
 */
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

export interface Change {
  /** Counted from the start of the process. */
  readonly number: number;
  readonly call: string;
  readonly path: string;
}

export interface Crash {
  readonly preload: string;
  /** Whose files are looked at. */
  readonly folder: string;
  /** Where the calls are written down. */
  readonly log: string;
  /** Which of them; 0: they are only counted. */
  readonly at: number;
  readonly how: Harm;
}

/** It is killed there; or the call fails, with an error of the system. */
export type Harm = 'kill' | 'EIO' | 'ENOSPC';

/** How a process is started for it. */
export function underCrash({ preload, folder, log, at, how }: Crash): {
  preload: string[];
  env: Record<string, string>;
} {
  const env = {
    HILUM_CRASH_DIR: folder,
    HILUM_CRASH_LOG: log,
    HILUM_CRASH_AT: String(at),
    HILUM_CRASH_HOW: how === 'kill' ? how : String(constants.errno[how]),
  };
  return { preload: [preload], env };
}

export function changesIn(log: string): Change[] {
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const [number = '', call = '', ...path] = line.split(' ');
    return { number: Number(number), call, path: path.join(' ') };
  });
}

export function crashPoints(changes: readonly Change[]): Change[] {
  return changes.filter(({ call, path }) => !(call === 'write' && path.endsWith('.mdb')));
}
