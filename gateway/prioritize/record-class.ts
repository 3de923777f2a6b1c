/**
 * The class that a record will have, the highest of its events, asked while what its events are
 * is still being found out, one after the other.
 */
import type { Class } from '../../proto/config/schema.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { highest } from './classify.ts';

export class RecordClass {
  readonly #events: readonly ClinicalEvent[];
  readonly #classOf: (event: ClinicalEvent) => Class;
  #classes: Map<ClinicalEvent, Class> | undefined;
  /** How many events have it. */
  readonly #counts = new Map<Class, number>();

  constructor(events: readonly ClinicalEvent[], classOf: (event: ClinicalEvent) => Class) {
    this.#events = events;
    this.#classOf = classOf;
  }

  /** With what is known of this event by now. */
  with(event: ClinicalEvent): Class {
    if (this.#classes === undefined) {
      const classes = new Map<ClinicalEvent, Class>();
      for (const one of this.#events) if (one !== event) this.#put(one, classes);
      this.#classes = classes;
    }
    this.#put(event, this.#classes);
    return highest(this.#counts.keys());
  }

  #put(event: ClinicalEvent, classes: Map<ClinicalEvent, Class>): void {
    const before = classes.get(event);
    if (before !== undefined) {
      const left = (this.#counts.get(before) ?? 1) - 1;
      if (left > 0) this.#counts.set(before, left);
      else this.#counts.delete(before);
    }
    const own = this.#classOf(event);
    classes.set(event, own);
    this.#counts.set(own, (this.#counts.get(own) ?? 0) + 1);
  }
}
