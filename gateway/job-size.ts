/**
 * How many records go to the normalizer together. Many, because a job is a row of its own for each lane and its own
 * share of a commit; few while STAT and urgent records come, because the next of them waits for the jobs in hand.
 */
import type { Class } from './capture/intake.ts';

const many = 64;
const few = 16;
/** So long after the last urgent record the next one is still expected. */
const expectedMs = 5_000;

export interface JobSize {
  /** @param nowMs of a clock that only goes on */
  recordsMax(guess: Class, nowMs: number): number;
}

export function createJobSize(): JobSize {
  let urgentAtMs = Number.NEGATIVE_INFINITY;
  return {
    recordsMax(guess, nowMs) {
      if (guess === 'stat' || guess === 'urgent') urgentAtMs = nowMs;
      return nowMs - urgentAtMs < expectedMs ? few : many;
    },
  };
}
