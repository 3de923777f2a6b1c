/**
 * Of which process each gateway's sessions are. A process that restarts does not come back; one that comes back after
 * another had its place runs beside it, as a cloned machine or a copied data directory does, and they take the line
 * from each other for ever.
 */
const earlierMax = 8;
/** It is told again as long as it lasts. */
const tellEveryMs = 3_600_000;

interface Known {
  now: bigint;
  earlier: bigint[];
  toldAtMs: number;
}

export class Twins {
  readonly #known = new Map<string, Known>();
  readonly #tell: (gateway: string) => void;

  /** @param tell of a gateway that runs twice */
  constructor(tell: (gateway: string) => void) {
    this.#tell = tell;
  }

  /** @param life of the session that takes the gateway's place; 0 of builds that do not say. */
  took(gateway: string, life: bigint): void {
    if (life === 0n) return;
    const known = this.#known.get(gateway);
    if (known === undefined) {
      this.#known.set(gateway, { now: life, earlier: [], toldAtMs: Number.NEGATIVE_INFINITY });
      return;
    }
    if (known.now === life) return;
    const isBack = known.earlier.includes(life);
    known.earlier = [...known.earlier.filter((one) => one !== life), known.now].slice(-earlierMax);
    known.now = life;
    if (!isBack || performance.now() - known.toldAtMs < tellEveryMs) return;
    known.toldAtMs = performance.now();
    this.#tell(gateway);
  }
}
