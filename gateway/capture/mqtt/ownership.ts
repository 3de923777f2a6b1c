/**
 * Who holds which client id. The standard lets the newest connection close the older one [MQTT-3.1.4-2] and
 * does not ask whose it is: here only the same user or certificate may, and not in a loop.
 */
export class Ownership<Link extends { principal: string }> {
  readonly #held = new Map<string, Link>();
  /** Times (ms) of recent takeovers, or the end of a cool-down. */
  readonly #recent = new Map<string, { times: number[]; coolUntilMs: number }>();
  readonly #perMinuteMax: number;
  readonly #coolDownMs: number;

  constructor(perMinuteMax: number, coolDownMs: number) {
    this.#perMinuteMax = perMinuteMax;
    this.#coolDownMs = coolDownMs;
  }

  holder(clientId: string): Link | undefined {
    return this.#held.get(clientId);
  }

  /**
   * Takes the client id in one step, so that two CONNECTs in flight cannot both find it free.
   * `took`: the connection that has to go.
   */
  claim(clientId: string, link: Link, nowMs: number): { refused: 'owner' | 'cool-down' } | { took: Link | undefined } {
    const before = this.#held.get(clientId);
    if (!before) {
      this.#held.set(clientId, link);
      return { took: undefined };
    }
    if (before.principal !== link.principal) return { refused: 'owner' };
    const recent = this.#recent.get(clientId) ?? { times: [], coolUntilMs: 0 };
    if (nowMs < recent.coolUntilMs) return { refused: 'cool-down' };
    recent.times = recent.times.filter((at) => nowMs - at < 60_000);
    if (recent.times.length >= this.#perMinuteMax) {
      recent.coolUntilMs = nowMs + this.#coolDownMs;
      return { refused: 'cool-down' };
    }
    recent.times.push(nowMs);
    this.#recent.set(clientId, recent);
    if (this.#recent.size > 4_096) this.#prune(nowMs);
    this.#held.set(clientId, link);
    return { took: before };
  }

  release(clientId: string, link: Link): void {
    if (this.#held.get(clientId) === link) this.#held.delete(clientId);
  }

  #prune(nowMs: number): void {
    for (const [clientId, recent] of this.#recent) {
      if (nowMs >= recent.coolUntilMs && recent.times.every((at) => nowMs - at >= 60_000)) {
        this.#recent.delete(clientId);
      }
    }
    // Under attack with ever new ids: the oldest go, an id must already be held to get in here.
    for (const clientId of this.#recent.keys()) {
      if (this.#recent.size <= 4_096) break;
      this.#recent.delete(clientId);
    }
  }
}
