/** A specimen that stands before its orders (OUL^R22, OML^O33), and what is said of it there: each of its orders tells it. */
import type { Note, Observation, Specimen } from '../../../proto/gen/hilum/v1/event.ts';

export class SpecimenAhead {
  specimen: Specimen | undefined;
  readonly notes: Note[] = [];
  /** What an order repeats of it, about. */
  bytes = 0;
  readonly #rows: Observation[] = [];
  /** So many of them have been told; the others are still with the patient. */
  #rowsTold = 0;
  /** Those from here on are of the container, not of the specimen. */
  #containerFrom: number | undefined;
  #isTold = false;

  constructor(specimen: Specimen | undefined) {
    this.specimen = specimen;
  }

  add(bytes: number, row?: Observation): void {
    this.bytes += bytes;
    if (row !== undefined) this.#rows.push(row);
  }

  /** A container of it. @param next there are orders of the one before it */
  openContainer(next: boolean): void {
    this.#containerFrom ??= this.#rows.length;
    if (!next) return;
    // What is said of this one no order has told yet, and maybe none will.
    this.#isTold = false;
    this.#rows.length = this.#containerFrom;
    this.#rowsTold = this.#containerFrom;
  }

  /** An order tells all of it; gives the rows that another one has told before. */
  tell(): Observation[] {
    const again = this.#rows.slice(0, this.#rowsTold);
    this.#rowsTold = this.#rows.length;
    this.#isTold = true;
    return again;
  }

  /** Rows that no order tells; undefined where nothing is left untold. */
  untold(): Observation[] | undefined {
    const rows = this.#rows.slice(this.#rowsTold);
    return this.specimen === undefined || (this.#isTold && rows.length === 0) ? undefined : rows;
  }
}

/** Each order may say more of its specimen (OBR-14, OBR-15). */
export function forOrder(specimen: Specimen): Specimen {
  const { identifiers, additives, roles, siteModifiers } = specimen;
  return {
    ...specimen,
    identifiers: [...identifiers],
    additives: [...additives],
    roles: [...roles],
    siteModifiers: [...siteModifiers],
  };
}
