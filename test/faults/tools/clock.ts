/**
 * Moves the wall clock of the processes started with its preload and environment (clock.c), while they run.
 * Invariant: a change is one rename, so that a reader sees the old offset or the new one.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPreload } from './native.ts';

export interface ClockControl {
  readonly preload: string;
  readonly env: Readonly<Record<string, string>>;
  /** The offset from the true time, in force within 50 ms. */
  set(offsetMs: number): void;
}

/** Undefined where there is no gcc. */
export function clockControl(folder: string): ClockControl | undefined {
  const preload = buildPreload('clock', folder);
  if (preload === undefined) return undefined;
  const file = join(folder, 'clock-offset-ms');
  const set = (offsetMs: number) => {
    writeFileSync(`${file}.new`, `${Math.round(offsetMs)}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  return { preload, env: { HILUM_CLOCK_FILE: file }, set };
}
