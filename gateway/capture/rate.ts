/**
 * Events per minute and key, with a cool-down once the bound is passed; the number of keys is bounded too. Times are of
 * a clock that no step of the wall clock moves: a step back must not make a bound of minutes one of hours.
 */
export class PerMinute {
  readonly #recent = new Map<string, { times: number[]; coolUntilMs: number }>();
  readonly #max: number;
  readonly #coolDownMs: number;

  constructor(max: number, coolDownMs = 0) {
    this.#max = max;
    this.#coolDownMs = coolDownMs;
  }

  /** false: too often; not counted. */
  allow(key: string, nowMs: number): boolean {
    const recent = this.#recent.get(key) ?? { times: [], coolUntilMs: 0 };
    if (nowMs < recent.coolUntilMs) return false;
    recent.times = recent.times.filter((at) => nowMs - at < 60_000);
    if (recent.times.length >= this.#max) {
      recent.coolUntilMs = nowMs + this.#coolDownMs;
      return false;
    }
    recent.times.push(nowMs);
    this.#recent.set(key, recent);
    if (this.#recent.size > KEYS_MAX) this.#prune(nowMs);
    return true;
  }

  #prune(nowMs: number): void {
    for (const [key, recent] of this.#recent) {
      const quiet = recent.times.every((at) => nowMs - at >= 60_000);
      if (nowMs >= recent.coolUntilMs && quiet) this.#recent.delete(key);
    }
    for (const key of this.#recent.keys()) {
      if (this.#recent.size <= KEYS_MAX / 2) break;
      this.#recent.delete(key);
    }
  }
}

const KEYS_MAX = 4_096;
