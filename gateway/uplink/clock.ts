/**
 * This clock beside the control plane's, from pings and their answers [RFC 5905 8].
 *
 *   gateway        sent ─────────────┐               ┌─► now
 *   control plane                    └─► received … sent
 */
import type { Ping, Pong } from '../../proto/gen/hilum/v1/session.ts';

/** A better measure stays no longer than this: clocks drift. */
const measureMaxMs = 60_000;

export class ClockMeasure {
  /** This clock minus the control plane's. */
  offsetUs = 0;
  /** Half of the round trip: the offset may be wrong by so much. */
  uncertaintyUs = 0;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #nonce = 0n;

  ping(nowUs: number): Ping {
    this.#nonce += 1n;
    return { nonce: this.#nonce, sentAtUs: BigInt(nowUs) };
  }

  /** `elapsedMs`: by a clock that has no steps; `steadyMs`: how long `nowUs` has had none. */
  pong(pong: Pong, nowUs: number, elapsedMs: number, steadyMs: number): void {
    const sentUs = Number(pong.pingSentAtUs);
    const peerReceivedUs = Number(pong.receivedAtUs);
    const peerSentUs = Number(pong.sentAtUs);
    const roundTripUs = nowUs - sentUs - (peerSentUs - peerReceivedUs);
    if (roundTripUs < 0) return; // this clock was set back meanwhile
    const uncertaintyUs = roundTripUs / 2;
    // The smallest round trip tells best; a busy moment measures badly.
    const ageMs = elapsedMs - this.#measuredAtMs;
    if (uncertaintyUs > this.uncertaintyUs && ageMs < Math.min(measureMaxMs, steadyMs)) return;
    this.#measuredAtMs = elapsedMs;
    this.offsetUs = -(peerReceivedUs - sentUs + (peerSentUs - nowUs)) / 2;
    this.uncertaintyUs = uncertaintyUs;
  }
}
