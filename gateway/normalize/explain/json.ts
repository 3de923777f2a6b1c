/** The places of a JSON payload: each value, and each member's name, for it may be a code: {"heartRate": 72}. */
import { type Json, JsonError, JsonNumber, readJson } from '../device/json.ts';
import { nameMark, otherNumber, otherText, type Place } from './places.ts';

/** Undefined where it is not JSON. */
export function placesOfJson(raw: Uint8Array): Place[] | undefined {
  let root: Json;
  try {
    root = readJson(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch (error) {
    if (error instanceof JsonError || error instanceof TypeError) return undefined;
    throw error;
  }
  const places: Place[] = [];
  visit(root, '', (value) => value);
  return places;

  /** @param put gives the whole payload with another value here */
  function visit(value: Json, location: string, put: (value: Json) => Json): void {
    if (Array.isArray(value)) {
      value.forEach((item, index) => {
        visit(item, `${location}[${index}]`, (other) => put(value.with(index, other)));
      });
    } else if (value instanceof Map) {
      for (const [name, member] of value) {
        const inner = location === '' ? name : `${location}.${name}`;
        const renamed = (to: string | undefined): Json =>
          new Map(
            [...value].flatMap(([key, item]): [string, Json][] =>
              key !== name ? [[key, item]] : to === undefined ? [] : [[to, item]],
            ),
          );
        places.push({
          location: inner + nameMark,
          text: name,
          changed: () => [written(put(renamed(otherText(name))))],
          blanked: () => written(put(renamed(undefined))),
          read: undefined,
          parts: [],
        });
        visit(member, inner, (other) => put(new Map([...value]).set(name, other)));
      }
    } else if (value !== null && value !== '') {
      places.push({
        location,
        text: value instanceof JsonNumber ? value.text : String(value),
        changed: () => [written(put(other(value)))],
        blanked: () => written(put(null)),
        read: undefined,
        parts: [],
      });
    }
  }
}

function other(value: string | boolean | JsonNumber): Json {
  if (typeof value === 'string') return otherText(value);
  return typeof value === 'boolean' ? !value : new JsonNumber(otherNumber(value.text));
}

function written(value: Json): Uint8Array {
  return Buffer.from(textOf(value));
}

function textOf(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([name, item]) => `${JSON.stringify(name)}:${textOf(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
