/**
 * What waits for a commit is bounded, per connection and in all. Above the bound sockets are not read and TCP
 * pushes back; a connection is read again when half of it was settled.
 *
 * Invariant: a connection whose own messages are all settled is read again, whatever the others have waiting.
 */
import type { Link } from './link.ts';
import type { MqttPart } from './part.ts';

export class Backpressure {
  readonly #part: MqttPart;
  readonly #held = new Set<Link>();
  #relieving = false;

  constructor(part: MqttPart) {
    this.#part = part;
  }

  holds(link: Link): boolean {
    return this.#held.has(link);
  }

  /** The connection is gone. */
  forget(link: Link): void {
    this.#held.delete(link);
  }

  /** So many bytes of the connection wait from now on. */
  add(link: Link, bytes: number): void {
    const { stats } = this.#part.counters;
    stats.inFlight++;
    stats.inFlightBytes += bytes;
    if (this.#held.has(link)) return;
    const { inFlightMax, inFlightBytesMax, inFlightBytesTotalMax } = this.#part.limits;
    const full = link.answers.length >= inFlightMax || link.answers.bytes >= inFlightBytesMax;
    if (!full && stats.inFlightBytes < inFlightBytesTotalMax) return;
    link.guard.hold();
    this.#held.add(link);
    stats.holds++;
  }

  /** So many bytes were settled; `relieve` follows when their answer has left. */
  remove(bytes: number): void {
    const { stats } = this.#part.counters;
    stats.inFlight--;
    stats.inFlightBytes -= bytes;
  }

  /** Once per turn, however many commits settled in it. */
  relieve(): void {
    if (this.#held.size === 0 || this.#relieving) return;
    this.#relieving = true;
    setImmediate(() => {
      this.#relieving = false;
      if (!this.#part.stopping()) this.#readAgain();
    });
  }

  #readAgain(): void {
    const { inFlightMax, inFlightBytesMax, inFlightBytesTotalMax } = this.#part.limits;
    const { stats } = this.#part.counters;
    for (const link of this.#held) {
      // Looked at anew for each: what is read again may publish at once.
      if (stats.inFlightBytes > inFlightBytesTotalMax / 2 && link.answers.length > 0) continue;
      if (link.answers.length > inFlightMax / 2 || link.answers.bytes > inFlightBytesMax / 2) continue;
      this.#held.delete(link);
      link.guard.release();
    }
  }
}
