/**
 * The uplink: one outbound mutual-TLS connection, one stream, four lanes.
 *
 *   waiting ──► connecting ──► greeted ──► streaming ──► waiting …
 *              (READY in 10 s) (Welcome in 5 s)          (full-jitter back-off)
 *
 * This file makes sessions, one after the other, and gives each frame to whom it is for: the session's own life is
 * session.ts, events are pump.ts, what is told beside them is reports.ts, the clocks' difference is clock.ts.
 *
 * - The journal is the buffer: nothing is queued here but what credit lets be in flight.
 * - Only a cumulative ack {epoch, lane, sequence} moves a lane on; an ack for another epoch or for
 *   something never sent is ignored and alarmed.
 * - A peer that accepts and then says nothing is left: no READY in 10 s, no Welcome in 5 s, no
 *   answer to a ping in 25 s each end the channel, and a new one is made.
 * - A disk that went back in time is found out, and goes on under a new epoch (divergence.ts); so does what goes to another
 *   control plane than before.
 * - Stopping says Goodbye, so the control plane can tell it from a broken line.
 */
import { createHash, randomBytes } from 'node:crypto';
import type {
  ConfigReport,
  LaneAck,
  PlaneFrame,
  UplinkClient,
  Welcome,
} from '../../proto/gen/hilum/v1/session.ts';
import { elapsedMs, steadyUs } from '../process/clock.ts';
import { Backoff } from './backoff.ts';
import { uplinkClient } from './channel.ts';
import { ClockMeasure } from './clock.ts';
import { Divergence } from './divergence.ts';
import { laneNames } from './lane.ts';
import type { Outbox, UplinkHooks, UplinkOptions, UplinkState } from './options.ts';
import { Pump } from './pump.ts';
import { Reporting, type ReportQueue } from './reports.ts';
import { type Frame, Session } from './session.ts';
import { whyNoConnection } from './tunnel.ts';

const readyTimeoutMs = 10_000;
const goodbyeTimeoutMs = 2_000;

export class Uplink {
  readonly #outbox: Outbox;
  readonly #options: UplinkOptions;
  readonly #hooks: UplinkHooks;
  readonly #divergence: Divergence;
  readonly #pump: Pump;
  readonly #reporting: Reporting;
  readonly #clock = new ClockMeasure();
  readonly #backoff: Backoff;
  readonly #life = randomBytes(8).readBigUInt64BE(0);
  #session: Session | undefined;
  #state: UplinkState['state'] = 'waiting';
  #reason = '';
  #lastAckAtUs = 0;
  #connects = 0;
  #retry: NodeJS.Timeout | undefined;
  #pumping = false;
  /** A new epoch on its way to the disk: neither end may hear of it before. */
  #renewing: Promise<void> | undefined;

  constructor(outbox: Outbox, reports: ReportQueue, options: UplinkOptions, hooks: UplinkHooks) {
    this.#outbox = outbox;
    this.#options = options;
    this.#hooks = hooks;
    this.#divergence = new Divergence(outbox, (lane) => hooks.onAlarm('journal-restored', { lane }));
    this.#pump = new Pump(outbox, options.lanes, this.#divergence, hooks);
    this.#backoff = new Backoff(() => hooks.random());
    this.#reporting = new Reporting(reports, hooks, (frame) => this.#write(frame));
  }

  state(): UplinkState {
    return {
      state: this.#state,
      lastAckAtUs: this.#lastAckAtUs,
      reason: this.#reason,
      offsetUs: this.#clock.offsetUs,
      uncertaintyUs: this.#clock.uncertaintyUs,
      connects: this.#connects,
    };
  }

