/**
 * What a path finds in a payload. Every value that is looked at is taken off a meter that all templates of a record
 * share, so that no path, however it looks around, costs more than the meter holds.
 */
import type { Condition, JsonPath, Literal, Step } from '../../../proto/config/json-path.ts';
import { type Json, JsonNumber } from './json.ts';

const selectLimits = { stepsMax: 500_000, matchesMax: 20_000 } as const;

/** The meter is empty, or a path found too much; says what, for the author of the template. */
export class Exhausted extends Error {
  override readonly name = 'Exhausted';
}

export class Meter {
  #steps = selectLimits.stepsMax;

  look(): void {
    this.#steps -= 1;
    if (this.#steps < 0) throw new Exhausted(`its paths looked at more than ${selectLimits.stepsMax} values`);
  }
}

export interface Place {
  payload: Json;
  item: Json;
  topic: string;
}

/** In the order of the payload. */
export function select(path: JsonPath, place: Place, meter: Meter): Json[] {
  meter.look();
  if (path.root === 'topic') {
    const level = place.topic.split('/')[path.level];
    return level === undefined || level === '' ? [] : [level];
  }
  let found: Json[] = [path.root === 'payload' ? place.payload : place.item];
  for (const step of path.steps) {
    const next: Json[] = [];
    for (const value of found) {
      if (step.deep) below(value, step, next, meter);
      else take(value, step, next, meter);
    }
    found = next;
    if (found.length === 0) return found;
  }
  return found;
}

function below(value: Json, step: Step, to: Json[], meter: Meter): void {
  take(value, step, to, meter);
  for (const inner of children(value)) {
    meter.look();
    if (inner !== null && typeof inner === 'object' && !(inner instanceof JsonNumber))
      below(inner, step, to, meter);
  }
}

function take(value: Json, { pick }: Step, to: Json[], meter: Meter): void {
  meter.look();
  switch (pick.by) {
    case 'name': {
      const found = value instanceof Map ? value.get(pick.name) : undefined;
      if (found !== undefined) add(to, found);
      return;
    }
    case 'index': {
      const found = Array.isArray(value) ? value.at(pick.index) : undefined;
      if (found !== undefined) add(to, found);
      return;
    }
    case 'all':
      for (const inner of children(value)) {
        meter.look();
        add(to, inner);
      }
      return;
    case 'condition':
      for (const inner of children(value)) if (holds(pick.condition, inner, meter)) add(to, inner);
  }
}

function add(to: Json[], value: Json): void {
  if (to.length >= selectLimits.matchesMax) {
    throw new Exhausted(`a path found more than ${selectLimits.matchesMax} values`);
  }
  to.push(value);
}

function children(value: Json): Iterable<Json> {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? value.values() : [];
}

function holds(condition: Condition, value: Json, meter: Meter): boolean {
  switch (condition.is) {
    case 'all':
      return condition.of.every((one) => holds(one, value, meter));
    case 'any':
      return condition.of.some((one) => holds(one, value, meter));
    case 'not':
      return !holds(condition.of, value, meter);
    case 'present':
      return single(condition.steps, value, meter) !== undefined;
    case 'equal':
      return equals(single(condition.steps, value, meter), condition.literal);
    case 'unequal':
      return !equals(single(condition.steps, value, meter), condition.literal);
  }
}

function single(steps: readonly Step[], value: Json, meter: Meter): Json | undefined {
  const found: Json[] = [];
  let here: Json = value;
  meter.look();
  for (const step of steps) {
    take(here, step, found, meter);
    const next = found.pop();
    if (next === undefined) return undefined;
    here = next;
  }
  return here;
}

function equals(value: Json | undefined, literal: Literal): boolean {
  if (value instanceof JsonNumber) return typeof literal === 'number' && Number(value.text) === literal;
  return value === literal;
}
