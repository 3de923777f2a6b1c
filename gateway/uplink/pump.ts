/**
 * The pump: events from the journal onto the line, as far as credit and the line allow.
 *
 *   lanes' heads ──► which lane next ──► a parcel: credit (window.ts), pace (pace.ts) ──► batch ──► ack
 *
 * - The journal is the buffer: nothing is queued here but what credit lets be in flight.
 * - Only a cumulative ack {epoch, lane, sequence} moves a lane on.
 * - Lanes that can wait keep no more on the line than it carries in a moment, and stop where the socket is full,
 *   so that a STAT event never stands behind megabytes in a socket's buffer.
 */
import type { LaneAck, Welcome } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { encodeBatchFrame } from '../../proto/wire.ts';
import { type Lane, laneNames } from './lane.ts';
import { Pace } from './pace.ts';
import { Window } from './window.ts';

/** Events of one lane in sequence, encoded as elements of a Batch [proto/wire.ts]. */
export interface Parcel {
  first: number;
  count: number;
  bytes: number;
  chunks: Uint8Array[];
  queuedAtUs: number[];
  /** 0 of one that was replayed: its time in quarantine is no latency. */
  capturedAtUs: number[];
}

/** What is needed of the journal. */
export interface QueuedEvents {
  readonly epoch: bigint;
  lanes(): { lane: Lane; first: number; last: number }[];
  /** At least one event where there is one, whatever its size. */
  parcel(lane: Lane, first: number, countMax: number, bytesMax: number): Parcel | undefined;
  /** false: this sequence was never assigned. */
  acked(lane: Lane, sequence: number): boolean;
}

export interface LaneChoice {
  next(heads: { lane: Lane; capturedAtUs: bigint }[], nowUs: bigint): Lane | undefined;
}

/** What the other end's positions are worth (divergence.ts). */
export interface Doubt {
  believes(state: { lane: Lane; first: number; last: number }, acked: LaneAck): boolean;
  held(lane: Lane): boolean;
}

export interface Line {
  readonly blocked: boolean;
  write(frame: Buffer): void;
}

/** Reading and sealing so much takes either end less than a millisecond. */
const gentleBytes = 64 * 1024;

export interface PumpHooks {
  nowUs(): number;
  onLatency(lane: Lane, hop: 'sent' | 'acked' | 'total', us: number): void;
}

