/** Fields and words of a segment by their bytes, without a string made of any. */
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

const [TS, TM, TH] = [code('TS'), code('TM'), code('TH')];

/** Where field n of a segment begins; none where the segment is shorter or the field is empty. */
export function field(raw: Uint8Array, segment: number, end: number, separator: number, n: number): number {
  let at = segment;
  for (let left = n; left > 0; at++) {
    if (at >= end) return none;
    if (raw[at] === separator) left--;
  }
  return at >= end || raw[at] === separator ? none : at;
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
    const digit = byte >= 0x30 && byte <= 0x39 && (value === TS || value === TM || value === TH);
    if (digit && !ended) continue;
    if (ended || value >= longest) return -1;
    value = value * 256 + (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
  }
  return value;
}

/** Six bytes are taken; a seventh would not fit a number exactly. */
const longest = 256 ** 5;
