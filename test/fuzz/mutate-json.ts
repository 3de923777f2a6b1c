/** Damage to JSON that mostly leaves it JSON: members lost, doubled and swapped, values of every wrong kind. */
import { below, type Random } from '../kit/random.ts';
import { inserted, type Mutation, sizeMax } from './mutate-hl7v2.ts';
import { howMany, numbers, pick, values } from './spice.ts';

/** Text that stands in the result as it is, for what JSON.stringify would not write. */
class Verbatim {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Json = null | boolean | number | string | Verbatim | Json[] | { [name: string]: Json };

export const jsonMutations: Record<string, Mutation> = {
  dropMember: changed((_random, holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  }),
  odd: changed((random, holder, key) => {
    set(holder, key, oddValue(random));
  }),
  number: changed((random, holder, key) => {
    set(holder, key, new Verbatim(pick(random, numbers)));
  }),
  text: changed((random, holder, key) => {
    set(holder, key, pick(random, values));
  }),
  long: changed((random, holder, key) => {
    set(holder, key, 'A'.repeat(howMany(random, 300_000)));
  }),
  wrap: changed((random, holder, key) => {
    set(holder, key, random() < 0.5 ? [get(holder, key)] : { value: get(holder, key) });
  }),
  rename: changed((random, holder, key) => {
    if (Array.isArray(holder)) return;
    const name = pick(random, [
      '__proto__',
      'constructor',
      'value',
      'device',
      'time',
      'code',
      'alarm',
      '',
      'a.b',
      '$',
    ]);
    const value = holder[key] as Json;
    delete holder[key];
    Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
  }),
  swap: (random, text) => {
    const root = parsed(text);
    if (root === undefined) return text;
    const [one, two] = [placeIn(random, root), placeIn(random, root)];
    if (one === undefined || two === undefined) return text;
    const [a, b] = [get(one.holder, one.key), get(two.holder, two.key)];
    set(one.holder, one.key, clone(b));
    set(two.holder, two.key, clone(a));
    return written(root);
  },
  many: changed((random, holder, key) => {
    const value = get(holder, key);
    const size = written(value).length + 1;
    const times = Math.min(howMany(random, 60_000), Math.floor(sizeMax / size) + 1);
    set(holder, key, Array<Json>(times).fill(value));
  }),
  members: changed((random, holder, key) => {
    const value = get(holder, key);
    const times = Math.min(howMany(random, 30_000), Math.floor(sizeMax / (written(value).length + 10)) + 1);
    set(holder, key, Object.fromEntries(Array.from({ length: times }, (_, at) => [`m${at}`, value])));
  }),
  batch: (random, text) => {
    const times = Math.min(howMany(random, 20_000), Math.floor(sizeMax / (text.length + 1)) + 1);
    return `[${Array<string>(times).fill(text).join(',')}]`;
  },
  deep: (random, text) =>
    inserted(random, text, pick(random, ['[', '{"a":', '[[', ' ']).repeat(howMany(random, 100_000))),
  doubledMember: (random, text) =>
    text.replace(/"(\w+)":/, (whole, name) => `"${name}":${below(random, 9)},${whole}`),
};

function oddValue(random: Random): Json {
  return pick<Json>(random, [
    null,
    true,
    false,
    0,
    -1,
    1e300,
    '',
    [],
    {},
    [[]],
    [null],
    { value: null },
    { id: '' },
    new Verbatim('"\\ud800"'),
    new Verbatim('"\\udc00\\ud800"'),
    new Verbatim('"\\u0000"'),
    new Verbatim(`${'['.repeat(200)}${']'.repeat(200)}`),
    new Verbatim('01'),
    new Verbatim('1.'),
    new Verbatim('undefined'),
  ]);
}

interface Place {
  holder: Json[] | { [name: string]: Json };
  key: string;
}

function changed(change: (random: Random, holder: Place['holder'], key: string) => void): Mutation {
  return (random, text) => {
    const root = parsed(text);
    const place = root === undefined ? undefined : placeIn(random, root);
    if (root === undefined || place === undefined) return text;
    change(random, place.holder, place.key);
    return written(root);
  };
}

/** Wrapped, so that the whole payload has a place, too. */
function parsed(text: string): { whole: Json } | undefined {
  try {
    return { whole: JSON.parse(Buffer.from(text, 'latin1').toString('utf8')) as Json };
  } catch {
    return undefined;
  }
}

function placeIn(random: Random, root: { whole: Json }): Place | undefined {
  const places: Place[] = [];
  const walk = (holder: Place['holder'], depth: number) => {
    for (const key of Object.keys(holder)) {
      if (places.length > 500 || depth > 20) return;
      places.push({ holder, key });
      const value = get(holder, key);
      if (value !== null && typeof value === 'object' && !(value instanceof Verbatim)) walk(value, depth + 1);
    }
  };
  walk(root, 0);
  return places.length === 0 ? undefined : pick(random, places);
}

function get(holder: Place['holder'], key: string): Json {
  return (holder as { [name: string]: Json })[key] ?? null;
}

function set(holder: Place['holder'], key: string, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A value that was moved into itself would have no end. */
function clone(value: Json): Json {
  if (value === null || typeof value !== 'object' || value instanceof Verbatim) return value;
  if (Array.isArray(value)) return value.map(clone);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, clone(one)]));
}

/** UTF-8 as Latin-1 characters, like all texts here. */
function written(root: Json | { whole: Json }): string {
  const value = root !== null && typeof root === 'object' && 'whole' in root ? (root.whole as Json) : root;
  return Buffer.from(text(value as Json), 'utf8').toString('latin1');
}

function text(value: Json): string {
  if (value instanceof Verbatim) return value.text;
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, one]) => `${JSON.stringify(name)}:${text(one)}`)
    .join(',')}}`;
}
