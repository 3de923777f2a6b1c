/**
 * Which of a message's events a segment tells of: its own order's, every order's of its patient, or all of them
 * (MSH and what stands beside it). So an event says what was remarked of its own segments and of none but those.
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';

/** A segment by its line, or an event itself. 0: the whole message. */
export type At = number | ClinicalEvent;

export type Told = readonly [text: string, at: At];

export class Owners {
  private readonly byLine: (ClinicalEvent | undefined)[] = [];
  /** Of an order's event what was said of its patient before any order; of a part what was said of the whole. */
  private bases: Map<ClinicalEvent, ClinicalEvent> | undefined;

  own(line: number, event: ClinicalEvent): void {
    this.byLine[line] = event;
  }

  inherits(event: ClinicalEvent, base: ClinicalEvent): void {
    this.bases ??= new Map();
    this.bases.set(event, base);
  }

  /** What is told of each event, in the order of `all`. */
  share(events: readonly ClinicalEvent[], all: readonly Told[]): string[][] {
    if (all.length === 0) return events.map(() => []);
    if (events.length === 1) return [[...new Set(all.map(([text]) => text))]];
    const places = this.byOwner(all);
    return events.map((event) => {
      const mine = this.heard(event).flatMap((one) => places.get(one) ?? []);
      return [...new Set(mine.sort((a, b) => a - b).map((index) => all[index]?.[0] ?? ''))];
    });
  }

  /** What all the events together are told, before any is. */
  sharedBytes(events: readonly ClinicalEvent[], all: readonly Told[]): number {
    if (all.length === 0) return 0;
    const bytes = new Map<ClinicalEvent | undefined, number>();
    for (const [owner, indexes] of this.byOwner(all)) {
      const sum = indexes.reduce((before, index) => before + framing + (all[index]?.[0].length ?? 0), 0);
      bytes.set(owner, sum);
    }
    return events
      .flatMap((event) => this.heard(event))
      .reduce((before, owner) => before + (bytes.get(owner) ?? 0), 0);
  }

  /** Each text once of each owner; those of one text stand together. */
  private byOwner(all: readonly Told[]): Map<ClinicalEvent | undefined, number[]> {
    const places = new Map<ClinicalEvent | undefined, number[]>();
    all.forEach(([text, at], index) => {
      const owner = typeof at === 'number' ? this.byLine[at] : at;
      const list = places.get(owner);
      if (list === undefined) places.set(owner, [index]);
      else if (all[list.at(-1) ?? 0]?.[0] !== text) list.push(index);
    });
    return places;
  }

  /** Of whom an event is told: the whole message, itself, its patient. */
  private heard(event: ClinicalEvent): (ClinicalEvent | undefined)[] {
    const heard: (ClinicalEvent | undefined)[] = [undefined];
    for (let one: ClinicalEvent | undefined = event; one !== undefined; one = this.bases?.get(one))
      heard.push(one);
    return heard;
  }
}

/** What a text of a list has around it in an encoded event, about. */
const framing = 2;
