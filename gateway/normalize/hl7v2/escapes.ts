/**
 * Escape sequences, both ways [HL7 2.7]. Reading is forgiving: formatting becomes line breaks
 * and blanks, highlighting is dropped, and what is not an escape sequence stays as it was sent.
 */
import type { Delimiters } from './delimiters.ts';

const longest = 4096; // characters of one sequence; an unpaired escape character must stay cheap

/** X and its bytes [HL7 2.7.5]. */
const hexForm = /^[Xx](?:[0-9A-Fa-f]{2})+$/;

/** C or M and the bytes that switch to another character set [HL7 2.7.3]: not followed. */
const switchForm = /^(?:C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?)$/;

/**
 * `bytesToText` reads the bytes of `\X..\` in the message's charset.
 * @param onSwitch is told where a sequence switches to another character set, which stays as it was sent
 */
export function unescapeText(
  text: string,
  by: Delimiters,
  bytesToText: (bytes: Buffer) => string,
  onSwitch?: () => void,
): string {
  const mark = String.fromCharCode(by.escape);
  let from = text.indexOf(mark);
  if (from < 0) return text;
  let out = '';
  let done = 0;
  while (from >= 0) {
    let to = text.indexOf(mark, from + 1);
    if (to < 0) break;
    const name = to - from > longest ? '' : text.slice(from + 1, to);
    let meaning: string | undefined;
    if (hexForm.test(name)) {
      // The bytes of one character may be escaped one by one.
      let digits = name.slice(1);
      while (text[to + 1] === mark) {
        const next = text.indexOf(mark, to + 2);
        const more = next < 0 || next - to > longest ? '' : text.slice(to + 2, next);
        if (!hexForm.test(more)) break;
        digits += more.slice(1);
        to = next;
      }
      meaning = bytesToText(Buffer.from(digits, 'hex'));
    } else meaning = meant(name, by);
    if (meaning === undefined) {
      if (switchForm.test(name)) onSwitch?.();
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

function meant(name: string, by: Delimiters): string | undefined {
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
  // Small letters for formatting, as X is a capital [HL7 2.7]; senders write both both ways.
  return name.startsWith('.') ? formatting(name.slice(1).toLowerCase()) : undefined;
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
