/** What custody says, with the names of the sources and what of each stands in quarantine. */
import type { Counts, Custody } from './custody.ts';
import type { Planes } from './planes.ts';
import type { Quarantine } from './quarantine.ts';

export interface SourceAccount {
  source: string;
  counts: Counts & { pending: number };
  /** Of those in quarantine: those that look urgent. */
  urgentQuarantined: number;
  /** To the control plane that there is now. */
  deliveredUnder: ReturnType<Custody['deliveredUnder']>;
  /** To others. */
  deliveredElsewhere: number;
}

export interface HourAccount {
  source: string;
  hour: number;
  counts: Counts;
}

export class Account {
  readonly #custody: Custody;
  readonly #quarantine: Quarantine;
  readonly #planes: Planes;
  readonly #name: (source: number) => string;

  constructor(custody: Custody, quarantine: Quarantine, planes: Planes, name: (source: number) => string) {
    this.#custody = custody;
    this.#quarantine = quarantine;
    this.#planes = planes;
    this.#name = name;
  }

  totals(epoch: bigint): SourceAccount[] {
    return [...this.#custody.totals()].map(([source, counts]) => {
      const under = this.#custody.deliveredUnder(source, epoch);
      const [here, elsewhere] = [true, false].map((same) =>
        under.filter((one) => this.#planes.isSame(one.epoch, epoch) === same),
      ) as [typeof under, typeof under];
      return {
        source: this.#name(source),
        counts,
        urgentQuarantined: this.#quarantine.urgentOf(source),
        deliveredUnder: here,
        deliveredElsewhere: elsewhere.reduce((sum, { records }) => sum + records, 0),
      };
    });
  }

  hours(): HourAccount[] {
    return this.#custody
      .hours()
      .map(({ source, hour, counts }) => ({ source: this.#name(source), hour, counts }));
  }
}
