/**
 * Shares per source since the start: how much of it is STAT, and how many results carry no flag at
 * all. A source whose results are all unflagged, or all STAT, tells nobody what is urgent.
 */
import type { JobResult } from './worker-job.ts';

export interface Share {
  source: string;
  records: number;
  stat: number;
  results: number;
  unflaggedResults: number;
}

export class Shares {
  readonly #shares = new Map<string, Share>();

  count(source: string, { lane, results, unflagged }: JobResult): void {
    let share = this.#shares.get(source);
    if (share === undefined) {
      share = { source, records: 0, stat: 0, results: 0, unflaggedResults: 0 };
      this.#shares.set(source, share);
    }
    share.records += 1;
    share.stat += lane === 'stat' ? 1 : 0;
    share.results += results;
    share.unflaggedResults += unflagged;
  }

  all(): Share[] {
    return [...this.#shares.values()];
  }
}
