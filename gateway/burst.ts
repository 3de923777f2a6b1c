/**
 * Answering senders comes before meaning. In a burst routine records wait for the processor, as they would wait for
 * each other anyway, and senders get rid of theirs twice as fast; for seconds at most, and then not again before what
 * waited is done, so a load that stays is worked off as it comes. STAT and urgent records do not wait.
 *
 *   quiet ──many a second──► burst ──5 s──► spent ──caught up──► quiet
 *                              └──few a second──► quiet
 */

/** More than any hospital sends for long: a queue that was held up somewhere is being emptied into this gateway. */
const burstPerSecond = 4_000;
const burstMaxMs = 5_000;
const spanMs = 50;
/** So few that wait are caught up with. */
const caughtUpRecords = 256;

export interface Burst {
  /** Should routine work step back now? Given: records ever taken in, and how many of them wait. */
  holds(taken: number, waiting: number): boolean;
}

export function createBurst(nowMs = () => performance.now()): Burst {
  let sinceMs: number | undefined;
  let readAtMs = nowMs();
  let readTaken = 0;
  let many = false;

  function look(now: number, taken: number): void {
    const ms = now - readAtMs;
    if (ms < spanMs) return;
    many = (taken - readTaken) / ms > burstPerSecond / 1_000;
    readAtMs = now;
    readTaken = taken;
  }

  return {
    holds(taken, waiting) {
      const now = nowMs();
      look(now, taken);
      if (sinceMs !== undefined && waiting < caughtUpRecords && now - sinceMs > burstMaxMs)
        sinceMs = undefined;
      if (!many) {
        if (sinceMs !== undefined && now - sinceMs < burstMaxMs) sinceMs = undefined;
        return false;
      }
      sinceMs ??= now;
      return now - sinceMs < burstMaxMs;
    },
  };
}
