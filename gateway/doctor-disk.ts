/** Room for what comes, as the gateway itself sees it: on the volume, in the file of its journal, in its reserve. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Add } from './doctor.ts';
import { reserveDefault } from './process/reserve.ts';
import { visible } from './process/storage.ts';
import type { RunningStatus } from './running-status.ts';
import { journalBounds, type Settings } from './settings.ts';

/** What the file takes for each byte that is remembered (measured). */
const memoryFactor = 1.25;
/** Of the room of a journal, for what is remembered: as much as may be of `bytesMax`. */
const memoryShare = 4;
const mebibyte = 1024 ** 2;
const blockBytes = 512;

/** @param settings undefined where they cannot be read; @param status undefined where no gateway runs */
export function checkDisk(
  directory: string,
  settings: Settings | undefined,
  status: RunningStatus | undefined,
  add: Add,
): void {
  const volume = statfsSync(directory);
  const freeBytes = volume.bavail * volume.bsize;
  const bounds = settings === undefined ? undefined : journalBounds(settings);
  const reserveBytes = bounds?.reserveBytes ?? reserveDefault(volume);
  const file = visible(join(directory, 'journal', 'data.mdb'));
  const fileBytes = (file?.blocks ?? 0) * blockBytes;
  const heldBytes = file === undefined ? 0 : Math.max(0, fileBytes - file.size);
  const free = `${size(freeBytes)} free on the volume`;
  const todo = 'Free space on this volume, or enlarge it.';
  if (status?.journal.state === 'reserve') {
    add('disk', 'fail', 'disk-full', `${free}: intake is refused`, todo);
  } else if (status !== undefined) {
    const reusable = Number(status.journal.reusableBytes);
    const beside = reusable < mebibyte ? '' : `, ${size(reusable)} in the file of the journal`;
    add('disk', 'ok', 'disk-ok', `${free}${beside}`);
  } else if (freeBytes + heldBytes >= reserveBytes) add('disk', 'ok', 'disk-ok', free);
  else if (file === undefined) {
    add('disk', 'fail', 'disk-full', `${free}: less than the reserve, so intake will be refused`, todo);
  } else {
    // What is free inside the file is known to the gateway alone.
    const message = `${free}: less than the reserve; whether the file of the journal has room is told once it runs`;
    add('disk', 'warn', 'disk-low', message, todo);
  }
  if (bounds === undefined) return;
  const roomBytes = freeBytes + fileBytes;
  const memoryBytes = Math.min(bounds.memoryBytesMax, bounds.budgetBytes / memoryShare) * memoryFactor;
  if (memoryBytes + reserveBytes < roomBytes) return;
  const least = Math.max(1, Math.floor(roomBytes / memoryShare / memoryFactor / mebibyte));
  add(
    'disk',
    'warn',
    'memory-over-volume',
    `what is remembered may take ${size(memoryBytes)} (journal.memoryBytesMax) and the reserve ${size(reserveBytes)}: of the ${size(roomBytes)} that this volume has for the journal nothing would be left for messages`,
    `Enlarge the volume, or set journal.memoryBytesMax to ${least}MiB or less and restart; then what is oldest is remembered no more.`,
  );
}

function size(bytes: number): string {
  return bytes < 1024 * mebibyte
    ? `${(bytes / mebibyte).toFixed(0)} MiB`
    : `${(bytes / 1024 / mebibyte).toFixed(1)} GiB`;
}
