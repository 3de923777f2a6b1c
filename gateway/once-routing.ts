/**
 * Where an event will be routed, asked before its record is judged: a route may look at the class, which all events
 * of a record share [CONTRACT 1], and at what an event is beside others. Told as the worker will do it, because what
 * is held back from a destination must have gone there.
 */
import type { Class } from '../proto/config/schema.ts';
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import { highest } from './prioritize/classify.ts';
import type { Routed } from './route/rules.ts';

export class RecordRouting {
  readonly #events: readonly ClinicalEvent[];
  readonly #classOf: (event: ClinicalEvent) => Class;
  readonly #budgetMs: (lane: Class) => number;
  readonly #routes: (event: ClinicalEvent) => readonly Routed[];
  /** Of each event, and how many have it. */
  #classes: Map<ClinicalEvent, Class> | undefined;
  readonly #counts = new Map<Class, number>();

  constructor(
    events: readonly ClinicalEvent[],
    classOf: (event: ClinicalEvent) => Class,
    budgetMs: (lane: Class) => number,
    routes: (event: ClinicalEvent) => readonly Routed[],
  ) {
    this.#events = events;
    this.#classOf = classOf;
    this.#budgetMs = budgetMs;
    this.#routes = routes;
  }

  /** Names of the destinations. */
  of(event: ClinicalEvent): string[] {
    const { class: before, budgetMs } = event;
    const lane = this.#laneWith(event);
    event.class = lane;
    event.budgetMs = this.#budgetMs(lane);
    const routed = this.#routes(event);
    event.class = before;
    event.budgetMs = budgetMs;
    return routed.map(({ destination }) => destination);
  }

  /** The class of the record, with what is known of this event by now. */
  #laneWith(event: ClinicalEvent): Class {
    if (this.#classes === undefined) {
      this.#classes = new Map();
      for (const one of this.#events) if (one !== event) this.#put(one);
    }
    this.#put(event);
    return highest(this.#counts.keys());
  }

  #put(event: ClinicalEvent): void {
    const classes = this.#classes as Map<ClinicalEvent, Class>;
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
