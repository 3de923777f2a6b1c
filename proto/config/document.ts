/**
 * The one way in for YAML that a person wrote: settings and config. Either a value that the
 * schema has accepted, or every problem with its path, line, column and what to write instead.
 *
 * What YAML would change silently is not changed here: a key `007` stays `007`, a version `2.3`
 * or a code `718` given as a value is refused until it is quoted, an unknown tag is an error.
 * Bounded before anything recursive runs: bytes, nesting, aliases. (The yaml package's composer
 * recurses; 20,000 open brackets abort the whole process, which no `catch` sees.)
 */
import { Composer, type Document, isScalar, Lexer, LineCounter, Parser, visit } from 'yaml';
import { z } from 'zod';
import { explainIssues, explainMessage } from './explain.ts';
import { documentLimits } from './limits.ts';
import { type Path, type Position, Positions } from './position.ts';
import type { Problem } from './problem.ts';
import { explainSyntax } from './syntax.ts';

/** A document that can be read, whatever its schema says of it. */
export interface Written {
  /** As plain values, before defaults and short forms are filled in. */
  plain: unknown;
  positions: Positions;
}

/** `written` is missing where not even the YAML can be read. */
export type DocumentResult<T> =
  | { value: T; written: Written; problems?: never }
  | { problems: Problem[]; written?: Written };

export type { Path, Position, Problem };
export { Positions };

/**
 * Reads one YAML document (JSON is YAML too). `fileName` names the document where a message
 * speaks of it as a whole. Problems are in the order of the text.
 */
export function readDocument<T>(text: string, schema: z.ZodType<T>, fileName?: string): DocumentResult<T> {
  const name = fileName ?? 'the document';
  const whole = (message: string, hint: string): DocumentResult<T> => ({
    problems: [{ path: '', line: 1, column: 1, message, hint }],
  });
  if (text.length > documentLimits.charactersMax) {
    return whole(
      `${name} is larger than ${documentLimits.charactersMax} characters`,
      'leave out what is generated, or not used any more',
    );
  }
  const lines = new LineCounter();
  const { documents, tooDeepAt } = parse(text, lines);
  const document = documents[0];
  if (tooDeepAt !== undefined || document === undefined) {
    const { line, col } = lines.linePos(tooDeepAt ?? 0);
    const message = `more than ${documentLimits.nestingMax} levels of nesting`;
    return {
      problems: [{ path: '', line, column: col, message, hint: 'check for brackets that are never closed' }],
    };
  }
  const positions = new Positions(document, text, lines);
  const syntax = explainSyntax(documents, positions);
  if (syntax.length > 0) return { problems: inTextOrder(firstOf(syntax)) };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return whole(`${name} is empty`, 'write at least one key, or {} to take every default');
  }
  keepKeysAsWritten(document);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: documentLimits.aliasesMax });
  } catch (error) {
    return { problems: [aliasProblem(document, positions, error)] };
  }
  const parsed = schema.safeParse(plain, { reportInput: true, error: explainMessage });
  const written = { plain, positions };
  if (parsed.success) return { value: parsed.data, written };
  return { problems: inTextOrder(explainIssues(parsed.error.issues, schema, plain, positions)), written };
}

/** JSON Schema 2020-12 of what a person may write (defaults left out are fine). */
export function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}

export function inTextOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Lexer and parser work without recursion, so depth is watched here, before the composer sees it. */
function parse(text: string, lines: LineCounter): { documents: Document[]; tooDeepAt?: number } {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > 2 * documentLimits.nestingMax)
      return { documents: [], tooDeepAt: parser.offset };
  }
  for (const token of parser.end()) tokens.push(token);
  // The composer compares each key with all before it, which a table of 20,000 codes cannot afford;
  // syntax.ts looks for keys that stand twice.
  const composer = new Composer({ lineCounter: lines, uniqueKeys: false });
  return { documents: [...composer.compose(tokens, true, text.length)] as Document[] };
}

/** A list that a person can read: the rest comes once these are mended. */
function firstOf(problems: Problem[]): Problem[] {
  return problems.slice(0, documentLimits.problemsMax);
}

function keepKeysAsWritten(document: Document): void {
  visit(document, {
    Map(_, map) {
      for (const { key } of map.items) {
        if (isScalar(key) && typeof key.value !== 'string') key.value = key.source ?? String(key.value);
      }
    },
  });
}

function aliasProblem(document: Document, positions: Positions, error: unknown): Problem {
  let first: number | undefined;
  let unresolved: string | undefined;
  visit(document, {
    Alias(_, alias) {
      const known = alias.resolve(document) !== undefined;
      if (known && first !== undefined) return;
      first = alias.range?.[0] ?? 0;
      if (known) return;
      unresolved = alias.source;
      return visit.BREAK;
    },
  });
  const at = positions.at(first ?? 0);
  if (unresolved !== undefined) {
    const message = `the alias *${unresolved} has no anchor before it`;
    return {
      path: '',
      ...at,
      message,
      hint: `write &${unresolved} where it is defined, or quote it if text is meant`,
    };
  }
  if (error instanceof ReferenceError) {
    const message = `aliases expand to more than ${documentLimits.aliasesMax} copies`;
    return { path: '', ...at, message, hint: 'write the values out' };
  }
  return { path: '', ...at, message: String(error), hint: '' };
}
