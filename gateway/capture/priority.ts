/**
 * How urgent a field says that it is, from its bytes. Where it is looked for is as in gateway/normalize/hl7v2/priority.ts;
 * a test holds them together.
 */
import { type Class, classes } from '../../proto/config/event-words.ts';
import { statTimes, statWords, urgentTimes, urgentWords } from '../../proto/priority-words.ts';
import type { Separators } from './flags.ts';
import { code, endsWhole, field, firstCoding, inTable, nextRepetition, none, word } from './words.ts';

/** The classes by their rank. */
export const [bulk, routine, urgent, stat] = [0, 1, 2, 3];

const ranked: readonly Class[] = classes.toReversed();

export function rankOf(one: Class): number {
  return ranked.indexOf(one);
}

export function classOf(rank: number): Class {
  return ranked[rank]!;
}

const byWord: ReadonlyMap<number, number> = new Map([
  [0, none],
  ...[...statWords, ...statTimes].map((text) => [code(text), stat] as const),
  ...[...urgentWords, ...urgentTimes].map((text) => [code(text), urgent] as const),
]);

export function priorityOf(found: number): number {
  return byWord.get(found) ?? routine;
}

/** The highest that any code or text of a CWE says [HL7 2.A.13]. @param between its parts */
function codedPriority(raw: Uint8Array, from: number, end: number, by: Separators, between: number): number {
  let highest = none;
  for (let part = 1, at = from; part <= 11; part++) {
    if ((parts >> part) & 1) highest = Math.max(highest, priorityOf(word(raw, at, end, by)));
    while (at < end && raw[at] !== between) {
      if (endsWhole(raw[at]!, by, between)) return highest;
      at++;
    }
    if (at++ >= end) return highest;
  }
  return highest;
}

/** Codes in 1, 4 and 10, their texts in 2, 5 and 11, the original text in 9. */
const parts = [1, 2, 4, 5, 9, 10, 11].reduce((bits, part) => bits | (1 << part), 0);

/** The highest priority of TQ1-9, whose repetitions are CWE. */
export function codedPriorities(
  raw: Uint8Array,
  segment: number,
  end: number,
  n: number,
  by: Separators,
): number {
  let highest = none;
  for (let at = field(raw, segment, end, by.field, n); at >= 0; at = nextRepetition(raw, at, end, by))
    highest = Math.max(highest, codedPriority(raw, at, end, by, by.component));
  return highest;
}

/** The priority of a field that is read against tables of HL7's (RF1-2, ARQ-12). */
export function tabledPriority(
  raw: Uint8Array,
  segment: number,
  end: number,
  n: number,
  by: Separators,
  ...tables: readonly string[]
): number {
  const from = field(raw, segment, end, by.field, n);
  if (from < 0) return none;
  const found = inTable(raw, from, end, by, by.component, ...tables);
  return priorityOf(word(raw, found < 0 ? firstCoding(raw, from, end, by) : found, end, by));
}

/** The highest priority of a TQ field: component 6 of each repetition, or the first where a sender wrote only that. */
export function timing(raw: Uint8Array, segment: number, end: number, n: number, by: Separators): number {
  const { field: separator, component, repetition, subcomponent } = by;
  let highest = none;
  for (let at = field(raw, segment, end, separator, n); at >= 0; ) {
    let passed = 0;
    let sixth = at;
    while (sixth < end && passed < 5 && raw[sixth] !== separator && raw[sixth] !== repetition) {
      if (raw[sixth] === component) passed++;
      sixth++;
    }
    const said = passed === 5 ? codedPriority(raw, sixth, end, by, subcomponent) : none;
    highest = Math.max(highest, said === none ? priorityOf(word(raw, at, end, by)) : said);
    at = nextRepetition(raw, at, end, by);
  }
  return highest;
}
