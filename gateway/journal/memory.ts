/**
 * What the gateway remembers of earlier messages, so that a record can be read in the light of them: the state
 * of an order, who a patient is, where they lie. It is a log: what one job of the normalizer changed is one row
 * [memory-row.ts], appended; a value that changes is appended anew, and the older copy is dead. Which copy is the
 * newest is known by the normalizer alone, which makes the rows and asks for chunks of them; here they are bytes,
 * sealed when they come and opened when they are asked for.
 *
 *   memory         row(8)        a row, in the round of Journal.finish that writes the events made with it
 *   memory-index   last row(8)   heads of up to 64 rows, so that a start reads these and not the rows
 *
 *   worker ── row ─► accept ─► put, with its job ─► settled        read ◄── row and chunk ── worker
 *   oldest row ─► carry ─► worker: what of it still counts ─► carried: that as a new row, the old one removed
 *
 * Invariants
 * - A row is written in the round that writes the events which were made with it: after a crash the records
 *   that were not finished are normalized again, against the rows as they were.
 * - Numbers are given in the order in which jobs were normalized. A job that is finished late puts a lower
 *   number after a higher one; whoever reads the log goes by number, so the newest value still wins.
 * - A row is removed from the old end only, and not before every row with a lower number than the one that
 *   carries its values on is written: no crash can leave a value in neither.
 * - Bounded in bytes, entries and age. Orders go with their row; persons, merges and beds are carried on, except
 *   beyond an eighth over the bound, where everything goes.
 */
import type { Table } from '../process/lmdb.ts';
import { Damaged } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { numberKey, place, readUInt64, tables } from './layout.ts';
import {
  chunkOf,
  headOf,
  type IndexedRow,
  indexRow,
  memoryRow,
  readIndexRow,
  withChunks,
  writtenS,
} from './memory-row.ts';
import type { JournalPart } from './part.ts';
import { storedBytes } from './space.ts';

/** Heads in one row of the index. */
const indexedMax = 64;
/** Old rows that may be carried for each new one: the log shrinks faster than it grows. */
const carriesEach = 2;
const creditMax = 64;
const overShare = 1.125;
const budgetShareMax = 0.25;
/** An order is of no interest after that, and with it most of its row. */
const rowAgeS = 90 * 86_400;
const keyBytes = 8;

export interface MemoryBounds {
  memoryEntriesMax: number;
  memoryBytesMax: number;
  /** Of the whole journal. */
  budgetBytes: number;
}

/** A row with its number, its chunks not sealed. */
export interface NumberedRow {
  row: number;
  bytes: Buffer;
}

/** The oldest row, for the normalizer to say what of it still counts. */
export interface Carry extends NumberedRow {
  /** Nothing of it is to be kept. */
  drop: boolean;
}

export class Memory {
  readonly #part: JournalPart;
  readonly #table: Table;
  readonly #index: Table;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #onBytes: (live: number) => void;
  /** Accepted, sealed, and its job is not finished. */
  readonly #unput = new Map<number, Buffer>();
  /** In a round that is not settled. */
  readonly #unsettled = new Map<number, Buffer>();
  /** Put, and in no row of the index. */
  #unindexed: IndexedRow[] = [];
  #bytes = 0;
  #rows = 0;
  #entries = 0;
  /** 0: there is none. */
  #oldest = 0;
  #oldestS = 0;
  #last = 0;
  /** Key of the oldest row of the index; 0: not known. */
  #oldestIndex = 0;
  #credit = 0;
  /** What is with the normalizer, or waits for rows with lower numbers. */
  #carrying = 0;
  #carried: { row: number; into: number | undefined } | undefined;
  /** Rows whose head cannot be read, and chunks that cannot be opened, since it was last asked. */
  #damaged = 0;

  constructor(part: JournalPart, bounds: MemoryBounds, onBytes: (live: number) => void) {
    this.#part = part;
    this.#table = part.environment.table(tables.memory);
    this.#index = part.environment.table(tables.memoryIndex);
    this.#entriesMax = bounds.memoryEntriesMax;
    // The memory serves the events; it never takes the larger part of their room.
    this.#bytesMax = Math.min(bounds.memoryBytesMax, bounds.budgetBytes * budgetShareMax);
    this.#onBytes = onBytes;
    const [oldest] = this.#table.getKeys({ limit: 1 });
    this.#oldest = oldest === undefined ? 0 : readUInt64(oldest as Buffer, 0);
    for (const { rows, isIndexed } of this.#stored()) {
      for (const one of rows) {
        this.#rows += 1;
        this.#last = one.row;
        this.#count(one, 1);
      }
      if (!isIndexed) this.#unindexed.push(...rows);
    }
    this.#ageOldest();
  }

