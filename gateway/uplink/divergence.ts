/**
 * A disk that went back in time: a restored image, a cloned VM. It gives out positions that its later self has
 * used, so the control plane has other events there, and its acks are not for ours.
 *
 *   believes ──► yes: a lost ack at most
 *      └───────► no: offered again from the first that is held ──► all known there, or
 *                                                              └─► partedAt: the first position with another record
 *
 * Once that is known of every doubted lane, nothing more is sent under this epoch; and once nothing is out, what is
 * left goes under a new one: events whose ack was lost would be applied again there. Nothing is dropped for an ack that
 * was meant for the other self, and nothing that both had is applied twice.
 */
import { Batch, Envelope, type LaneAck } from '../../proto/gen/hilum/v1/session.ts';
import { isSameEvent } from '../../proto/same-event.ts';
import { type Lane, laneNames } from './lane.ts';

/** What this needs of the outbox. */
export interface HeldEvents {
  readonly epoch: bigint;
  lanes(): { lane: Lane; first: number; last: number }[];
  parcel(lane: Lane, first: number, countMax: number, bytesMax: number): { chunks: Uint8Array[] } | undefined;
  acked(lane: Lane, sequence: number): boolean;
}

export class Divergence {
  readonly #outbox: HeldEvents;
  readonly #onDoubt: (lane: Lane) => void;
  readonly #doubted = new Map<Lane, 'offered' | 'parted'>();

  constructor(outbox: HeldEvents, onDoubt: (lane: Lane) => void) {
    this.#outbox = outbox;
    this.#onDoubt = onDoubt;
  }

  /** Is what the control plane has at its last position of a lane what this journal gave out there? */
  believes(state: { lane: Lane; first: number; last: number }, acked: LaneAck): boolean {
    const ours = this.#doubted.get(state.lane) !== 'parted' && this.#isOurs(state, acked);
    if (!ours && !this.#doubted.has(state.lane)) this.#doubt(state.lane, 'offered');
    return ours;
  }

  #isOurs(state: { lane: Lane; first: number; last: number }, acked: LaneAck): boolean {
    const sequence = Number(acked.sequence);
    if (sequence < state.first) return true;
    if (sequence > state.last) return false;
    const parcel = this.#outbox.parcel(state.lane, sequence, 1, 1);
    const [envelope] = Batch.decode(Buffer.concat(parcel?.chunks ?? [])).envelopes;
    const ours = Envelope.decode(envelope ?? new Uint8Array(0));
    if (ours.recordSha256.length === 0) return true;
    if (acked.event !== undefined) return isSameEvent(ours, acked.event);
    // A control plane of an earlier build tells no more than this.
    return Buffer.from(ours.recordSha256).equals(Buffer.from(acked.recordSha256));
  }

  /** The control plane holds another record at this position: everything before it is ours, nothing from it on. */
  partedAt(position: LaneAck | undefined): boolean {
    const lane = laneNames.find((one) => one === position?.lane);
    if (position === undefined || lane === undefined || position.epoch !== this.#outbox.epoch) return false;
    this.#outbox.acked(lane, Number(position.sequence) - 1);
    this.#doubt(lane, 'parted');
    return true;
  }

  /** Nothing of this lane is sent until the new epoch. */
  held(lane: Lane): boolean {
    return this.#doubted.get(lane) === 'parted' || this.known();
  }

  /** There is doubt, and of every doubted lane it is known where it parts, or that nothing of it is left. */
  known(): boolean {
    if (this.#doubted.size === 0) return false;
    const empty = new Set(
      this.#outbox.lanes().flatMap(({ lane, first, last }) => (first > last ? [lane] : [])),
    );
    return [...this.#doubted].every(([lane, what]) => what === 'parted' || empty.has(lane));
  }

  forget(): void {
    this.#doubted.clear();
  }

  #doubt(lane: Lane, what: 'offered' | 'parted'): void {
    if (!this.#doubted.has(lane)) this.#onDoubt(lane);
    this.#doubted.set(lane, what);
  }
}
