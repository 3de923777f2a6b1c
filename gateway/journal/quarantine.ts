/**
 * What could not be understood, with its reason: sealed, kept until a person replays or discards it. What of it may
 * be known outside (no payload) goes up as a report in the same round.
 *
 *   key    sequence(8) source(2) flags(1) epoch(8) captured s(4)
 *
 * Nothing is opened to count: the key says what the record was counted under, and whether it looks urgent, which is told
 * until it is taken out. The epoch is the one that its id has, whatever the journal's is by now: with it, what cannot be
 * read is known, too.
 */
import { JournalRecord, QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import type { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import { nowUs } from '../process/clock.ts';
import { orDamaged } from '../process/seal.ts';
import type { Round } from './committer.ts';
import { numberKey, place, quarantineId, readUInt64, sequenceMax, tables, writeUInt64 } from './layout.ts';
import { type JournalPart, settled } from './part.ts';
import type { Reports } from './reports.ts';
import { storedBytes } from './space.ts';

/** In one round, and one turn: each is opened as a whole, and senders wait meanwhile. */
const toldTogether = 20;
/** The code of what its disk has damaged, a record or an event of it. */
export const damagedCode = 'damaged';

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
  /** Who asks for it, as the trail says it once it is done: in the round that does it. */
  readonly asked?: Pick<AuditEntry, 'actor' | 'reason' | 'subject'>;
}

interface Row {
  readonly key: Buffer;
  /** Length of its value. */
  readonly bytes: number;
}

interface Found extends Row {
  readonly sequence: number;
  /** undefined where it cannot be read: that costs itself alone. */
  readonly kept: QuarantinedRecord | undefined;
}

export interface QuarantineHooks {
  bytes(live: number): void;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  onEvents(): void;
  sourceName(source: number): string;
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
  /** Put in a round that is not on disk yet. */
  readonly #coming = new Map<number, Row>();
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
      if (sequence <= sequenceMax) {
        last = Math.max(last, sequence);
        this.note(sequence, source);
      }
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

  /** @param counted custody has the record among the quarantined. */
  put(round: Round, { sequence, source, capturedS, record, entry }: MadeReject, counted = true): void {
    this.note(sequence, source);
    const { urgent, recordEpoch: epoch } = entry;
    const key = quarantineKey({ sequence, source, urgent, counted, epoch, capturedS });
    this.#countUrgent(key, 1);
    const sealed = this.#part.sealer.seal(place('quarantine', this.#part.origin, sequence), record);
    round.put(this.#table(), key, sealed);
    const row = { key, bytes: sealed.length };
    this.#coming.set(sequence, row);
    round.whenSettled(() => {
      if (this.#coming.get(sequence) === row) this.#coming.delete(sequence);
    });
    this.#hooks.bytes(storedBytes(key.length, sealed.length));
    this.#reports.quarantined(round, { ...entry, state: 'open' });
    if (entry.urgent) this.#hooks.onAlarm('urgent-quarantined', { source: entry.source, code: entry.code });
    round.whenSettled(() => this.#hooks.onEvents());
  }

  /**
   * What is left of a record whose event is damaged: that it was, and why it cannot be read.
   * @param counted as in `put`; it is not where another of its events completes it.
   */
  putDamaged(
    round: Round,
    where: Pick<MadeReject, 'sequence' | 'source' | 'capturedS'>,
    sourceName: string,
    counted: boolean,
    why: string,
  ): void {
    this.#hooks.onAlarm('event-damaged', { source: sourceName });
    const { sequence } = where;
    const reason = `Damaged on disk: ${why}.`;
    const standing = this.#standing(sequence);
    if (standing !== undefined) {
      const has = readQuarantineKey(standing.key);
      if (has.counted || !counted) {
        // What was refused of the record stays, so that it can be tried again; the trail has what else became of it.
        const subject = quarantineId(this.#gateway(), has.epoch || this.#part.epoch(), sequence);
        void this.#reports.audit({ action: 'event-damaged', subject, outcome: 'failed', reason }, round);
        return;
      }
      // Another of its events was damaged before the one that would have completed it.
      this.#remove(round, standing);
    }
    const facts = { code: damagedCode, reason, atUs: BigInt(nowUs()) };
    const record = QuarantinedRecord.encode(QuarantinedRecord.fromPartial(facts)).finish();
    const entry = QuarantineEntry.fromPartial({
      ...facts,
      id: quarantineId(this.#gateway(), this.#part.epoch(), sequence),
      gateway: this.#gateway(),
      source: sourceName,
      recordEpoch: this.#part.epoch(),
      recordSequence: BigInt(sequence),
    });
    this.put(round, { ...where, record, entry }, counted);
  }

  /** Another control plane knows of none of what is here: each is told once more. Resolves when that is durable. */
  async tellAgain(): Promise<void> {
    for (let after = -1; ; ) {
      // A key that says more is damaged, and nothing is found by it.
      const range = { start: numberKey(after + 1), end: numberKey(sequenceMax + 1), limit: toldTogether };
      const sequences = Array.from(this.#table().getKeys(range), (key) => readUInt64(key as Buffer, 0));
      if (sequences.length === 0) return;
      const round = this.#part.committer.round();
      for (const sequence of sequences) {
        after = sequence;
        const found = this.#leaving.has(sequence) ? undefined : this.find(sequence);
        if (found !== undefined) this.#reports.quarantined(round, this.#entryOf(found));
      }
      await settled(round);
    }
  }

  #entryOf({ sequence, key, kept }: Found): QuarantineEntry {
    const { epoch, source, urgent } = readQuarantineKey(key);
    const record = kept?.record;
    const gateway = this.#gateway();
    return QuarantineEntry.fromPartial({
      id: quarantineId(gateway, epoch, sequence),
      gateway,
      source: this.#hooks.sourceName(source),
      messageControlId: record?.messageControlId ?? '',
      recordHash: kept === undefined ? '' : hashOf(kept),
      recordEpoch: epoch,
      recordSequence: BigInt(sequence),
      code: kept?.code ?? damagedCode,
      reason: kept?.reason ?? 'Damaged on disk: what stood here does not open.',
      atUs: kept?.atUs ?? 0n,
      urgent,
      protocol: record?.protocol ?? '',
      bytes: BigInt(record?.raw.length ?? 0),
      state: 'open',
      capturedAtUs: record?.capturedAtUs ?? 0n,
      refusedControlIds: kept?.refusedControlIds ?? [],
    });
  }

  /** The row under this sequence; also one that is on its way to the disk, and none that is on its way out. */
  #standing(sequence: number): Row | undefined {
    if (this.#leaving.has(sequence)) return undefined;
    const coming = this.#coming.get(sequence);
    if (coming !== undefined) return coming;
    const row = this.#row(sequence);
    return row && { key: Buffer.from(row.key), bytes: row.value.length };
  }

  #row(sequence: number): { key: Buffer; value: Buffer } | undefined {
    const [row] = this.#table().getRange({
      start: numberKey(sequence),
      end: numberKey(sequence + 1),
      limit: 1,
    });
    return row;
  }

  /** The record under this sequence, where it is the one that is meant. */
  find(sequence: number, { hash = '', epoch = 0n }: Meant = {}): Found | undefined {
    const row = this.#row(sequence);
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
    // Nothing is left to be tried; earlier builds kept an empty record of such.
    if (record === undefined || found.kept?.code === damagedCode) return 'damaged';
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
   * id; what it was counted under (from when it was captured, 0 where nobody can say), or undefined where there is none.
   */
  discard(round: Round, sequence: number, meant: Meant): QuarantineKey | undefined {
    const found = this.find(sequence, meant);
    if (found === undefined || !this.#takeOut(round, found)) return undefined;
    const atUs = BigInt(nowUs());
    this.#left(round, sequence, meant, { state: 'discarded', atUs, replayedAtUs: atUs });
    const key = readQuarantineKey(found.key);
    const capturedAtUs = found.kept?.record?.capturedAtUs ?? 0n;
    return { ...key, capturedS: key.capturedS || Math.floor(Number(capturedAtUs) / 1e6) };
  }

  /** false where another call takes it out in a round that is not on disk yet: it is still to be seen. */
  #takeOut(round: Round, found: Found): boolean {
    const { sequence } = found;
    if (this.#leaving.has(sequence)) return false;
    this.#leaving.add(sequence);
    round.whenSettled(() => this.#leaving.delete(sequence));
    this.#remove(round, found);
    return true;
  }

  #remove(round: Round, { key, bytes }: Row): void {
    round.remove(this.#table(), key);
    this.#countUrgent(key, -1);
    this.#hooks.bytes(-storedBytes(key.length, bytes));
  }

  #left(round: Round, sequence: number, { id = '', asked }: Meant, facts: Partial<QuarantineEntry>): void {
    if (asked !== undefined)
      void this.#reports.audit({ ...asked, action: facts.state ?? '', outcome: 'success' }, round);
    if (id === '') return;
    const entry = { id, gateway: this.#gateway(), recordSequence: BigInt(sequence), ...facts };
    this.#reports.quarantined(round, QuarantineEntry.fromPartial(entry));
  }

  #table() {
    return this.#part.environment.table(tables.quarantine);
  }
}

const keyAt = { source: 8, flags: 10, epoch: 11, captured: 19, end: 23 } as const;
const flag = { urgent: 1, uncounted: 2 } as const;

export interface QuarantineKey {
  sequence: number;
  source: number;
  /** It looks urgent. */
  urgent: boolean;
  /** Custody has it among the quarantined. */
  counted: boolean;
  /** In keys of earlier builds, which ended before it, 0, as is what follows. */
  epoch: bigint;
  /** Seconds since 1970. */
  capturedS: number;
}

export function quarantineKey(of: QuarantineKey): Buffer {
  const key = Buffer.alloc(keyAt.end);
  writeUInt64(key, of.sequence, 0);
  key.writeUInt16BE(of.source, keyAt.source);
  key[keyAt.flags] = (of.urgent ? flag.urgent : 0) | (of.counted ? 0 : flag.uncounted);
  key.writeBigUInt64BE(of.epoch, keyAt.epoch);
  key.writeUInt32BE(of.capturedS, keyAt.captured);
  return key;
}

export function readQuarantineKey(key: Buffer): QuarantineKey {
  const flags = key[keyAt.flags] ?? 0;
  const whole = key.length >= keyAt.end;
  return {
    sequence: readUInt64(key, 0),
    source: key.readUInt16BE(keyAt.source),
    urgent: (flags & flag.urgent) !== 0,
    counted: (flags & flag.uncounted) === 0,
    epoch: whole ? key.readBigUInt64BE(keyAt.epoch) : 0n,
    capturedS: whole ? key.readUInt32BE(keyAt.captured) : 0,
  };
}

function hashOf({ record }: QuarantinedRecord): string {
  return Buffer.from(record?.sha256 ?? []).toString('hex');
}
