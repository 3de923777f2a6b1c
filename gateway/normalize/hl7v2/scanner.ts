/**
 * The lazy reader of one HL7 v2 message over its bytes.
 *
 *   MSH|^~\&|LAB CR PID|1||77^^^HOSP CR        one pass notes where fields begin,
 *   ^   ^    ^      ^   ^ ^^                    segment by segment; nothing is copied
 *   offsets: Int32Array, segment i owns offsets[first(i) .. first(i)+count(i)]
 *
 * `chars` is the same bytes as a Latin-1 string, so that a character's index is its byte's offset:
 * for ASCII a value is a substring of it, for everything else the bytes are decoded.
 * Repetitions, components and subcomponents are found when asked for. Any input is safe:
 * the work is linear, and what is over a limit is refused with its segment and field.
 */
import { limits, type Reject } from '../outcome.ts';
import { type Charset, charsetOf } from './charset.ts';
import { type Delimiters, delimitersAt } from './delimiters.ts';
import { unescapeText } from './escapes.ts';
import { Parts, trimmed } from './parts.ts';
import { remark, type Scope } from './scope.ts';

export class Message {
  readonly bytes: Buffer;
  readonly chars: string;
  readonly by: Delimiters;
  readonly charset: Charset;
  readonly ascii: boolean;
  readonly escaped: boolean;
  readonly segments: Segment[] = [];
  readonly offsets: Int32Array;
  readonly scope: Scope;
  /** Fields that hold the HL7 null `""`, as SEG-n: the sender asks to delete the value. */
  readonly nulls = new Set<string>();
  /** Tests watch which fields a mapping reads. */
  onRead: ((segment: Segment, field: number) => void) | undefined;

  constructor(
    bytes: Buffer,
    by: Delimiters,
    charset: Charset,
    offsets: Int32Array,
    high: boolean,
    scope: Scope,
  ) {
    this.scope = scope;
    this.bytes = bytes;
    this.chars = bytes.toString('latin1', 0, bytes.length);
    this.by = by;
    this.charset = charset;
    this.ascii = !high;
    this.offsets = offsets;
    this.escaped = this.chars.indexOf(String.fromCharCode(by.escape), 9) >= 0;
  }

  /** The text between two offsets, decoded and unescaped; the HL7 null is no text. */
  text(start: number, end: number): string {
    const raw = this.chars.substring(start, end);
    if (raw === '""') return '';
    const text = this.ascii ? raw : this.decoded(raw, start, end);
    return this.escaped && text.length > 0 ? unescapeText(text, this.by, this.charset.decode) : text;
  }

  private decoded(raw: string, start: number, end: number): string {
    for (let index = 0; index < raw.length; index++) {
      if (raw.charCodeAt(index) > 0x7f) return this.charset.decode(this.bytes.subarray(start, end));
    }
    return raw;
  }

  first(name: string): Segment | undefined {
    return this.segments.find((segment) => segment.name === name);
  }
}

export class Segment {
  readonly message: Message;
  readonly name: string;
  /** The segment's place in the message, from 1. */
  readonly line: number;
  private readonly base: number;
  /** Number of the last field. */
  readonly count: number;

  constructor(message: Message, name: string, line: number, base: number, count: number) {
    this.message = message;
    this.name = name;
    this.line = line;
    // MSH-1 is the separator itself, so that field n is what follows separator n - 1 [HL7 2.5.3.1].
    const header = name === 'MSH';
    this.base = header ? base - 1 : base;
    this.count = header ? count + 1 : count;
  }

  start(field: number): number {
    return this.message.offsets[this.base + field] ?? 0;
  }

  end(field: number): number {
    return (this.message.offsets[this.base + field + 1] ?? 1) - 1;
  }

  /** True where the field says something; notes the HL7 null. */
  has(field: number): boolean {
    if (field > this.count) return false;
    const start = this.start(field);
    const end = this.end(field);
    if (start >= end) return false;
    this.message.onRead?.(this, field);
    if (end - start !== 2) return true;
    const { chars } = this.message;
    if (chars.charCodeAt(start) !== 34 || chars.charCodeAt(start + 1) !== 34) return true;
    this.message.nulls.add(`${this.name}-${field}`);
    return false;
  }

  /** One repetition (from 1) by its components. */
  parts(field: number, repetition = 1): Parts {
    const { by, chars } = this.message;
    if (!this.has(field)) return new Parts(this.message, 0, 0, by.component);
    const start = this.start(field);
    const end = this.end(field);
    if (repetition === 1) {
      let stop = start;
      while (stop < end && chars.charCodeAt(stop) !== by.repetition) stop++;
      return new Parts(this.message, start, stop, by.component);
    }
    return new Parts(this.message, start, end, by.repetition).within(repetition, by.component);
  }

  /** Every repetition that is not empty. */
  repetitions(field: number): Parts[] {
    if (!this.has(field)) return [];
    const { by, chars } = this.message;
    const end = this.end(field);
    const mark = String.fromCharCode(by.repetition);
    const found: Parts[] = [];
    for (let start = this.start(field); start <= end; ) {
      let stop = chars.indexOf(mark, start);
      if (stop < 0 || stop > end) stop = end;
      if (stop > start) found.push(new Parts(this.message, start, stop, by.component));
      start = stop + 1;
    }
    return found;
  }

  /** Trimmed text of one component (from 1); of one subcomponent where it is named. */
  text(field: number, repetition = 1, component = 1, subcomponent = 0): string {
    if (!this.has(field)) return '';
    if (repetition === 1 && component === 1 && subcomponent === 0) return this.leading(field);
    const parts = this.parts(field, repetition);
    return subcomponent === 0 ? parts.text(component) : parts.sub(component).text(subcomponent);
  }

  /** What most fields are: one repetition's first component. */
  private leading(field: number): string {
    const { by, chars } = this.message;
    const start = this.start(field);
    const end = this.end(field);
    let stop = start;
    for (; stop < end; stop++) {
      const unit = chars.charCodeAt(stop);
      if (unit === by.component || unit === by.repetition) break;
    }
    return trimmed(this.message.text(start, stop));
  }

  /** The whole field as sent, separators and all, unescaped. */
  whole(field: number): string {
    return this.has(field) ? this.message.text(this.start(field), this.end(field)).trim() : '';
  }
}

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
        if (byte === 13 || byte === 28) break;
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
      return { code: 'too-large', reason: `More than ${limits.segmentsMax} segments.` };
    }
    if (longest > limits.fieldBytesMax) {
      const obx = bytes.toString('latin1', begin, begin + 3) === 'OBX';
      if (!obx || longest > limits.documentFieldBytesMax) {
        return { code: 'too-large', reason: `Field ${longestAt} of segment ${line} is over the limit.` };
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

function nameAt(message: Message, begin: number): string {
  let from = begin;
  while (message.chars.charCodeAt(from) === 11 || message.chars.charCodeAt(from) === 32) from++;
  const name = message.chars.substring(from, from + 3);
  const second = name.charCodeAt(1);
  return second >= 97 && second <= 122 ? name.toUpperCase() : name;
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
