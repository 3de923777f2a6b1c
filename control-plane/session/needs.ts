/** What the sessions need: of the streams that they run on, and of the rest of the control plane. */
import type { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import type {
  AuditEntry,
  Batch,
  ConfigOffer,
  ConfigOutcome,
  ConfigReport,
  DeliveryEntry,
  Envelope,
  GatewayFrame,
  Hello,
  PlaneFrame,
  RepeatReport,
} from '../../proto/gen/hilum/v1/session.ts';
import type { Appended } from '../eventlog/eventlog.ts';
import type { Peer } from '../identity/peers.ts';
import type { Room } from '../store/room.ts';

/** What a session needs of the stream that it runs on. */
export interface Line {
  send(frame: PlaneFrame): void;
  /** Ends the stream; a reason is sent before. */
  close(): void;
  peer: string;
}

/** What a session needs of the rest of the control plane. */
export interface Hub {
  nowUs(): bigint;
  cursor(gateway: string, epoch: bigint, lane: string): Promise<bigint>;
  /** The event that stands at a position, if one is there and can be read. */
  eventAt(gateway: string, epoch: bigint, lane: string, sequence: bigint): Promise<Envelope | undefined>;
  /**
   * The gateway was told that everything before `first` of a lane is stored, and this log does not have it: it is said
   * loudly, and goes on behind it. Resolves to the last sequence before the place where it goes on.
   */
  notHere(gateway: string, epoch: bigint, lane: string, first: bigint): Promise<bigint>;
  /** Where what gateways bring waits while there is no room for it. */
  room: Pick<Room, 'enter' | 'leave' | 'isCrowded'>;
  append(gateway: string, site: string, batch: Batch): Promise<Appended>;
  /** A stream may be older than what was said of its gateway since. */
  isRevoked(gateway: string): boolean;
  /** The other gateway whose journal has this epoch; '' where there is none. */
  holder(gateway: string, epoch: bigint): string;
  connected(hello: Hello, line: Line, peer: Peer): Promise<{ site: string }>;
  disconnected(gateway: string, end: SessionEnd): Promise<void>;
  /** These resolve, once it is flushed, to the number of the last; what came before is recognised, not taken again. */
  audit(gateway: string, site: string, entries: AuditEntry[]): Promise<bigint>;
  quarantine(gateway: string, site: string, entries: QuarantineEntry[]): Promise<bigint>;
  deliveries(gateway: string, entries: DeliveryEntry[]): Promise<bigint>;
  configReport(gateway: string, report: ConfigReport): Promise<void>;
  telemetry(
    gateway: string,
    frame: Extract<GatewayFrame['frame'], { $case: 'telemetry' }>['value'],
  ): Promise<void>;
  receipts(
    gateway: string,
    frame: Extract<GatewayFrame['frame'], { $case: 'receipts' }>['value'],
  ): Promise<void>;
  repeats(gateway: string, report: RepeatReport): Promise<void>;
  /** The config that the gateway should run, where it differs from what it says. */
  offer(gateway: string, site: string, running: ConfigOutcome | undefined): ConfigOffer | undefined;
  alarm(code: string, fields: Record<string, string | number>): void;
}

/**
 * How a session ended: the gateway said goodbye; this control plane drained, refused or dropped it, or took a
 * newer session in its place; else the line was lost.
 */
export type SessionEnd = 'goodbye' | 'control-plane-drained' | 'refused' | 'dropped' | 'replaced' | 'lost';
