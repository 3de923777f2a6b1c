/** zod's issues as problems: what is wrong, where in the text, and what to write instead. */
import type { z } from 'zod';
import type { Problem } from './document.ts';
import { documentLimits } from './limits.ts';
import { nearest } from './nearest.ts';
import { type Path, type Positions, pathText } from './position.ts';
import {
  allowedForms,
  allowedKeys,
  allowedWords,
  exampleAt,
  fitsAt,
  isSecretAt,
  objectionAt,
} from './shape.ts';
import { decimalComma, gluedKey, numberMeant } from './slips.ts';

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** The error map: words for every issue whose schema does not bring its own. */
export function explainMessage(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'missing';
      if (issue.input === null) return 'has no value';
      return `expected ${typeWords[issue.expected] ?? issue.expected}, found ${kindOf(issue.input)}`;
    case 'unrecognized_keys':
      return 'unknown key';
    case 'invalid_value':
      if (issue.input === undefined) return 'missing';
      return typeof issue.input === 'string'
        ? `${JSON.stringify(clip(issue.input))} is not allowed`
        : `${kindOf(issue.input)} is not allowed`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return `is not in the expected form`;
    case 'invalid_union':
      if (typeof issue.input === 'object' && issue.discriminator !== undefined) return wrongWord(issue);
      return `does not fit any of the allowed forms`;
    case 'invalid_key':
      return 'the name is not allowed';
    default:
      return 'is not allowed';
  }
}

export function explainIssues(
  issues: readonly Issue[],
  schema: z.ZodType,
  input: unknown,
  positions: Positions,
): Problem[] {
  const problems: Problem[] = [];
  for (const issue of issues) {
    problems.push(...explainIssue(issue, [], schema, input, positions));
    if (problems.length >= documentLimits.problemsMax) break;
  }
  // `lisen` for `listen` is one mistake: the key that is missing is the one that was mistyped.
  const meant = new Set(
    problems
      .filter(({ message }) => message !== 'missing')
      .map(
        ({ path, hint }) => `${parentOf(path)}|${/^did you mean "(.*)"\?$/.exec(hint)?.[1] ?? lastOf(path)}`,
      ),
  );
  return problems.filter(
    ({ path, message }) => message !== 'missing' || !meant.has(`${parentOf(path)}|${lastOf(path)}`),
  );
}

function explainIssue(
  issue: Issue,
  base: Path,
  schema: z.ZodType,
  input: unknown,
  positions: Positions,
): Problem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const problem = (at: Path, position: { line: number; column: number }, message: string, hint: string) => ({
    path: pathText(at),
    ...position,
    message,
    hint,
  });
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedKeys(schema, path, input);
    const around = at(input, path);
    return issue.keys.slice(0, documentLimits.problemsMax).map((key) => {
      const at = [...path, key];
      // A key of another form of the same thing.
      if (allowed.includes(key)) {
        const forms = allowedForms(schema, path, input).map((keys) => `{ ${keys.join(', ')} }`);
        const hint = `write ${[...new Set(forms)].join(' or ')}`;
        return problem(at, positions.ofKey(at), 'does not go with the other keys here', hint);
      }
      const slip = gluedKey(key, allowed);
      if (slip !== undefined)
        return problem([...path, slip.key], positions.ofKey(at), slip.message, slip.hint);
      const near = nearest(key, allowed);
      const hint =
        decimalComma(key, around) ??
        (near !== undefined ? `did you mean "${near}"?` : `allowed here: ${allowed.join(', ')}`);
      return problem(at, positions.ofKey(at), issue.message, hint);
    });
  }
  if (issue.code === 'invalid_union') {
    const best = bestBranch(issue);
    if (best !== undefined)
      return best.flatMap((inner) => explainIssue(inner, path, schema, input, positions));
    const types = [...new Set(issue.errors.flat().flatMap(topLevelType))];
    const value = at(input, path);
    if (value === undefined)
      return [problem(path, positions.ofKey(path), 'missing', hintFor(issue, schema, path, input))];
    const message =
      types.length > 0 ? `expected ${types.join(' or ')}, found ${kindOf(value)}` : issue.message;
    const unquoted =
      (typeof value === 'number' || typeof value === 'boolean') && fitsAt(schema, path, input, String(value));
    const hint = unquoted ? 'put it in quotes' : hintFor(issue, schema, path, input);
    return [problem(path, positions.ofValue(path), message, hint)];
  }
  if (issue.code === 'invalid_key') {
    const words = issue.issues.map((inner) => inner.message).join('; ');
    return [
      problem(path, positions.ofKey(path), words || issue.message, hintFor(issue, schema, path, input)),
    ];
  }
  if (issue.code === 'invalid_type' && at(input, path) !== undefined && isSecretAt(schema, path, input)) {
    const message = `expected ${typeWords[issue.expected] ?? issue.expected}, found something else, which is not shown`;
    return [problem(path, positions.ofValue(path), message, '')];
  }
  const missing = at(input, path) === undefined;
  const position = missing ? positions.ofKey(path) : positions.ofValue(path);
  return [problem(path, position, issue.message, hintFor(issue, schema, path, input))];
}

