/**
 * ISO 2022 as Japanese senders use it [HL7 2.14.9.18, JIS X 0202]: an escape sequence says what the bytes behind it are.
 *
 *   ESC ( B   ESC ( H                  ASCII
 *   ESC ( J                            JIS X 0201 Roman, one byte
 *   ESC ( I                            its katakana, one byte
 *   ESC $ B   ESC $ @   ESC $ ( B      JIS X 0208, two bytes
 *   ESC $ ( D                          JIS X 0212, two bytes
 *
 * Roman has ¥ and ‾ at the places of \ and ~. Where MSH-2 declares those bytes as separators they separate, whichever
 * of ASCII and Roman a sender returns to. Any input is safe: what is no character is U+FFFD, and the work is linear.
 */
import type { Delimiters } from './delimiters.ts';

type SetName = 'ascii' | 'roman' | 'katakana' | 'kanji' | 'supplement';

const sets: readonly [sequence: string, set: SetName][] = [
  ['(B', 'ascii'],
  ['(H', 'ascii'],
  ['(J', 'roman'],
  ['(I', 'katakana'],
  ['$B', 'kanji'],
  ['$@', 'kanji'],
  ['$(B', 'kanji'],
  ['$(@', 'kanji'],
  ['$(D', 'supplement'],
];
const esc = 0x1b;
const dollar = 0x24;
const bracket = 0x28;
const halfWidth = 0xff61; // the first of katakana, at 0x21 in seven bits and at 0xA1 in eight
const none = '\ufffd';

/** @param outside decodes what stands in ASCII, with the bytes from 0x80 on that are not of ISO 2022 */
export function decodeIso2022(bytes: Buffer, by: Delimiters, outside: (bytes: Buffer) => string): string {
  const separators = new Set(Object.values(by));
  const roman = (text: string): string => {
    const yen = separators.has(0x5c) ? text : text.replaceAll('\\', '¥');
    return separators.has(0x7e) ? yen : yen.replaceAll('~', '‾');
  };
  let out = '';
  let set: SetName = 'ascii';
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === esc) {
      const found = setAt(bytes, at + 1);
      if (found === undefined) out += none;
      else set = found[1];
      at += 1 + (found?.[0].length ?? 0);
      continue;
    }
    const end = runEnd(bytes, at);
    const run = bytes.subarray(at, end);
    at = end;
    if (set === 'ascii') out += outside(run);
    else if (set === 'roman') out += roman(outside(run));
    else if (set === 'katakana') out += katakana(run, 0x21);
    else out += pairs(run, set === 'kanji' ? [] : [0x8f], outside);
    // A segment begins in ASCII, also behind one that was not ended so.
    if (bytes[at - 1] === 13 || bytes[at - 1] === 10) set = 'ascii';
  }
  return out;
}

/** Katakana of JIS X 0201 in eight bits, beside its Roman half. */
export function eightBitKatakana(bytes: Buffer): string {
  return katakana(bytes, 0xa1);
}

/** True where two-byte text or katakana stands between its escape sequences: nothing else is written so. */
export function shiftsToJapanese(bytes: Buffer): boolean {
  // By the byte alone: a text is looked for many times slower, and hardly any message has one.
  for (let at = bytes.indexOf(esc); at >= 0; at = bytes.indexOf(esc, at + 1)) {
    const kana = bytes[at + 1] === bracket && bytes[at + 2] === 0x49;
    if (bytes[at + 1] !== dollar && !kana) continue;
    const found = setAt(bytes, at + 1);
    if (found === undefined) continue;
    const start = at + 1 + found[0].length;
    let end = start;
    while (isGraphic(bytes[end]) && (!kana || (bytes[end] as number) < 0x60)) end++;
    if (end > start && (kana || (end - start) % 2 === 0) && bytes[end] === esc && bytes[end + 1] === bracket)
      return true;
  }
  return false;
}

function setAt(bytes: Buffer, at: number): (typeof sets)[number] | undefined {
  const text = bytes.toString('latin1', at, at + 3);
  return sets.find(([sequence]) => text.startsWith(sequence));
}

/** A run ends before an escape sequence and after a line. */
function runEnd(bytes: Buffer, from: number): number {
  let end = from;
  while (end < bytes.length && bytes[end] !== esc) {
    const byte = bytes[end++];
    if (byte === 13 || byte === 10) break;
  }
  return end;
}

function katakana(run: Buffer, first: number): string {
  let out = '';
  for (const byte of run) {
    const place = byte - first;
    if (place >= 0 && place < 63) out += String.fromCharCode(halfWidth + place);
    else out += byte < 0x80 ? String.fromCharCode(byte) : none;
  }
  return out;
}

/** EUC-JP has the same characters under the same numbers, with the eighth bit. */
const eucJp = new TextDecoder('euc-jp');

/** @param lead bytes before each character in EUC-JP */
function pairs(run: Buffer, lead: readonly number[], outside: (bytes: Buffer) => string): string {
  let out = '';
  for (let at = 0; at < run.length; ) {
    const graphic = isGraphic(run[at]);
    let end = at;
    while (end < run.length && isGraphic(run[end]) === graphic) end++;
    const stretch = run.subarray(at, end);
    at = end;
    if (!graphic) {
      out += outside(stretch);
      continue;
    }
    const whole = stretch.length - (stretch.length % 2);
    const euc = Buffer.alloc((whole / 2) * (lead.length + 2));
    let used = 0;
    for (let i = 0; i < whole; i++) {
      if (i % 2 === 0) for (const byte of lead) euc[used++] = byte;
      euc[used++] = (stretch[i] as number) | 0x80;
    }
    out += eucJp.decode(euc);
    if (whole < stretch.length) out += none;
  }
  return out;
}

function isGraphic(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x21 && byte <= 0x7e;
}
