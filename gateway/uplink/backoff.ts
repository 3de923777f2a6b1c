/**
 * Full-jitter back-off: anything between nothing and a cap that doubles, so that a thousand gateways never come at once.
 * A session that the control plane ended soon is a failure as well, whatever was said in it: it may greet and then refuse,
 * and two processes with one identity take the line from each other.
 */
const firstMs = 500;
const longestMs = 20_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait now, milliseconds. @param wellMs of the session that ended [session.ts]; 0: it had no Welcome */
  next(wellMs: number): number {
    // One of two that take turns never lasts longer than the other waits.
    if (wellMs > longestMs) this.#failures = 0;
    const capMs = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    return Math.floor(this.#random() * capMs);
  }

  /** The peer is as it should be: the session ended because this end wanted another one. */
  reset(): void {
    this.#failures = 0;
  }
}
