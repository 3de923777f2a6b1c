/**
 * Which records are complete here, by the epoch of their positions: a bitmap for 4,096 records. It tells a record that
 * is complete for a second time; what is stored twice or not is decided by the cursors alone.
 *
 *   seen   gateway epoch chunk   bitmap
 *
 * One that does not open is made again from the events, for which its gateway waits [turn.ts].
 */
import { type Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { DamagedRow, orDamaged, type Row, type Store } from '../store/store.ts';
import { chunkKey, epochPrefix, recordsPerChunk } from './keys.ts';
import { batchesOf } from './stored.ts';
import { Needs } from './turn.ts';

/** Bitmaps that a batch changes, by their keys. */
export type ChangedChunks = Map<string, Buffer>;

const keptMax = 1024;

export class Seen {
  readonly #store: Store;
  readonly #chunks = new Map<string, Buffer>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Marks a complete record; true when it was complete before, under another position. By the epoch of the
   * event: a record that was numbered before its gateway's disk was found restored shares its number with another.
   * Where that cannot be told yet, what it needs.
   */
  async mark(
    gateway: string,
    epoch: bigint,
    recordSequence: bigint,
    changed: ChangedChunks,
  ): Promise<boolean | Needs> {
    const [chunk, at] = placeOf(recordSequence);
    const key = chunkKey(gateway, epoch, chunk);
    const name = key.toString('latin1');
    let bitmap = changed.get(name) ?? this.#chunks.get(name);
    if (bitmap === undefined) {
      const stored = await orDamaged(this.#store.get('seen', key));
      if (stored instanceof DamagedRow) return new Needs(() => this.#again(gateway, epoch, chunk));
      bitmap = stored ?? emptyChunk();
    }
    if (isSet(bitmap, at)) return true;
    const marked = changed.get(name) ?? Buffer.from(bitmap);
    set(marked, at);
    changed.set(name, marked);
    return false;
  }

  take(changed: ChangedChunks): void {
    if (this.#chunks.size > keptMax) this.#chunks.clear();
    for (const [name, bitmap] of changed) this.#chunks.set(name, bitmap);
  }

  /** Without what events that are damaged as well would have marked. */
  async #again(gateway: string, epoch: bigint, wanted: number): Promise<void> {
    const bitmap = emptyChunk();
    for await (const batch of batchesOf(this.#store, epochPrefix(gateway, epoch))) {
      for (const { recordSequence } of completeOf(batch)) {
        const [chunk, at] = placeOf(recordSequence);
        if (chunk === wanted) set(bitmap, at);
      }
      // A batch takes some milliseconds, and the others are not to wait for all of them.
      await this.#store.turn();
    }
    const made: ChangedChunks = new Map([[chunkKey(gateway, epoch, wanted).toString('latin1'), bitmap]]);
    await this.#store.write(rowsOf(made));
    this.take(made);
  }
}

export function rowsOf(changed: ChangedChunks): Row[] {
  return [...changed].map(([name, bitmap]) => {
    return { table: 'seen', key: Buffer.from(name, 'latin1'), value: bitmap };
  });
}

function completeOf({ envelopes }: Batch): Envelope[] {
  return envelopes.map((bytes) => Envelope.decode(bytes)).filter(completesRecord);
}

/**
 * Is it the last event of its record? One in whose place its gateway found damage says of how many it was one no more
 * (count 0), nor which, where the head of its row was damaged as well (index 0): its record is in quarantine there.
 */
export function completesRecord({ index, count }: Envelope): boolean {
  return index > 0 && index === count;
}

function placeOf(recordSequence: bigint): [chunk: number, at: number] {
  const sequence = Number(recordSequence);
  return [Math.floor(sequence / recordsPerChunk), sequence % recordsPerChunk];
}

/** In bitmaps that are made as they are needed; true where it was marked before. */
export function markIn(chunks: ChangedChunks, epoch: bigint, recordSequence: bigint): boolean {
  const [chunk, at] = placeOf(recordSequence);
  const name = `${epoch} ${chunk}`;
  const bitmap = chunks.get(name) ?? emptyChunk();
  chunks.set(name, bitmap);
  if (isSet(bitmap, at)) return true;
  set(bitmap, at);
  return false;
}

function emptyChunk(): Buffer {
  return Buffer.alloc(recordsPerChunk / 8);
}

function isSet(bitmap: Buffer, at: number): boolean {
  return ((bitmap[at >> 3] as number) & (1 << (at & 7))) !== 0;
}

function set(bitmap: Buffer, at: number): void {
  bitmap[at >> 3] = (bitmap[at >> 3] as number) | (1 << (at & 7));
}
