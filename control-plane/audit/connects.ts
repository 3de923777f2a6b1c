/**
 * Which of a gateway's connects stand in the trail: each, as long as they are few. Two processes with one identity take the
 * line from each other for as long as both run, and the trail keeps everything for ever: beyond so many in an hour they
 * are counted, and the next entry tells how many were left out.
 */
const entriesMax = 10;
const windowMs = 3_600_000;

interface Known {
  sinceMs: number;
  entries: number;
  leftOut: number;
}

export class Connects {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** How many were left out since the entry before; undefined where this one is left out, too. */
  took(gateway: string): number | undefined {
    const nowMs = this.#nowMs();
    let known = this.#known.get(gateway);
    if (known === undefined || nowMs - known.sinceMs >= windowMs) {
      known = { sinceMs: nowMs, entries: 0, leftOut: known?.leftOut ?? 0 };
      this.#known.set(gateway, known);
    }
    if (known.entries >= entriesMax) {
      known.leftOut += 1;
      return undefined;
    }
    known.entries += 1;
    const { leftOut } = known;
    known.leftOut = 0;
    return leftOut;
  }
}
