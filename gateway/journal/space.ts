/**
 * Room. LMDB must never meet a full disk (it corrupts the heap: measured), so intake stops at two lines of
 * our own: a byte budget for the journal's file, and a reserve that intake leaves for the backlog to drain into.
 *
 *   data.mdb   [ pages in use and free pages ][ reserve: blocks behind the end of the file ]      free on the volume
 *
 * The reserve is held: its blocks belong to the file already (fallocate, keeping the size), so whoever else fills
 * the volume, copy-on-write finds room. A full volume without that ended the process at the next commit; with it
 * a hundred rounds more and the whole drain went through (both measured). Where the file system cannot hold it,
 * the reserve is only watched.
 */
import { execFile } from 'node:child_process';
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pageBytes } from '../process/lmdb.ts';

const mebibyte = 1024 ** 2;
const refreshMs = 250;
const reopenShare = 0.1;
/** An event with its message, beside the message alone; pages are half full while they grow. */
const eventFactor = 8;
/** Below this share of the reserve the volume itself is full, whatever is free inside the file. */
const floorShare = 0.1;
/** Half-full pages and trees, as a factor and as a sum; generous, because LMDB must never meet a full disk. */
const overhead = 1.8;
const slackBytes = 4 * mebibyte;
/** The unit of `blocks` in stat(2). */
const blockBytes = 512;
/** The file grows into what is held; below this share of the reserve it is taken anew. */
const holdShare = 0.75;
/** Below this share of the reserve nothing is taken in before it is held anew: others may be faster. */
const heldShareMin = 0.4;
/** After a try that failed: the file system cannot, or the volume is full. */
const holdAgainMs = 10_000;

export interface Room {
  state: 'open' | 'reserve' | 'budget';
  fileBytes: number;
  freeBytes: number;
  /** Of the reserve: blocks that are the file's already. */
  heldBytes: number;
  liveBytes: number;
}

export interface Space {
  /** Asked before each append; answers from a reading that is at most 250 ms and some bytes old, less what was taken since. */
  state(bytes: number): Room['state'];
  room(): Room;
  /** Takes the reserve's blocks; resolves with whether they are held. */
  hold(): Promise<boolean>;
  reserveBytes: number;
  budgetBytes: number;
}

export interface SpaceOptions {
  file: string;
  budgetBytes: number;
  /** Default: 10 % of the volume, at most 512 MiB. */
  reserveBytes?: number | undefined;
  /** Bytes of the rows that stand in the journal. */
  liveBytes(): number;
  /** Bytes of the records that are not normalized: each will become a larger event, with no more asking. */
  unmappedBytes(): number;
}

export function createSpace(options: SpaceOptions): Space {
  const directory = dirname(options.file);
  const volume = statfsSync(directory);
  const reserveBytes =
    options.reserveBytes ?? Math.min(512 * mebibyte, Math.floor((volume.blocks * volume.bsize) / 10));
  let readAtMs = Number.NEGATIVE_INFINITY;
  let freeBytes = 0;
  let heldBytes = 0;
  let holding: Promise<boolean> | undefined;
  /** The last try took the blocks; false where the file system cannot hold a reserve. */
  let holds = false;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let reusableBytes = 0;
  let takenBytes = 0;
  let state: Room['state'] = 'open';

  function refresh(): void {
    const statfs = statfsSync(directory);
    freeBytes = statfs.bavail * statfs.bsize;
    const file = statSync(options.file, { throwIfNoEntry: false });
    const fileBytes = file?.size ?? 0;
    heldBytes = heldOf(file);
    if (heldBytes < reserveBytes * holdShare && performance.now() - failedAtMs > holdAgainMs) void hold();
    reusableBytes = Math.max(0, fileBytes - options.liveBytes() * overhead - slackBytes);
    takenBytes = 0;
    readAtMs = performance.now();
  }

  function hold(): Promise<boolean> {
    holding ??= new Promise<boolean>((resolve) => {
      const { size } = statSync(options.file);
      const range = ['-n', '-o', String(size), '-l', String(reserveBytes)];
      execFile('fallocate', [...range, options.file], { timeout: holdAgainMs }, (error) => {
        holding = undefined;
        // Some file systems agree and hold nothing that can be seen; the file has grown into some of it meanwhile.
        const now = statSync(options.file, { throwIfNoEntry: false });
        const grown = (now?.size ?? 0) - size;
        holds = error === null && heldOf(now) >= (reserveBytes - grown) * holdShare;
        if (holds) readAtMs = Number.NEGATIVE_INFINITY;
        else failedAtMs = performance.now();
        resolve(holds);
      });
    });
    return holding;
  }

  /** Once closed, intake opens again only with some room to spare: no flapping at the line. */
  function judge(bytes: number): Room['state'] {
    const spare = state === 'open' ? 0 : reopenShare;
    // Copy-on-write takes pages for the row and for the way to it before any page comes back. What is
    // free inside the file serves first; it never shrinks, so after a drain that is most of it.
    const owed = options.unmappedBytes() * eventFactor;
    const own = freeBytes + heldBytes;
    const room = own + reusableBytes - takenBytes * 2 - bytes - owed;
    const volumeFull = own < reserveBytes * floorShare * (1 + spare);
    const tooFast = holds && heldBytes < reserveBytes * heldShareMin;
    if (volumeFull || tooFast || room < reserveBytes * (1 + spare)) state = 'reserve';
    else if (options.liveBytes() + bytes > options.budgetBytes * (1 - spare)) state = 'budget';
    else state = 'open';
    return state;
  }

  return {
    hold: () => (reserveBytes === 0 ? Promise.resolve(true) : hold()),
    reserveBytes,
    budgetBytes: options.budgetBytes,
    state(bytes) {
      const stale =
        takenBytes > Math.max(mebibyte, reserveBytes / 32) || performance.now() - readAtMs > refreshMs;
      if (stale) refresh();
      const judged = judge(bytes);
      if (judged === 'open') takenBytes += bytes;
      return judged;
    },
    room() {
      refresh();
      return {
        state: judge(0),
        fileBytes: statSync(options.file, { throwIfNoEntry: false })?.size ?? 0,
        freeBytes,
        heldBytes,
        liveBytes: options.liveBytes(),
      };
    },
  };
}

/** Blocks behind the end of the file. */
function heldOf(file: { size: number; blocks: number } | undefined): number {
  return file === undefined ? 0 : Math.max(0, file.blocks * blockBytes - file.size);
}

/** What a row costs in the file: small rows share pages, large ones take whole pages. */
export function storedBytes(keyBytes: number, valueBytes: number): number {
  const bytes = keyBytes + valueBytes + 16;
  return bytes < pageBytes / 2 ? bytes : Math.ceil(bytes / pageBytes) * pageBytes;
}
