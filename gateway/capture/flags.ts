/**
 * One flag of OBX-8, from its bytes: critical in whichever part of it says so. The classifier reads the same of the
 * event; a test holds the two together.
 */
import { criticalFlags } from '../../proto/critical-flags.ts';

/** By their length, which tells most flags from all of them. */
const byLength: Uint8Array[][] = [];
for (const word of criticalFlags) {
  byLength[word.length] ??= [];
  byLength[word.length]!.push(Buffer.from(word, 'latin1'));
}

/** What a CWE says its code in: 1, 4 and 10, their texts in 2, 5 and 11, the original text in 9 [HL7 2.A.13]. */
const [codes, texts] = [bitsOf(1, 4, 10), bitsOf(2, 5, 9, 11)];

function bitsOf(...components: number[]): number {
  return components.reduce((bits, component) => bits | (1 << component), 0);
}

export interface Separators {
  field: number;
  component: number;
  repetition: number;
  subcomponent: number;
}

/** @param from where the repetition begins, to the field's or the segment's end */
export function isCritical(raw: Uint8Array, from: number, end: number, by: Separators): boolean {
  let component = 1;
  let begin = from;
  for (let at = from; at <= end; at++) {
    const byte = at < end ? raw[at]! : by.field;
    const ends = byte === by.field || (byte === by.repetition && byte !== 0);
    if (!ends && byte !== by.component) continue;
    if (((codes | texts) >> component) & 1 && says(raw, begin, at, by)) return true;
    if (ends || component === 11) return false;
    component++;
    begin = at + 1;
  }
  return false;
}

/** Up to a subcomponent; one flag or several with commas between them. */
function says(raw: Uint8Array, from: number, to: number, { subcomponent }: Separators): boolean {
  let begin = from;
  for (let at = from; at <= to; at++) {
    const byte = at < to ? raw[at]! : comma;
    const last = at === to || (byte === subcomponent && subcomponent !== 0);
    if (!last && byte !== comma) continue;
    if (isFlag(raw, begin, at)) return true;
    if (last) return false;
    begin = at + 1;
  }
  return false;
}

const comma = 0x2c;

/** Without blanks around it, in any case. */
function isFlag(raw: Uint8Array, from: number, to: number): boolean {
  let begin = from;
  while (begin < to && raw[begin]! <= 0x20) begin++;
  let end = to;
  while (end > begin && raw[end - 1]! <= 0x20) end--;
  const alike = byLength[end - begin];
  return alike?.some((word) => isWord(raw, begin, word)) ?? false;
}

function isWord(raw: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = raw[from + i]!;
    if ((byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte) !== word[i]) return false;
  }
  return true;
}
