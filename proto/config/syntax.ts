/** YAML's own errors, in words for the person who wrote the file. */
import { type Document, isMap, isScalar, type Node, type Pair, visit, type YAMLError } from 'yaml';
import type { Problem } from './document.ts';
import { keyText, type Positions, pathText } from './position.ts';

type Words = [message: string, hint: string];

const words: Partial<Record<YAMLError['code'], Words>> = {
  TAB_AS_INDENT: ['a tab is used to indent', 'indent with spaces, two a level'],
  BAD_INDENT: ['the indentation does not fit what is above', 'align it with its siblings'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a second "key:" on one line',
    'put it on a line of its own, or quote the value if it holds ": "',
  ],
  MULTIPLE_DOCS: ['a second document begins here', 'remove the ---; one file holds one document'],
  BAD_DQ_ESCAPE: ['an unknown escape in a double-quoted text', 'double the backslash, or use single quotes'],
  MULTILINE_IMPLICIT_KEY: ['a key without ":"', 'write key: value'],
  BAD_ALIAS: ['an alias without a name', 'quote the value if it begins with *'],
};

export function explainSyntax(documents: readonly Document[], positions: Positions): Problem[] {
  const problems: Problem[] = [];
  const [document, second] = documents;
  if (document === undefined) return problems;
  for (const error of [...document.errors, ...document.warnings]) {
    // All that follows is read in the wrong place.
    const path = unquotedPath(error.pos[0], positions);
    if (path !== undefined) return [...problems, path];
    const problem = fromError(error, positions);
    // One mistake makes a trail of errors on its line; the first one names it.
    if (!problems.some((other) => other.line === problem.line)) problems.push(problem);
  }
  if (second !== undefined && problems.length === 0) {
    const [message, hint] = words.MULTIPLE_DOCS!;
    problems.push({ path: '', ...positions.at(second.range?.[0] ?? 0), message, hint });
  }
  if (problems.length === 0) visitKeys(document, positions, problems);
  return problems;
}

/** A longer line was generated, and costs more to look through than it tells. */
const lineCharactersMax = 1_000;

