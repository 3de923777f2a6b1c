/**
 * Seeded randomness for tests and tools: a run prints its seed and replays from it (HILUM_SEED=n).
 * Not for keys, identifiers or anything else that must not be guessed.
 */

/** Answers numbers in [0, 1). The same seed gives the same numbers on every machine. */
export type Random = () => number;

/** Mulberry32: 32 bits of state, ample for choosing cut points and subsets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The seed of this run: HILUM_SEED, else one from the clock. The caller prints it. */
export function seedOfThisRun(): number {
  const asked = process.env.HILUM_SEED;
  return asked === undefined ? Date.now() >>> 0 : Number(asked) >>> 0;
}

/** A whole number in [0, bound). */
export function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** Mixes a seed and a number into 32 even bits; stateless, so message n needs no message n - 1. */
export function mix32(seed: number, n: number): number {
  let mixed = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
