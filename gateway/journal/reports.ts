/**
 * What the control plane has to be told beside the events: what went to quarantine, what became of messages at
 * the site's destinations, and what is for the audit trail. Numbered, kept until it was acknowledged, sealed
 * where it could name a patient.
 */
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { AuditEntry, DeliveryEntry } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { nowUs } from '../process/clock.ts';
import type { Round } from './committer.ts';
import { numberKey, place, quarantineId, readUInt64, sequenceMax, tables } from './layout.ts';
import { type JournalPart, settled } from './part.ts';
import { storedBytes } from './space.ts';
import type { State } from './state.ts';

const removedMax = 2_000;
/** Entries that go out together: well within one frame, with what is added to each. */
const entriesBytesMax = wireLimits.reportBytesMax / 4;

export interface ReportsHooks {
  onReport(): void;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** There is one for each message that a route sent on, so they count as what the journal holds. */
  bytes(live: number): void;
}

export class Reports {
  readonly #part: JournalPart;
  readonly #state: State;
  readonly #gateway: () => string;
  readonly #hooks: ReportsHooks;
  #quarantine: number;
  #audit: number;
  #deliveries: number;
  /** Removed up to here, or about to be. */
  #deliveriesGone: number;
  /** By table and number: damaged rows that were alarmed. */
  readonly #damaged = new Set<string>();

