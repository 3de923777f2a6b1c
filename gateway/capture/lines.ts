/**
 * The lines of a message by their bytes, one after the other: mostly its segments. Nothing is allocated for a line.
 *
 *   MSH|…CR PID|…CR       at ── name, end ──► at ── …
 */
import { blank } from './words.ts';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Most segments end within these; millions of short lines would take two calls of indexOf each. */
const nearBytes = 64;

export class Lines {
  readonly raw: Uint8Array;
  /** Where the line begins, blanks before it left out, and where its break stands. */
  at: number;
  end: number;
  #nextReturn = -2;
  #nextFeed = -2;

  constructor(raw: Uint8Array) {
    this.raw = raw;
    this.at = afterMark(raw);
    this.end = this.at - 1;
  }

  /** False behind the last one. */
  next(): boolean {
    const { raw } = this;
    let at = this.end + 1;
    if (at >= raw.length) return false;
    while (at < raw.length && raw[at]! <= blank) at++;
    this.at = at;
    const near = Math.min(raw.length, at + nearBytes);
    let end = at;
    for (; end < near; end++) {
      const byte = raw[end]!;
      if (byte <= carriageReturn && (byte === carriageReturn || byte === lineFeed)) break;
    }
    this.end = end === at + nearBytes ? this.#farEnd(end) : end;
    return true;
  }

  /** Its first three bytes as a number, as `code` makes it of a segment's name. */
  get name(): number {
    const { raw, at } = this;
    return (raw[at]! << 16) | (raw[at + 1]! << 8) | raw[at + 2]!;
  }

  /** A large document is one long line: indexOf skips it at memory speed, and each mark is looked for once. */
  #farEnd(from: number): number {
    const { raw } = this;
    if (this.#nextReturn !== -1 && this.#nextReturn < from)
      this.#nextReturn = raw.indexOf(carriageReturn, from);
    if (this.#nextFeed !== -1 && this.#nextFeed < from) this.#nextFeed = raw.indexOf(lineFeed, from);
    return Math.min(
      this.#nextReturn < 0 ? raw.length : this.#nextReturn,
      this.#nextFeed < 0 ? raw.length : this.#nextFeed,
    );
  }
}

/** Past a UTF-8 byte order mark. */
function afterMark(raw: Uint8Array): number {
  return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
}
