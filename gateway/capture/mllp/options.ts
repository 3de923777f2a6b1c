/** What an MLLP listener is given, its limits, and what it counts. */
import type { TlsOptions } from 'node:tls';
import type { Class } from '../intake.ts';
import type { Header } from './header.ts';

export interface MllpOptions {
  name: string;
  host: string;
  port: number;
  tls?: TlsOptions | undefined;
  /** Allowed peer addresses; empty: all. */
  allow(address: string): boolean;
  limits: MllpLimits;
  /** What an over-full journal is answered with; the default is silence and a closed connection. */
  onRefused: 'close' | 'reject';
}

export interface MllpLimits {
  frameBytesMax: number;
  connectionsMax: number;
  connectionsPerAddressMax: number;
  /** Unanswered messages on a connection before it is paused. */
  unansweredMax: number;
  /** From the first byte of a frame to its last. */
  frameTimeoutMs: number;
  idleTimeoutMs: number;
  handshakeTimeoutMs: number;
  flow?: Partial<FlowLimits>;
}

/** What a connection, and all of a listener, may have in memory before sockets are not read (flow.ts). */
export interface FlowLimits {
  /** Of one connection, in messages whose commit is waited for. */
  inFlightBytesMax: number;
  /** The same of all connections together. */
  inFlightBytesTotalMax: number;
  /** Of all connections together, in frames whose end has not come. */
  halfFrameBytesTotalMax: number;
  /** Answers of one connection that its peer has not read. */
  unsentBytesMax: number;
  /** A peer that reads none of them for this long is closed. */
  unreadTimeoutMs: number;
}

export const flowDefaults: FlowLimits = {
  inFlightBytesMax: 4 * 1024 * 1024,
  inFlightBytesTotalMax: 64 * 1024 * 1024,
  halfFrameBytesTotalMax: 64 * 1024 * 1024,
  unsentBytesMax: 64 * 1024,
  unreadTimeoutMs: 60_000,
};

/** What the source's config says about a message; asked once per message. */
export interface MllpSource {
  name: string;
  repeatWindowMs: number;
  /** '' accepts; else why not, for MSA-3. */
  refuses(header: Header): string;
}

export interface MllpHooks {
  source(header: Header | undefined): MllpSource;
  urgency(block: Uint8Array): Class;
  /** MSH-10 of the next answer; all listeners of a process share one, so that none comes twice. */
  nextControlId(): string;
  nowUs(): number;
  /** For spans: no step of the wall clock moves it. */
  elapsedMs(): number;
  log(level: 'info' | 'warn', code: string, fields?: Record<string, string | number>): void;
}

export interface MllpCounters {
  /** Open, also while their handshake lasts. */
  connections: number;
  connectionsTotal: number;
  messages: number;
  answered: number;
  /** Connections and messages. */
  refused: number;
  unreadable: number;
  oversize: number;
  strayBytes: number;
  /** Frames that the sender broke off and began again. */
  brokenOff: number;
  repeats: number;
  /** How often a connection was not read because of what waited in memory. */
  holds: number;
  /** Of messages whose commit is waited for, now. */
  inFlightBytes: number;
  /** Of frames whose end has not come, now. */
  halfFrameBytes: number;
}

export const emptyCounters = (): MllpCounters => ({
  connections: 0,
  connectionsTotal: 0,
  messages: 0,
  answered: 0,
  refused: 0,
  unreadable: 0,
  oversize: 0,
  strayBytes: 0,
  brokenOff: 0,
  repeats: 0,
  holds: 0,
  inFlightBytes: 0,
  halfFrameBytes: 0,
});
