/**
 * Those parts of the report that are large, or many, and mostly stand still. They are told where they changed since this
 * session told them, and one report takes only so much of them: a STAT event may come behind it on a slow line.
 */
import type { Telemetry } from '../../proto/gen/hilum/v1/session.ts';

export interface Detail {
  name: string;
  /** Another one as soon as it says something else. */
  stamp: string;
  /** So long after it was told it is not told again. */
  restMs: number;
  /** Puts it into the report; gives about how many bytes it has there. */
  put(report: Telemetry): number;
}

/** Of one report; what is over it goes with the next. */
const bytesMax = 16 * 1024;

export class Details {
  readonly #told = new Map<string, { stamp: string; atMs: number }>();

  /** A new session: nothing was told. */
  forget(): void {
    this.#told.clear();
  }

  /** What is to be told now, the longest untold first. @param all without rest or bound: it is the last report */
  add(report: Telemetry, details: Iterable<Detail>, nowMs: number, all = false): void {
    const due: { detail: Detail; atMs: number }[] = [];
    for (const detail of details) {
      const told = this.#told.get(detail.name);
      const rests = !all && told !== undefined && nowMs - told.atMs < detail.restMs;
      if (told?.stamp !== detail.stamp && !rests)
        due.push({ detail, atMs: told?.atMs ?? Number.NEGATIVE_INFINITY });
    }
    due.sort((a, b) => (a.atMs === b.atMs ? 0 : a.atMs - b.atMs));
    let bytes = 0;
    for (const { detail } of due) {
      if (!all && bytes >= bytesMax) return;
      bytes += detail.put(report);
      this.#told.set(detail.name, { stamp: detail.stamp, atMs: nowMs });
    }
  }
}
