/**
 * What the gateway remembers of earlier messages, so that a record can be read in the light of them:
 * the state of an order, who a patient is, where they lie. The journal knows nothing of what is in a row;
 * kinds, keys and rules are in normalize/memory.
 *
 *   table memory    key    kind(1) HMAC of the key's text(16)         nothing that was in a message
 *                   value  keep until s(4) sealed row                 sealed by the worker, bound to the key
 *
 *   recall ─► worker applies its rules ─► stage ─► put, in the round of Journal.finish ─► settled
 *             (its job alone)             └─ overlay: what `recall` sees before the table has it ─┘
 *
 * Invariants
 * - A row is written in the round that writes the events which were made with it: after a crash the
 *   records that were not finished are normalized again, against the rows as they were.
 * - `recall` gives what the last staged job left, flushed or not. The job of which a row was staged first
 *   may be finished last (it was tried again); what is written is therefore always the newest value.
 * - Bounded by number and bytes. With each put a few rows behind a cursor are looked at: those past their
 *   time go, and beyond a bound the ones that would go first in a sample of neighbours. Keys are HMACs, so
 *   neighbours are a random sample of their kind: nearly the oldest, without an index by time.
 */
import type { Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { tables } from './layout.ts';
import type { JournalPart } from './part.ts';
import { storedBytes } from './space.ts';
import type { State } from './state.ts';

export const memoryKeyBytes = 17;
/** Before the sealed row: until when it is kept. */
export const memoryHeadBytes = 4;
/** Rows removed with a put beyond a bound, at most; twice as many as were put where that is more. */
const evictedMin = 4;
/** Of so many rows looked at, the oldest goes. */
const sampleFactor = 4;
const budgetShareMax = 0.25;

export interface MemoryRow {
  key: Buffer;
  value: Buffer;
}

export interface MemoryBounds {
  memoryEntriesMax: number;
  memoryBytesMax: number;
  /** Of the whole journal. */
  budgetBytes: number;
}

interface Overlaid {
  /** Undefined: removed in a round that is not settled. */
  value: Buffer | undefined;
  /** Jobs and rounds that have not settled with this key. */
  pins: number;
}

export class Memory {
  readonly #part: JournalPart;
  readonly #state: State;
  readonly #table: Table;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #onBytes: (live: number) => void;
  readonly #overlay = new Map<string, Overlaid>();
  /** Lengths of what was put into rounds that are not settled; 0 for what they remove. */
  readonly #written = new Map<string, number>();
  #entries: number;
  #bytes: number;
  /** Where the sweep goes on; undefined at the beginning of the table. */
  #cursor: Buffer | undefined;

  constructor(part: JournalPart, state: State, bounds: MemoryBounds, onBytes: (live: number) => void) {
    this.#part = part;
    this.#state = state;
    this.#table = part.environment.table(tables.memory);
    this.#entriesMax = bounds.memoryEntriesMax;
    // The memory serves the events; it never takes the larger part of their room.
    this.#bytesMax = Math.min(bounds.memoryBytesMax, bounds.budgetBytes * budgetShareMax);
    this.#onBytes = onBytes;
    this.#entries = state.number('memory.entries');
    this.#bytes = state.number('memory.bytes');
    onBytes(this.#bytes);
  }

  /** Rows and the bytes that they take in the file, with what is not flushed yet. */
  stats(): { entries: number; bytes: number } {
    return { entries: this.#entries, bytes: this.#bytes };
  }

  /** The values of these keys (`memoryKeyBytes` each, one after the other); undefined where there is none, or its time is over. */
  recall(keys: Uint8Array, nowS: number): (Buffer | undefined)[] {
    this.#part.environment.root.resetReadTxn();
    const found: (Buffer | undefined)[] = [];
    for (let at = 0; at + memoryKeyBytes <= keys.length; at += memoryKeyBytes) {
      const value = this.#stored(Buffer.from(keys.subarray(at, at + memoryKeyBytes)));
      found.push(value !== undefined && keptUntilS(value) > nowS ? value : undefined);
    }
    return found;
  }

  /** The next `recall` sees these rows; each is to be `put` once, when its job is finished. */
  stage(rows: readonly MemoryRow[]): void {
    for (const { key, value } of rows) {
      const name = key.toString('latin1');
      const overlaid = this.#overlay.get(name);
      if (overlaid === undefined) this.#overlay.set(name, { value, pins: 1 });
      else {
        overlaid.value = value;
        overlaid.pins += 1;
      }
    }
  }

  /** Writes staged rows, as the overlay has them by now. */
  put(round: Round, rows: readonly MemoryRow[], nowS: number): void {
    if (rows.length === 0) return;
    const names: string[] = [];
    for (const { key } of rows) {
      const name = key.toString('latin1');
      names.push(name);
      const value = this.#overlay.get(name)?.value;
      if (value === undefined) continue;
      this.#count(key, this.#written.get(name) ?? this.#table.getBinaryFast(key)?.length, value.length);
      this.#written.set(name, value.length);
      round.put(this.#table, key, value);
    }
    this.#sweep(round, names, nowS);
    this.#state.set('memory.entries', this.#entries);
    this.#state.set('memory.bytes', this.#bytes);
    round.whenSettled(() => this.#unpin(names));
  }

  #stored(key: Buffer): Buffer | undefined {
    const overlaid = this.#overlay.get(key.toString('latin1'));
    return overlaid === undefined ? this.#table.get(key) : overlaid.value;
  }

  #unpin(names: readonly string[]): void {
    for (const name of names) {
      const overlaid = this.#overlay.get(name);
      if (overlaid === undefined) continue;
      overlaid.pins -= 1;
      if (overlaid.pins > 0) continue;
      this.#overlay.delete(name);
      this.#written.delete(name);
    }
  }

  #count(key: Buffer, before: number | undefined, after: number): void {
    const old = before ?? 0;
    const by =
      (after === 0 ? 0 : storedBytes(key.length, after)) - (old === 0 ? 0 : storedBytes(key.length, old));
    this.#entries += (after === 0 ? 0 : 1) - (old === 0 ? 0 : 1);
    this.#bytes += by;
    this.#onBytes(by);
  }

  /** Looks at the rows behind the cursor; those that are being written are left alone. */
  #sweep(round: Round, names: string[], nowS: number): void {
    const over = () => this.#entries > this.#entriesMax || this.#bytes > this.#bytesMax;
    const evictedMax = over() ? Math.max(evictedMin, names.length * 2) : 0;
    const limit = 1 + Math.max(names.length, evictedMax * sampleFactor);
    const range = this.#table.getRange(
      this.#cursor === undefined ? { limit } : { start: this.#cursor, limit },
    );
    const sample: { key: Buffer; bytes: number; untilS: number }[] = [];
    let seen = 0;
    for (const { key: found, value } of range) {
      seen += 1;
      const key = Buffer.from(found);
      this.#cursor = key;
      if (this.#overlay.has(key.toString('latin1'))) continue;
      const untilS = keptUntilS(value);
      if (untilS <= nowS) this.#remove(round, key, value.length, names);
      else if (evictedMax > 0) sample.push({ key, bytes: value.length, untilS });
    }
    // The row at the cursor is looked at again: it is where the next walk begins.
    if (seen < limit) this.#cursor = undefined;
    sample.sort((a, b) => a.untilS - b.untilS);
    for (const { key, bytes } of sample.slice(0, evictedMax)) {
      if (!over()) return;
      this.#remove(round, key, bytes, names);
    }
  }

  #remove(round: Round, key: Buffer, bytes: number, names: string[]): void {
    const name = key.toString('latin1');
    this.#overlay.set(name, { value: undefined, pins: 1 });
    this.#written.set(name, 0);
    names.push(name);
    this.#count(key, bytes, 0);
    round.remove(this.#table, key);
  }
}

/** Seconds since 1970; 0 for what is not a row. */
function keptUntilS(value: Buffer): number {
  return value.length > memoryHeadBytes ? value.readUInt32BE(0) : 0;
}
