/** A volume of its own, in memory, that can be filled. */
import { spawnSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
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
