/**
 * A scanned message and its segments. `chars` is the same bytes as a Latin-1 string, so that a
 * character's index is its byte's offset: for ASCII a value is a substring of it, for everything
 * else the bytes are decoded. Loops go over the bytes: those are read several times faster. What lies inside a field is found when it is asked for.
 */
import { trimmed } from '../text.ts';
import { type Charset, foreignBytes, isStrange } from './charset.ts';
import { type Delimiters, standard } from './delimiters.ts';
import { unescapeText } from './escapes.ts';
import { type KeptCodes, keptCodes } from './kept-codes.ts';
import { Parts } from './parts.ts';
import { remark, type Scope } from './scope.ts';

export class Message {
  readonly bytes: Buffer;
  readonly chars: string;
  readonly by: Delimiters;
  readonly charset: Charset;
  readonly ascii: boolean;
  readonly escaped: boolean;
  readonly segments: Segment[] = [];
  readonly offsets: ArrayLike<number>;
  readonly scope: Scope;
  /** Codes of this source that were read before, where a field's bytes alone decide what it says. */
  readonly codes: KeptCodes | undefined;
  /** False where another message's or a batch's header may stand inside (see split.ts). */
  alone = true;
  /** Tests watch which fields a mapping reads. */
  /** Where a config has mappings: the segments that an order or an observation was made of. */
  segmentsOf: WeakMap<object, Segment[]> | undefined;
  onRead: ((segment: Segment, field: number) => void) | undefined;

  constructor(
    bytes: Buffer,
    by: Delimiters,
    charset: Charset,
    offsets: ArrayLike<number>,
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
    const usual = by.component === standard.component && by.escape === standard.escape;
    this.codes = usual && !high ? keptCodes(scope.context) : undefined;
    this.escaped = this.chars.indexOf(String.fromCharCode(by.escape), 9) >= 0;
  }

  /** The text between two offsets, decoded and unescaped; the HL7 null is no text. */
  text(start: number, end: number): string {
    const { bytes } = this;
    if (end - start === 2 && bytes[start] === 34 && bytes[start + 1] === 34) return '';
    const raw = this.chars.substring(start, end);
    const text = this.ascii ? raw : this.decoded(raw, start, end);
    return this.escaped && text.length > 0
      ? unescapeText(text, this.by, (sent) => this.unescaped(sent), this.switched)
      : text;
  }

  /** The same without separators at its end: empty parts there say nothing [HL7 2.5.3.2]. */
  content(start: number, end: number): string {
    const { bytes, by } = this;
    const { component, subcomponent, repetition } = by;
    let last = end;
    for (; last > start; last--) {
      const byte = bytes[last - 1];
      if (byte !== component && byte !== subcomponent && byte !== repetition) break;
    }
    return this.text(start, last);
  }

  private readonly switched = (): void => {
    remark(this.scope, 'an escape sequence to another character set (C or M), kept as it was sent');
  };

  private unescaped(bytes: Buffer): string {
    const foreign = foreignBytes(this.charset, bytes);
    if (foreign !== undefined) remark(this.scope, foreign);
    return this.charset.unescape(bytes);
  }

  /** True where two stretches hold the same bytes. */
  same(start: number, end: number, other: number, otherEnd: number): boolean {
    if (end - start !== otherEnd - other) return false;
    const { bytes } = this;
    for (let i = start; i < end; i++) if (bytes[i] !== bytes[other + i - start]) return false;
    return true;
  }

