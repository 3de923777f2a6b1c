/**
 * Time. Wall time is read once and carried on by the monotonic clock. A step of the wall clock (NTP, an operator) of a
 * second or more is followed within a second, backwards too: then this clock jumps with it. So a difference of two readings
 * is a latency only within `steadyUs`, and order never depends on time.
 * All threads of a process have one clock: the main thread's, which its workers adopt.
 */
import { performance } from 'node:perf_hooks';

const stepUs = 1_000_000;

/**
 * `performance.now()` counts from the start of its thread, `process.hrtime` from one start for all: what lies
 * between them, found in the tightest of a few tries, puts every thread on one time line (to less than a µs).
 */
const sinceBootMs = threadStartMs();
/** Wall clock at the start of that time line, µs; one for all threads, so that their times can be compared. */
let anchor = new Float64Array(new SharedArrayBuffer(8));
anchor[0] = Date.now() * 1000 - monotonicMs() * 1000;
let follows = true;
let checkedAtMs = performance.now();
let steppedAtMs = Number.NEGATIVE_INFINITY;

function monotonicMs(): number {
  return sinceBootMs + performance.now();
}

function threadStartMs(): number {
  let [best, narrowest] = [0, Number.POSITIVE_INFINITY];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = process.hrtime();
    const mine = performance.now();
    const after = process.hrtime();
    const width = milliseconds(after) - milliseconds(before);
    if (width >= narrowest) continue;
    narrowest = width;
    best = (milliseconds(before) + milliseconds(after)) / 2 - mine;
  }
  return best;
}

function milliseconds([seconds, nanoseconds]: [number, number]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** For a thread of this process: it `adoptClock`s what this gives. */
export function shareClock(): SharedArrayBuffer {
  return anchor.buffer as SharedArrayBuffer;
}

/** From here on this thread tells the time of the thread that shares its clock, steps of the wall clock included. */
export function adoptClock(shared: SharedArrayBuffer): void {
  anchor = new Float64Array(shared);
  follows = false;
}

/** Microseconds since 1970, as a number (exact up to the year 2255). */
export function nowUs(): number {
  const threadMs = performance.now();
  if (follows && threadMs - checkedAtMs > 1000) followWallClock(threadMs);
  return Math.round((anchor[0] as number) + (sinceBootMs + threadMs) * 1000);
}

/** Microseconds since 1970, as protobuf carries it. */
export function nowUs64(): bigint {
  return BigInt(nowUs());
}

/** Milliseconds on a line that no step of the wall clock moves: only the span between two readings means anything. */
export function elapsedMs(): number {
  return monotonicMs();
}

/** Microseconds that the clock has run without a step; a longer span was not measured by one clock. */
export function steadyUs(): number {
  return (performance.now() - steppedAtMs) * 1000;
}

function followWallClock(threadMs: number): void {
  checkedAtMs = threadMs;
  const freshUs = Date.now() * 1000 - (sinceBootMs + threadMs) * 1000;
  if (Math.abs(freshUs - (anchor[0] as number)) < stepUs) return;
  anchor[0] = freshUs;
  steppedAtMs = threadMs;
}
