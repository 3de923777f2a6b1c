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

/** How far this session is with entries of one kind, by their numbers. */
interface Progress {
  sent: number;
  told: number;
}

/** Entries, numbered, until they were acknowledged; they are read from behind a number on. */
export interface ReportQueue {
  /** The newest. */
  numbers(): ReportNumbers;
  /** The last that were acknowledged to this journal. */
  told(): ReportNumbers;
  quarantineEntries(after: number, limit: number): QuarantineEntry[];
  quarantineTold(through: number): void;
  auditEntries(after: number, limit: number): AuditEntry[];
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
  #progress: Record<keyof ReportNumbers, Progress> = progressFrom({ audit: 0, quarantine: 0, deliveries: 0 });
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
    this.#progress = progressFrom(this.#queue.told());
    this.#receipts = [];
    this.#details.forget();
    this.#partial = takesPartialReports;
  }

  auditAcked(through: bigint): void {
    this.#queue.auditTold(acknowledged(this.#progress.audit, through));
  }

  quarantineAcked(through: bigint): void {
    this.#queue.quarantineTold(acknowledged(this.#progress.quarantine, through));
  }

  deliveriesAcked(through: bigint): void {
    this.#queue.deliveriesTold(acknowledged(this.#progress.deliveries, through));
  }

  /** Where at least `atLeast` wait: what became of messages at the site's destinations is in no hurry. */
  sendDeliveries(atLeast = deliveriesMin): void {
    const { deliveries } = this.#progress;
    const room = deliveries.told + deliveriesInFlightMax - deliveries.sent;
    if (this.#queue.numbers().deliveries - deliveries.sent < atLeast || room <= 0) return;
    const entries = this.#queue.deliveryEntries(deliveries.sent, Math.min(entriesMax, room));
    deliveries.sent = Number(entries.at(-1)?.number ?? deliveries.sent);
    if (entries.length > 0) this.#write({ $case: 'deliveries', value: { entries } });
  }

  /** Sends entries that this session has not sent: of each kind one frame, and the next one when it was acknowledged. */
  sendEntries(): void {
    const newest = this.#queue.numbers();
    const { quarantine, audit } = this.#progress;
    if (newest.quarantine > quarantine.sent && quarantine.told === quarantine.sent) {
      const entries = this.#queue.quarantineEntries(quarantine.sent, entriesMax);
      quarantine.sent = Number(entries.at(-1)?.number ?? quarantine.sent);
      if (entries.length > 0) this.#write({ $case: 'quarantine', value: { entries } });
    }
    if (newest.audit > audit.sent && audit.told === audit.sent) {
      const entries = this.#queue.auditEntries(audit.sent, entriesMax);
      audit.sent = Number(entries.at(-1)?.number ?? audit.sent);
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

function progressFrom({
  audit,
  quarantine,
  deliveries,
}: ReportNumbers): Record<keyof ReportNumbers, Progress> {
  const from = (number: number): Progress => ({ sent: number, told: number });
  return { audit: from(audit), quarantine: from(quarantine), deliveries: from(deliveries) };
}

/** Notes an acknowledgment, and returns what it is worth: no more than was sent. */
function acknowledged(progress: Progress, through: bigint): number {
  progress.told = Math.max(progress.told, Math.min(Number(through), progress.sent));
  return progress.told;
}
