/**
 * A JSON reader [RFC 8259] that keeps a number's text: 7.40 is not 7.4, and 1e400 is not Infinity.
 * `JSON.parse` rounds, and Node 20 gives no access to the source text.
 *
 * Bounded in depth, in the number of values and in the length of a number, so that no payload costs more than its
 * own size. Strict otherwise, and stricter in one point: a member name that occurs twice in an object is an error,
 * for either value could be the one that was meant.
 */
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;

export type JsonObject = Map<string, Json>;

/** The lexeme as it was sent. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface JsonLimits {
  depthMax: number;
  valuesMax: number;
  numberCharsMax: number;
}

/** 20,000 readings with every member that the built-in shape knows of one are 200,000 values. */
const jsonLimits: JsonLimits = { depthMax: 32, valuesMax: 250_000, numberCharsMax: 64 };

/** Why it is not JSON that can be used; says where, never what. */
export class JsonError extends Error {
  constructor(reason: string, at: number) {
    super(`${reason} at character ${at}`);
    this.name = 'JsonError';
  }
}

/** JSON, and more of it than is read; says which bound, and where. */
export class JsonTooLarge extends Error {
  constructor(bound: string, at: number) {
    super(`JSON ${bound}, at character ${at}`);
    this.name = 'JsonTooLarge';
  }
}

/** Throws JsonError or JsonTooLarge. */
export function readJson(text: string, limits: JsonLimits = jsonLimits): Json {
  const reader = new Reader(text, limits);
  return reader.whole();
}

class Reader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  whole(): Json {
    const value = this.#value(1);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('something after the value');
    return value;
  }

  #value(depth: number): Json {
    const { depthMax, valuesMax } = this.#limits;
    if (depth > depthMax) throw this.#tooLarge(`of more than ${depthMax} levels`);
    if (++this.#values > valuesMax)
      throw this.#tooLarge(`of more than ${valuesMax.toLocaleString('en')} values`);
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    const members: JsonObject = new Map();
    this.#at++;
    if (this.#closes('}')) return members;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error('a member name was expected');
      const name = this.#string();
      if (members.has(name)) throw this.#error('a member name occurs twice');
      this.#space();
      if (this.#text[this.#at] !== ':') throw this.#error('a colon was expected');
      this.#at++;
      members.set(name, this.#value(depth + 1));
      if (this.#closes('}')) return members;
      this.#comma();
    }
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    if (this.#closes(']')) return items;
    for (;;) {
      items.push(this.#value(depth + 1));
      if (this.#closes(']')) return items;
      this.#comma();
    }
  }

  #string(): string {
    const from = ++this.#at;
    let text = '';
    let copied = from;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) break;
      if (Number.isNaN(unit)) throw this.#error('a string does not end');
      if (unit < 0x20) throw this.#error('a control character in a string');
      if (unit !== 0x5c) {
        this.#at++;
        continue;
      }
      text += this.#text.slice(copied, this.#at) + this.#escape();
      copied = this.#at;
    }
    text += this.#text.slice(copied, this.#at);
    this.#at++;
    // A lone surrogate cannot be said in UTF-8, and would come out as something else.
    if (!isWellFormed(text)) throw this.#error('half a character');
    return text;
  }

  #escape(): string {
    const kind = this.#text[this.#at + 1] ?? '';
    if (kind === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#error('a bad escape');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const plain = ESCAPES.get(kind);
    if (plain === undefined) throw this.#error('a bad escape');
    this.#at += 2;
    return plain;
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const lexeme = NUMBER.exec(this.#text)?.[0];
    if (lexeme === undefined) throw this.#error('a value was expected');
    const { numberCharsMax } = this.#limits;
    if (lexeme.length > numberCharsMax)
      throw this.#tooLarge(`with a number of more than ${numberCharsMax} characters`);
    this.#at += lexeme.length;
    return new JsonNumber(lexeme);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('a value was expected');
    this.#at += word.length;
    return value;
  }

  #closes(bracket: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #comma(): void {
    if (this.#text[this.#at] !== ',') throw this.#error('a comma was expected');
    this.#at++;
  }

  #space(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at++;
    }
  }

  #tooLarge(bound: string): JsonTooLarge {
    return new JsonTooLarge(bound, this.#at);
  }

  #error(reason: string): JsonError {
    return new JsonError(reason, this.#at);
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
