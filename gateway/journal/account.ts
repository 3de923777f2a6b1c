/** What custody says, with the names of the sources and what of each stands in quarantine. */
import type { Counts, Custody } from './custody.ts';
import type { Quarantine } from './quarantine.ts';

export interface SourceAccount {
  source: string;
  counts: Counts & { pending: number };
  /** Of those in quarantine: those that look urgent. */
  urgentQuarantined: number;
  deliveredUnder: ReturnType<Custody['deliveredUnder']>;
}

export interface HourAccount {
  source: string;
  hour: number;
  counts: Counts;
}

export class Account {
  readonly #custody: Custody;
  readonly #quarantine: Quarantine;
  readonly #name: (source: number) => string;

  constructor(custody: Custody, quarantine: Quarantine, name: (source: number) => string) {
    this.#custody = custody;
    this.#quarantine = quarantine;
    this.#name = name;
  }

  totals(epoch: bigint): SourceAccount[] {
    return [...this.#custody.totals()].map(([source, counts]) => ({
      source: this.#name(source),
      counts,
      urgentQuarantined: this.#quarantine.urgentOf(source),
      deliveredUnder: this.#custody.deliveredUnder(source, epoch),
    }));
  }

  hours(): HourAccount[] {
    return this.#custody
      .hours()
      .map(({ source, hour, counts }) => ({ source: this.#name(source), hour, counts }));
  }
}
