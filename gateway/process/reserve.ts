/**
 * Room on the volume of a database. LMDB must never meet a full disk (it corrupts the heap: measured), so its owner
 * stops taking things in at a line of ours, and what is left serves what has to be written even then.
 *
 *   data.mdb   [ pages in use and free pages ][ reserve: blocks behind the end of the file ]      free on the volume
 *
 * The reserve is held: its blocks belong to the file already (fallocate, keeping the size), so whoever else fills
 * the volume, copy-on-write finds room. A full volume without that ended the process at the next commit; with it
 * a hundred rounds more and the whole drain of a journal went through (both measured). Where the file system cannot
 * hold it, the reserve is only watched.
 */
import { execFile } from 'node:child_process';
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitCode, HilumError } from './errors.ts';

const mebibyte = 1024 ** 2;
/** Below this share of the reserve the volume itself is full, whatever is free inside the file. */
const floorShare = 0.1;
/** The unit of `blocks` in stat(2). */
const blockBytes = 512;
/** The file grows into what is held; below this share of the reserve it is taken anew. */
const holdShare = 0.75;
/** Below this share of the reserve nothing is taken in before it is held anew: others may be faster. */
const heldShareMin = 0.4;
/** After a try that failed: the file system cannot, or the volume is full. */
const holdAgainMs = 10_000;
/** What a reading is good for, in time and in what its owner takes meanwhile. */
const readingMs = 250;
const readingShare = 1 / 32;
/** Once there was no room, some to spare: no flapping at the line. */
const spareShare = 0.1;

export class Reserve {
  readonly bytes: number;
  /** As of the last `read`. */
  fileBytes = 0;
  freeBytes = 0;
  /** Of the reserve: blocks that are the file's already. */
  heldBytes = 0;
  readonly #file: string;
  /** Of the file that the database has open. */
  readonly #inode: number | undefined;
  #holding: Promise<boolean> | undefined;
  /** The last try took the blocks; false where the file system cannot hold a reserve. */
  #holds = false;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #takenBytes = 0;
  /** Also before it was looked at: what was full before a restart is not open by a page or two after it. */
  #full = true;

  /** @param bytes default: `reserveDefault` of its volume */
  constructor(file: string, bytes?: number) {
    this.#file = file;
    this.#inode = statSync(file, { throwIfNoEntry: false })?.ino;
    this.bytes = bytes ?? reserveDefault(statfsSync(dirname(file)));
  }

  /** What copy-on-write can take, as of the last `read`. */
  get #ownBytes(): number {
    return this.freeBytes + this.heldBytes;
  }

  /** By its owner, since the last reading. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  take(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** Is the last reading good no more? */
  get isStale(): boolean {
    const takenMax = Math.max(mebibyte, this.bytes * readingShare);
    return this.#takenBytes > takenMax || performance.now() - this.#readAtMs > readingMs;
  }

  /**
   * Is the reserve whole once so much is written? What is taken since the last reading is for the owner to add.
   * @param reusableBytes free inside the file
   */
  isLeft(bytes: number, reusableBytes = 0): boolean {
    const spare = this.#full ? spareShare : 0;
    const room = this.#ownBytes + reusableBytes - bytes;
    this.#full = this.#isTouched(spare) || room < this.bytes * (1 + spare);
    return !this.#full;
  }

  /**
   * How things stand now; takes the blocks anew where the file has grown into them.
   * @throws HilumError `database-gone` where another file, or none, has its name: what is written goes with the process
   */
  read(): void {
    const file = statSync(this.#file, { throwIfNoEntry: false });
    if (file === undefined || file.ino !== this.#inode)
      throw new HilumError('database-gone', `${this.#file} was taken away while it was written.`, {
        hint: 'Put the data directory back as it was, and start again.',
        exit: exitCode.tryAgain,
      });
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    this.freeBytes = bavail * bsize;
    this.fileBytes = file.size;
    this.heldBytes = heldOf(file);
    this.#takenBytes = 0;
    this.#readAtMs = performance.now();
    const due = performance.now() - this.#failedAtMs > holdAgainMs;
    if (this.heldBytes < this.bytes * holdShare && due) void this.hold();
  }

  /** Is the volume itself full, or is it filled faster than the reserve can be held? @param spare room beside, as a share */
  #isTouched(spare: number): boolean {
    const tooFast = this.#holds && this.heldBytes < this.bytes * heldShareMin;
    return tooFast || this.#ownBytes < this.bytes * floorShare * (1 + spare);
  }

  /** Takes the blocks; resolves with whether they are held. */
  hold(): Promise<boolean> {
    if (this.bytes === 0) return Promise.resolve(true);
    this.#holding ??= new Promise<boolean>((resolve) => {
      const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
      const range = ['-n', '-o', String(size), '-l', String(this.bytes)];
      execFile('fallocate', [...range, this.#file], { timeout: holdAgainMs }, (error) => {
        this.#holding = undefined;
        // Some file systems agree and hold nothing that can be seen; the file has grown into some of it meanwhile.
        const now = statSync(this.#file, { throwIfNoEntry: false });
        const grown = (now?.size ?? 0) - size;
        this.#holds = error === null && heldOf(now) >= (this.bytes - grown) * holdShare;
        if (this.#holds) this.#readAtMs = Number.NEGATIVE_INFINITY;
        else this.#failedAtMs = performance.now();
        resolve(this.#holds);
      });
    });
    return this.#holding;
  }
}

/** 10 % of the volume, at most 512 MiB. */
export function reserveDefault({ blocks, bsize }: { blocks: number; bsize: number }): number {
  return Math.min(512 * mebibyte, Math.floor((blocks * bsize) / 10));
}

/** Blocks behind the end of the file. */
function heldOf(file: { size: number; blocks: number } | undefined): number {
  return file === undefined ? 0 : Math.max(0, file.blocks * blockBytes - file.size);
}
