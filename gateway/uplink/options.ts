/** What the uplink is given, what it calls, and how it says it stands. */
import type {
  ConfigOffer,
  ConfigReport,
  PayloadReply,
  PayloadRequest,
  ReplayRequest,
  ReplayResult,
} from '../../proto/gen/hilum/v1/session.ts';
import type { ConnectProxy } from './channel.ts';
import type { Identity } from './identity.ts';
import type { LaneChoice, PumpHooks, QueuedEvents } from './pump.ts';
import type { ReportHooks } from './reports.ts';

/** What the uplink needs of the journal. */
export interface Outbox extends QueuedEvents {
  /** What is not acked goes out under a new epoch from here on. */
  renewEpoch(): Promise<void>;
  /** Events go to the control plane of this CA (its SHA-256): to another one than before under a new epoch. */
  deliverTo(plane: Uint8Array): Promise<void>;
}

export interface UplinkHooks extends PumpHooks, ReportHooks {
  random(): number;
  log(level: 'info' | 'warn', code: string, fields?: Record<string, string | number>): void;
  onAlarm(code: string, fields: Record<string, string>): void;
  onConfig(offer: ConfigOffer): void;
  /** What is in quarantine is tried again, or discarded. */
  onTakeOut(
    how: 'replay' | 'discard',
    asked: Omit<ReplayRequest, 'request'>,
  ): Promise<Omit<ReplayResult, 'request'>>;
  onPayload(asked: Omit<PayloadRequest, 'request'>): Promise<Omit<PayloadReply, 'request'>>;
  configReport(): ConfigReport;
}

export interface UplinkOptions {
  identity: Identity;
  address: string;
  proxy?: ConnectProxy | undefined;
  version: string;
  mappingVersion: string;
  lanes: LaneChoice;
}

export interface UplinkState {
  state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  lastAckAtUs: number;
  reason: string;
  offsetUs: number;
  uncertaintyUs: number;
  connects: number;
}