  /** As it stands, with what is not flushed yet; entries as the normalizer counts them. */
  stats(): { entries: number; rows: number; bytes: number } {
    return { entries: this.#entries, rows: this.#rows, bytes: this.#bytes };
  }

  // ---- what the normalizer asks and makes ----

  /** The first number that no row has. */
  get nextRow(): number {
    return this.#last + 1;
  }

  /** Heads of all rows that were accepted, as rows of the index, nearly in order: a normalizer that starts reads them. */
  *heads(): Generator<Buffer> {
    let parts: IndexedRow[] = [];
    // What still counts of it is in the row that takes its place; the rest is gone with it.
    const going = this.#carried?.row;
    const accepted = [...this.#unsettled, ...this.#unput]
      .filter(([row]) => row !== going)
      .map(([row, bytes]) => indexed(row, bytes));
    const known = new Set([going, ...accepted.map(({ row }) => row)]);
    for (const { rows } of this.#stored()) {
      for (const one of rows) {
        if (!known.has(one.row)) parts.push(one);
        if (parts.length < indexedMax) continue;
        yield indexRow(parts);
        parts = [];
      }
    }
    parts.push(...accepted);
    if (parts.length > 0) yield indexRow(parts);
  }

  /** A chunk, opened; undefined where it cannot be read. */
  read(row: number, chunk: number): Buffer | undefined {
    let bytes = this.#unput.get(row) ?? this.#unsettled.get(row);
    if (bytes === undefined) {
      this.#part.environment.root.resetReadTxn();
      bytes = this.#table.getBinaryFast(numberKey(row));
    }
    const sealed = bytes === undefined ? undefined : chunkOf(bytes, chunk);
    if (sealed !== undefined) return this.#open(row, chunk, sealed);
    this.#damaged += 1;
    return undefined;
  }

  #open(row: number, chunk: number, sealed: Buffer): Buffer | undefined {
    try {
      return this.#part.opener.open(place('memory', this.#part.origin, row, chunk), sealed);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      this.#damaged += 1;
      return undefined;
    }
  }

  /** How many rows and chunks could not be read since the last call. */
  takeDamaged(): number {
    const damaged = this.#damaged;
    this.#damaged = 0;
    return damaged;
  }

  /** A row that came back with a job; it counts from here on, and is to be `put` once, when its job is finished. */
  accept(made: NumberedRow, entries: number): void {
    this.#entries = entries;
    this.#accept(made);
  }

  #accept({ row, bytes }: NumberedRow): void {
    const { sealer, origin } = this.#part;
    const sealed = withChunks(bytes, (plain, chunk) =>
      sealer.seal(place('memory', origin, row, chunk), plain),
    );
    if (sealed === undefined) throw new Error(`row ${row} of the memory came without a head`);
    this.#last = row;
    this.#unput.set(row, sealed);
  }

  /** Into the round that finishes its job. */
  put(round: Round, row: number): void {
    this.#write(round, row);
    this.#credit = Math.min(this.#credit + carriesEach, creditMax);
    this.#writeCarried(() => round);
  }

  // ---- the old end ----

