/**
 * Writes protobuf from the end of a buffer to its front, as the generated writers of
 * proto/gen ask: a message's length is known when its first byte is reached, so that nothing is
 * moved and nothing is measured twice. The bytes are those that ts-proto's `encode` gives.
 *
 *   [ ............ | tag length | value of field n-1 | tag | value of field n ]
 *     still free   ^at                                                        ^ end
 */
import type { Code, Coding } from './gen/hilum/v1/event.ts';

const firstBytes = 1 << 16;
/** Longer text is written by the runtime: its call costs more than a loop over a short one. */
const loopMax = 48;
/**
 * Strings have a dozen forms in memory, and a method that is looked up on all of them is looked up
 * anew each time: called like this the whole writer is twice as fast on mixed traffic.
 */
const unitAt: (text: string, index: number) => number = Function.prototype.call.bind(
  String.prototype.charCodeAt,
);

export class BackWriter {
  private bytes = Buffer.allocUnsafeSlow(firstBytes);
  private at = firstBytes;
  /** What was written last of those that may stand several times, between these marks. */
  private last: object | undefined;
  private lastFrom = 0;
  private lastTo = 0;

  /** Bytes written so far; what lies between two marks is one message. */
  mark(): number {
    return this.bytes.length - this.at;
  }

  /** What was written since `mark`, valid until the writer is used again. */
  since(mark: number): Buffer {
    return this.bytes.subarray(this.at, this.bytes.length - mark);
  }

  /** Forgets what was written; the buffer stays, unless one large message had grown it. */
  clear(): void {
    if (this.bytes.length > firstBytes << 4) this.bytes = Buffer.allocUnsafeSlow(firstBytes);
    this.at = this.bytes.length;
    this.last = undefined;
  }

  /** Tells that all since `mark` is this object. */
  wrote(one: object, mark: number): void {
    this.last = one;
    this.lastFrom = mark;
    this.lastTo = this.mark();
  }

  /** Writes once more what `wrote` told of this very object; false where that was another. */
  again(one: object): boolean {
    if (one !== this.last) return false;
    this.reserve(this.lastTo - this.lastFrom);
    const { bytes } = this;
    let at = this.at;
    const first = bytes.length - this.lastTo;
    for (let from = bytes.length - this.lastFrom - 1; from >= first; from--)
      bytes[--at] = bytes[from] as number;
    this.at = at;
    return true;
  }

  text(tag: number, value: string): void {
    // biome-ignore lint/style/useTemplate: the addition tells the engine that this is a string (see unitAt).
    const { length } = '' + value;
    if (length > loopMax) {
      this.longText(tag, value);
      return;
    }
    this.reserve(length);
    const { bytes } = this;
    let at = this.at;
    for (let i = length - 1; i >= 0; i--) {
      const unit = unitAt(value, i);
      if (unit > 0x7f) {
        this.longText(tag, value);
        return;
      }
      bytes[--at] = unit;
    }
    bytes[--at] = length;
    this.at = at;
    this.tag(tag);
  }

  raw(tag: number, value: Uint8Array): void {
    this.plain(value);
    this.varint(value.length);
    this.tag(tag);
  }

  /** Bytes that are a message's content already. */
  plain(value: Uint8Array): void {
    this.reserve(value.length);
    this.at -= value.length;
    this.bytes.set(value, this.at);
  }

  /** Ends a message whose content was written since `mark`. */
  close(tag: number, mark: number): void {
    this.reserve(0);
    this.varint(this.mark() - mark);
    this.tag(tag);
  }

  uint32(tag: number, value: number): void {
    this.reserve(0);
    this.varint(value >>> 0);
    this.tag(tag);
  }

  uint64(tag: number, value: bigint): void {
    this.reserve(0);
    this.varint64(BigInt.asUintN(64, value));
    this.tag(tag);
  }

  bool(tag: number, value: boolean): void {
    this.uint32(tag, value ? 1 : 0);
  }

  /** Fields of a newer contract, kept as they came; they stand last. */
  unknown(fields: Readonly<Record<number, readonly Uint8Array[]>>): void {
    for (const [key, values] of Object.entries(fields).reverse()) {
      for (let i = values.length - 1; i >= 0; i--) {
        const value = values[i] as Uint8Array;
        this.plain(value);
        this.varint(Number(key));
      }
    }
  }

  private longText(tag: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.reserve(length);
    this.at -= length;
    this.bytes.write(value, this.at, length, 'utf8');
    this.varint(length);
    this.tag(tag);
  }

  // A field's number is below 2048, so that a tag has one or two bytes.
  private tag(tag: number): void {
    if (tag > 0x7f) {
      this.bytes[--this.at] = tag >>> 7;
      this.bytes[--this.at] = (tag & 0x7f) | 0x80;
    } else this.bytes[--this.at] = tag;
  }

  private varint(value: number): void {
    if (value < 0x80) {
      this.bytes[--this.at] = value;
      return;
    }
    let size = value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;
    this.at -= size;
    let { at } = this;
    for (; size > 1; size--) {
      this.bytes[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.bytes[at] = value;
  }

  private varint64(value: bigint): void {
    // Most are numbers that a double holds exactly, and arithmetic with those is cheaper.
    const number = Number(value);
    if (number <= Number.MAX_SAFE_INTEGER) this.varint53(number);
    else {
      this.varint53(Number(value >> 28n));
      this.fourGroups(Number(value & 0xfff_ffffn));
    }
  }

  private varint53(value: number): void {
    if (value < 1 << 28) {
      this.varint(value);
      return;
    }
    this.varint53(Math.floor(value / (1 << 28)));
    this.fourGroups(value % (1 << 28));
  }

  /** 28 bits with more to follow. */
  private fourGroups(value: number): void {
    for (let shift = 21; shift >= 0; shift -= 7) this.bytes[--this.at] = ((value >>> shift) & 0x7f) | 0x80;
  }

  /** Room for `length` bytes and for the tag and length before them. */
  private reserve(length: number): void {
    if (this.at < length + 24) this.grow(length);
  }

  private grow(length: number): void {
    const old = this.bytes;
    const used = old.length - this.at;
    let size = old.length * 2;
    while (size < used + length + 24) size *= 2;
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.at = size - used;
    old.copy(this.bytes, this.at, old.length - used);
  }
}

/**
 * A code that many events share: with its encoded bytes and what was worked out of it, and frozen, because what one
 * event did to it would be seen in all. The list of its codings alone is not: the engine reads a frozen list element
 * by element through the runtime, in each loop of each rule. A test holds that nobody changes one.
 */
export class KeptCode implements Code {
  readonly text: string;
  readonly codings: Coding[];
  readonly #bytes: Uint8Array;
  readonly #derived: unknown[] = [];

  constructor({ text, codings }: Code, bytes: Uint8Array) {
    this.text = text;
    this.codings = codings;
    this.#bytes = bytes;
    for (const coding of codings) Object.freeze(coding);
    Object.freeze(this);
  }

  static bytesOf(code: Code): Uint8Array | undefined {
    return #bytes in code ? code.#bytes : undefined;
  }

  /** What `compute` makes of a code, once for each kept one. It must depend on the code alone, and is shared. */
  static once<T>(compute: (code: Code) => T): (code: Code) => T {
    const place = places;
    places += 1;
    return (code) => {
      if (!(#bytes in code)) return compute(code);
      const derived = code.#derived;
      while (derived.length <= place) derived.push(unknown);
      let found = derived[place];
      if (found === unknown) {
        found = compute(code);
        derived[place] = found;
      }
      return found as T;
    };
  }
}

let places = 0;
const unknown = Symbol('not worked out yet');
