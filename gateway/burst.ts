/**
 * Answering senders comes before meaning. In a burst routine records wait for the processor, as they would wait for
 * each other anyway, and senders get rid of theirs twice as fast; for seconds at most, and then not again before few come
 * and what waited is done, so a load that stays is worked off as it comes. STAT and urgent records do not wait.
 *
 *   quiet ──many a second──► burst ──5 s──► spent ──few a second, caught up──► quiet
 *                              └──few a second, caught up──► quiet
 *
 * Outside of bursts routine jobs keep some milliseconds between them while records come, the fewer the more of them
 * wait: a job for each record would cost each next sender a flush (one connection, beside the bare limit: 0.37 of it with
 * 25 ms between them, 0.45 with 100).
 */

/**
 * More than any hospital sends for long, 86 million a day: a queue that was held up somewhere is being emptied into this
 * gateway. On a slow machine 16 senders that wait for their answers do not reach 4,000 a second while their messages are
 * normalized too (0.26 of the bare limit); held from here on they get 0.7 of it.
 */
const burstPerSecond = 1_000;
const burstMaxMs = 5_000;
const spanMs = 50;
/** A load that stays has a span with few now and then; so long it has none with many only when it is over. */
const quietMs = 500;
/** So few that wait are caught up with. */
const caughtUpRecords = 256;
/** A record came this recently: the next may follow it. */
const followsMs = 3;
const pauseMs = 100;
/** From this many waiting records on there are no pauses: more would be seconds of what a hospital sends. */
const pauseRecordsMax = 1_000;

export interface Burst {
  /** Should routine work step back now? Given: records ever taken in, and how many of them wait. */
  holds(taken: number, waiting: number): boolean;
}

export function createBurst(nowMs = () => performance.now()): Burst {
  let sinceMs: number | undefined;
  let readAtMs = nowMs();
  let readTaken = 0;
  let many = false;
  let manyAtMs = Number.NEGATIVE_INFINITY;
  let seen = 0;
  let seenAtMs = Number.NEGATIVE_INFINITY;
  let routineAtMs = Number.NEGATIVE_INFINITY;

  function look(now: number, taken: number): void {
    const ms = now - readAtMs;
    if (ms < spanMs) return;
    many = (taken - readTaken) / ms > burstPerSecond / 1_000;
    if (many) manyAtMs = now;
    readAtMs = now;
    readTaken = taken;
  }

  function bursts(now: number, waiting: number): boolean {
    // Not before: senders that come in waves would begin a new one with each, and a load that stays one after the other.
    if (waiting < caughtUpRecords && now - manyAtMs >= quietMs) sinceMs = undefined;
    if (!many) return false;
    sinceMs ??= now;
    return now - sinceMs < burstMaxMs;
  }

  return {
    holds(taken, waiting) {
      const now = nowMs();
      look(now, taken);
      if (taken !== seen) {
        seen = taken;
        seenAtMs = now;
      }
      if (bursts(now, waiting)) return true;
      const pause = pauseMs * (1 - waiting / pauseRecordsMax);
      if (now - seenAtMs <= followsMs && now - routineAtMs < pause) return true;
      routineAtMs = now;
      return false;
    },
  };
}
