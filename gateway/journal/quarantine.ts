/**
 * What could not be understood, with its reason: sealed, kept until a person replays or discards it. What of it may
 * be known outside (no payload) goes up as a report in the same round.
 *
 *   key    sequence(8) source(2) [1: it looks urgent]
 *
 * An urgent one is told of until it is taken out, over restarts too, so its key says it: nothing is opened to count them.
 */
import { JournalRecord, QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/session.ts';
import { nowUs } from '../process/clock.ts';
import { orDamaged } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { numberKey, place, quarantineId, readUInt64, shortKey, tables } from './layout.ts';
import type { JournalPart } from './part.ts';
import type { Reports } from './reports.ts';
import { storedBytes } from './space.ts';

export interface MadeReject {
  sequence: number;
  source: number;
  capturedS: number;
  /** Encoded QuarantinedRecord. */
  record: Uint8Array;
  entry: QuarantineEntry;
}

export interface QuarantineHooks {
  bytes(live: number): void;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  onEvents(): void;
}

export class Quarantine {
  readonly #part: JournalPart;
  readonly #reports: Reports;
  readonly #hooks: QuarantineHooks;
  readonly #gateway: () => string;
  readonly lastSequence: number;
  /** The last of each source, by its number. */
  readonly #lasts = new Map<number, number>();
  /** Taken out in a round that is not on disk yet. */
  readonly #leaving = new Set<number>();
  /** By the number of the source: records here that look urgent. */
  readonly #urgent = new Map<number, number>();

  constructor(part: JournalPart, reports: Reports, gateway: () => string, hooks: QuarantineHooks) {
    this.#part = part;
    this.#reports = reports;
    this.#hooks = hooks;
    this.#gateway = gateway;
    let last = 0;
    for (const { key, value } of this.#table().getRange({})) {
      hooks.bytes(storedBytes(key.length, value.length));
      last = Math.max(last, readUInt64(key, 0));
      this.note(readUInt64(key, 0), key.readUInt16BE(sequenceBytes));
      this.#countUrgent(key, 1);
    }
    this.lastSequence = last;
  }

  /** It is on its way here. */
  note(sequence: number, source: number): void {
    if (sequence > this.lastOf(source)) this.#lasts.set(source, sequence);
  }

  /** The last record of this source that came here; 0: none is known. */
  lastOf(source: number): number {
    return this.#lasts.get(source) ?? 0;
  }

  /** Records of the source here that look urgent. */
  urgentOf(source: number): number {
    return this.#urgent.get(source) ?? 0;
  }

  #countUrgent(key: Buffer, by: 1 | -1): void {
    if (key.length === plainKeyBytes) return;
    const source = key.readUInt16BE(sequenceBytes);
    this.#urgent.set(source, this.urgentOf(source) + by);
  }

  put(round: Round, { sequence, source, record, entry }: MadeReject): void {
    this.note(sequence, source);
    const plainKey = quarantineKey(sequence, source);
    const key = entry.urgent ? Buffer.concat([plainKey, Buffer.of(1)]) : plainKey;
    this.#countUrgent(key, 1);
    const sealed = this.#part.sealer.seal(place('quarantine', this.#part.origin, sequence), record);
    round.put(this.#table(), key, sealed);
    this.#hooks.bytes(storedBytes(key.length, sealed.length));
    this.#reports.quarantined(round, { ...entry, state: 'open' });
    if (entry.urgent) this.#hooks.onAlarm('urgent-quarantined', { source: entry.source, code: entry.code });
    round.whenSettled(() => this.#hooks.onEvents());
  }

  /** What is left of a record whose event is damaged: that it was, and why it cannot be read. */
  putDamaged(round: Round, sequence: number, source: number, sourceName: string, why: string): void {
    const facts = { code: 'damaged', reason: `Damaged on disk: ${why}.`, atUs: BigInt(nowUs()) };
    const record = QuarantinedRecord.encode(QuarantinedRecord.fromPartial(facts)).finish();
    const entry = QuarantineEntry.fromPartial({
      ...facts,
      id: quarantineId(this.#gateway(), this.#part.epoch(), sequence),
      gateway: this.#gateway(),
      source: sourceName,
      recordEpoch: this.#part.epoch(),
      recordSequence: BigInt(sequence),
    });
    this.put(round, { sequence, source, capturedS: 0, record, entry });
    this.#hooks.onAlarm('event-damaged', { source: sourceName });
  }

  find(sequence: number): { key: Buffer; bytes: number; record: QuarantinedRecord } | undefined {
    const row = this.#row(sequence);
    if (row === undefined) return undefined;
    const plain = this.#part.opener.open(place('quarantine', this.#part.origin, sequence), row.value);
    return { key: Buffer.from(row.key), bytes: row.value.length, record: QuarantinedRecord.decode(plain) };
  }

  /**
   * Takes the entry out in this round, and reports it as replayed under its id where that is given; the record as it
   * is to be journaled again, under the sequence `as`, or why there is none.
   */
  release(round: Round, sequence: number, id: string, as: number): JournalRecord | 'missing' | 'damaged' {
    const found = this.#read(sequence);
    if (found === undefined) return 'missing';
    if (found === 'damaged') return 'damaged';
    const { record } = found.record;
    // Of an event that was damaged nothing is left to be tried.
    if (record === undefined) return 'damaged';
    if (!this.#takeOut(round, sequence, found)) return 'missing';
    const atUs = BigInt(nowUs());
    this.#left(round, sequence, id, { state: 'replayed', replayedAs: BigInt(as), atUs, replayedAtUs: atUs });
    return JournalRecord.create({ ...record, replays: record.replays + 1 });
  }

  /**
   * Takes the entry out in this round for good, also one that cannot be opened, and reports it as discarded under its
   * id; whose it was and when it was captured (0 where nobody can say), or undefined where there is none.
   */
  discard(round: Round, sequence: number, id: string): { source: number; capturedS: number } | undefined {
    const row = this.#row(sequence);
    if (row === undefined) return undefined;
    const { key, value } = row;
    const found = this.#read(sequence);
    const record = found === 'damaged' ? undefined : found?.record.record;
    if (!this.#takeOut(round, sequence, { key: Buffer.from(key), bytes: value.length })) return undefined;
    const atUs = BigInt(nowUs());
    this.#left(round, sequence, id, { state: 'discarded', atUs, replayedAtUs: atUs });
    const capturedS = Math.floor(Number(record?.capturedAtUs ?? 0n) / 1e6);
    return { source: key.readUInt16BE(sequenceBytes), capturedS };
  }

  /** false where another call takes it out in a round that is not on disk yet: it is still to be seen. */
  #takeOut(round: Round, sequence: number, { key, bytes }: { key: Buffer; bytes: number }): boolean {
    if (this.#leaving.has(sequence)) return false;
    this.#leaving.add(sequence);
    round.whenSettled(() => this.#leaving.delete(sequence));
    round.remove(this.#table(), key);
    this.#countUrgent(key, -1);
    this.#hooks.bytes(-storedBytes(key.length, bytes));
    return true;
  }

  #left(round: Round, sequence: number, id: string, facts: Partial<QuarantineEntry>): void {
    if (id === '') return;
    const entry = { id, gateway: this.#gateway(), recordSequence: BigInt(sequence), ...facts };
    this.#reports.quarantined(round, QuarantineEntry.fromPartial(entry));
  }

  /** As it came; undefined where it is not there or cannot be read. */
  raw(sequence: number): Uint8Array | undefined {
    const found = this.#read(sequence);
    return found === 'damaged' ? undefined : found?.record.record?.raw;
  }

  #row(sequence: number): { key: Buffer; value: Buffer } | undefined {
    const range = { start: quarantineKey(sequence, 0), end: quarantineKey(sequence + 1, 0), limit: 1 };
    const [row] = this.#table().getRange(range);
    return row;
  }

  /** A row that cannot be opened costs itself alone. */
  #read(sequence: number): ReturnType<Quarantine['find']> | 'damaged' {
    const read = orDamaged(() => ({ found: this.find(sequence) }));
    return read === undefined ? 'damaged' : read.found;
  }

  #table() {
    return this.#part.environment.table(tables.quarantine);
  }
}

const sequenceBytes = 8;
const plainKeyBytes = sequenceBytes + 2;

export function quarantineKey(sequence: number, source: number): Buffer {
  return Buffer.concat([numberKey(sequence), shortKey(source)]);
}