  /** What the normalizer is to look at now, or undefined; one row at a time. */
  carry(nowS: number): Carry | undefined {
    if (this.#carrying !== 0 || this.#credit === 0 || this.#oldest === 0) return undefined;
    const [unput = Number.POSITIVE_INFINITY] = this.#unput.keys();
    const over = (share: number) =>
      this.#bytes > this.#bytesMax * share || this.#entries > this.#entriesMax * share;
    if (this.#oldest >= unput || !(over(1) || this.#oldestS + rowAgeS < nowS)) return undefined;
    const bytes = this.#unsettled.get(this.#oldest) ?? this.#table.get(numberKey(this.#oldest));
    if (bytes === undefined) return undefined;
    const row = this.#oldest;
    this.#credit -= 1;
    this.#carrying = row;
    const drop = over(overShare);
    // What is dropped is not looked into.
    const opened = drop
      ? Buffer.from(bytes)
      : withChunks(bytes, (sealed, chunk) => this.#open(row, chunk, sealed) ?? nothing);
    return { row, bytes: opened ?? noHead, drop };
  }

  /** What the normalizer made of the row that it was given. */
  carried(row: number, into: NumberedRow | undefined, entries: number): void {
    if (this.#carrying !== row) return;
    this.#entries = entries;
    if (into !== undefined) this.#accept(into);
    this.#carried = { row, into: into?.row };
    this.#writeCarried(() => this.#part.committer.round('soon'));
  }

  /** The normalizer that had a row is gone: whatever it made of it is lost, unless it came back. */
  forsaken(): void {
    if (this.#carried === undefined) this.#carrying = 0;
  }

  /** @param roundOf the round in hand, where there is one: to ask for another would send that off half filled */
  #writeCarried(roundOf: () => Round): void {
    if (this.#carried === undefined) return;
    const { row, into } = this.#carried;
    const [unput = Number.POSITIVE_INFINITY] = this.#unput.keys();
    // Rows that were made before it hold newer values of what it does not carry on.
    if (unput < (into ?? this.#last + 1)) return;
    this.#carried = undefined;
    this.#carrying = 0;
    const round = roundOf();
    if (into !== undefined) this.#write(round, into);
    this.#remove(round, row);
  }

  #write(round: Round, row: number): void {
    const bytes = this.#unput.get(row);
    if (bytes === undefined) throw new Error(`row ${row} of the memory was not accepted`);
    this.#unput.delete(row);
    round.put(this.#table, numberKey(row), bytes);
    this.#unsettled.set(row, bytes);
    round.whenSettled(() => this.#unsettled.delete(row));
    this.#rows += 1;
    const one = indexed(row, bytes);
    this.#count(one, 1);
    if (this.#oldest === 0 || row < this.#oldest) {
      this.#oldest = row;
      this.#oldestS = writtenS(one.head);
    }
    this.#unindexed.push({ ...one, head: Buffer.from(one.head) });
    const [unput = Number.POSITIVE_INFINITY] = this.#unput.keys();
    if (this.#unindexed.length < indexedMax || this.#unindexed.some((late) => late.row > unput)) return;
    this.#unindexed.sort((a, b) => a.row - b.row);
    const last = this.#unindexed.at(-1)?.row ?? 0;
    round.put(this.#index, numberKey(last), indexRow(this.#unindexed));
    this.#unindexed = [];
  }

  #remove(round: Round, row: number): void {
    const key = numberKey(row);
    const bytes = this.#unsettled.get(row) ?? this.#table.getBinaryFast(key);
    if (bytes !== undefined) {
      this.#count(indexed(row, bytes), -1);
      this.#rows -= 1;
      round.remove(this.#table, key);
    }
    this.#unindexed = this.#unindexed.filter((one) => one.row !== row);
    const unsettled = [...this.#unsettled.keys()].filter((one) => one > row);
    this.#part.environment.root.resetReadTxn();
    const [stored] = this.#table.getKeys({ start: numberKey(row + 1), limit: 1 });
    const next = Math.min(
      stored === undefined ? Number.POSITIVE_INFINITY : readUInt64(stored as Buffer, 0),
      ...unsettled,
    );
    this.#oldest = Number.isFinite(next) ? next : 0;
    this.#ageOldest();
    if (this.#oldestIndex === 0) this.#oldestIndex = this.#firstIndex(0);
    if (this.#oldestIndex === 0 || this.#oldestIndex > row) return;
    round.remove(this.#index, numberKey(this.#oldestIndex));
    this.#oldestIndex = this.#firstIndex(this.#oldestIndex + 1);
  }

  #firstIndex(from: number): number {
    const [found] = this.#index.getKeys({ start: numberKey(from), limit: 1 });
    return found === undefined ? 0 : readUInt64(found as Buffer, 0);
  }

  #ageOldest(): void {
    if (this.#oldest === 0) return;
    const bytes = this.#unsettled.get(this.#oldest) ?? this.#table.get(numberKey(this.#oldest));
    const head = bytes === undefined ? undefined : headOf(bytes);
    this.#oldestS = head === undefined ? 0 : writtenS(head);
  }

  /** Of a row that came or went: its own bytes, and those of its head in the index. */
  #count({ bytes, head }: IndexedRow, sign: 1 | -1): void {
    const by = sign * storedBytes(keyBytes, bytes + head.length);
    this.#bytes += by;
    this.#onBytes(by);
  }

  /** Rows of the table by their heads, a few at a time: from the index, and behind it from the rows themselves. */
  *#stored(): Generator<{ rows: IndexedRow[]; isIndexed: boolean }> {
    this.#part.environment.root.resetReadTxn();
    let last = 0;
    for (const { key, value } of this.#index.getRange({})) {
      const through = readUInt64(key, 0);
      // A row of the index that cannot be read costs a look at its rows.
      const rows = readIndexRow(value) ?? [...this.#read(last + 1, through + 1)];
      yield { rows: rows.filter(({ row }) => row >= this.#oldest), isIndexed: true };
      last = through;
    }
    let rows: IndexedRow[] = [];
    for (const one of this.#read(Math.max(last + 1, this.#oldest), Number.MAX_SAFE_INTEGER)) {
      rows.push(one.head === noHead ? one : { ...one, head: Buffer.from(one.head) });
      if (rows.length < indexedMax) continue;
      yield { rows, isIndexed: false };
      rows = [];
    }
    yield { rows, isIndexed: false };
  }

  *#read(from: number, before: number): Generator<IndexedRow> {
    for (const { key, value } of this.#table.getRange({ start: numberKey(from), end: numberKey(before) })) {
      const one = indexed(readUInt64(key, 0), value);
      if (one.head === noHead) this.#damaged += 1;
      yield one;
    }
  }
}

/** A row whose head is damaged holds nothing, and goes when its turn comes. */
const noHead = memoryRow([], 0);
const nothing = new Uint8Array(0);

function indexed(row: number, bytes: Buffer): IndexedRow {
  return { row, bytes: bytes.length, head: headOf(bytes) ?? noHead };
}
