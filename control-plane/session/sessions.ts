/**
 * The uplink sessions: one a gateway, the newest wins. A batch is appended and acked only when
 * the event log has flushed it; batches of a lane are appended in order, and acks for several
 * batches that flushed together are sent as one. Batches overlap, because the event log orders them; what is
 * reported beside them is taken up one frame after the other, so that an ack of a later one speaks for the earlier.
 */
import { errorWord } from '../../gateway/process/log.ts';
import type { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import {
  type Batch,
  type ConfigOffer,
  type GatewayFrame,
  type Hello,
  LaneAck,
  type PayloadReply,
  type PlaneFrame,
  type ReplayResult,
} from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import type { Peer } from '../identity/peers.ts';
import { Asked } from './asked.ts';
import { bytesIn } from './credit.ts';
import type { Objection, Received } from './door.ts';
import { whenCome } from './expiry.ts';
import { begin, type Live } from './live.ts';
import type { Hub, Line, SessionEnd } from './needs.ts';
import { placesOf } from './places.ts';
import { takeReport } from './report.ts';
import { ReportTurns } from './report-turns.ts';
import { Twins } from './twins.ts';

export type { Hub, Line, SessionEnd } from './needs.ts';

export class Sessions {
  readonly #hub: Hub;
  readonly #live = new Map<string, Live>();
  readonly #twins: Twins;
  readonly #asked = new Asked((gateway, frame) => this.#send(gateway, frame));
  readonly #reports = new ReportTurns();

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#twins = new Twins((gateway) =>
      hub.alarm('gateway-twice', { gateway, reason: 'two processes run with its identity' }),
    );
  }

  /** A new stream of a verified gateway; returns what to call with its frames and at its end. */
  open(line: Line, peer: Peer): { receive(received: Received | Objection): void; ended(): void } {
    const live = begin(line, peer);
    const silent = setTimeout(() => {
      this.#refuse(live, 'hello-late', `Hello must come within ${helloTimeoutMs} ms`);
    }, helloTimeoutMs);
    // It was looked at when the stream began; a gateway that is well has another by then, and has come back with it.
    const expiring = whenCome(
      peer.expiresAtUs,
      () => this.#hub.nowUs(),
      () => this.#refuse(live, 'certificate-ended', 'the certificate of this gateway is not valid any more'),
    );
    void live.over.then(expiring);
    return {
      receive: (received) => {
        if (live.closed) return;
        if ('code' in received) {
          clearTimeout(silent);
          this.#object(live, received);
        } else if (received.frame !== undefined) {
          clearTimeout(silent);
          const taken = this.#receive(live, received.frame, received.weight, peer);
          taken.catch((cause: unknown) => this.#fail(live, cause));
        }
      },
      ended: () => {
        clearTimeout(silent);
        this.#ended(live);
      },
    };
  }

  online(gateway: string): boolean {
    return this.#live.get(gateway)?.ready === true;
  }

  /** Since when; 0 of one that is not online. */
  connectedAtUs(gateway: string): bigint {
    return this.#live.get(gateway)?.connectedAtUs ?? 0n;
  }

  offer(gateway: string, offer: ConfigOffer): boolean {
    return this.#send(gateway, { frame: { $case: 'config', value: offer } });
  }

  /** Undefined when the gateway is not connected or does not answer in time. */
  async takeOut(
    how: 'replay' | 'discard',
    gateway: string,
    entries: readonly QuarantineEntry[],
    actor: string,
    reason: string,
  ): Promise<ReplayResult | undefined> {
    const asked = {
      recordSequences: entries.map(({ recordSequence }) => recordSequence),
      ids: entries.map(({ id }) => id),
      recordHashes: entries.map(({ recordHash }) => recordHash),
      recordEpochs: entries.map(({ recordEpoch }) => recordEpoch),
      actor,
      reason,
    };
    return this.#asked.ask(gateway, (request) => ({
      frame: { $case: how, value: { request, ...asked } },
    })) as Promise<ReplayResult | undefined>;
  }

  async payload(
    gateway: string,
    { recordSequence, recordHash, recordEpoch }: QuarantineEntry,
    actor: string,
    reason: string,
  ): Promise<PayloadReply | undefined> {
    const asked = { recordSequence, recordHash, recordEpoch, actor, reason };
    return this.#asked.ask(gateway, (request) => ({
      frame: { $case: 'payload', value: { request, ...asked } },
    })) as Promise<PayloadReply | undefined>;
  }

  /** Ends the live stream of a gateway; 1 if there was one. */
  drop(gateway: string): number {
    const live = this.#live.get(gateway);
    if (live === undefined) return 0;
    this.#close(live, 'dropped');
    return 1;
  }

  /** Tells every gateway that this control plane goes away. */
  drain(): void {
    for (const live of this.#live.values()) {
      live.end = 'control-plane-drained';
      live.line.send({ frame: { $case: 'drain', value: { reason: 'stopping' } } });
      live.line.close();
    }
  }

  async #receive(
    live: Live,
    frame: NonNullable<GatewayFrame['frame']>,
    weight: number,
    peer: Peer,
  ): Promise<void> {
    if (frame.$case === 'hello') {
      await this.#hello(live, frame.value, peer);
      return;
    }
    if (!live.ready) {
      this.#refuse(live, 'hello-first', 'the first frame must be Hello');
      return;
    }
    switch (frame.$case) {
      case 'batch':
        await this.#batch(live, frame.value);
        break;
      case 'ping':
        live.line.send({
          frame: {
            $case: 'pong',
            value: {
              nonce: frame.value.nonce,
              pingSentAtUs: frame.value.sentAtUs,
              receivedAtUs: this.#hub.nowUs(),
              sentAtUs: this.#hub.nowUs(),
            },
          },
        });
        break;
      case 'replayResult':
      case 'payload':
        this.#asked.answered(live.gateway, frame.value);
        break;
      default:
        // Said, whatever becomes of the line before what it told last is taken up.
        if (frame.$case === 'goodbye') live.end = 'goodbye';
        await this.#told(live, frame, weight);
        break;
    }
  }

  async #told(live: Live, frame: NonNullable<GatewayFrame['frame']>, weight: number): Promise<void> {
    const taken = this.#reports.enter(live.gateway, weight);
    if (taken === undefined) {
      live.failed = true;
      return this.#object(live, tooManyReports);
    }
    const turn = () =>
      this.#reports.take(live.gateway, async () => {
        if (live.failed) return;
        try {
          if (frame.$case === 'goodbye') this.#close(live);
          else await takeReport(this.#hub, live, frame);
        } catch (error) {
          live.failed = true;
          throw error;
        }
      });
    const taking = grows(frame) ? this.#within(live, Math.max(weight, frameBytesUsual), turn) : turn();
    await taking.finally(taken);
  }

  async #hello(live: Live, hello: Hello, peer: Peer): Promise<void> {
    if (live.ready) return this.#refuse(live, 'hello-twice', 'Hello was said before');
    if (hello.gateway !== peer.name) {
      this.#hub.alarm('wrong-gateway', { gateway: peer.name });
      return this.#refuse(live, 'wrong-gateway', 'the gateway in Hello is not the one in the certificate');
    }
    if (this.#turnedAway(live, peer)) return;
    if (this.#hub.room.isCrowded) return this.#refuse(live, 'store-full', noRoom);
    const holder = this.#hub.holder(peer.name, hello.epoch);
    if (holder !== '') {
      this.#hub.alarm('journal-of-another', { gateway: peer.name, reason: `its epoch is that of ${holder}` });
      return this.#refuse(
        live,
        'journal-of-another',
        'this journal is that of another gateway, which is not retired',
      );
    }
    const known = await this.#hub.connected(hello, live.line, peer);
    live.site = known.site;
    live.epoch = hello.epoch;
    // A revocation ends the sessions that it finds, and this one is none before here.
    if (live.closed || this.#turnedAway(live, peer)) return;
    // From here on nothing comes but from this session. What an earlier one still brought would be behind what is told of
    // its lane's place, and a gateway whose disk went back in time sends what is not here under another epoch.
    const before = this.#live.get(hello.gateway);
    if (before !== undefined) this.#close(before, 'replaced');
    this.#live.set(hello.gateway, live);
    const acked = await placesOf(this.#hub, hello);
    if (live.closed) return;
    this.#twins.took(hello.gateway, hello.life);
    live.ready = true;
    live.connectedAtUs = this.#hub.nowUs();
    live.line.send({
      frame: {
        $case: 'welcome',
        value: {
          acked,
          credit: Object.entries(wireLimits.credit).map(([lane, credit]) => ({ lane, ...credit })),
          takesPartialReports: true,
        },
      },
    });
    const offer = this.#hub.offer(hello.gateway, known.site, hello.config?.running);
    if (offer !== undefined) live.line.send({ frame: { $case: 'config', value: offer } });
  }

  #turnedAway(live: Live, { name }: Peer): boolean {
    if (!this.#hub.isRevoked(name)) return false;
    this.#refuse(live, 'revoked', 'this gateway was revoked');
    return true;
  }

  async #batch(live: Live, batch: Batch): Promise<void> {
    if (batch.epoch !== live.epoch)
      return this.#refuse(live, 'epoch-unknown', 'the batch has another epoch than Hello');
    const answered = live.credit.take(batch);
    if (answered === undefined) {
      this.#hub.alarm('credit-exceeded', { gateway: live.gateway, lane: batch.lane });
      return this.#refuse(live, 'credit-exceeded', 'more is in flight than the credit of this lane allows');
    }
    const append = () => this.#hub.append(live.gateway, live.site, batch);
    const appended = await this.#within(live, bytesIn(batch), append).finally(answered);
    if (appended === undefined) return;
    if (appended.outcome === 'applied') {
      live.line.send({
        frame: {
          $case: 'ack',
          value: LaneAck.fromPartial({
            epoch: batch.epoch,
            lane: batch.lane,
            sequence: appended.through,
            atUs: this.#hub.nowUs(),
          }),
        },
      });
      return;
    }
    if (appended.outcome === 'unfit') return this.#object(live, appended);
    const code = appended.outcome === 'gap' ? 'gap' : 'position-conflict';
    this.#hub.alarm(code, { gateway: live.gateway, lane: batch.lane });
    const sequence = appended.outcome === 'gap' ? appended.expected : appended.sequence;
    this.#refuse(
      live,
      code,
      code === 'gap' ? 'events are missing before this batch' : 'this position holds another record',
      LaneAck.fromPartial({ epoch: batch.epoch, lane: batch.lane, sequence }),
    );
  }

  /** Once there is room for it; undefined where the session is over before, or is refused because too much waits. */
  async #within<T>(live: Live, bytes: number, work: () => Promise<T>): Promise<T | undefined> {
    const { room } = this.#hub;
    const entry = (await room.enter(bytes, live.over)) ?? 'in';
    if (entry === 'refused') this.#refuse(live, 'store-full', noRoom);
    if (entry !== 'in') return undefined;
    return work().finally(() => room.leave(bytes));
  }

  /** What no gateway sends that is well: somebody should look. */
  #object(live: Live, { code, reason }: Objection): void {
    this.#hub.alarm(code, { gateway: live.gateway });
    this.#refuse(live, code, reason);
  }

  #refuse(live: Live, code: string, reason: string, position?: LaneAck): void {
    live.line.send({ frame: { $case: 'refusal', value: { code, reason, position } } });
    this.#close(live, 'refused');
  }

  /** What a frame of it ran into is told, once for a session: its gateway hears no more than that the line ends. */
  #fail(live: Live, cause: unknown): void {
    if (live.closed) return;
    this.#hub.alarm('session-failed', { gateway: live.gateway, reason: errorWord(cause) });
    this.#close(live);
  }

  #close(live: Live, end: SessionEnd = live.end): void {
    if (live.closed) return;
    live.end = end;
    live.line.close();
    this.#ended(live);
  }

  #ended(live: Live): void {
    if (live.closed) return;
    live.closed = true;
    live.isOver();
    if (this.#live.get(live.gateway) !== live) return;
    this.#live.delete(live.gateway);
    this.#asked.gone(live.gateway);
    void this.#hub.disconnected(live.gateway, live.end);
  }

  #send(gateway: string, frame: PlaneFrame): boolean {
    const live = this.#live.get(gateway);
    if (live?.ready !== true) return false;
    live.line.send(frame);
    return true;
  }
}

/** What the store keeps more and more of; the rest stands in the place of what was told before. */
function grows({ $case }: NonNullable<GatewayFrame['frame']>): boolean {
  return $case === 'audit' || $case === 'quarantine' || $case === 'deliveries';
}

const tooManyReports = {
  code: 'reports-exceeded',
  reason: 'more reports wait than a gateway has at once',
};

const noRoom = 'the control plane has no room; it takes more by itself once it has';

/** Of a frame of entries; there are few at once, because its gateway waits for their acknowledgment. */
const frameBytesUsual = 64 * 1024;

/** The first thing that a gateway says on a stream. */
const helloTimeoutMs = 5_000;
