/**
 * Rebuilds a recorded file as a power cut would have left it at chosen moments.
 *
 *   writes:   a----a   b--b   c------c        d-d
 *   flushes:              s========S    s===========
 *   cut:                                           ^   durable: a b; pending: c (returned after s began), d
 *
 * Rules: a flush that succeeded made durable the writes of its file that had returned before it began; an
 * O_DSYNC write is durable when it returns; everything else that was issued is pending, and the disk may
 * hold all of it, none, any subset, or any of its 512-byte sectors. Chosen bytes are laid down in the order
 * of issue, as the page cache would. Whether the file's name survived is not modelled: see
 * `directoryFlushes` of the recording.
 */
import { readFileSync } from 'node:fs';
import { below, type Random } from '../../kit/random.ts';
import type { RecordedWrite, Recording } from './recording.ts';

export type Damage = 'dropAll' | 'subset' | 'torn';
export const damages: readonly Damage[] = ['dropAll', 'subset', 'torn'];

export interface CrashImage {
  /** The moment of the cut. */
  readonly at: number;
  readonly damage: Damage;
  readonly bytes: Buffer;
  /** Marks that stood before the cut: what had been promised. */
  readonly marks: readonly number[];
  readonly pendingWrites: number;
}

const sectorBytes = 512;

/** Throws unless what was recorded of a file equals the file as it is now: no write was missed. */
export function assertComplete(recording: Recording, path: string): void {
  const image = new Image();
  for (const write of writesOf(recording, path)) image.apply(write);
  const recorded = image.bytes();
  const real = readFileSync(path);
  if (recorded.equals(real)) return;
  const length = Math.min(recorded.length, real.length);
  let at = 0;
  while (at < length && recorded[at] === real[at]) at += 1;
  throw new Error(
    `recording of ${path} differs at byte ${at} (${recorded.length} recorded, ${real.length} real)`,
  );
}

/** Moments to cut at: half of them right after a mark, where a promise has just been made. */
export function cutPoints(recording: Recording, count: number, random: Random): number[] {
  const points = new Set<number>();
  const { marks, moments } = recording;
  for (let tries = 0; points.size < Math.min(count, moments) && tries < count * 20; tries += 1) {
    const mark = tries % 2 === 0 ? marks[below(random, marks.length)] : undefined;
    points.add(mark ? mark.at : below(random, moments));
  }
  return [...points].sort((a, b) => a - b);
}

/** The images of one file at the given moments (ascending), each with each damage. */
export function* crashImages(
  recording: Recording,
  path: string,
  points: readonly number[],
  random: Random,
): Generator<CrashImage> {
  const writes = writesOf(recording, path);
  const durableAt = durabilityOf(recording, path, writes);
  const base = new Image();
  // Writes below `folded` are all durable and in `base`; the rest are few and replayed for each image.
  let folded = 0;
  for (const at of points) {
    while (folded < writes.length && durableAt[folded]! <= at) {
      base.apply(writes[folded]!);
      folded += 1;
    }
    const open: { write: RecordedWrite; durable: boolean }[] = [];
    for (let index = folded; index < writes.length && writes[index]!.issuedAt <= at; index += 1) {
      open.push({ write: writes[index]!, durable: durableAt[index]! <= at });
    }
    const marks = recording.marks.filter((mark) => mark.at <= at).map((mark) => mark.n);
    const pendingWrites = open.filter(({ durable }) => !durable).length;
    for (const damage of damages) {
      const image = base.copy();
      for (const { write, durable } of open) {
        if (durable) image.apply(write);
        else if (damage === 'subset' && random() < 0.5) image.apply(write);
        else if (damage === 'torn') image.applySectors(write, random);
      }
      yield { at, damage, bytes: image.bytes(), marks, pendingWrites };
    }
  }
}

function writesOf(recording: Recording, path: string): RecordedWrite[] {
  return recording.writes.filter((write) => write.file === path);
}

/** For each write the moment from which it survives a cut: the end of the first flush that covers it. */
function durabilityOf(recording: Recording, path: string, writes: readonly RecordedWrite[]): number[] {
  const flushes = recording.flushes.filter((flush) => flush.file === path && flush.succeeded);
  // Flushes stand in the order of their beginnings; a later one may end first.
  const earliestEnd = flushes.map((flush) => flush.endedAt);
  for (let index = earliestEnd.length - 2; index >= 0; index -= 1) {
    earliestEnd[index] = Math.min(earliestEnd[index]!, earliestEnd[index + 1]!);
  }
  return writes.map((write) => {
    let [low, high] = [0, flushes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (flushes[middle]!.beganAt > write.returnedAt) high = middle;
      else low = middle + 1;
    }
    const flushedAt = earliestEnd[low] ?? Number.POSITIVE_INFINITY;
    return write.durable ? Math.min(write.returnedAt, flushedAt) : flushedAt;
  });
}

/** A file's bytes that grow; holes read as zero. */
class Image {
  #bytes: Buffer;
  #size: number;

  constructor(bytes: Buffer = Buffer.alloc(0), size = 0) {
    this.#bytes = bytes;
    this.#size = size;
  }

  copy(): Image {
    return new Image(Buffer.from(this.#bytes.subarray(0, this.#size)), this.#size);
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  apply(write: RecordedWrite): void {
    if (write.kind === 'truncate') this.#resize(write.offset);
    else if (write.kind === 'allocate') this.#allocate(write);
    else this.#put(write.offset, write.data.subarray(0, write.taken));
  }

  /** Any of the write's sectors, as the disk numbers them: a sector is whole or untouched. */
  applySectors(write: RecordedWrite, random: Random): void {
    if (write.kind !== 'write') {
      if (random() < 0.5) this.apply(write);
      return;
    }
    for (let from = 0; from < write.taken; ) {
      const to = Math.min(write.taken, from + sectorBytes - ((write.offset + from) % sectorBytes));
      if (random() < 0.5) this.#put(write.offset + from, write.data.subarray(from, to));
      from = to;
    }
  }

  #allocate({ offset, length, mode }: RecordedWrite): void {
    // Mode 0 grows the file; FALLOC_FL_KEEP_SIZE (1) changes no byte; punching a hole (2) zeroes.
    if (mode === 0 && offset + length > this.#size) this.#resize(offset + length);
    if ((mode & 2) !== 0) this.#bytes.fill(0, offset, Math.min(this.#size, offset + length));
  }

  #put(offset: number, data: Buffer): void {
    if (data.length === 0) return;
    if (offset + data.length > this.#size) this.#resize(offset + data.length);
    data.copy(this.#bytes, offset);
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2, 65_536));
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    } else if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }
}
