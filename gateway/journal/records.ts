/**
 * Records that are flushed or being flushed and not normalized yet: one queue for each class that
 * capture guessed. What one round brings of a class is one row; the newest rows stay in memory for the
 * normalizer while there is room, and are read back where there is none.
 *
 *   add ─► collected ─► row of the open round ─► settled: hot (in memory) ─► take ─► finish removes the row
 *                                                       └► spilled (on disk only) ─┘
 */
import { type Class, classes, perClass } from '../../proto/config/event-words.ts';
import type { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { nowUs } from '../process/clock.ts';
import type { Table } from '../process/lmdb.ts';
import { Damaged, messagesOf } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { Fifo } from './fifo.ts';
import { place, recordsTable, sequenceMax } from './layout.ts';
import type { JournalPart } from './part.ts';
import { RecordEncoder } from './record-encoder.ts';
import {
  emptyRecordRow,
  type RecordEntry,
  type RecordRowKey,
  readRecordHead,
  readRecordRowKey,
  recordRowKey,
  rowBytesMax,
  rowMessagesMax,
  rowSourcesMax,
  sequenceKey,
} from './rows.ts';
import { storedBytes } from './space.ts';
import { Standing } from './standing.ts';

const hotBytesMax = 8 * 1024 * 1024;
/** Rows that wait on disk and whose flush is remembered. */
const flushesMax = 100_000;

/** A record on its way to the normalizer. */
export interface TakenRecord {
  sequence: number;
  guess: Class;
  source: number;
  capturedS: number;
  /** Encoded JournalRecord; empty where it is damaged. */
  bytes: Uint8Array;
  /** Why it cannot be read; '' where it can. */
  damaged: string;
  /** 0 where an earlier process journaled it. */
  journaledAtUs: number;
}

/** What its row tells of a record beside its bytes. */
export interface AddedRecord extends RecordEntry {
  guess: Class;
  /** Whose it is [capture/order-key.ts]. */
  orderKeys: readonly number[];
}

/** Records that were taken together and are finished together. */
export interface TakenRow {
  guess: Class;
  key: Buffer;
  records: TakenRecord[];
}

interface Queue {
  guess: Class;
  table: Table;
  readonly encoder: RecordEncoder;
  collected: AddedRecord[];
  collectedBytes: number;
  collectedSources: Set<number>;
  hot: Fifo<TakenRow>;
  hotBytes: number;
  hotRecords: number;
  /** Rows on disk that are not in `hot` wait behind `takenThrough`. */
  spilled: boolean;
  /** When those were flushed, by their first sequence; what an earlier process wrote is not here. */
  flushedAtUs: Map<number, number>;
  takenThrough: number;
  durable: number;
}

export interface RecordsCounters {
  /** Answers a number that no record has. */
  freshSequence(): number;
  pending(source: number, by: number): void;
  /** Bytes of rows, as they stand in the file and as they were stored. */
  bytes(live: number, unmapped: number): void;
  /** The key of a row is not what the row says. */
  keyDamaged(table: string): void;
}

export class Records {
  readonly #part: JournalPart;
  readonly #counters: RecordsCounters;
  readonly #queues: Record<Class, Queue>;
  readonly #standing = new Standing();
  /** First sequences of rows that are taken out by rounds which are not flushed. */
  readonly #leaving = new Set<number>();
  /** Found at start. */
  readonly found: { records: number; lastSequence: number };

  constructor(part: JournalPart, counters: RecordsCounters) {
    this.#part = part;
    this.#counters = counters;
    this.found = { records: 0, lastSequence: 0 };
    this.#queues = perClass((guess) => {
      const table = part.environment.table(recordsTable(guess));
      let durable = 0;
      for (const found of table.getKeys({})) {
        const row = readRecordRowKey(found as Buffer);
        // Where keys could not be mended [key-order.ts].
        if (row.last <= sequenceMax) durable = Math.max(durable, row.last);
        for (const [source, records] of row.sources) {
          counters.pending(source, records);
          this.found.records += records;
        }
        counters.bytes(storedBytes((found as Buffer).length, row.bytes), row.bytes);
        this.#standing.recovered(row.first);
      }
      this.found.lastSequence = Math.max(this.found.lastSequence, durable);
      return {
        guess,
        table,
        encoder: new RecordEncoder(),
        collected: [],
        collectedBytes: 0,
        collectedSources: new Set(),
        hot: new Fifo(),
        hotBytes: 0,
        hotRecords: 0,
        spilled: durable > 0,
        flushedAtUs: new Map(),
        takenThrough: 0,
        durable,
      };
    });
  }

  /** Puts a record into the row of the open round; returns its encoded bytes. */
  add(round: Round, added: AddedRecord, record: JournalRecord): number {
    const queue = this.#queues[added.guess];
    const bytes = queue.encoder.add(record);
    queue.collected.push(added);
    queue.collectedBytes += bytes;
    queue.collectedSources.add(added.source);
    this.#counters.pending(added.source, 1);
    round.weigh(bytes);
    if (
      queue.collected.length >= rowMessagesMax ||
      queue.collectedBytes >= rowBytesMax ||
      queue.collectedSources.size >= rowSourcesMax
    )
      this.#close(round, queue);
    return bytes;
  }

  /** Just before the round is sealed: what was collected becomes rows. */
  write(round: Round): void {
    for (const guess of classes) this.#close(round, this.#queues[guess]);
  }

  #close(round: Round, queue: Queue): void {
    if (queue.collected.length === 0) return;
    const collected = queue.collected;
    const bytes = queue.encoder.take();
    const value = this.#sealed(queue.guess, collected, bytes);
    const key = recordRowKey(collected, value.length);
    queue.collected = [];
    queue.collectedBytes = 0;
    queue.collectedSources = new Set();
    round.put(queue.table, key, value);
    this.#standing.add(queue.guess, collected[0]?.sequence ?? 0, orderKeysOf(collected));
    this.#counters.bytes(storedBytes(key.length, value.length), value.length);
    const records = collected.map(({ sequence, guess, source, capturedS }, at) => ({
      sequence,
      guess,
      source,
      capturedS,
      bytes: bytes[at] as Uint8Array,
      damaged: '',
      journaledAtUs: 0,
    }));
    round.whenSettled(() => this.#offer(queue, { guess: queue.guess, key, records }));
  }

  #sealed(guess: Class, records: readonly RecordEntry[], plain: readonly Uint8Array[]): Buffer {
    const { sealer, origin } = this.#part;
    const lengths = plain.map(({ length }) => length);
    const { row, body } = emptyRecordRow(records, lengths);
    sealer.sealMany(row, body, place(recordsTable(guess), origin, records[0]?.sequence ?? 0), lengths, plain);
    return row;
  }

  /** Keeps a flushed row in memory for the normalizer while there is room; else it is read back. */
  #offer(queue: Queue, row: TakenRow): void {
    const atUs = nowUs();
    let bytes = 0;
    for (const record of row.records) {
      record.journaledAtUs = atUs;
      bytes += record.bytes.length;
    }
    queue.durable = row.records.at(-1)?.sequence ?? queue.durable;
    if (queue.durable <= queue.takenThrough) return;
    if (!queue.spilled && queue.hotBytes > 0 && queue.hotBytes + bytes > hotBytesMax) queue.spilled = true;
    if (queue.spilled) {
      const first = row.records[0]?.sequence ?? 0;
      if (queue.flushedAtUs.size < flushesMax) queue.flushedAtUs.set(first, atUs);
      return;
    }
    queue.hot.push(row);
    queue.hotBytes += bytes;
    queue.hotRecords += row.records.length;
  }

  /** Rows of one guess, in order, until they hold so many records or bytes; each is handed out once per life. */
  take(guess: Class, countMax: number, bytesMax: number): TakenRow[] {
    const queue = this.#queues[guess];
    const taken: TakenRow[] = [];
    let count = 0;
    let bytes = 0;
    const full = (moreRecords: number, moreBytes: number) =>
      taken.length > 0 && (count + moreRecords > countMax || bytes + moreBytes > bytesMax);
    const add = (row: TakenRow, rowBytes: number) => {
      taken.push(row);
      count += row.records.length;
      bytes += rowBytes;
      queue.takenThrough = row.records.at(-1)?.sequence ?? queue.takenThrough;
    };
    for (let row = queue.hot.peek(); row !== undefined; row = queue.hot.peek()) {
      const rowBytes = bytesOf(row);
      if (full(row.records.length, rowBytes)) break;
      queue.hot.shift();
      queue.hotBytes -= rowBytes;
      queue.hotRecords -= row.records.length;
      add(row, rowBytes);
    }
    if (queue.hot.length > 0 || !queue.spilled) return taken;
    const start = sequenceKey(queue.takenThrough + 1);
    for (const { key, value } of queue.table.getRange({ start, limit: countMax })) {
      const head = readRecordRowKey(key);
      if (head.last > queue.durable || full(recordsIn(head), head.bytes)) break;
      const row = Buffer.from(key);
      add({ guess, key: row, records: this.#readBack(guess, row, value) }, head.bytes);
      if (count >= countMax || bytes >= bytesMax) break;
    }
    if (queue.takenThrough >= queue.durable) queue.spilled = false;
    return taken;
  }

  #readBack(guess: Class, stored: Buffer, value: Buffer): TakenRecord[] {
    const key = readRecordRowKey(stored);
    const head = readRecordHead(value);
    if (head === undefined) return this.#lost(guess, key, 'the head of its row does not match its checksum');
    const told = recordRowKey(head.records, value.length);
    const isAstray = !told.equals(stored);
    const first = head.records[0]?.sequence ?? key.first;
    const { opener, origin } = this.#part;
    const opened = opener.openMany(value, head.body, place(recordsTable(guess), origin, first), head.lengths);
    // The head has a checksum and the key has none; but a row that stands in its place too was copied over another one.
    if (isAstray && (this.#stands(guess, told) || opened.damaged.size === head.lengths.length))
      return this.#lost(guess, key, 'its row is not in its place');
    if (isAstray) {
      for (const [source, records] of key.sources) this.#counters.pending(source, -records);
      for (const { source } of head.records) this.#counters.pending(source, 1);
      this.#counters.keyDamaged(recordsTable(guess));
    }
    const { flushedAtUs } = this.#queues[guess];
    const journaledAtUs = flushedAtUs.get(key.first) ?? 0;
    flushedAtUs.delete(key.first);
    const messages = messagesOf(opened, head.lengths);
    return head.records.map((record, at) => {
      const message = messages[at] as Buffer | Damaged;
      const [bytes, damaged] = message instanceof Damaged ? [nothing, message.message] : [message, ''];
      return { ...record, guess, bytes, damaged, journaledAtUs };
    });
  }

  #stands(guess: Class, key: Buffer): boolean {
    const [found] = this.#queues[guess].table.getKeys({ start: key, limit: 1 });
    return found !== undefined && key.equals(found as Buffer);
  }

  #lost(guess: Class, key: RecordRowKey, why: string): TakenRecord[] {
    return withoutHead(guess, key, why, () => this.#counters.freshSequence());
  }

  /** Takes the row out of the journal, in the round that writes what became of its records. */
  remove(round: Round, row: TakenRow): void {
    const { bytes, first } = readRecordRowKey(row.key);
    round.remove(this.#queues[row.guess].table, row.key);
    this.#standing.remove(row.guess, first);
    this.#leaving.add(first);
    round.whenSettled(() => this.#leaving.delete(first));
    this.#counters.bytes(-storedBytes(row.key.length, bytes), -bytes);
  }

  /** What became of every record up to this sequence is flushed, of those that were taken out. */
  removedThrough(): number {
    return Math.min(...this.#leaving) - 1;
  }

  /** Is there a record of this guess that was not taken yet? */
  waiting(guess: Class): boolean {
    const queue = this.#queues[guess];
    return queue.hot.length > 0 || (queue.spilled && queue.takenThrough < queue.durable);
  }

  /** May the next row of this guess go before what came earlier under another guess, with no patient's order broken? */
  mayOvertake(guess: Class): boolean {
    const queue = this.#queues[guess];
    const records = queue.hot.peek()?.records;
    // What was read back may be of an earlier life; it keeps its place.
    if (records === undefined) return false;
    return this.#standing.mayOvertake(guess, records[0]?.sequence ?? 0, records.at(-1)?.sequence ?? 0);
  }

  /** Flushed records in memory that wait for the normalizer; infinite once some wait on disk only. */
  waitingRecords(): number {
    let waiting = 0;
    for (const guess of classes) {
      const queue = this.#queues[guess];
      waiting += queue.spilled ? Number.POSITIVE_INFINITY : queue.hotRecords;
    }
    return waiting;
  }

  /** The sequence that `take` would hand out next, or undefined. */
  nextSequence(guess: Class): number | undefined {
    const queue = this.#queues[guess];
    const hot = queue.hot.peek()?.records[0];
    if (hot !== undefined) return hot.sequence;
    if (!queue.spilled || queue.takenThrough >= queue.durable) return undefined;
    const [key] = queue.table.getKeys({ start: sequenceKey(queue.takenThrough + 1), limit: 1 });
    return key === undefined ? undefined : readRecordRowKey(key as Buffer).first;
  }

  /** Seconds since 1970 at which the oldest record was captured. */
  oldestS(): number | undefined {
    const oldest = classes.flatMap((guess) => {
      const [key] = this.#queues[guess].table.getKeys({ limit: 1 });
      return key === undefined ? [] : [readRecordRowKey(key as Buffer).capturedS];
    });
    return oldest.length === 0 ? undefined : Math.min(...oldest);
  }
}

function orderKeysOf(records: readonly AddedRecord[]): number[] {
  const keys: number[] = [];
  for (const { orderKeys } of records) for (const key of orderKeys) keys.push(key);
  return keys;
}

function bytesOf(row: TakenRow): number {
  let bytes = 0;
  for (const record of row.records) bytes += record.bytes.length;
  return bytes;
}

function recordsIn({ sources }: RecordRowKey): number {
  return sources.reduce((sum, [, records]) => sum + records, 0);
}

/**
 * What the key still tells: how many records of which source there were, and two of their numbers. The numbers between
 * may be those of other rows' records.
 * @param fresh a number that no record has
 */
function withoutHead(
  guess: Class,
  { first, last, capturedS, sources }: RecordRowKey,
  damaged: string,
  fresh: () => number,
): TakenRecord[] {
  return sources
    .flatMap(([source, count]) => Array.from({ length: count }, () => source))
    .map((source, at, { length }) => ({
      sequence: at === 0 ? first : at === length - 1 ? last : fresh(),
      guess,
      source,
      capturedS,
      bytes: nothing,
      damaged,
      journaledAtUs: 0,
    }));
}

const nothing = new Uint8Array(0);
