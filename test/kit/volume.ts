/** A volume of its own, in memory, that can be filled. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from './process.ts';
import { folderOf } from './site.ts';

/** Undefined where this user may not mount one. */
export function smallVolume(owner: Owner, mebibytes = 64): string | undefined {
  const directory = folderOf(owner);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'hilum-test', directory]);
  if (mounted.status !== 0) return undefined;
  owner.teardown(() => spawnSync('umount', ['-l', directory]));
  return directory;
}

/** All but so many bytes, in a file that is named. */
export function fillVolume(directory: string, butBytes: number): string {
  const { bavail, bsize } = statfsSync(directory);
  const file = join(directory, 'filler');
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - butBytes)));
  return file;
}

/** All that the volume has, to the last block, whoever else needs it, in a file that is named. */
export function takeAll(directory: string): string {
  const file = join(directory, 'foreign');
  const taken = openSync(file, 'w');
  const block = Buffer.alloc(4096, 1);
  for (let full = false; !full; ) {
    try {
      full = writeSync(taken, block) < block.length;
    } catch (error) {
      full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      if (!full) throw error;
    }
  }
  closeSync(taken);
  return file;
}
