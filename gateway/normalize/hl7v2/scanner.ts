/**
 * The lazy reader of one HL7 v2 message over its bytes.
 *
 *   MSH|^~\&|LAB CR PID|1||77^^^HOSP CR        one pass notes where fields begin,
 *   ^   ^    ^      ^   ^ ^^                    segment by segment; nothing is copied
 *   offsets: Int32Array, segment i owns offsets[first(i) .. first(i)+count(i)]
 *
 * Any input is safe: the work is linear, and what is over a limit is refused with its segment
 * and field. Reading is the message's own (message.ts).
 */
import { documentFieldBytesMax, type Reject } from '../outcome.ts';
import { type Charset, charsetOf } from './charset.ts';
import { type Delimiters, delimitersAt } from './delimiters.ts';
import { Message, Segment } from './message.ts';
import { remark, type Scope } from './scope.ts';

let scratch = new Int32Array(1 << 12);

/** `raw` is one message, from its MSH on (see split.ts). */
export function scan(raw: Uint8Array, scope: Scope): Message | Reject {
  let bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < 8 || bytes.toString('latin1', 0, 3) !== 'MSH') {
    return { code: 'no-msh', reason: 'The message does not begin with a complete MSH segment.' };
  }
  const by = delimitersAt(bytes, 0, bytes.length);
  if (typeof by === 'string') return { code: 'bad-delimiters', reason: `${by}.` };
  const charset = charsetOf(declaredCharsets(bytes, by), bytes);
  if (charset.walked) bytes = Buffer.from(charset.decode(bytes), 'utf8');
  const reading = charset.walked ? { ...charset, decode: (some: Buffer) => some.toString('utf8') } : charset;
  return index(bytes, by, reading, scope);
}

function index(bytes: Buffer, by: Delimiters, charset: Charset, scope: Scope): Message | Reject {
  const { field } = by;
  const { limits } = scope.context;
  const length = bytes.length;
  const starts: number[] = []; // per segment: index of its first offset
  let used = 0;
  let high = 0;
  let at = 0;
  let line = 0;
  while (at < length) {
    const begin = at;
    const mine = used;
    if (used + 2 >= scratch.length) scratch = grown(scratch);
    scratch[used++] = begin;
    let longest = 0;
    let longestAt = 0;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === field) {
        const size = at - (scratch[used - 1] as number);
        if (size > longest) {
          longest = size;
          longestAt = used - mine - 1;
        }
        if (used + 2 >= scratch.length) scratch = grown(scratch);
        scratch[used++] = at + 1;
      } else if (byte < 0x20) {
        if (byte === 13) break;
        if (byte === 10 && !continues(bytes, at + 1, field)) break;
      } else high |= byte;
    }
    const size = at - (scratch[used - 1] as number);
    if (size > longest) {
      longest = size;
      longestAt = used - mine - 1;
    }
    scratch[used++] = at + 1;
    at++;
    if (at - 1 - begin < 3) {
      used = mine; // a blank or stray line
      continue;
    }
    line++;
    starts.push(mine);
    if (line > limits.segmentsMax) {
      const which = `limits.segmentsMax of the config (${limits.segmentsMax})`;
      return tooLarge(`The message has more segments than ${which} allows`);
    }
    if (longest > limits.fieldBytesMax) {
      const name = bytes.toString('latin1', begin, begin + 3);
      const field = `${/^[A-Z][A-Z0-9]{2}$/.test(name) ? name : 'segment'}-${longestAt} (line ${line})`;
      if (name !== 'OBX') {
        const which = `limits.fieldBytesMax of the config (${limits.fieldBytesMax})`;
        return tooLarge(`${field} has ${longest} bytes, more than ${which} allows`);
      }
      if (longest > documentFieldBytesMax) {
        const reason = `${field} has ${longest} bytes; a document may have ${documentFieldBytesMax}, which cannot be raised.`;
        return { code: 'too-large', reason };
      }
    }
  }
  const message = new Message(bytes, by, charset, scratch.slice(0, used), (high & 0x80) !== 0, scope);
  if (charset.remark !== undefined) remark(scope, charset.remark);
  for (let i = 0; i < starts.length; i++) {
    const base = starts[i] as number;
    const next = i + 1 < starts.length ? (starts[i + 1] as number) : used;
    const begin = message.offsets[base] as number;
    // The last offset is the sentinel; fields are numbered from 1 and offset 0 is the name.
    message.segments.push(new Segment(message, nameAt(message, begin), i + 1, base, next - base - 2));
  }
  return message;
}

function tooLarge(what: string): Reject {
  return { code: 'too-large', reason: `${what}: raise it there, then replay the record.` };
}

function nameAt(message: Message, begin: number): string {
  let from = begin;
  while (message.chars.charCodeAt(from) === 11 || message.chars.charCodeAt(from) === 32) from++;
  const name = message.chars.substring(from, from + 3);
  const second = name.charCodeAt(1);
  if (second < 97 || second > 122) return name;
  // Some senders write lower case; running text does so too, but has no separator there.
  return message.chars.charCodeAt(from + 3) === message.by.field ? name.toUpperCase() : name;
}

/**
 * A bare LF inside a text field is not the end of the segment, although it should have been
 * escaped: the line after it does not begin like a segment.
 */
function continues(bytes: Buffer, at: number, field: number): boolean {
  if (at + 2 >= bytes.length) return false;
  const first = bytes[at] as number;
  if (first === 13 || first === 10 || first === 28 || first === 11) return false;
  for (let i = 0; i < 3; i++) {
    const byte = bytes[at + i] as number;
    const upper = byte & 0xdf;
    const letter = upper >= 65 && upper <= 90;
    if (!letter && !(i > 0 && byte >= 48 && byte <= 57)) return true;
  }
  const after = bytes[at + 3];
  return after !== field && after !== 13 && after !== 10 && after !== undefined;
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(old.length * 2);
  next.set(old);
  return next;
}

/** MSH-18 before anything is decoded: charset names are ASCII. */
function declaredCharsets(bytes: Buffer, by: Delimiters): string[] {
  let at = 3;
  let field = 0;
  for (; at < bytes.length && bytes[at] !== 13 && bytes[at] !== 10; at++) {
    if (bytes[at] === by.field && ++field === 17) break;
  }
  if (field < 17) return [];
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== by.field && bytes[end] !== 13 && bytes[end] !== 10) end++;
  const text = bytes.toString('latin1', at + 1, end);
  if (text === '' || text === '""') return [];
  return text.split(String.fromCharCode(by.repetition));
}
