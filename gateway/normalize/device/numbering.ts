/**
 * What a value of a payload is called by beside the template that took it: its number among all values, from 1, in the
 * order of the payload. It is the same under any config. Texts that are equal have one number; a template reads the same in them.
 */
import type { Json } from './json.ts';

/** Of what is no value of it: 0. */
export function numbersOf(payload: Json): (value: Json) => number {
  const numbers = new Map<Json, number>();
  let number = 0;
  const count = (value: Json): void => {
    number += 1;
    if (!numbers.has(value)) numbers.set(value, number);
    if (value instanceof Map) for (const inner of value.values()) count(inner);
    else if (Array.isArray(value)) for (const inner of value) count(inner);
  };
  count(payload);
  return (value) => numbers.get(value) ?? 0;
}
