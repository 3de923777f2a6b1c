/**
 * How far each lane of each journal is: flushed, which its gateway is told, and queued for the flush, which is what the
 * next batch follows. A journal that was enrolled anew has the lanes that it had under its earlier names.
 */
import type { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { DamagedRow, orDamaged, type Row, type Store } from '../store/store.ts';
import { indexKey, laneKey } from './keys.ts';
import { lastPosition } from './stored.ts';

export interface Cursor {
  /** Queued for writing; an ack waits for `written`. */
  queued: bigint;
  written: Promise<void>;
  /** Of what is queued, what is not flushed: no read of the store finds it. */
  readonly flushing: Set<Batch>;
}

type Lane = Pick<Batch, 'epoch' | 'lane'>;

export class Cursors {
  readonly #store: Store;
  readonly #earlierNames: (gateway: string) => readonly string[];
  readonly #cursors = new Map<string, Cursor>();

  /** @param earlierNames of a gateway: those under which its journal delivered before it was enrolled anew */
  constructor(store: Store, earlierNames: (gateway: string) => readonly string[]) {
    this.#store = store;
    this.#earlierNames = earlierNames;
  }

  /** The last sequence that is flushed for a lane of this journal, under whatever name; 0 before the first. */
  async flushed(gateway: string, { epoch, lane }: Lane): Promise<bigint> {
    let cursor = 0n;
    for (const name of this.names(gateway)) {
      const key = laneKey(name, epoch, lane);
      const row = await orDamaged(this.#store.get('cursors', key));
      // The lane's next batch writes it anew.
      const last = row instanceof DamagedRow ? await lastPosition(this.#store, key) : lastOf(row);
      if (last > cursor) cursor = last;
    }
    return cursor;
  }

  /** Resolves when what is queued of the lane by now is flushed, under whatever name. */
  async settled(gateway: string, lane: Lane): Promise<void> {
    await Promise.all(this.#known(gateway, lane).map(({ written }) => written));
  }

  /** Of the lane under this name; a new one begins behind all that is flushed or queued of it. */
  async of(gateway: string, lane: Lane): Promise<Cursor> {
    const known = this.#cursors.get(nameOf(gateway, lane));
    if (known !== undefined) return known;
    const first = { queued: await this.flushed(gateway, lane), written: Promise.resolve() };
    for (const { queued, written } of this.#known(gateway, lane))
      if (queued > first.queued) Object.assign(first, { queued, written });
    const cursor = { ...first, flushing: new Set<Batch>() };
    this.#cursors.set(nameOf(gateway, lane), cursor);
    return cursor;
  }

  /** It goes on behind this sequence, whatever it was. */
  set(gateway: string, lane: Lane, sequence: bigint): void {
    const flushing = this.#cursors.get(nameOf(gateway, lane))?.flushing ?? new Set();
    this.#cursors.set(nameOf(gateway, lane), { queued: sequence, written: Promise.resolve(), flushing });
  }

  /** What is queued and not flushed of the lane, under whatever name: envelopes by their sequences. */
  flushing(gateway: string, lane: Lane): Map<bigint, Uint8Array> {
    const found = new Map<bigint, Uint8Array>();
    for (const { flushing } of this.#known(gateway, lane))
      for (const { firstSequence, envelopes } of flushing)
        for (const [at, envelope] of envelopes.entries()) found.set(firstSequence + BigInt(at), envelope);
    return found;
  }

  /** All names of the journal, its present one first. */
  names(gateway: string): string[] {
    return [gateway, ...this.#earlierNames(gateway)];
  }

  #known(gateway: string, lane: Lane): Cursor[] {
    return this.names(gateway).flatMap((name) => this.#cursors.get(nameOf(name, lane)) ?? []);
  }
}

export function cursorRow(gateway: string, { epoch, lane }: Lane, sequence: bigint): Row {
  return { table: 'cursors', key: laneKey(gateway, epoch, lane), value: indexKey(sequence) };
}

function nameOf(gateway: string, { epoch, lane }: Lane): string {
  return laneKey(gateway, epoch, lane).toString('latin1');
}

function lastOf(cursor: Buffer | undefined): bigint {
  return cursor === undefined ? 0n : cursor.readBigUInt64BE(0);
}
