/**
 * Messages that the config of their source does not accept, since the start, by source and field: each was answered AR
 * and is nowhere else, so a mistyped `accept` that refuses a whole lab has to be seen. Never what stood in the field.
 */
import { nowUs } from './process/clock.ts';

/** What `accept` looks at, with its key there. */
export const acceptFields = { 'MSH-11': 'processingIds', 'MSH-12': 'versions' } as const;

export type AcceptField = keyof typeof acceptFields;

export interface NotAccepted {
  source: string;
  field: AcceptField;
  count: number;
  /** Of the last one, in microseconds since 1970. */
  atUs: number;
}

export class NotAcceptedTally {
  #bySource = new Map<string, Partial<Record<AcceptField, NotAccepted>>>();

  note(source: string, field: AcceptField): void {
    const fields = this.#bySource.get(source) ?? {};
    fields[field] = { source, field, count: (fields[field]?.count ?? 0) + 1, atUs: nowUs() };
    this.#bySource.set(source, fields);
  }

  /** Those of other sources are of a config that is gone. */
  keep(sources: readonly string[]): void {
    this.#bySource = new Map([...this.#bySource].filter(([source]) => sources.includes(source)));
  }

  all(): NotAccepted[] {
    return [...this.#bySource.values()].flatMap((fields) => Object.values(fields));
  }
}
