/**
 * What could not be understood, with its reason: sealed, kept until a person replays or discards it. What of it may
 * be known outside (no payload) goes up as a report in the same round.
 *
 *   key    sequence(8) source(2) urgent(1) epoch(8)
 *
 * An urgent one is told of until it is taken out, over restarts too, so its key says it: nothing is opened to count them.
 * The epoch is the one that its id has, whatever the journal's is by now: with it, what cannot be read is known, too.
 */
import { JournalRecord, QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/session.ts';
import { nowUs } from '../process/clock.ts';
import { orDamaged } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { numberKey, place, quarantineId, readUInt64, tables, writeUInt64 } from './layout.ts';
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

/**
 * Which record is meant, as the control plane knows its entry: it has those of journals that are gone, too, whose
 * sequences may be another record's here. What is empty or 0 is not known there.
 */
export interface Meant {
  /** Under which it is reported that it was taken out. */
  readonly id?: string;
  /** SHA-256 of its bytes, in hex. */
  readonly hash?: string;
  readonly epoch?: bigint;
}

interface Found {
  readonly sequence: number;
  readonly key: Buffer;
  readonly bytes: number;
  /** undefined where it cannot be read: that costs itself alone. */
  readonly kept: QuarantinedRecord | undefined;
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
      const { sequence, source } = readQuarantineKey(key);
      last = Math.max(last, sequence);
      this.note(sequence, source);
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
    const { source, urgent } = readQuarantineKey(key);
    if (urgent) this.#urgent.set(source, this.urgentOf(source) + by);
  }

  put(round: Round, { sequence, source, record, entry }: MadeReject): void {
    this.note(sequence, source);
    const key = quarantineKey({ sequence, source, urgent: entry.urgent, epoch: entry.recordEpoch });
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

  /** The record under this sequence, where it is the one that is meant. */
  find(sequence: number, { hash = '', epoch = 0n }: Meant = {}): Found | undefined {
    const [row] = this.#table().getRange({
      start: numberKey(sequence),
      end: numberKey(sequence + 1),
      limit: 1,
    });
    if (row === undefined) return undefined;
    const key = Buffer.from(row.key);
    const has = readQuarantineKey(key);
    if (epoch !== 0n && has.epoch !== 0n && has.epoch !== epoch) return undefined;
    const where = place('quarantine', this.#part.origin, sequence);
    const kept = orDamaged(() => QuarantinedRecord.decode(this.#part.opener.open(where, row.value)));
    if (hash !== '' && kept !== undefined && hash !== hashOf(kept)) return undefined;
    return { sequence, key, bytes: row.value.length, kept };
  }

  /**
   * Takes the entry out in this round, and reports it as replayed under its id where that is given; the record as it
   * is to be journaled again, under the sequence `as`, or why there is none.
   */
  release(round: Round, sequence: number, meant: Meant, as: number): JournalRecord | 'missing' | 'damaged' {
    const found = this.find(sequence, meant);
    if (found === undefined) return 'missing';
    const record = found.kept?.record;
    // Of an event that was damaged nothing is left to be tried.
    if (record === undefined) return 'damaged';
    if (!this.#takeOut(round, found)) return 'missing';
    const atUs = BigInt(nowUs());
    this.#left(round, sequence, meant, {
      state: 'replayed',
      replayedAs: BigInt(as),
      atUs,
      replayedAtUs: atUs,
    });
    return JournalRecord.create({ ...record, replays: record.replays + 1 });
  }

  /**
   * Takes the entry out in this round for good, also one that cannot be opened, and reports it as discarded under its
   * id; whose it was and when it was captured (0 where nobody can say), or undefined where there is none.
   */
  discard(round: Round, sequence: number, meant: Meant): { source: number; capturedS: number } | undefined {
    const found = this.find(sequence, meant);
    if (found === undefined || !this.#takeOut(round, found)) return undefined;
    const atUs = BigInt(nowUs());
    this.#left(round, sequence, meant, { state: 'discarded', atUs, replayedAtUs: atUs });
    const capturedS = Math.floor(Number(found.kept?.record?.capturedAtUs ?? 0n) / 1e6);
    return { source: readQuarantineKey(found.key).source, capturedS };
  }

  /** false where another call takes it out in a round that is not on disk yet: it is still to be seen. */
  #takeOut(round: Round, { sequence, key, bytes }: Found): boolean {
    if (this.#leaving.has(sequence)) return false;
    this.#leaving.add(sequence);
    round.whenSettled(() => this.#leaving.delete(sequence));
    round.remove(this.#table(), key);
    this.#countUrgent(key, -1);
    this.#hooks.bytes(-storedBytes(key.length, bytes));
    return true;
  }

  #left(round: Round, sequence: number, { id = '' }: Meant, facts: Partial<QuarantineEntry>): void {
    if (id === '') return;
    const entry = { id, gateway: this.#gateway(), recordSequence: BigInt(sequence), ...facts };
    this.#reports.quarantined(round, QuarantineEntry.fromPartial(entry));
  }

  #table() {
    return this.#part.environment.table(tables.quarantine);
  }
}

const keyBytes = { source: 8, urgent: 10, epoch: 11, all: 19 } as const;

export interface QuarantineKey {
  sequence: number;
  source: number;
  /** It looks urgent. */
  urgent: boolean;
  /** 0 in keys of earlier builds, which ended before it. */
  epoch: bigint;
}

export function quarantineKey({ sequence, source, urgent, epoch }: QuarantineKey): Buffer {
  const key = Buffer.alloc(keyBytes.all);
  writeUInt64(key, sequence, 0);
  key.writeUInt16BE(source, keyBytes.source);
  key.writeUInt8(urgent ? 1 : 0, keyBytes.urgent);
  key.writeBigUInt64BE(epoch, keyBytes.epoch);
  return key;
}

export function readQuarantineKey(key: Buffer): QuarantineKey {
  return {
    sequence: readUInt64(key, 0),
    source: key.readUInt16BE(keyBytes.source),
    urgent: key[keyBytes.urgent] === 1,
    epoch: key.length < keyBytes.all ? 0n : key.readBigUInt64BE(keyBytes.epoch),
  };
}

function hashOf({ record }: QuarantinedRecord): string {
  return Buffer.from(record?.sha256 ?? []).toString('hex');
}
