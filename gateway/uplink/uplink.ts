/**
 * The uplink: one outbound mutual-TLS connection, one stream, four lanes.
 *
 *   waiting ──► connecting ──► greeted ──► streaming ──► waiting …
 *              (READY in 10 s) (Welcome in 5 s)          (full-jitter back-off)
 *
 * - The journal is the buffer: nothing is queued here but what credit lets be in flight.
 * - Only a cumulative ack {epoch, lane, sequence} moves a lane on; an ack for another epoch or for
 *   something never sent is ignored and alarmed.
 * - A peer that accepts and then says nothing is left: no READY in 10 s, no Welcome in 5 s, no
 *   answer to a ping in 25 s each end the channel, and a new one is made.
 * - Lanes that can wait keep no more on the line than it carries in a moment (pace.ts), so that a STAT
 *   event never stands behind megabytes in a socket's buffer.
 * - A disk that went back in time is found out, and goes on under a new epoch (divergence.ts).
 * - Stopping says Goodbye, so the control plane can tell it from a broken line.
 */
import type {
  AuditEntry,
  ConfigOffer,
  ConfigReport,
  GatewayFrame,
  LaneAck,
  PayloadReply,
  PlaneFrame,
  QuarantineEntry,
  ReplayResult,
  Telemetry,
  UplinkClient,
  Welcome,
} from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { encodeBatchFrame } from '../../proto/wire.ts';
import { backoffMs } from './backoff.ts';
import { type ConnectProxy, openSession, type SessionCall, uplinkClient } from './channel.ts';
import { Divergence } from './divergence.ts';
import type { Identity } from './identity.ts';
import { Pace } from './pace.ts';
import { Window } from './window.ts';

export type Lane = 'stat' | 'urgent' | 'routine' | 'bulk';
const laneNames: readonly Lane[] = ['stat', 'urgent', 'routine', 'bulk'];

/** Events of one lane in sequence, encoded as elements of a Batch [proto/wire.ts]. */
export interface Parcel {
  first: number;
  count: number;
  bytes: number;
  chunks: Uint8Array[];
  queuedAtUs: number[];
  capturedAtUs: number[];
}

/** What the uplink needs of the journal. */
export interface Outbox {
  epoch: bigint;
  lanes(): { lane: Lane; first: number; last: number }[];
  /** At least one event where there is one, whatever its size. */
  parcel(lane: Lane, first: number, countMax: number, bytesMax: number): Parcel | undefined;
  /** false: this sequence was never assigned. */
  acked(lane: Lane, sequence: number): boolean;
  /** What is not acked goes out under a new epoch from here on. */
  renewEpoch(): Promise<void>;
}

/** What is told beside the events, numbered, until it was acknowledged. */
export interface ReportQueue {
  numbers(): { audit: number; quarantine: number };
  quarantineEntries(limit: number): QuarantineEntry[];
  quarantineTold(through: number): void;
  auditEntries(limit: number): AuditEntry[];
  auditTold(through: number): void;
}

export interface LaneChoice {
  next(heads: { lane: Lane; capturedAtUs: bigint }[], nowUs: bigint): Lane | undefined;
}

