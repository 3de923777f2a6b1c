/**
 * Where in the text something stands: a key, a value, or a character inside a text value,
 * so that an error in a CEL predicate points at its own line of the YAML file.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';

export type Path = readonly (string | number)[];

/** Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

interface Found {
  node: Node | null;
  /** The key node of the pair that holds the value, where it is in a mapping. */
  key: Node | null;
  /** How much of the path exists. */
  steps: number;
}

export class Positions {
  readonly #document: Document;
  readonly #text: string;
  readonly #lines: LineCounter;

  constructor(document: Document, text: string, lines: LineCounter) {
    this.#document = document;
    this.#text = text;
    this.#lines = lines;
  }

  at(offset: number): Position {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The line around an offset, and where it begins. */
  lineAt(offset: number): { text: string; start: number } {
    const { line } = this.at(offset);
    const { lineStarts } = this.#lines;
    const start = lineStarts[line - 1] ?? 0;
    return { text: this.#text.slice(start, lineStarts[line]), start };
  }

  exists(path: Path): boolean {
    return this.#find(path).steps === path.length;
  }

  /** Of the key; of the nearest thing around it where the path does not exist. */
  ofKey(path: Path): Position {
    const found = this.#find(path);
    return this.#ofNode(found.key ?? found.node);
  }

  /** Of the value, or of character `offset` inside a text value. */
  ofValue(path: Path, offset?: number): Position {
    const { node, key } = this.#find(path);
    // A key without a value has nothing to point at but itself.
    if (node === null || (isScalar(node) && node.value === null && node.source === '')) {
      return this.#ofNode(key ?? node);
    }
    if (offset === undefined || !isScalar(node) || typeof node.value !== 'string') return this.#ofNode(node);
    return this.at(this.#inside(node.value, node.range?.[0] ?? 0, node.range?.[1] ?? 0, node.type, offset));
  }

  #ofNode(node: Node | null): Position {
    return this.at(node?.range?.[0] ?? 0);
  }

  #find(path: Path): Found {
    let found: Found = { node: this.#document.contents, key: null, steps: 0 };
    for (const step of path) {
      const node = isAlias(found.node) ? (found.node.resolve(this.#document) ?? null) : found.node;
      if (isMap(node)) {
        const pair = node.items.find((item) => keyText(item) === String(step));
        if (pair === undefined) return found;
        found = { node: pair.value as Node | null, key: pair.key as Node, steps: found.steps + 1 };
      } else if (isSeq(node)) {
        const item = node.items[Number(step)];
        if (item === undefined) return found;
        found = { node: item as Node, key: null, steps: found.steps + 1 };
      } else return found;
    }
    return found;
  }

  /**
   * Folding and indentation differ from the value only in white space, so counting the other characters finds
   * the same place in the source; a quote or an escape counts as what it stands for.
   */
  #inside(value: string, start: number, end: number, type: string | undefined, offset: number): number {
    const ahead = value.slice(0, offset).replace(/\s/g, '').length;
    let at = start;
    if (type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') at = this.#text.indexOf('\n', start) + 1;
    else if (type?.startsWith('QUOTE_')) at += 1;
    let passed = 0;
    let afterLast = at;
    for (; at < end; at++) {
      const char = this.#text[at]!;
      if (/\s/.test(char)) continue;
      const first = at;
      let stands = 1;
      if (type === 'QUOTE_DOUBLE' && char === '\\') {
        const found = escapeAt(this.#text, at);
        at += found.length - 1;
        stands = found.stands;
        if (stands === 0) continue;
      } else if (type === 'QUOTE_SINGLE' && char === "'") at++;
      if (passed + stands > ahead) return Math.min(first, end);
      passed += stands;
      afterLast = at + 1;
    }
    return Math.min(afterLast, end);
  }
}

/** An escape in double quotes [YAML 1.2.2 5.7]: its length, and how many characters it gives that are no white space. */
function escapeAt(text: string, at: number): { length: number; stands: number } {
  const letter = text[at + 1] ?? '';
  const digits = { x: 2, u: 4, U: 8 }[letter];
  if (digits === undefined) {
    // A line break, too: it joins two lines.
    return { length: 2, stands: /[\snrtvfLP_]/.test(letter) ? 0 : 1 };
  }
  const code = Number.parseInt(text.slice(at + 2, at + 2 + digits), 16);
  const given = code <= 0x10ffff ? String.fromCodePoint(code) : '';
  return { length: 2 + digits, stands: given.replace(/\s/g, '').length };
}

/** A key as it is written: `007` stays `007`. */
export function keyText(pair: Pair): string {
  return isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : String(pair.key);
}

/** `sources.lab.accept.versions[0]`, `codes.units.map["mg/dL"]` */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
