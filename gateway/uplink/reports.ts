/**
 * What the gateway tells beside the events.
 *
 * - Audit, quarantine and delivery entries are numbered and wait in the journal until they were acknowledged; a session
 *   sends each once, in order, and the next one begins with what the journal still holds: only an ack of what was sent
 *   takes anything out of it, because a number speaks of the journal that gave it, and of no earlier or later one.
 * - Receipts say when an ack arrived here. They are for measuring, and are not sent again.
 * - Telemetry is absolute, so that a lost one loses nothing. What of it is large goes when it changed (details.ts), where
 *   the control plane keeps what a report leaves out.
 */
import type { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import type {
  AuditEntry,
  DeliveryEntry,
  LaneAck,
  Telemetry,
  Welcome,
} from '../../proto/gen/hilum/v1/session.ts';
import { type Detail, Details } from './details.ts';
import type { Frame } from './session.ts';

const entriesMax = 200;
const receiptsMax = 64;
/** So many are worth a frame; fewer go with the telemetry. */
const deliveriesMin = 64;
/** Sent and not acknowledged. */
const deliveriesInFlightMax = 1_000;

export interface ReportNumbers {
  audit: number;
  quarantine: number;
  deliveries: number;
}

/** Entries, numbered, until they were acknowledged. */
export interface ReportQueue {
  /** The newest. */
  numbers(): ReportNumbers;
  /** The last that were acknowledged to this journal. */
  told(): ReportNumbers;
  quarantineEntries(limit: number): QuarantineEntry[];
  quarantineTold(through: number): void;
  auditEntries(limit: number): AuditEntry[];
  auditTold(through: number): void;
  deliveryEntries(after: number, limit: number): DeliveryEntry[];
  deliveriesTold(through: number): void;
}

export interface ReportHooks {
  /** Without its details. */
  telemetry(): Telemetry;
  details(): Iterable<Detail>;
  /** What was repeated since the last call: record sequence and count. */
  takeRepeats(): { recordSequence: number; count: number }[];
}

export class Reporting {
  readonly #queue: ReportQueue;
  readonly #hooks: ReportHooks;
  readonly #write: (frame: Frame) => void;
  #auditSent = 0;
  #quarantineSent = 0;
  #deliveriesSent = 0;
  #deliveriesTold = 0;
  #receipts: LaneAck[] = [];
  readonly #details = new Details();
  #partial = false;

  constructor(queue: ReportQueue, hooks: ReportHooks, write: (frame: Frame) => void) {
    this.#queue = queue;
    this.#hooks = hooks;
    this.#write = write;
  }

  /** A new session. */
  resume({ takesPartialReports }: Pick<Welcome, 'takesPartialReports'>): void {
    const { audit, quarantine, deliveries } = this.#queue.told();
    this.#auditSent = audit;
    this.#quarantineSent = quarantine;
    this.#deliveriesSent = deliveries;
    this.#deliveriesTold = deliveries;
    this.#receipts = [];
    this.#details.forget();
    this.#partial = takesPartialReports;
  }

  auditAcked(through: bigint): void {
    this.#queue.auditTold(Math.min(Number(through), this.#auditSent));
  }

  quarantineAcked(through: bigint): void {
    this.#queue.quarantineTold(Math.min(Number(through), this.#quarantineSent));
  }

  deliveriesAcked(through: bigint): void {
    this.#deliveriesTold = Math.min(Number(through), this.#deliveriesSent);
    this.#queue.deliveriesTold(this.#deliveriesTold);
  }

  /** Where at least `atLeast` wait: what became of messages at the site's destinations is in no hurry. */
  sendDeliveries(atLeast = deliveriesMin): void {
    const room = this.#deliveriesTold + deliveriesInFlightMax - this.#deliveriesSent;
    if (this.#queue.numbers().deliveries - this.#deliveriesSent < atLeast || room <= 0) return;
    const entries = this.#queue.deliveryEntries(this.#deliveriesSent, Math.min(entriesMax, room));
    this.#deliveriesSent = Number(entries.at(-1)?.number ?? this.#deliveriesSent);
    if (entries.length > 0) this.#write({ $case: 'deliveries', value: { entries } });
  }

  /** Sends entries that this session has not sent. */
  sendEntries(): void {
    const newest = this.#queue.numbers();
    if (newest.quarantine > this.#quarantineSent) {
      const entries = this.#queue
        .quarantineEntries(entriesMax)
        .filter((entry) => Number(entry.number) > this.#quarantineSent);
      this.#quarantineSent = Number(entries.at(-1)?.number ?? this.#quarantineSent);
      if (entries.length > 0) this.#write({ $case: 'quarantine', value: { entries } });
    }
    if (newest.audit > this.#auditSent) {
      const entries = this.#queue
        .auditEntries(entriesMax)
        .filter((entry) => Number(entry.number) > this.#auditSent);
      this.#auditSent = Number(entries.at(-1)?.number ?? this.#auditSent);
      if (entries.length > 0) this.#write({ $case: 'audit', value: { entries } });
    }
  }

  /** An ack arrived at `atUs`. */
  receipt(ack: LaneAck, atUs: number): void {
    this.#receipts.push({ ...ack, atUs: BigInt(atUs) });
  }

  /** Sends receipts where so many wait that they are worth a frame. */
  sendManyReceipts(): void {
    if (this.#receipts.length >= receiptsMax) this.#sendReceipts();
  }

  /** Everything that is told at intervals: receipts, telemetry, repeats under this epoch. @param last of the session */
  sendTelemetry(
    epoch: bigint,
    clock: { offsetUs: number; uncertaintyUs: number },
    nowMs: number,
    last = false,
  ): void {
    this.#sendReceipts();
    this.sendDeliveries(1);
    const value: Telemetry = {
      ...this.#hooks.telemetry(),
      clockOffsetUs: BigInt(Math.round(clock.offsetUs)),
      clockUncertaintyUs: BigInt(Math.round(clock.uncertaintyUs)),
      partial: this.#partial,
    };
    if (!this.#partial) this.#details.forget();
    this.#details.add(value, this.#hooks.details(), nowMs, last || !this.#partial);
    this.#write({ $case: 'telemetry', value });
    const repeats = this.#hooks
      .takeRepeats()
      .map(({ recordSequence, count }) => ({ recordSequence: BigInt(recordSequence), count }));
    if (repeats.length > 0) this.#write({ $case: 'repeats', value: { epoch, repeats } });
  }

  #sendReceipts(): void {
    if (this.#receipts.length === 0) return;
    this.#write({ $case: 'receipts', value: { receipts: this.#receipts.splice(0) } });
  }
}
