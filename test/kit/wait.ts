/**
 * Waiting on conditions. No test sleeps: it names what must become true, and how long is a hang.
 * A hang limit is generous (ten times the goal): times are printed, counts are asserted.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** What is awaited, in words, for the message of a hang. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** Polls until `probe` answers something other than undefined or false; answers that. Throws on a hang. */
export async function until<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs = 10_000, everyMs = 10 }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`hang: ${what} did not come true in ${timeoutMs} ms`);
    await delay(everyMs);
  }
}

/** Settles as `promise`, or rejects by naming what hung. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const stop = new AbortController();
  const hang = delay(timeoutMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`hang: ${what} did not settle in ${timeoutMs} ms`);
  });
  hang.catch(() => {});
  try {
    return await Promise.race([promise, hang]);
  } finally {
    stop.abort();
  }
}
