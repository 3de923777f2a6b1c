/** Fields and words of a segment by their bytes, without a string made of any. */
import { isTable } from '../../proto/hl7-table.ts';
import { statTimes, urgentTimes } from '../../proto/priority-words.ts';
import type { Separators } from './flags.ts';

/** Where there is none. */
export const none = -1;
export const blank = 0x20;

/** Up to six letters as one number, so that a word is compared without making a string. */
export function code(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

/** What a number may stand behind. */
const times: readonly number[] = [...statTimes, ...urgentTimes].map(code);

/** Where field n of a segment begins; none where the segment is shorter or the field is empty. */
export function field(raw: Uint8Array, segment: number, end: number, separator: number, n: number): number {
  let at = segment;
  for (let left = n; left > 0; at++) {
    if (at >= end) return none;
    if (raw[at] === separator) left--;
  }
  return at >= end || raw[at] === separator ? none : at;
}

/** Code, system and the system's OID of the three codings of a CWE [HL7 2.A.13]. */
const codings = [
  [1, 3, 14],
  [4, 6, 17],
  [10, 12, 20],
] as const;

/**
 * Where that of its codings begins that is in one of HL7's tables, as proto/hl7-table.ts has it.
 * @param between its parts: components or subcomponents
 */
export function inTable(
  raw: Uint8Array,
  from: number,
  end: number,
  by: Separators,
  between: number,
  ...tables: readonly string[]
): number {
  const starts = [none];
  const stops = [none];
  for (let at = from, part = 1; part <= 20; part++) {
    starts[part] = at;
    while (at < end && raw[at] !== between && !endsWhole(raw[at]!, by, between)) at++;
    stops[part] = at;
    if (at >= end || raw[at] !== between) break;
    at++;
  }
  const is = (part: number, table: string): boolean => {
    const [start, stop] = [starts[part], stops[part]];
    if (start === undefined || stop === undefined || stop - start > longestSystem) return false;
    return isTable(String.fromCharCode(...raw.subarray(start, stop)).trim(), table);
  };
  for (const [code, name, oid] of codings) {
    const start = starts[code];
    if (start === undefined || start === stops[code]) continue;
    if (tables.some((table) => is(name, table) || is(oid, table))) return start;
  }
  return none;
}

const longestSystem = 64;

/** A component ends the subcomponents, a subcomponent no components. */
export function endsWhole(
  byte: number,
  { field, component, repetition }: Separators,
  between: number,
): boolean {
  if (byte === field || (byte === repetition && repetition !== 0)) return true;
  return byte === component && between !== component;
}

/** The alternate coding where the first has no code. */
export function firstCoding(raw: Uint8Array, from: number, end: number, by: Separators): number {
  if (raw[from] !== by.component) return from;
  let at = from;
  for (let left = 3; left > 0 && at < end; at++) {
    if (endsWhole(raw[at]!, by, by.component)) return from;
    if (raw[at] === by.component) left--;
  }
  return at;
}

export function nextRepetition(
  raw: Uint8Array,
  from: number,
  end: number,
  { field: separator, repetition }: Separators,
): number {
  for (let at = from; at < end && raw[at] !== separator; at++) {
    if (raw[at] === repetition && repetition !== 0) return at + 1;
  }
  return none;
}

/** The word up to the next delimiter, in capitals and without blanks around it: 0 where empty, -1 where longer than any of ours. */
export function word(
  raw: Uint8Array,
  from: number,
  end: number,
  { field: separator, component, repetition, subcomponent }: Separators,
): number {
  let value = 0;
  let ended = false;
  for (let at = from; at < end; at++) {
    const byte = raw[at]!;
    if (byte === separator || byte === component) break;
    if ((byte === repetition && repetition !== 0) || (byte === subcomponent && subcomponent !== 0)) break;
    if (byte <= blank) {
      ended = value !== 0;
      continue;
    }
    // TS30: timing critical within 30 seconds; the number does not matter.
    const digit = byte >= 0x30 && byte <= 0x39 && times.includes(value);
    if (digit && !ended) continue;
    if (ended || value >= longest) return -1;
    value = value * 256 + (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
  }
  return value;
}

/** Six bytes are taken; a seventh would not fit a number exactly. */
const longest = 256 ** 5;