  constructor(part: JournalPart, state: State, gateway: () => string, hooks: ReportsHooks) {
    this.#part = part;
    this.#state = state;
    this.#gateway = gateway;
    this.#hooks = hooks;
    this.#quarantine = this.#last(tables.quarantineReport);
    this.#audit = this.#last(tables.auditReport);
    this.#deliveries = this.#last(tables.deliveryReport);
    this.#deliveriesGone = 0;
    for (const { key, value } of this.#table(tables.deliveryReport).getRange({}))
      hooks.bytes(storedBytes(key.length, value.length));
  }

  /** The newest numbers, so that nothing is read when there is nothing new. */
  numbers(): { audit: number; quarantine: number; deliveries: number } {
    return { audit: this.#audit, quarantine: this.#quarantine, deliveries: this.#deliveries };
  }

  /** The last numbers that the control plane acknowledged, as this journal knows it. */
  told(): { audit: number; quarantine: number; deliveries: number } {
    const of = (name: string) => this.#state.number(`reported.${name}`);
    return {
      audit: of(tables.auditReport),
      quarantine: of(tables.quarantineReport),
      deliveries: of(tables.deliveryReport),
    };
  }

  delivered(round: Round, entry: Omit<DeliveryEntry, 'number'>): void {
    this.#deliveries += 1;
    const [key, number] = [numberKey(this.#deliveries), BigInt(this.#deliveries)];
    const row = DeliveryEntry.encode({ ...entry, number }).finish();
    round.put(this.#table(tables.deliveryReport), key, row);
    this.#hooks.bytes(storedBytes(key.length, row.length));
    round.whenSettled(() => this.#hooks.onReport());
  }

  /** From behind number `after` on. */
  deliveryEntries(after: number, limit: number): DeliveryEntry[] {
    return this.#entries(tables.deliveryReport, after, limit, (value) => DeliveryEntry.decode(value));
  }

  deliveriesTold(through: number): void {
    const round = this.#part.committer.round('later');
    const table = this.#table(tables.deliveryReport);
    const told = {
      start: numberKey(this.#deliveriesGone + 1),
      end: numberKey(through + 1),
      limit: removedMax,
    };
    for (const { key, value } of table.getRange(told)) {
      round.remove(table, key);
      this.#hooks.bytes(-storedBytes(key.length, value.length));
      this.#deliveriesGone = readUInt64(key, 0);
    }
    this.#reported(tables.deliveryReport, through);
  }

  quarantined(round: Round, entry: QuarantineEntry): void {
    this.#quarantine += 1;
    const bytes = QuarantineEntry.encode({ ...entry, number: BigInt(this.#quarantine) }).finish();
    // A message control ID can be an MRN.
    const sealed = this.#part.sealer.seal(
      place(tables.quarantineReport, this.#part.origin, this.#quarantine),
      bytes,
    );
    round.put(this.#table(tables.quarantineReport), numberKey(this.#quarantine), sealed);
    round.whenSettled(() => this.#hooks.onReport());
  }

  /**
   * Notes what happened here for the audit trail; resolves when that is durable.
   * @param round the one in hand, where there is one: to ask for a round may send off the one that was open
   */
  audit(entry: Partial<AuditEntry>, round = this.#part.committer.round()): Promise<void> {
    this.#audit += 1;
    const row = AuditEntry.fromPartial({ atUs: BigInt(nowUs()), ...entry, number: BigInt(this.#audit) });
    round.put(this.#table(tables.auditReport), numberKey(this.#audit), AuditEntry.encode(row).finish());
    round.whenSettled(() => this.#hooks.onReport());
    return settled(round);
  }

  /** From behind number `after` on. */
  quarantineEntries(after: number, limit: number): QuarantineEntry[] {
    return this.#entries(tables.quarantineReport, after, limit, (value, number) => {
      const where = place(tables.quarantineReport, this.#part.origin, number);
      return this.#named(QuarantineEntry.decode(this.#part.opener.open(where, value)));
    });
  }

  /**
   * In the order of their numbers, after this one, so many as a frame carries; what is damaged cannot be told, and is
   * alarmed once.
   */
  #entries<Entry extends { number: bigint }>(
    table: string,
    after: number,
    limit: number,
    read: (value: Buffer, number: number) => Entry,
  ): Entry[] {
    const found: Entry[] = [];
    let bytes = 0;
    const range = { start: numberKey(after + 1), end: numberKey(sequenceMax + 1) };
    for (const { key, value } of this.#table(table).getRange(range)) {
      const number = readUInt64(key, 0);
      bytes += value.length;
      if (found.length > 0 && bytes > entriesBytesMax) break;
      const entry = readable(() => read(value, number));
      // Its own copy of the number has no checksum: told further on than it stands, others would count as told with it.
      if (entry !== undefined) found.push({ ...entry, number: BigInt(number) });
      else if (!this.#damaged.has(`${table} ${number}`)) {
        this.#damaged.add(`${table} ${number}`);
        this.#hooks.onAlarm('report-damaged', { table, number });
      }
      if (found.length >= limit) break;
    }
    return found;
  }

  /** What went to quarantine before the enrollment was noted without the gateway's name, which its id begins with. */
  #named(entry: QuarantineEntry): QuarantineEntry {
    const gateway = this.#gateway();
    if (entry.gateway !== '' || gateway === '') return entry;
    return {
      ...entry,
      gateway,
      id: quarantineId(gateway, entry.recordEpoch, entry.recordSequence),
    };
  }

  /** From behind number `after` on. */
  auditEntries(after: number, limit: number): AuditEntry[] {
    return this.#entries(tables.auditReport, after, limit, (value) => AuditEntry.decode(value));
  }

  quarantineTold(through: number): void {
    this.#told(tables.quarantineReport, through);
  }

  auditTold(through: number): void {
    this.#told(tables.auditReport, through);
  }

  #told(name: string, through: number): void {
    const round = this.#part.committer.round('later');
    for (const key of this.#table(name).getKeys({ end: numberKey(through + 1), limit: removedMax })) {
      round.remove(this.#table(name), key as Buffer);
    }
    this.#reported(name, through);
  }

  /** Never back: what was told is not told again. */
  #reported(name: string, through: number): void {
    const before = this.#state.number(`reported.${name}`);
    if (through > before) this.#state.set(`reported.${name}`, through);
  }

  #last(name: string): number {
    const table = this.#table(name);
    // A key that says more is damaged: no number is made from it, and what stands under it is not told.
    const start = numberKey(sequenceMax + 1);
    for (const key of table.getKeys({ start }))
      this.#hooks.onAlarm('report-damaged', { table: name, number: readUInt64(key as Buffer, 0) });
    const [key] = table.getKeys({ start, reverse: true, limit: 1 });
    const told = this.#state.number(`reported.${name}`);
    return key === undefined ? told : Math.max(told, readUInt64(key as Buffer, 0));
  }

  #table(name: string) {
    return this.#part.environment.table(name);
  }
}

/** Not every row is sealed, so what a flipped bit leaves may be told by the decoder alone. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
