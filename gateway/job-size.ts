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

const jobTimeoutMs = 5_000;
const recordTimeoutMs = 1_000;
/** A record may be a batch: 66,000 small messages in 3 MB take ten seconds on a slow machine, more on a busy one. */
const byteTimeoutMs = 20_000 / 1024 ** 2;

/** How long the normalizer may take for them. */
export function workMsOf(records: readonly { bytes: Uint8Array }[]): number {
  const [record] = records;
  return records.length === 1 && record !== undefined
    ? recordTimeoutMs + record.bytes.length * byteTimeoutMs
    : jobTimeoutMs;
}
