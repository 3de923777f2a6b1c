/** What the MQTT source is given, its limits, and what it counts. */
import { mqttTopicLevelsMax } from '../../../proto/limits.ts';
import type { Class } from '../intake.ts';
import { isPasswordHash } from './passwords.ts';
import { isTopicFilter } from './topic.ts';

export interface MqttSourceOptions {
  /** The listener's name; scope of its packet identifiers. */
  name: string;
  host: string;
  /** 0: any free port; `start()` tells which. */
  port: number;
  /** Peer addresses that may connect; absent: all. */
  allow?(address: string): boolean;
  /** Absent: plain TCP. */
  tls?: MqttTls;
  users: readonly MqttUser[];
  /** Absent: a client without user name and certificate is refused. */
  anonymous?: { publish: readonly string[] };
  limits?: Partial<MqttLimits>;
  sourceFor(topic: string): string;
  /** A guess from a cheap look; a will never becomes `stat`. */
  classFor(topic: string, payload: Uint8Array): Class;
}

/** A TLS listener. `mode` is about the client's certificate, which is asked for where its issuers (`caPem`) are known. */
export interface MqttTls {
  mode: 'required' | 'optional';
  certPem: string;
  keyPem: string;
  caPem?: string;
}

export interface MqttUser {
  /** Also the name in a client certificate (SAN DNS or URI, else CN) that stands for this user. */
  name: string;
  /** `scrypt$N$r$p$salt$hash`; absent: only a certificate gives this user. */
  password?: string | undefined;
  /** Topic filters; `%u` and `%c` as whole levels stand for the user's name and the client id. */
  publish: readonly string[];
  /** Absent or empty: every SUBSCRIBE is answered with 128. */
  subscribe?: readonly string[];
}

export interface MqttLimits {
  connectBytesMax: number;
  packetBytesMax: number;
  connectTimeoutMs: number;
  connectionsMax: number;
  connectionsPerAddressMax: number;
  topicLevelsMax: number;
  /** A longer keep-alive is cut to this, not refused; 0 (none) stays, TCP probes watch such a peer. */
  keepaliveSecondsMax: number;
  clientIdCharsMax: number;
  /** Publishes of one connection that wait for their commit; above it, its socket is not read. */
  inFlightMax: number;
  inFlightBytesMax: number;
  /** Of all connections together. */
  inFlightBytesTotalMax: number;
  /**
   * QoS 2 packet ids between PUBLISH and PUBREL, of all sessions together. MQTT 3.1.1 lets a client have as many
   * open as there are ids, and their PUBRELs come behind them on the same socket: one session has no bound below that.
   */
  unreleasedTotalMax: number;
  subscriptionsMax: number;
  /** Sessions with clean session 0 whose packet ids are remembered in memory. */
  sessionsMax: number;
  takeoversPerMinuteMax: number;
  takeoverCoolDownMs: number;
  willsPerMinuteMax: number;
  /** Of all connections together, in packets whose end has not come; above it who holds most is closed (halves.ts). */
  halfPacketBytesTotalMax: number;
  /** From the first byte of a packet to its last; after that the connection is closed. */
  packetTimeoutMs: number;
  /** A client that does not read its acknowledgments for this long is closed. */
  drainTimeoutMs: number;
}

export const limitDefaults: MqttLimits = {
  connectBytesMax: 8 * 1024,
  packetBytesMax: 1024 * 1024,
  connectTimeoutMs: 5_000,
  connectionsMax: 2_000,
  connectionsPerAddressMax: 256,
  topicLevelsMax: mqttTopicLevelsMax,
  keepaliveSecondsMax: 3_600,
  clientIdCharsMax: 256,
  inFlightMax: 1_024,
  inFlightBytesMax: 4 * 1024 * 1024,
  inFlightBytesTotalMax: 64 * 1024 * 1024,
  unreleasedTotalMax: 4 * 65_535,
  subscriptionsMax: 64,
  sessionsMax: 10_000,
  takeoversPerMinuteMax: 5,
  takeoverCoolDownMs: 60_000,
  willsPerMinuteMax: 6,
  halfPacketBytesTotalMax: 64 * 1024 * 1024,
  packetTimeoutMs: 60_000,
  drainTimeoutMs: 5_000,
};

export interface MqttHooks {
  /** Never payload, topic, client id or password. `warn` where somebody has to do something; else `info`. */
  log(code: string, fields: Record<string, string | number>, level?: 'warn'): void;
  nowUs(): bigint;
  /** For spans: no step of the wall clock moves it. */
  elapsedMs(): number;
}

export interface MqttStats {
  /** Open, also while their handshake lasts. */
  connections: number;
  connectionsTotal: number;
  /** Closed before CONNACK 0, and why: address-limit, connect-timeout, version, credentials, takeover … */
  refused: Record<string, number>;
  /** Closed after it, and why: acl, topic, commit, malformed … */
  closed: Record<string, number>;
  /** PUBLISH packets by QoS. */
  received: [number, number, number];
  journaled: number;
  repeats: number;
  appendsRefused: number;
  released: number;
  retainStripped: number;
  wills: number;
  willsDropped: number;
  takeovers: number;
  subscribesDenied: number;
  inFlight: number;
  inFlightBytes: number;
  /** Of packets whose end has not come, now. */
  halfPacketBytes: number;
  /** How often a connection was not read because too much waited for commits. */
  holds: number;
}

export function emptyStats(): MqttStats {
  return {
    connections: 0,
    connectionsTotal: 0,
    refused: {},
    closed: {},
    received: [0, 0, 0],
    journaled: 0,
    repeats: 0,
    appendsRefused: 0,
    released: 0,
    retainStripped: 0,
    wills: 0,
    willsDropped: 0,
    takeovers: 0,
    subscribesDenied: 0,
    inFlight: 0,
    inFlightBytes: 0,
    halfPacketBytes: 0,
    holds: 0,
  };
}

/** Throws at what would only be found out when a client comes. */
export function checkOptions(options: MqttSourceOptions, limits: MqttLimits): void {
  const lists = [
    ...options.users.flatMap((user) => [...user.publish, ...(user.subscribe ?? [])]),
    ...(options.anonymous?.publish ?? []),
  ];
  const bad = lists.find((filter) => !isTopicFilter(filter, limits.topicLevelsMax));
  if (bad !== undefined) throw new Error(`MQTT listener ${options.name}: not a topic filter: ${bad}`);
  const user = options.users.find((one) => one.password !== undefined && !isPasswordHash(one.password));
  if (user) throw new Error(`MQTT listener ${options.name}: user ${user.name}: not a scrypt password hash`);
}
