/**
 * The lazy reader of one HL7 v2 message over its bytes.
 *
 *   MSH|^~\&|LAB CR PID|1||77^^^HOSP CR        one pass notes where fields begin,
 *   ^   ^    ^      ^   ^ ^^                    segment by segment; nothing is copied
 *   offsets: segment i owns offsets[first(i) .. first(i)+count(i)]
 *
 * Any input is safe: the work is linear, and what is over a limit is refused with its segment
 * and field. Reading is the message's own (message.ts).
 */
import { isAscii } from 'node:buffer';
import { namesSegment } from '../../../proto/segment-names.ts';
import { documentFieldBytesMax, type Reject } from '../outcome.ts';
import { type Charset, charsetOf } from './charset.ts';
import { type Delimiters, delimitersAt } from './delimiters.ts';
import { Message, Segment } from './message.ts';
import { remark, type Scope } from './scope.ts';
import { endsBlock, opensMessage } from './split.ts';

let scratch = new Int32Array(1 << 12);

/** `raw` is one message, from its MSH on (see split.ts). */
export function scan(raw: Uint8Array, scope: Scope): Message | Reject {
  let bytes = raw instanceof Buffer ? raw : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < 8 || bytes[0] !== 77 || bytes[1] !== 83 || bytes[2] !== 72) {
    return { code: 'no-msh', reason: 'The message does not begin with a complete MSH segment.' };
  }
  const by = delimitersAt(bytes, 0, bytes.length);
  if (typeof by === 'string') return { code: 'bad-delimiters', reason: `${by}.` };
  const charset = charsetOf(declaredCharsets(bytes, by), bytes, by, scope.context.charset);
  if (charset.walked) bytes = Buffer.from(charset.decode(bytes), 'utf8');
  const reading = charset.walked ? { ...charset, decode: (some: Buffer) => some.toString('utf8') } : charset;
  const message = index(bytes, by, reading, scope);
  // Where the headers of other messages stand was to be seen before the bytes were walked.
  if (charset.walked && !('code' in message)) message.alone = false;
  return message;
}

function index(bytes: Buffer, by: Delimiters, charset: Charset, scope: Scope): Message | Reject {
  const { field } = by;
  const { limits } = scope.context;
  const { length } = bytes;
  const starts: number[] = []; // per segment: index of its first offset
  let marks = scratch;
  let used = 0;
  let at = 0;
  let alone = true;
  /** From the end of a segment to where it goes on, in turn. */
  const gaps: number[] = [];
  while (at < length) {
    const begin = at;
    const mine = used;
    let broken = false;
    if (used + 2 >= marks.length) marks = grown();
    marks[used++] = begin;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === field) {
        if (used + 2 >= marks.length) marks = grown();
        marks[used++] = at + 1;
      } else if (byte < 0x20) {
        if (byte === 13) {
          if (!inText(bytes, marks, mine, used, field)) break;
          const next = afterBreaks(bytes, at, true);
          if (!continues(bytes, next, field, true)) break;
          broken = true;
          at = next - 1;
        } else if (byte === 10) {
          // One that begins the line belongs to the CR before it, whatever follows.
          if (at === begin || used - mine === 1) break;
          // Paragraphs have blank lines between them.
          const next = afterBreaks(bytes, at, false);
          if (!continues(bytes, next, field, inText(bytes, marks, mine, used, field))) break;
          alone &&= !opensMessage(bytes, next);
          broken = true;
          at = next - 1;
        } else if (byte === 28 && endsBlock(bytes, at)) break;
      }
    }
    marks[used++] = at + 1;
    at++;
    if (at - 1 - begin < 3) {
      used = mine; // a blank or stray line
      continue;
    }
    if (begin > 0) alone &&= !opensMessage(bytes, begin);
    if (starts.length > 1 && goesOn(bytes, begin, field))
      gaps.push((marks[mine - 1] as number) - 1, begin + 4);
    starts.push(mine);
    if (broken && gaps.length === 0)
      remark(scope, `line ${starts.length}: its text goes on after a line break`, starts.length);
    if (starts.length > limits.segmentsMax) {
      const which = `limits.segmentsMax of the config (${limits.segmentsMax})`;
      return raisable(`The message has more segments than ${which} allows`);
    }
  }
  if (gaps.length > 0) return index(without(bytes, gaps), by, charset, scope);
  if (length > limits.fieldBytesMax) {
    const found = tooLarge(bytes, marks, starts, used, limits.fieldBytesMax);
    if (found !== undefined) return found;
  }
  const high = charset.name !== 'ASCII' && !isAscii(bytes);
  const message = new Message(bytes, by, charset, offsetsOf(marks, used), high, scope);
  message.alone = alone;
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

/**
 * ADD: the field that the segment before it ends with goes on, and behind it that segment's further fields
 * [HL7 2.10.2.1]. Behind MSH it continues another message, which is not here.
 */
function goesOn(bytes: Buffer, at: number, field: number): boolean {
  return bytes[at] === 65 && bytes[at + 1] === 68 && bytes[at + 2] === 68 && bytes[at + 3] === field;
}

function without(bytes: Buffer, gaps: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let done = 0;
  for (let i = 0; i < gaps.length; i += 2) {
    parts.push(bytes.subarray(done, gaps[i]));
    done = gaps[i + 1] as number;
  }
  parts.push(bytes.subarray(done));
  return Buffer.concat(parts);
}