export interface UplinkHooks {
  nowUs(): number;
  random(): number;
  log(level: 'info' | 'warn', code: string, fields?: Record<string, string | number>): void;
  onAlarm(code: string, fields: Record<string, string>): void;
  onConfig(offer: ConfigOffer): void;
  onReplay(sequences: number[], actor: string, reason: string): Promise<Omit<ReplayResult, 'request'>>;
  onPayload(sequence: number, actor: string, reason: string): Promise<Omit<PayloadReply, 'request'>>;
  configReport(): ConfigReport;
  telemetry(): Telemetry;
  /** What was repeated since the last call: record sequence and count. */
  takeRepeats(): { recordSequence: number; count: number }[];
  onLatency(lane: Lane, hop: 'sent' | 'acked' | 'total', us: number): void;
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

const readyTimeoutMs = 10_000;
const welcomeTimeoutMs = 5_000;
const pingEveryMs = 10_000;
const silenceMaxMs = 25_000;
const telemetryEveryMs = 2_000;
const reportsMax = 200;
const receiptsMax = 64;
const clockMeasureMaxUs = 60_000_000;

interface Session {
  client: UplinkClient;
  call: SessionCall;
  /** Set by Welcome; nothing but Hello is sent before. */
  welcomed: boolean;
  heardAtMs: number;
  blocked: boolean;
  auditSent: number;
  quarantineSent: number;
  receipts: LaneAck[];
  timers: NodeJS.Timeout[];
  ended: boolean;
}

export class Uplink {
  readonly #outbox: Outbox;
  readonly #reports: ReportQueue;
  readonly #options: UplinkOptions;
  readonly #hooks: UplinkHooks;
  readonly #windows: Record<Lane, Window> = {
    stat: new Window(),
    urgent: new Window(),
    routine: new Window(),
    bulk: new Window(),
  };
  readonly #pace = new Pace();
  readonly #divergence: Divergence;
  #session: Session | undefined;
  #state: UplinkState = {
    state: 'waiting',
    lastAckAtUs: 0,
    reason: '',
    offsetUs: 0,
    uncertaintyUs: 0,
    connects: 0,
  };
  #attempt = 0;
  #retry: NodeJS.Timeout | undefined;
  #pumping = false;
  #pingNonce = 0n;
  #measuredAtUs = Number.NEGATIVE_INFINITY;

  constructor(outbox: Outbox, reports: ReportQueue, options: UplinkOptions, hooks: UplinkHooks) {
    this.#outbox = outbox;
    this.#reports = reports;
    this.#options = options;
    this.#hooks = hooks;
    this.#divergence = new Divergence(outbox, (lane) => hooks.onAlarm('journal-restored', { lane }));
  }

  state(): UplinkState {
    return this.#state;
  }

  /** Returns at once; the peer need not be reachable. */
  start(): void {
    this.#connect();
  }

  /** New events or reports may be there. */
  notify(): void {
    if (this.#pumping || this.#session?.welcomed !== true) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  sendConfigReport(report: ConfigReport): void {
    if (this.#session?.welcomed === true) this.#write({ $case: 'config', value: report });
  }

  /** Says Goodbye and closes; what was not acked stays in the journal. Safe unstarted and twice. */
  async stop(deadlineMs: number): Promise<void> {
    this.#setState('stopped', '');
    clearTimeout(this.#retry);
    const session = this.#session;
    if (session === undefined) return;
    if (session.welcomed) {
      this.#tell();
      this.#write({ $case: 'goodbye', value: { reason: 'stopping' } });
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(deadlineMs, 2_000));
      session.call.once('status', () => {
        clearTimeout(timer);
        resolve();
      });
      session.call.end();
    });
    this.#end(session, 'stopped', false);
  }

  #connect(): void {
    if (this.#state.state === 'stopped') return;
    const { identity, address, proxy } = this.#options;
    this.#setState('connecting', this.#state.reason);
    this.#state.connects += 1;
    const client = uplinkClient({
      address,
      proxy,
      caPem: identity.caPem,
      certificatePem: identity.certificatePem,
      keyPem: identity.keyPem,
    });
    // A channel to a peer that accepts and says nothing stays CONNECTING for ever (measured): leave it.
    client.waitForReady(Date.now() + readyTimeoutMs, (error) => {
      if (this.#state.state === 'stopped') client.close();
      else if (error !== undefined) {
        client.close();
        this.#again('no-connection');
      } else this.#open(client);
    });
  }

  #open(client: UplinkClient): void {
    const call = openSession(client);
    const session: Session = {
      client,
      call,
      welcomed: false,
      heardAtMs: performance.now(),
      blocked: false,
      auditSent: 0,
      quarantineSent: 0,
      receipts: [],
      timers: [],
      ended: false,
    };
    this.#session = session;
    call.on('data', (frame: PlaneFrame) => {
      session.heardAtMs = performance.now();
      this.#receive(session, frame);
    });
    call.on('error', (error: { code?: number; details?: string }) => {
      this.#end(session, refusalWord(error.code), true);
    });
    call.on('end', () => this.#end(session, 'ended-by-peer', true));
    call.on('drain', () => {
      session.blocked = false;
      this.notify();
    });
    session.timers.push(
      setTimeout(() => {
        if (!session.welcomed) this.#end(session, 'no-welcome', true);
      }, welcomeTimeoutMs),
      setInterval(() => this.#beat(session), pingEveryMs),
      setInterval(() => {
        if (session.welcomed) this.#tell();
      }, telemetryEveryMs),
    );
    const { identity, version, mappingVersion } = this.#options;
    this.#write({
      $case: 'hello',
      value: {
        gateway: identity.gateway,
        site: identity.site,
        version,
        epoch: this.#outbox.epoch,
        lanes: this.#outbox
          .lanes()
          .map(({ lane, first, last }) => ({ lane, first: BigInt(first), last: BigInt(last) })),
        sentAtUs: BigInt(this.#hooks.nowUs()),
        config: this.#hooks.configReport(),
        mappingVersion,
      },
    });
  }

  #receive(session: Session, { frame }: PlaneFrame): void {
    if (frame === undefined || session.ended) return;
    switch (frame.$case) {
      case 'welcome':
        this.#welcome(session, frame.value);
        break;
      case 'ack':
        this.#ack(session, frame.value);
        break;
      case 'pong': {
        const nowUs = this.#hooks.nowUs();
        const sentUs = Number(frame.value.pingSentAtUs);
        this.#measureClock(sentUs, Number(frame.value.receivedAtUs), Number(frame.value.sentAtUs), nowUs);
        break;
      }
      case 'config':
        this.#hooks.onConfig(frame.value);
        break;
      case 'replay': {
        const { request, recordSequences, actor, reason } = frame.value;
        this.#hooks.onReplay(recordSequences.map(Number), actor, reason).then(
          (result) => this.#write({ $case: 'replayResult', value: { request, ...result } }),
          () => this.#end(session, 'replay-failed', true),
        );
        break;
      }
      case 'payload': {
        const { request, recordSequence, actor, reason } = frame.value;
        this.#hooks.onPayload(Number(recordSequence), actor, reason).then(
          (reply) => this.#write({ $case: 'payload', value: { request, ...reply } }),
          () => this.#end(session, 'payload-failed', true),
        );
        break;
      }
      case 'auditAck':
        this.#reports.auditTold(Number(frame.value.through));
        this.notify();
        break;
      case 'quarantineAck':
        this.#reports.quarantineTold(Number(frame.value.through));
        this.notify();
        break;
      case 'refusal':
        if (frame.value.code === 'position-conflict' && this.#divergence.partedAt(frame.value.position))
          this.#renewWhenParted();
        this.#hooks.log('warn', 'uplink-refused', { reason: frame.value.code });
        this.#end(session, frame.value.code, true);
        break;
      case 'drain':
        this.#end(session, 'control-plane-draining', true);
        break;
      default:
        // A newer control plane may say more than this build knows.
        break;
    }
  }

  #welcome(session: Session, welcome: Welcome): void {
    session.welcomed = true;
    this.#attempt = 0;
    this.#setState('connected', '');
    this.#hooks.log('info', 'uplink-connected', { address: this.#options.address });
    for (const state of this.#outbox.lanes()) {
      const acked = welcome.acked.find((ack) => ack.lane === state.lane && ack.epoch === this.#outbox.epoch);
      const ours = acked === undefined || this.#divergence.believes(state, acked);
      const flushed = ours ? Number(acked?.sequence ?? 0n) : 0;
      const credit = welcome.credit.find((one) => one.lane === state.lane);
      const window = this.#windows[state.lane];
      // The control plane may have flushed more than its last ack told: a lost ack.
      if (flushed >= state.first) this.#outbox.acked(state.lane, flushed);
      window.reset(Math.max(state.first - 1, flushed), {
        events: credit?.events ?? 1,
        bytes: credit?.bytes ?? 0,
      });
    }
    session.auditSent = Number(welcome.auditAcked);
    session.quarantineSent = Number(welcome.quarantineAcked);
    if (welcome.auditAcked > 0n) this.#reports.auditTold(Number(welcome.auditAcked));
    if (welcome.quarantineAcked > 0n) this.#reports.quarantineTold(Number(welcome.quarantineAcked));
    this.#beat(session);
    this.notify();
    this.#renewWhenParted();
  }

  /** A new epoch, once it is known of every doubted lane where it parts. */
  #renewWhenParted(): void {
    if (!this.#divergence.known()) return;
    this.#divergence.forget();
    const session = this.#session;
    this.#outbox.renewEpoch().then(
      () => {
        if (session !== undefined) this.#end(session, 'journal-restored', true);
      },
      () => {},
    );
  }

  #ack(session: Session, ack: LaneAck): void {
    const nowUs = this.#hooks.nowUs();
    const lane = ack.lane as Lane;
    const window = this.#windows[lane];
    const done = ack.epoch === this.#outbox.epoch ? window?.ack(Number(ack.sequence)) : undefined;
    if (done === undefined) {
      this.#hooks.onAlarm('uplink-ack-unknown', { lane: laneNames.includes(lane) ? lane : 'unknown' });
      return;
    }
    this.#state.lastAckAtUs = nowUs;
    this.#outbox.acked(lane, Number(ack.sequence));
    for (const flight of done) {
      if (lane !== 'stat') this.#pace.acked(flight.bytes, nowUs - flight.sentAtUs, nowUs);
      for (const capturedAtUs of flight.capturedAtUs) {
        this.#hooks.onLatency(lane, 'acked', nowUs - flight.sentAtUs);
        this.#hooks.onLatency(lane, 'total', nowUs - capturedAtUs);
      }
    }
    session.receipts.push({ ...ack, atUs: BigInt(nowUs) });
    this.notify();
    this.#renewWhenParted();
  }

  #pump(): void {
    const session = this.#session;
    if (session?.welcomed !== true || session.ended) return;
    this.#report(session);
    const closed = new Set<Lane>();
    for (;;) {
      const heads: { lane: Lane; capturedAtUs: bigint }[] = [];
      const ready = new Map<Lane, Parcel>();
      for (const lane of laneNames) {
        // Backpressure of the socket holds everything but what is most urgent.
        if (closed.has(lane) || (session.blocked && lane !== 'stat')) continue;
        const parcel = this.#nextParcel(lane);
        if (parcel === undefined) continue;
        ready.set(lane, parcel);
        heads.push({ lane, capturedAtUs: BigInt(parcel.capturedAtUs[0] ?? 0) });
      }
      const lane = this.#options.lanes.next(heads, BigInt(this.#hooks.nowUs()));
      const parcel = lane === undefined ? undefined : ready.get(lane);
      if (lane === undefined || parcel === undefined) break;
      this.#sendBatch(session, lane, parcel);
    }
    if (session.receipts.length >= receiptsMax) this.#sendReceipts(session);
  }

  #nextParcel(lane: Lane): Parcel | undefined {
    if (this.#divergence.held(lane)) return undefined;
    const window = this.#windows[lane];
    const room = window.room();
    if (room.events <= 0 || (room.bytes <= 0 && !window.idle())) return undefined;
    const paced = lane === 'stat' ? Number.POSITIVE_INFINITY : this.#pace.room(this.#waitingBytes());
    if (paced <= 0) return undefined;
    const parcel = this.#outbox.parcel(
      lane,
      window.next,
      Math.min(room.events, wireLimits.batchEventsMax),
      Math.min(Math.max(room.bytes, 1), paced, wireLimits.batchBytesMax),
    );
    // One event may be larger than the credit; it goes alone, when nothing else is out.
    return parcel !== undefined && parcel.bytes > room.bytes && !window.idle() ? undefined : parcel;
  }

  /** On the line now, of the lanes that can wait. */
  #waitingBytes(): number {
    return this.#windows.urgent.bytes() + this.#windows.routine.bytes() + this.#windows.bulk.bytes();
  }

  #sendBatch(session: Session, lane: Lane, parcel: Parcel): void {
    const { first, count, bytes, chunks, queuedAtUs, capturedAtUs } = parcel;
    const sentAtUs = this.#hooks.nowUs();
    const frame = encodeBatchFrame({
      epoch: this.#outbox.epoch,
      lane,
      firstSequence: BigInt(first),
      queuedAtUs,
      sentAtUs: BigInt(sentAtUs),
      chunks,
    });
    if (!session.call.write(frame)) session.blocked = true;
    for (const atUs of queuedAtUs) this.#hooks.onLatency(lane, 'sent', sentAtUs - atUs);
    this.#windows[lane].sent({ through: first + count - 1, events: count, bytes, capturedAtUs, sentAtUs });
  }

  #report(session: Session): void {
    const newest = this.#reports.numbers();
    if (newest.quarantine > session.quarantineSent) {
      const entries = this.#reports
        .quarantineEntries(reportsMax)
        .filter((entry) => Number(entry.number) > session.quarantineSent);
      session.quarantineSent = Number(entries.at(-1)?.number ?? session.quarantineSent);
      if (entries.length > 0) this.#write({ $case: 'quarantine', value: { entries } });
    }
    if (newest.audit > session.auditSent) {
      const entries = this.#reports
        .auditEntries(reportsMax)
        .filter((entry) => Number(entry.number) > session.auditSent);
      session.auditSent = Number(entries.at(-1)?.number ?? session.auditSent);
      if (entries.length > 0) this.#write({ $case: 'audit', value: { entries } });
    }
  }

  #sendReceipts(session: Session): void {
    if (session.receipts.length === 0) return;
    this.#write({ $case: 'receipts', value: { receipts: session.receipts.splice(0) } });
  }

  #beat(session: Session): void {
    if (session.ended) return;
    if (performance.now() - session.heardAtMs > silenceMaxMs) {
      this.#end(session, 'peer-silent', true);
      return;
    }
    if (!session.welcomed) return;
    this.#pingNonce += 1n;
    this.#write({ $case: 'ping', value: { nonce: this.#pingNonce, sentAtUs: BigInt(this.#hooks.nowUs()) } });
  }

  /** What this gateway says of itself; absolute, so that a lost report loses nothing. */
  #tell(): void {
    if (this.#session !== undefined) this.#sendReceipts(this.#session);
    const telemetry: Telemetry = {
      ...this.#hooks.telemetry(),
      clockOffsetUs: BigInt(Math.round(this.#state.offsetUs)),
      clockUncertaintyUs: BigInt(Math.round(this.#state.uncertaintyUs)),
    };
    this.#write({ $case: 'telemetry', value: telemetry });
    const repeats = this.#hooks.takeRepeats();
    if (repeats.length === 0) return;
    const value = {
      epoch: this.#outbox.epoch,
      repeats: repeats.map(({ recordSequence, count }) => ({
        recordSequence: BigInt(recordSequence),
        count,
      })),
    };
    this.#write({ $case: 'repeats', value });
  }

  /** Offset = this clock minus the control plane's [RFC 5905 8]; the smallest round trip tells best. */
  #measureClock(sentUs: number, peerReceivedUs: number, peerSentUs: number, nowUs: number): void {
    const roundTripUs = nowUs - sentUs - (peerSentUs - peerReceivedUs);
    const uncertaintyUs = Math.max(0, roundTripUs / 2);
    // A busy moment measures badly: the better measure stays, until it is old enough for clocks to have drifted.
    if (uncertaintyUs > this.#state.uncertaintyUs && nowUs - this.#measuredAtUs < clockMeasureMaxUs) return;
    this.#measuredAtUs = nowUs;
    this.#state.offsetUs = -(peerReceivedUs - sentUs + (peerSentUs - nowUs)) / 2;
    this.#state.uncertaintyUs = uncertaintyUs;
  }

  #write(frame: NonNullable<GatewayFrame['frame']>): void {
    const session = this.#session;
    if (session === undefined || session.ended) return;
    if (!session.call.write({ frame })) session.blocked = true;
  }

  #end(session: Session, reason: string, again: boolean): void {
    if (session.ended) return;
    session.ended = true;
    for (const timer of session.timers) clearTimeout(timer);
    session.call.removeAllListeners();
    session.call.on('error', () => {});
    session.call.cancel();
    session.client.close();
    if (this.#session === session) this.#session = undefined;
    if (again && this.#state.state !== 'stopped') {
      this.#hooks.log('warn', 'uplink-ended', { reason });
      this.#again(reason);
    }
  }

  #again(reason: string): void {
    if (this.#state.state === 'stopped') return;
    this.#setState('waiting', reason);
    const delayMs = backoffMs(this.#attempt, this.#hooks.random);
    this.#attempt += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }

  #setState(state: UplinkState['state'], reason: string): void {
    this.#state = { ...this.#state, state, reason };
  }
}

/** A status code of gRPC as a word for status and log; details could quote anything and stay out. */
function refusalWord(code: number | undefined): string {
  const words: Record<number, string> = {
    3: 'invalid-argument',
    7: 'permission-denied',
    13: 'broken',
    14: 'unavailable',
    16: 'not-authenticated',
  };
  return words[code ?? -1] ?? `grpc-${code ?? 'unknown'}`;
}
