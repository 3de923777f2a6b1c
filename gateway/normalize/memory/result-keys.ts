/**
 * What the results of an order are known by: OBX-3 and OBX-4, and the place among equals. Of rows of one code the time of
 * observation tells which is which before their place does: of a tolerance test only the row of one hour may come again.
 */
import { KeptCode } from '../../../proto/back-writer.ts';
import type { Code, Coding, Observation } from '../../../proto/gen/hilum/v1/event.ts';

/** By key the time of what is known, as OBX-14 has it. */
export type KnownTimes = ReadonlyMap<string, string>;

const nothing: KnownTimes = new Map();
const none: ReadonlyMap<string, number[]> = new Map();

/** One for each observation; undefined where it is no finding. */
export function resultKeys(
  observations: readonly Observation[],
  known: KnownTimes = nothing,
): (string | undefined)[] {
  const keys: (string | undefined)[] = [];
  const firsts = new Map<string, number>();
  /** Of what stands more than once, and of what was known to. */
  let several: Map<string, number[]> | undefined;
  for (let at = 0; at < observations.length; at += 1) {
    const one = observations[at] as Observation;
    const key = isFinding(one) ? keyOf(one, known) : undefined;
    keys.push(key);
    if (key === undefined) continue;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, at);
    if (first === undefined && (known.size === 0 || !known.has(keyAt(key, 1)))) continue;
    several ??= new Map();
    const rows = several.get(key);
    if (rows === undefined) several.set(key, first === undefined ? [at] : [first, at]);
    else rows.push(at);
  }
  for (const [key, rows] of several ?? none) {
    const times = timesOf(key, known);
    const places =
      rows.length === 1 && times.length < 2
        ? [0]
        : placesOf(
            rows.map((at) => observations[at]?.effective?.value ?? ''),
            times,
          );
    rows.forEach((at, row) => {
      keys[at] = keyAt(key, places[row] ?? row);
    });
  }
  return keys;
}

/** A goal beside what was found has the same code. */
export function isFinding({ mood }: Observation): boolean {
  return mood === undefined;
}

function keyAt(key: string, place: number): string {
  return place === 0 ? key : `${key}|${place}`;
}

function timesOf(key: string, known: KnownTimes): string[] {
  const times: string[] = [];
  for (let at = 0; ; at += 1) {
    const time = known.get(keyAt(key, at));
    if (time === undefined) return times;
    times.push(time);
  }
}

/** @param sent the rows' times, empty where one has none */
function placesOf(sent: readonly string[], known: readonly string[]): number[] {
  const places: number[] = new Array(sent.length).fill(-1);
  const taken = new Set<number>();
  const take = (row: number, place: number) => {
    places[row] = place;
    taken.add(place);
  };
  sent.forEach((time, row) => {
    if (time !== '' && known[row] === time) take(row, row);
  });
  const free = new Map<string, number[]>();
  for (let at = known.length - 1; at >= 0; at -= 1) {
    if (taken.has(at)) continue;
    const time = known[at] as string;
    const others = free.get(time);
    if (others === undefined) free.set(time, [at]);
    else others.push(at);
  }
  sent.forEach((time, row) => {
    const place = time === '' || places[row] !== -1 ? undefined : free.get(time)?.pop();
    if (place !== undefined) take(row, place);
  });
  // All of them again with another time, and one that never had a time, go by their place; else it is one more.
  const isSeries = sent.length !== known.length && new Set(known).size > 1;
  let next = known.length;
  sent.forEach((time, row) => {
    if (places[row] !== -1) return;
    if (!taken.has(row) && !(isSeries && time !== '' && row < known.length)) {
      take(row, row);
      return;
    }
    while (taken.has(next)) next += 1;
    take(row, next);
  });
  return places;
}

/** By its first coding, unless only another one of them is known. */
function keyOf({ code, subId }: Observation, known: KnownTimes): string {
  const bare = code === undefined ? '|' : bareKey(code);
  const key = subId === '' ? bare : bare + subId;
  if (known.size === 0 || known.has(key) || (code?.codings.length ?? 0) < 2) return key;
  return (
    codeTexts(code)
      .map((text) => `${text}|${subId}`)
      .find((one) => known.has(one)) ?? key
  );
}

const bareKey = KeptCode.once((code) => `${textOf(code)}|`);

/** Of every coding as sent, the first one's first. */
export function codeTexts(code: Code | undefined): readonly string[] {
  return code === undefined ? unnamed : textsOf(code);
}

const unnamed = [''];

const textsOf = KeptCode.once((code): readonly string[] => {
  const sent = code.codings.filter(({ mapped }) => !mapped);
  return sent.length < 2 ? [textOf(code)] : sent.map(codingText);
});

function codingText({ system, code, display }: Coding): string {
  return `${system}|${code || display}`;
}

/** The first coding as sent: a code that a table adds later must not begin a new order. */
export function codeText(code: Code | undefined): string {
  return code === undefined ? '' : textOf(code);
}

const textOf = KeptCode.once((code) => {
  const coding = code.codings.find(({ mapped }) => !mapped);
  return coding === undefined ? code.text : codingText(coding);
});