function raisable(what: string): Reject {
  return { code: 'too-large', reason: `${what}: raise it there, then replay the record.` };
}

/** Only a message that is longer than a field may be can have such a field. */
function tooLarge(
  bytes: Buffer,
  marks: Int32Array,
  starts: number[],
  used: number,
  fieldBytesMax: number,
): Reject | undefined {
  for (let line = 0; line < starts.length; line++) {
    const base = starts[line] as number;
    const next = starts[line + 1] ?? used;
    let longest = 0;
    let longestAt = 0;
    for (let i = base; i + 1 < next; i++) {
      const size = (marks[i + 1] as number) - (marks[i] as number) - 1;
      if (size > longest) {
        longest = size;
        longestAt = i - base;
      }
    }
    if (longest <= fieldBytesMax) continue;
    const begin = marks[base] as number;
    const name = bytes.toString('latin1', begin, begin + 3);
    const field = `${/^[A-Z][A-Z0-9]{2}$/.test(name) ? name : 'Segment'}-${longestAt} (line ${line + 1})`;
    if (name !== 'OBX' && name !== 'NTE') {
      const which = `limits.fieldBytesMax of the config (${fieldBytesMax})`;
      return raisable(`${field} has ${longest} bytes, more than ${which} allows`);
    }
    if (longest > documentFieldBytesMax) {
      const reason = `${field} has ${longest} bytes; a document may have ${documentFieldBytesMax}, which cannot be raised.`;
      return { code: 'too-large', reason };
    }
  }
  return undefined;
}

/** Names by their three bytes, as constants: a string cut out of a message is compared character by character. */
const constants = new Map<number, string>();
const constantsMax = 1024;

function nameAt(message: Message, begin: number): string {
  const { bytes } = message;
  let from = begin;
  while (bytes[from] === 11 || bytes[from] === 32 || bytes[from] === 9) from++;
  const behind = bytes[from + 3] ?? 0;
  // "PID controller" is text, and so is "MSHA"; "PID |" is a segment of a careless sender.
  if (behind >= 32 && behind !== message.by.field && bytes[from + 4] !== message.by.field) {
    return message.chars.substring(from, from + 4);
  }
  const key = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
  const known = constants.get(key);
  if (known !== undefined) return known;
  const name = message.chars.substring(from, from + 3);
  if (constants.size < constantsMax && /^[A-Z][A-Z0-9]{2}$/.test(name)) {
    // A key of an object is a constant for the engine.
    const constant = Object.keys({ [name]: true })[0] as string;
    constants.set(key, constant);
    return constant;
  }
  const second = name.charCodeAt(1);
  if (second < 97 || second > 122) return name;
  // Some senders write lower case; running text does so too, but has no separator there.
  return message.chars.charCodeAt(from + 3) === message.by.field ? name.toUpperCase() : name;
}

/**
 * True in the text of an OBX-5 (TX, FT, ST, CE, CWE, ED …), NTE-3 or OBR-13, which a line break may stand in: it
 * should have been escaped there [HL7 2.7], and status, flags and priority stand behind it.
 */
function inText(bytes: Buffer, marks: Int32Array, first: number, used: number, field: number): boolean {
  const begun = used - first - 1; // fields
  if (begun !== 5 && begun !== 3 && begun !== 13) return false;
  const begin = marks[first] as number;
  const name =
    ((bytes[begin] as number) << 16) | ((bytes[begin + 1] as number) << 8) | (bytes[begin + 2] as number);
  if (begun === 3) return name === nte;
  if (begun === 13) return name === obr;
  if (name !== obx) return false;
  const type = marks[first + 2] as number;
  const first2 = ((bytes[type] as number) << 8) | (bytes[type + 1] as number);
  return textTypes.has(first2) && (bytes[type + 2] === field || bytes[type + 3] === field);
}

/** Where the line begins that is not blank, after the line break at `at`. */
function afterBreaks(bytes: Buffer, at: number, returns: boolean): number {
  let next = at + 1;
  while (bytes[next] === 10 || (returns && bytes[next] === 13)) next++;
  return next;
}

const obx = 0x4f4258;
const nte = 0x4e5445;
const obr = 0x4f4252;
/** A document in base64 comes in lines, too. */
const textTypes = new Set([0x5458, 0x4654, 0x5354, 0x4544, 0x4345, 0x4357, 0x4346]); // TX FT ST ED CE CW CF

/**
 * A line break inside a text field is not the end of the segment, although it should have been
 * escaped: the line after it does not begin like a segment.
 */
function continues(bytes: Buffer, at: number, field: number, text: boolean): boolean {
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
  if (after === undefined) return false;
  if (after !== field && after !== 13 && after !== 10) return true;
  // "PV1" and "NTE|" are segments; in a text, "RBC" alone in a line and somebody's initials at its end are not.
  return text && !namesSegment(bytes.toString('latin1', at, at + 3));
}

/** A small array of the engine's own costs a fraction of a typed one, and a large one twice the memory. */
function offsetsOf(marks: Int32Array, used: number): ArrayLike<number> {
  if (used > smallMax) return marks.slice(0, used);
  const offsets = new Array<number>(used);
  for (let i = 0; i < used; i++) offsets[i] = marks[i] as number;
  return offsets;
}

const smallMax = 1 << 14;

function grown(): Int32Array<ArrayBuffer> {
  const next = new Int32Array(scratch.length * 2);
  next.set(scratch);
  scratch = next;
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
