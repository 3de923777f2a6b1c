/**
 * What the rules for critical results did since the start, by source and rule: how many results they
 * marked, and how often one could not be applied, and why. A rule that never fits its unit is no rule.
 */
import type { CriticalTally as CriticalTallyReport } from '../proto/gen/hilum/v1/session.ts';
import type { NotApplied } from './normalize/critical.ts';
import type { JobResult } from './worker-job.ts';

export interface CriticalTally {
  source: string;
  rule: string;
  marked: number;
  notApplied: Record<NotApplied, number>;
}

const entriesMax = 2_000;

export class Criticals {
  readonly #tallies = new Map<string, CriticalTally>();

  count(source: string, { critical }: Pick<JobResult, 'critical'>): void {
    for (const { rule, outcome } of critical ?? []) {
      const key = `${source}\n${rule}`;
      let tally = this.#tallies.get(key);
      if (tally === undefined) {
        // Sources and rules are of the config; what is over the limit came of many configs.
        if (this.#tallies.size >= entriesMax) return;
        tally = { source, rule, marked: 0, notApplied: { unit: 0, value: 0, age: 0, sex: 0 } };
        this.#tallies.set(key, tally);
      }
      if (outcome === 'marked') tally.marked += 1;
      else tally.notApplied[outcome] += 1;
    }
  }

  report(): CriticalTallyReport[] {
    return this.all().map(({ source, rule, marked, notApplied }) => ({
      source,
      rule,
      marked: BigInt(marked),
      otherUnit: BigInt(notApplied.unit),
      noValue: BigInt(notApplied.value),
      noAge: BigInt(notApplied.age),
      noSex: BigInt(notApplied.sex),
    }));
  }

  all(): CriticalTally[] {
    return [...this.#tallies.values()];
  }
}