export class Pump {
  readonly #events: QueuedEvents;
  readonly #choice: LaneChoice;
  readonly #doubt: Doubt;
  readonly #hooks: PumpHooks;
  readonly #windows: Record<Lane, Window> = {
    stat: new Window(),
    urgent: new Window(),
    routine: new Window(),
    bulk: new Window(),
  };
  readonly #pace = new Pace();

  constructor(events: QueuedEvents, choice: LaneChoice, doubt: Doubt, hooks: PumpHooks) {
    this.#events = events;
    this.#choice = choice;
    this.#doubt = doubt;
    this.#hooks = hooks;
  }

  /** A new session: its credit, and everything sent again that the control plane does not have. */
  resume(welcome: Welcome): void {
    for (const state of this.#events.lanes()) {
      const acked = welcome.acked.find((ack) => ack.lane === state.lane && ack.epoch === this.#events.epoch);
      const ours = acked === undefined || this.#doubt.believes(state, acked);
      const flushed = ours ? Number(acked?.sequence ?? 0n) : 0;
      const credit = welcome.credit.find((one) => one.lane === state.lane);
      // The control plane may have flushed more than its last ack told: a lost ack.
      if (flushed >= state.first) this.#events.acked(state.lane, flushed);
      this.#windows[state.lane].reset(Math.max(state.first - 1, flushed), {
        events: credit?.events ?? 1,
        bytes: credit?.bytes ?? 0,
      });
    }
  }

  /** Everything that was sent in this session is acked. */
  idle(): boolean {
    return laneNames.every((lane) => this.#windows[lane].idle());
  }

  /** false, and nothing moves: for another epoch, an unknown lane, or for something never sent. */
  acked(ack: LaneAck, nowUs: number): boolean {
    const lane = laneNames.find((one) => one === ack.lane);
    if (lane === undefined || ack.epoch !== this.#events.epoch) return false;
    const done = this.#windows[lane].ack(Number(ack.sequence));
    if (done === undefined) return false;
    this.#events.acked(lane, Number(ack.sequence));
    for (const flight of done) {
      if (lane !== 'stat') this.#pace.acked(flight.bytes, nowUs - flight.sentAtUs, nowUs);
      for (const capturedAtUs of flight.capturedAtUs) {
        this.#hooks.onLatency(lane, 'acked', nowUs - flight.sentAtUs);
        if (capturedAtUs > 0) this.#hooks.onLatency(lane, 'total', nowUs - capturedAtUs);
      }
    }
    return true;
  }

  /**
   * Sends until nothing may or can be sent; or, while STAT events are expected, one small parcel of what can wait:
   * true where there may be more, for the next turn.
   */
  run(line: Line): boolean {
    const gently = this.#pace.expectsUrgent(this.#hooks.nowUs());
    for (;;) {
      const heads: { lane: Lane; capturedAtUs: bigint }[] = [];
      const ready = new Map<Lane, Parcel>();
      for (const lane of laneNames) {
        // Backpressure of the socket holds everything but what is most urgent.
        if (line.blocked && lane !== 'stat') continue;
        const parcel = this.#nextParcel(
          lane,
          gently && lane !== 'stat' ? gentleBytes : wireLimits.batchBytesMax,
        );
        if (parcel === undefined) continue;
        ready.set(lane, parcel);
        heads.push({ lane, capturedAtUs: BigInt(parcel.capturedAtUs[0] ?? 0) });
      }
      const lane = this.#choice.next(heads, BigInt(this.#hooks.nowUs()));
      const parcel = lane === undefined ? undefined : ready.get(lane);
      if (lane === undefined || parcel === undefined) return false;
      this.#send(line, lane, parcel);
      if (gently && lane !== 'stat') return true;
    }
  }

  #nextParcel(lane: Lane, bytesMax: number): Parcel | undefined {
    if (this.#doubt.held(lane)) return undefined;
    const window = this.#windows[lane];
    const room = window.room();
    if (room.events <= 0 || (room.bytes <= 0 && !window.idle())) return undefined;
    const paced = lane === 'stat' ? Number.POSITIVE_INFINITY : this.#pace.room(this.#waitingBytes());
    if (paced <= 0) return undefined;
    const parcel = this.#events.parcel(
      lane,
      window.next,
      Math.min(room.events, wireLimits.batchEventsMax),
      Math.min(Math.max(room.bytes, 1), paced, bytesMax),
    );
    // One event may be larger than the credit; it goes alone, when nothing else is out.
    return parcel !== undefined && parcel.bytes > room.bytes && !window.idle() ? undefined : parcel;
  }

  /** On the line now, of the lanes that can wait. */
  #waitingBytes(): number {
    return this.#windows.urgent.bytes() + this.#windows.routine.bytes() + this.#windows.bulk.bytes();
  }

  #send(line: Line, lane: Lane, parcel: Parcel): void {
    const { first, count, bytes, chunks, queuedAtUs, capturedAtUs } = parcel;
    const sentAtUs = this.#hooks.nowUs();
    if (lane === 'stat') this.#pace.urgent(sentAtUs);
    const frame = encodeBatchFrame({
      epoch: this.#events.epoch,
      lane,
      firstSequence: BigInt(first),
      queuedAtUs,
      sentAtUs: BigInt(sentAtUs),
      chunks,
    });
    line.write(frame);
    for (const atUs of queuedAtUs) this.#hooks.onLatency(lane, 'sent', sentAtUs - atUs);
    this.#windows[lane].sent({ through: first + count - 1, events: count, bytes, capturedAtUs, sentAtUs });
  }
}