/** `[$.a[0].b]`, `{ from: $.a[0] }`: inside { } and [ ] the bracket of a path ends it, unless it is quoted. */
function unquotedPath(offset: number, positions: Positions): Problem | undefined {
  const { text, start } = positions.lineAt(offset);
  if (text.length > lineCharactersMax) return undefined;
  for (const found of text.matchAll(/(?<=[\s,[{])(?:\$|topic)(?:[^\s"',{}[\]]*\[[^\]]*\])+[^\s"',{}[\]]*/g)) {
    if (!insideBrackets(text.slice(0, found.index))) continue;
    const [path] = found;
    const quote = path.includes('"') ? "'" : '"';
    return {
      path: '',
      ...positions.at(start + found.index),
      message: 'a path with [ ] wants quotes inside { } and [ ]',
      hint: `write ${quote}${path}${quote}`,
    };
  }
  return undefined;
}

function insideBrackets(before: string): boolean {
  let depth = 0;
  for (const [token] of before.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
  }
  return depth > 0;
}

function fromError(error: YAMLError, positions: Positions): Problem {
  const at = positions.at(error.pos[0]);
  const closer = /end with a ([\]}])/.exec(error.message)?.[1];
  if (closer !== undefined)
    return { path: '', ...at, message: `a closing ${closer} is missing`, hint: `add ${closer}` };
  const known = belowEmpty(error, positions) ?? words[error.code];
  if (known !== undefined) return { path: '', ...at, message: known[0], hint: known[1] };
  if (error.code === 'BAD_SCALAR_START') {
    const char = error.message.at(-1);
    return {
      path: '',
      ...at,
      message: `a plain value cannot begin with ${char}`,
      hint: 'put the value in quotes',
    };
  }
  if (error.code === 'MISSING_CHAR') {
    const quote = /["']/.exec(error.message)?.[0] ?? 'bracket';
    return { path: '', ...at, message: `a closing ${quote} is missing`, hint: `add ${quote}` };
  }
  if (error.code === 'TAG_RESOLVE_FAILED') {
    const tag = /!\S*/.exec(error.message)?.[0] ?? 'tag';
    return {
      path: '',
      ...at,
      message: `the tag ${tag} means nothing here`,
      hint: 'remove it, or quote the value',
    };
  }
  if (error.code === 'UNEXPECTED_TOKEN') {
    return {
      path: '',
      ...at,
      message: 'this does not continue what is above',
      hint: 'check indentation and brackets',
    };
  }
  return { path: '', ...at, message: error.message, hint: '' };
}

/** `uplink: {}`, and below it a line that is meant for inside: most often one that was a comment. */
function belowEmpty(error: YAMLError, positions: Positions): Words | undefined {
  if (error.code !== 'BAD_INDENT') return undefined;
  let { start } = positions.lineAt(error.pos[0]);
  while (start > 0) {
    const above = positions.lineAt(start - 1);
    start = above.start;
    if (/^\s*(#|$)/.test(above.text)) continue;
    const [, key, empty] =
      /^[\s-]*([^\s#][^#]*?):\s+(\{\s*\}|\[\s*\])\s*(?:#.*)?$/.exec(above.text.trimEnd()) ?? [];
    if (key === undefined || above.text.length > lineCharactersMax) return undefined;
    return [
      `this stands below "${key}: ${empty}", which says that there is nothing`,
      `remove ${empty} there`,
    ];
  }
  return undefined;
}

/** Keys that stand twice (as written: `7` and `07` are two), and keys that an object cannot hold faithfully. */
function visitKeys(document: Document, positions: Positions, problems: Problem[]): void {
  visit(document, {
    Map(_, map, ancestors) {
      const seen = new Map<string, Node>();
      for (const pair of map.items) {
        const key = pair.key as Node;
        const name = keyText(pair);
        const first = seen.get(name);
        seen.set(name, first ?? key);
        const merges = isScalar(key) && key.type === 'PLAIN' && name === '<<';
        const refused = isScalar(key) ? reserved(name) : 'a key must be a word';
        if (merges) {
          const message = '<< (taking over the keys of another place) is not read here';
          const at = positions.at(key.range?.[0] ?? 0);
          problems.push({
            path: pathText(pathOf([...ancestors, map])),
            ...at,
            message,
            hint: 'write the keys out',
          });
          continue;
        }
        if (refused === undefined && first === undefined) continue;
        const here = pathOf([...ancestors, map]);
        const at = positions.at(key?.range?.[0] ?? 0);
        if (refused !== undefined) {
          problems.push({ path: pathText(here), ...at, message: refused, hint: 'choose another key' });
          continue;
        }
        const { line } = positions.at(first?.range?.[0] ?? 0);
        const hint = `it is first on line ${line}; join the two, or rename one`;
        problems.push({ path: pathText([...here, name]), ...at, message: 'the key stands twice', hint });
      }
    },
  });
}

function reserved(key: string): string | undefined {
  if (key === '') return 'a key is empty';
  return key === '__proto__' ? `${key} cannot be a key` : undefined;
}

function pathOf(ancestors: readonly unknown[]): (string | number)[] {
  const path: (string | number)[] = [];
  ancestors.forEach((node, i) => {
    const below = ancestors[i + 1];
    if (node !== null && typeof node === 'object' && 'items' in node && !isMap(node)) {
      path.push((node.items as unknown[]).indexOf(below));
    } else if (isPairLike(node)) path.push(keyText(node));
  });
  return path.filter((step) => step !== -1);
}

function isPairLike(node: unknown): node is Pair {
  return node !== null && typeof node === 'object' && 'key' in node && 'value' in node && !('items' in node);
}
