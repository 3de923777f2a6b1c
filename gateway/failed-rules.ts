/**
 * Rules of the config whose conditions could not be evaluated, since the start, by source: such a condition counts as
 * not met, so a rule that always fails would be no rule, and nobody would know.
 */
import type { JobResult } from './worker-job.ts';

export interface FailedRule {
  source: string;
  /** As `class rule potassium`, `route to-icu`, `mapping lab-z`. */
  rule: string;
  /** Records that it failed on. */
  records: number;
}

const entriesMax = 2_000;

export class FailedRules {
  readonly #rules = new Map<string, FailedRule>();
  readonly #onFirst: (source: string, rule: string) => void;

  /** @param onFirst a rule failed on a source for the first time */
  constructor(onFirst: (source: string, rule: string) => void) {
    this.#onFirst = onFirst;
  }

  count(source: string, { failedRules }: Pick<JobResult, 'failedRules'>): void {
    for (const rule of failedRules ?? []) {
      const key = `${source}\n${rule}`;
      const known = this.#rules.get(key);
      if (known !== undefined) known.records += 1;
      // Sources and rules are of the config; what is over the limit came of many configs.
      else if (this.#rules.size < entriesMax) {
        this.#rules.set(key, { source, rule, records: 1 });
        this.#onFirst(source, rule);
      }
    }
  }

  all(): FailedRule[] {
    return [...this.#rules.values()];
  }
}
