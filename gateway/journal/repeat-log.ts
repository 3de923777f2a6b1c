/**
 * The repeat index on disk: a row for each round that brought entries, dropped from the old end when
 * they are past their age or their number. Keys are HMACs, because a message control ID can be an MRN.
 */
import type { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import type { RecordDraft } from '../capture/intake.ts';
import type { Blind } from '../process/keys.ts';
import type { Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { numberKey, readUInt64, sequenceMax, tables } from './layout.ts';
import type { JournalPart } from './part.ts';
import { createRepeatIndex, type RepeatIndex, rowAtS, type Seen } from './repeats.ts';

/**
 * Rows dropped in a round: as many, and twice as many as it has entries, because an old row may have one alone. So the
 * index shrinks faster than it grows, and no sender waits for all that a pause has aged.
 */
const droppedMin = 8;

export type Repeat = NonNullable<RecordDraft['repeat']>;

export class RepeatLog {
  readonly #table: Table;
  readonly #blind: Blind;
  readonly #index: RepeatIndex;
  readonly #entriesMax: number;
  readonly #ageMs: number;
  #row = 0;
  #oldest = 0;
  /** Of the oldest row, once it was read. */
  #oldestAtS: number | undefined;
  /** Capture of the last entry: what is now to the index. */
  #nowS = 0;
  /** Entries since the last row. */
  #added = 0;

  constructor(part: JournalPart, blind: Blind, entriesMax: number, ageMs: number) {
    this.#table = part.environment.table(tables.repeats);
    this.#blind = blind;
    this.#entriesMax = entriesMax;
    this.#ageMs = ageMs;
    this.#index = createRepeatIndex();
    for (const { key, value } of this.#table.getRange({})) {
      this.#index.load(value);
      const row = readUInt64(key, 0);
      // A key that says more is damaged, and no number is made from it.
      if (row > sequenceMax) continue;
      this.#row = row;
      if (this.#oldest === 0) this.#oldest = row;
    }
  }

  size(): number {
    return this.#index.size();
  }

  /** The key as it is looked up and kept: made once for a message, because it costs two hashes. */
  blind(key: string): Buffer {
    return this.#blind(key);
  }

  /**
   * The sequence of the record that this one repeats: the same bytes under the same identifier, within the window of
   * the source. Else the record is marked: the same bytes later are a resend, other bytes under that identifier a conflict.
   */
  lookUp(repeat: Repeat, key: Buffer, record: JournalRecord, capturedS: number): number | undefined {
    if (!repeat.consult) return undefined;
    let seen = this.#find(key, record, capturedS);
    if (seen === undefined) return undefined;
    if (repeat.window === 'released') return seen.sequence;
    if (!seen.sameBytes) {
      if (repeat.otherBytes === 'replace') return undefined;
      record.conflict = true;
      record.conflictWith = BigInt(seen.sequence);
      seen = this.#find(this.#keyOf(repeat, key, record), record, capturedS);
      if (seen === undefined || !seen.sameBytes) return undefined;
    }
    // A clock that was ahead and was set right has left times that are to come: those tell of no repeat, either.
    if (Math.abs(capturedS - seen.atS) * 1000 <= repeat.window.ms) return seen.sequence;
    record.resend = true;
    record.resendOf = BigInt(seen.sequence);
    return undefined;
  }

  /** What is past its age is not known any more, whether its row was dropped by now or not. */
  #find(key: Buffer, { sha256 }: JournalRecord, capturedS: number): Seen | undefined {
    const seen = this.#index.find(key, sha256);
    return seen === undefined || this.#isAged(seen.atS, capturedS) ? undefined : seen;
  }

  #isAged(atS: number, nowS: number): boolean {
    return (nowS - atS) * 1000 > this.#ageMs;
  }

  add(repeat: Repeat, key: Buffer, record: JournalRecord, sequence: number, capturedS: number): void {
    this.#nowS = capturedS;
    this.#added += 1;
    this.#index.add(this.#keyOf(repeat, key, record), record.sha256, sequence, capturedS);
  }

  release(key: string): void {
    this.#index.release(this.#blind(key));
  }

  #keyOf(repeat: Repeat, key: Buffer, record: JournalRecord): Buffer {
    // The first bytes under a message control ID keep the plain key; other bytes get one of their own.
    return record.conflict
      ? this.#blind(`${repeat.key}|${Buffer.from(record.sha256).toString('base64')}`)
      : key;
  }

  write(round: Round): void {
    const row = this.#index.takeRow();
    if (row === undefined) return;
    this.#row += 1;
    if (this.#oldest === 0) this.#oldest = this.#row;
    round.put(this.#table, numberKey(this.#row), row);
    const droppedMax = Math.max(droppedMin, 2 * this.#added);
    this.#added = 0;
    for (let dropped = 0; dropped < droppedMax && this.#oldest < this.#row; dropped += 1) {
      const tooMany = this.#index.size() > this.#entriesMax;
      if (!tooMany && !this.#isAged(this.#oldestRowAtS(), this.#nowS)) return;
      const old = this.#oldestRow();
      if (old === undefined) return;
      this.#index.forget(old.value);
      round.remove(this.#table, old.key);
      this.#oldest = readUInt64(old.key, 0) + 1;
      this.#oldestAtS = undefined;
    }
  }

  /** The first that there is, before the newest: where a key is damaged numbers are left out. What is not flushed is not there. */
  #oldestRow(): { key: Buffer; value: Buffer } | undefined {
    const key = numberKey(this.#oldest);
    const value = this.#table.get(key);
    if (value !== undefined) return { key, value };
    const [next] = this.#table.getRange({ start: key, end: numberKey(this.#row), limit: 1 });
    return next && { key: Buffer.from(next.key), value: next.value };
  }

  /** Read once: it stays the oldest for many rounds. */
  #oldestRowAtS(): number {
    if (this.#oldestAtS === undefined) {
      const old = this.#oldestRow();
      if (old === undefined) return this.#nowS;
      this.#oldestAtS = rowAtS(old.value);
    }
    return this.#oldestAtS;
  }
}