  private decoded(raw: string, start: number, end: number): string {
    for (let index = 0; index < raw.length; index++) {
      if (raw.charCodeAt(index) < 0x80) continue;
      const text = this.charset.decode(this.bytes.subarray(start, end));
      if (isStrange(this.charset, text))
        remark(this.scope, `MSH-18: bytes that are no letters of ${this.charset.name}`);
      return text;
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

  /** True where the field says something; the HL7 null does not (nulls.ts tells where it stands). */
  has(field: number): boolean {
    if (field > this.count) return false;
    const start = this.start(field);
    const end = this.end(field);
    if (start >= end) return false;
    this.message.onRead?.(this, field);
    if (end - start !== 2) return true;
    const { bytes } = this.message;
    return bytes[start] !== 34 || bytes[start + 1] !== 34;
  }

  /** One repetition (from 1) by its components. */
  parts(field: number, repetition = 1): Parts {
    const { by, bytes } = this.message;
    if (!this.has(field)) return new Parts(this.message, 0, 0, by.component);
    const start = this.start(field);
    const end = this.end(field);
    if (repetition === 1) {
      let stop = start;
      while (stop < end && bytes[stop] !== by.repetition) stop++;
      return new Parts(this.message, start, stop, by.component);
    }
    return new Parts(this.message, start, end, by.repetition).within(repetition, by.component);
  }

  /** True where something stands behind the first repetition. */
  repeats(field: number): boolean {
    if (!this.has(field)) return false;
    const { by, bytes } = this.message;
    let at = this.parts(field).end;
    const end = this.end(field);
    while (at < end && (bytes[at] === by.repetition || bytes[at] === by.component || bytes[at] === 0x20))
      at++;
    return at < end;
  }

  /** Every repetition that is not empty; with `blank` also the empty ones between others. */
  repetitions(field: number, blank = false): Parts[] {
    if (!this.has(field)) return [];
    const { by, bytes } = this.message;
    const end = this.end(field);
    let start = this.start(field);
    let first = start;
    while (first < end && bytes[first] !== by.repetition) first++;
    // Mostly there is one; a list of one costs a fraction of a list that may grow.
    if (first === end) return [new Parts(this.message, start, end, by.component)];
    const found: Parts[] = [];
    while (start <= end) {
      let stop = start;
      // Not indexOf: it would look through the rest of the message.
      while (stop < end && bytes[stop] !== by.repetition) stop++;
      if (stop > start || (blank && found.length > 0))
        found.push(new Parts(this.message, start, stop, by.component));
      start = stop + 1;
    }
    while (found.at(-1)?.empty) found.pop();
    return found;
  }

  /** What `read` makes of each repetition, without those of which it makes nothing. */
  each<T>(field: number, read: (parts: Parts, segment: Segment, field: number) => T | undefined): T[] {
    const repetitions = this.repetitions(field);
    const [first] = repetitions;
    if (first === undefined) return [];
    const one = read(first, this, field);
    const found = one === undefined ? [] : [one];
    for (let i = 1; i < repetitions.length; i++) {
      const next = read(repetitions[i] as Parts, this, field);
      if (next !== undefined) found.push(next);
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
    const { by, bytes } = this.message;
    const start = this.start(field);
    const end = this.end(field);
    let stop = start;
    for (; stop < end; stop++) {
      const byte = bytes[stop];
      if (byte === by.component || byte === by.repetition) break;
    }
    return trimmed(this.message.content(start, stop));
  }

  /** The field as sent, unescaped, with the separators between its parts. */
  content(field: number): string {
    return this.has(field) ? trimmed(this.message.content(this.start(field), this.end(field))) : '';
  }

  /** The whole field as sent, separators and all, unescaped. */
  whole(field: number): string {
    return this.has(field) ? trimmed(this.message.text(this.start(field), this.end(field))) : '';
  }
}

/** True where any field of the segment has content. @param from the first that counts */
export function says(segment: Segment, from = 1): boolean {
  for (let field = from; field <= segment.count; field++) {
    if (segment.end(field) > segment.start(field)) return true;
  }
  return false;
}

/** Noted for the mappings of a config, where it has any. */
export function made(of: object, segment: Segment): void {
  const { segmentsOf } = segment.message;
  if (segmentsOf === undefined) return;
  const segments = segmentsOf.get(of);
  if (segments === undefined) segmentsOf.set(of, [segment]);
  else segments.push(segment);
}
