/**
 * Time. Within a process it never runs backwards: wall time is read once and carried on
 * by the monotonic clock, so that latencies are never negative. A step of the wall clock
 * (NTP, an operator) is followed by a new anchor and counted; order never depends on time.
 */
import { performance } from 'node:perf_hooks';

const stepUs = 1_000_000;

let anchorUs = Date.now() * 1000 - performance.now() * 1000;
let checkedAtMs = performance.now();
let steppedAtMs = Number.NEGATIVE_INFINITY;

/** Microseconds since 1970, as a number (exact up to the year 2255). */
export function nowUs(): number {
  const monotonicMs = performance.now();
  if (monotonicMs - checkedAtMs > 1000) followWallClock(monotonicMs);
  return Math.round(anchorUs + monotonicMs * 1000);
}

/** Microseconds since 1970, as protobuf carries it. */
export function nowUs64(): bigint {
  return BigInt(nowUs());
}

/** Microseconds that the clock has run without a step; a longer span was not measured by one clock. */
export function steadyUs(): number {
  return (performance.now() - steppedAtMs) * 1000;
}

function followWallClock(monotonicMs: number): void {
  checkedAtMs = monotonicMs;
  const freshUs = Date.now() * 1000 - monotonicMs * 1000;
  if (Math.abs(freshUs - anchorUs) < stepUs) return;
  anchorUs = freshUs;
  steppedAtMs = monotonicMs;
}