/** The branch that was meant: the one whose own type fits, and of those the one with fewest complaints. */
function bestBranch(issue: z.core.$ZodIssueInvalidUnion): Issue[] | undefined {
  const fitting = issue.errors.filter((branch) => !branch.some((inner) => topLevelType(inner).length > 0));
  return [...fitting].sort((a, b) => weight(a) - weight(b))[0];
}

function weight(branch: readonly Issue[]): number {
  return branch.reduce((sum, inner) => sum + (inner.code === 'unrecognized_keys' ? inner.keys.length : 1), 0);
}

/** The type that a branch wanted, where that alone is what failed. */
function topLevelType(issue: Issue): string[] {
  if (issue.path.length > 0) return [];
  if (issue.code === 'invalid_type') return [typeWords[issue.expected] ?? issue.expected];
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value));
  return [];
}

function hintFor(issue: Issue, schema: z.ZodType, path: Path, input: unknown): string {
  if (issue.code === 'custom' && typeof issue.params?.hint === 'string') return issue.params.hint;
  const value = at(input, path);
  if (
    issue.code === 'invalid_type' &&
    issue.expected === 'string' &&
    (typeof value === 'number' || typeof value === 'boolean') &&
    fitsAt(schema, path, input, String(value))
  ) {
    return 'put it in quotes';
  }
  if (
    issue.code === 'invalid_type' &&
    issue.expected === 'array' &&
    value != null &&
    typeof value !== 'object'
  ) {
    return 'write it as a list: [ … ]';
  }
  if (issue.code === 'invalid_type' && typeof value === 'string') {
    const slip = isMapping(issue.expected) ? gluedKey(value, allowedKeys(schema, path, input)) : undefined;
    if (slip !== undefined) return `${slip.message}; ${slip.hint}`;
    const objection = (number: number) => objectionAt(schema, path, input, number, explainMessage);
    const meant = isNumber(issue.expected) ? numberMeant(value, path, objection) : undefined;
    if (meant !== undefined) return meant;
  }
  if (issue.code === 'invalid_type' && isMapping(issue.expected) && value !== undefined && path.length > 0) {
    const keys = allowedKeys(schema, path, input);
    const form = keys.length === 0 ? 'name: …' : `${keys[0]}: …`;
    if (value === null)
      return `write what belongs to it below, indented further (${form}), or remove the key`;
    return `write { ${form} }, or the keys below it, indented further`;
  }
  const words = allowedWords(schema, path, input);
  if (words.length > 0) {
    const near = typeof value === 'string' ? nearest(value, words) : undefined;
    return `${near === undefined ? '' : `did you mean "${near}"? `}allowed: ${words.join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.expected === 'boolean' && typeof value === 'string') {
    if (/^(yes|on|y|true|1)$/i.test(value)) return 'write true';
    return /^(no|off|n|false|0)$/i.test(value) ? 'write false' : 'write true or false';
  }
  const example = exampleAt(schema, path, input);
  if (example !== undefined) return `for example: ${example}`;
  const last = path.at(-1);
  if (value === undefined && typeof last === 'string') return `add "${last}: …"`;
  if (value === null) return 'give it a value, or remove the key';
  return '';
}

function isMapping(expected: string): boolean {
  return expected === 'object' || expected === 'record';
}

function isNumber(expected: string): boolean {
  return expected === 'number' || expected === 'int';
}

function at(input: unknown, path: Path): unknown {
  let value = input;
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }
  return value;
}

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys',
  record: 'a mapping of names',
  array: 'a list',
};

/** A discriminated union complains of the whole; the word that picks the branch is what is wrong. */
function wrongWord(issue: RawIssue & { discriminator?: string | undefined }): string {
  const word = (issue.input as Record<string, unknown> | null)?.[issue.discriminator ?? ''];
  if (word === undefined) return 'missing';
  return typeof word === 'string'
    ? `${JSON.stringify(clip(word))} is not allowed`
    : `${kindOf(word)} is not allowed`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping of keys';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return `${value}`;
  return 'text';
}

function unitOf(origin: string, count: number | bigint): string {
  const one = Number(count) === 1;
  if (origin === 'string') return one ? ' character' : ' characters';
  if (origin === 'array') return one ? ' entry' : ' entries';
  return '';
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