  /** Returns at once; the peer need not be reachable. */
  start(): void {
    const { caPem } = this.#options.identity;
    this.#renewing = this.#outbox.deliverTo(createHash('sha256').update(caPem).digest()).then(() => {
      this.#renewing = undefined;
      this.#connect();
    });
    // A disk that does not take it ends the process.
    this.#renewing.catch(() => {});
  }

  /** New events or reports may be there. */
  notify(): void {
    if (this.#pumping || this.#session?.welcomed !== true) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const session = this.#session;
      if (session?.welcomed !== true) return;
      this.#reporting.sendEntries();
      if (this.#renewing === undefined && this.#pump.run(session)) this.notify();
      this.#reporting.sendManyReceipts();
      this.#reporting.sendDeliveries();
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
      if (!session.blocked) this.#tell(true);
      this.#write({ $case: 'goodbye', value: { reason: 'stopping' } });
    }
    await session.finish('stopped', Math.min(deadlineMs, goodbyeTimeoutMs));
  }

  #connect(): void {
    if (this.#state === 'stopped') return;
    const { identity, address, proxy } = this.#options;
    this.#setState('connecting', this.#reason);
    this.#connects += 1;
    const client = uplinkClient({
      address,
      proxy,
      caPem: identity.caPem,
      certificatePem: identity.certificatePem,
      keyPem: identity.keyPem,
    });
    // A channel to a peer that accepts and says nothing stays CONNECTING for ever (measured): leave it.
    client.waitForReady(Date.now() + readyTimeoutMs, (error) => {
      if (this.#state === 'stopped') client.close();
      else if (error !== undefined) {
        client.close();
        void this.#unreached();
      } else this.#open(client);
    });
  }

  /** Said when it changes: it is tried again for ever. */
  async #unreached(): Promise<void> {
    const { address, proxy } = this.#options;
    const reason = await whyNoConnection(address, proxy);
    if (this.#state === 'stopped') return;
    if (reason !== this.#reason)
      this.#hooks.log('warn', `uplink-${reason}`, {
        address,
        ...(proxy === undefined ? {} : { proxy: proxy.address }),
      });
    this.#again(reason);
  }

  #open(client: UplinkClient): void {
    const session = new Session(client, {
      onFrame: (frame) => this.#receive(session, frame),
      onDrain: () => this.notify(),
      onBeat: () => this.#write({ $case: 'ping', value: this.#clock.ping(this.#hooks.nowUs()) }),
      onTelemetry: () => this.#tell(),
      onEnd: (reason) => this.#ended(session, reason),
    });
    this.#session = session;
    const { identity, version, mappingVersion } = this.#options;
    this.#write({
      $case: 'hello',
      value: {
        gateway: identity.gateway,
        version,
        epoch: this.#outbox.epoch,
        lanes: this.#outbox
          .lanes()
          .map(({ lane, first, last }) => ({ lane, first: BigInt(first), last: BigInt(last) })),
        config: this.#hooks.configReport(),
        mappingVersion,
        life: this.#life,
      },
    });
  }

  #receive(session: Session, frame: NonNullable<PlaneFrame['frame']>): void {
    switch (frame.$case) {
      case 'welcome':
        this.#welcome(session, frame.value);
        break;
      case 'ack':
        this.#ack(frame.value);
        break;
      case 'pong':
        this.#clock.pong(frame.value, this.#hooks.nowUs(), elapsedMs(), steadyUs() / 1000);
        break;
      case 'config':
        this.#hooks.onConfig(frame.value);
        break;
      case 'replay':
      case 'discard': {
        const { request, ...asked } = frame.value;
        this.#hooks.onTakeOut(frame.$case, asked).then(
          (result) => session.write({ $case: 'replayResult', value: { request, ...result } }),
          () => session.end(`${frame.$case}-failed`),
        );
        break;
      }
      case 'payload': {
        const { request, ...asked } = frame.value;
        this.#hooks.onPayload(asked).then(
          (reply) => session.write({ $case: 'payload', value: { request, ...reply } }),
          () => session.end('payload-failed'),
        );
        break;
      }
      case 'auditAck':
        this.#reporting.auditAcked(frame.value.through);
        this.notify();
        break;
      case 'quarantineAck':
        this.#reporting.quarantineAcked(frame.value.through);
        this.notify();
        break;
      case 'deliveryAck':
        this.#reporting.deliveriesAcked(frame.value.through);
        this.notify();
        break;
      case 'refusal':
        // The acks of what else is out end with this session: the next Welcome tells what came of it.
        if (frame.value.code === 'position-conflict') this.#divergence.partedAt(frame.value.position);
        this.#hooks.log('warn', 'uplink-refused', { reason: frame.value.code });
        session.end(frame.value.code);
        break;
      case 'drain':
        session.end('control-plane-draining');
        break;
      default:
        // A newer control plane may say more than this build knows.
        break;
    }
  }

  #welcome(session: Session, welcome: Welcome): void {
    session.greeted();
    this.#setState('connected', '');
    this.#hooks.log('info', 'uplink-connected', { address: this.#options.address });
    this.#pump.resume(welcome);
    this.#reporting.resume(welcome);
    session.beat();
    this.notify();
    this.#renewWhenParted();
  }

  /** A new epoch, once it is known of every doubted lane where it parts, and of everything that was sent what came of it. */
  #renewWhenParted(): void {
    if (this.#renewing !== undefined || !this.#divergence.known() || !this.#pump.idle()) return;
    this.#renewing = this.#outbox.renewEpoch().then(() => {
      this.#divergence.forget();
      this.#renewing = undefined;
      this.#backoff.reset();
      this.#session?.end('journal-restored');
    });
    // A disk that does not take it ends the process.
    this.#renewing.catch(() => {});
  }

  #ack(ack: LaneAck): void {
    const nowUs = this.#hooks.nowUs();
    if (!this.#pump.acked(ack, nowUs)) {
      const lane = laneNames.find((one) => one === ack.lane) ?? 'unknown';
      this.#hooks.onAlarm('uplink-ack-unknown', { lane });
      return;
    }
    this.#lastAckAtUs = nowUs;
    this.#reporting.receipt(ack, nowUs);
    this.notify();
    this.#renewWhenParted();
  }

  #tell(last = false): void {
    this.#reporting.sendTelemetry(this.#outbox.epoch, this.#clock, performance.now(), last);
  }

  #write(frame: Frame): void {
    this.#session?.write(frame);
  }

  #ended(session: Session, reason: string): void {
    if (this.#session === session) this.#session = undefined;
    if (this.#state === 'stopped') return;
    const retryMs = this.#again(reason, session.wellMs());
    this.#hooks.log('warn', 'uplink-ended', { reason, retryMs });
  }

  /** Tries again after so many milliseconds, which are returned. */
  #again(reason: string, wellMs = 0): number {
    this.#setState('waiting', reason);
    const delayMs = this.#backoff.next(wellMs);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      // What Hello says of the epoch is on the disk.
      if (this.#renewing === undefined) this.#connect();
      else this.#renewing.then(() => this.#connect()).catch(() => {});
    }, delayMs);
    return delayMs;
  }

  #setState(state: UplinkState['state'], reason: string): void {
    this.#state = state;
    this.#reason = reason;
  }
}
