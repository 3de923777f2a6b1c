/** What a config's `once` did since the start, by source and rule, in events: nothing is left out uncounted. */
import type { OnceTally as OnceTallyReport } from '../proto/gen/hilum/v1/session.ts';
import type { OnceRole } from './normalize/memory/once.ts';
import type { JobResult } from './worker-job.ts';

export interface OnceTally {
  source: string;
  rule: string;
  repeats: number;
  effective: number;
  linked: number;
  conflicts: number;
}

const counted: Record<OnceRole, 'repeats' | 'effective' | 'linked' | 'conflicts'> = {
  repeat: 'repeats',
  effective: 'effective',
  linked: 'linked',
  conflict: 'conflicts',
};
const entriesMax = 2_000;

export class OnceTallies {
  readonly #tallies = new Map<string, OnceTally>();

  count(source: string, { once }: Pick<JobResult, 'once'>): void {
    for (const { rule, role } of once ?? []) {
      const key = `${source}\n${rule}`;
      let tally = this.#tallies.get(key);
      if (tally === undefined) {
        // Sources and rules are of the config; what is over the limit came of many configs.
        if (this.#tallies.size >= entriesMax) return;
        tally = { source, rule, repeats: 0, effective: 0, linked: 0, conflicts: 0 };
        this.#tallies.set(key, tally);
      }
      tally[counted[role]] += 1;
    }
  }

  report(): OnceTallyReport[] {
    return this.all().map(({ source, rule, repeats, effective, linked, conflicts }) => ({
      source,
      rule,
      repeats: BigInt(repeats),
      effective: BigInt(effective),
      linked: BigInt(linked),
      conflicts: BigInt(conflicts),
    }));
  }

  all(): OnceTally[] {
    return [...this.#tallies.values()];
  }
}
