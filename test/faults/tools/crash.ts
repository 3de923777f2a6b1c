/**
 * Crash points (crash.c): the calls by which a program changes the files of one folder, numbered, and a kill at one of them.
 * Invariant: LMDB's own writes inside of a transaction are counted and are no points of their own: F3 has them, as what
 * a power cut leaves of them, and a kill leaves more.
 */
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';

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

/**
 * What a power cut behind the last of these changes could have taken away, though it was flushed as far as anybody
 * knows: a file that took its place by its name before its bytes, and an entry of a folder that was not flushed. LMDB's
 * pages are F3's.
 */
export function notFlushed(changes: readonly Change[]): string[] {
  const found: string[] = [];
  const written = new Map<string, number>();
  const flushed = new Map<string, number>();
  const entries = new Map<string, Change>();
  const flushedAt = (path: string) => flushed.get(path) ?? 0;
  for (const { number, call, path } of changes) {
    const [to = '', from = ''] = path.split(' < ');
    const entry = { number, call, path: to };
    if (call === 'write' || call === 'truncate') written.set(path, number);
    else if (call === 'fsync') flushed.set(path, number);
    else if (call === 'rename') {
      if ((written.get(from) ?? 0) > flushedAt(from)) found.push(`${to} has its name before its bytes`);
      entries.set(dirname(to), entry);
    } else if ((call === 'create' || call === 'mkdir') && !isPassing(path)) entries.set(dirname(path), entry);
  }
  for (const [folder, { number, path }] of entries)
    if (flushedAt(folder) < number) found.push(`${path} is there, and its folder was not flushed`);
  return found;
}

/** Needed only while somebody is at it. */
function isPassing(path: string): boolean {
  return /\.unfinished(\/data\.mdb)?$|\/lock\.mdb$/.test(path);
}

export function crashPoints(changes: readonly Change[]): Change[] {
  return changes.filter(({ call, path }) => !(call === 'write' && path.endsWith('.mdb')));
}
