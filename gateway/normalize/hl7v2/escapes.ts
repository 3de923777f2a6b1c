/**
 * Escape sequences, both ways [HL7 2.7]. Reading is forgiving: formatting becomes line breaks
 * and blanks, highlighting is dropped, and what is not an escape sequence stays as it was sent.
 */
import type { Delimiters } from './delimiters.ts';

const longest = 4096; // characters of one sequence; an unpaired escape character must stay cheap

/** `bytesToText` reads the bytes of `\X..\` in the message's charset. */
export function unescapeText(text: string, by: Delimiters, bytesToText: (bytes: Buffer) => string): string {
  const mark = String.fromCharCode(by.escape);
  let from = text.indexOf(mark);
  if (from < 0) return text;
  let out = '';
  let done = 0;
  while (from >= 0) {
    const to = text.indexOf(mark, from + 1);
    if (to < 0) break;
    const meaning = to - from > longest ? undefined : meant(text.slice(from + 1, to), by, bytesToText);
    if (meaning === undefined) {
      // Not a sequence: this mark is content, and the next one may open a sequence.
      from = to;
      continue;
    }
    out += text.slice(done, from) + meaning;
    done = to + 1;
    from = text.indexOf(mark, done);
  }
  return out + text.slice(done);
}

export { escapeText as escape };

/** Writes text so that it stands in any field, component or subcomponent. */
function escapeText(text: string, by: Delimiters): string {
  const mark = String.fromCharCode(by.escape);
  const letters: Record<number, string> = {
    [by.field]: 'F',
    [by.component]: 'S',
    [by.subcomponent]: 'T',
    [by.repetition]: 'R',
    [by.escape]: 'E',
  };
  if (by.truncation) letters[by.truncation] = 'P';
  let out = '';
  let done = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const letter = letters[unit] ?? (unit < 0x20 ? control(unit) : undefined);
    if (letter === undefined) continue;
    out += text.slice(done, index) + mark + letter + mark;
    done = index + 1;
  }
  return done === 0 ? text : out + text.slice(done);
}

// A control character would end the segment; a line break has a sequence of its own.
function control(unit: number): string {
  return unit === 10 ? '.br' : `X${unit.toString(16).padStart(2, '0').toUpperCase()}`;
}

function meant(name: string, by: Delimiters, bytesToText: (bytes: Buffer) => string): string | undefined {
  switch (name) {
    case 'F':
      return String.fromCharCode(by.field);
    case 'S':
      return String.fromCharCode(by.component);
    case 'T':
      return String.fromCharCode(by.subcomponent);
    case 'R':
      return String.fromCharCode(by.repetition);
    case 'E':
      return String.fromCharCode(by.escape);
    case 'P': // the truncation character of 2.7 [HL7 2.5.5.2]
    case 'L':
      return String.fromCharCode(by.truncation || 0x23);
    case 'H':
    case 'N':
      return '';
  }
  const first = name.charCodeAt(0);
  // The names are capitals for X and small for formatting [HL7 2.7]; senders write both both ways.
  if (first === 0x58 || first === 0x78) return hex(name, bytesToText); // X
  if (first === 0x2e) return formatting(name.slice(1).toLowerCase()); // .
  return undefined;
}

function hex(name: string, bytesToText: (bytes: Buffer) => string): string | undefined {
  const digits = name.slice(1);
  if (digits.length === 0 || digits.length % 2 !== 0) return undefined;
  const bytes = Buffer.from(digits, 'hex');
  return bytes.length * 2 === digits.length ? bytesToText(bytes) : undefined;
}

/** Formatted text [HL7 2.7.6]: .br .sp<n> .fi .nf .in<n> .ti<n> .sk<n> .ce */
function formatting(command: string): string | undefined {
  const argument = command.slice(2);
  const count = argument === '' ? 1 : Number(argument);
  if (!Number.isInteger(count)) return undefined;
  switch (command.slice(0, 2)) {
    case 'br':
    case 'ce':
      return '\n';
    case 'sp':
      return '\n'.repeat(Math.min(Math.max(count, 1), 100));
    case 'sk':
      return ' '.repeat(Math.min(Math.max(count, 1), 100));
    case 'fi':
    case 'nf':
    case 'in':
    case 'ti':
      return '';
    default:
      return undefined;
  }
}
