/** What the type checker of cel-js does not refuse: unbounded functions, deep nesting, words that cannot occur. */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { PredicateProblem } from './cel.ts';
import { closedWords } from './event-words.ts';
import { celLimits } from './limits.ts';
import { nearest } from './nearest.ts';

const comprehensions = new Set(['exists', 'all', 'exists_one', 'filter', 'map']);

const functions = new Set([
  ...comprehensions,
  'size',
  'startsWith',
  'endsWith',
  'contains',
  'lowerAscii',
  'upperAscii',
  'trim',
  'double',
  'int',
  'string',
]);

const none: ReadonlySet<string> = new Set();

const refusals: Readonly<Record<string, string>> = {
  matches: 'use startsWith, endsWith or contains; a regular expression can take unbounded time',
  has: 'an absent field is empty: compare it with "", or use size(…) > 0',
};

export interface Inspection {
  nodes: number;
  problem: PredicateProblem | undefined;
  /** Known only for a checked tree. */
  wrongWord: PredicateProblem | undefined;
}

/** `more`: functions that this kind of predicate has beside the common ones. */
export function inspect(
  root: ASTNode,
  unknown: Readonly<Record<string, string>>,
  more: ReadonlySet<string> = none,
): Inspection {
  const inspection: Inspection = { nodes: 0, problem: undefined, wrongWord: undefined };
  visit(root, 0);
  return inspection;

  function visit(node: ASTNode, nesting: number): void {
    inspection.nodes += 1;
    inspection.problem ??= refused(node, nesting, unknown, more);
    inspection.wrongWord ??= wrongWord(node);
    if (node.op === 'rcall') {
      const [name, receiver, args] = node.args;
      visit(receiver, nesting);
      for (const arg of args) visit(arg, nesting + (comprehensions.has(name) ? 1 : 0));
    } else for (const child of children(node)) visit(child, nesting);
  }
}

/** Does it name the variable anywhere? */
export function names(node: ASTNode, variable: string): boolean {
  return (
    (node.op === 'id' && node.args === variable) || children(node).some((child) => names(child, variable))
  );
}

function children(node: ASTNode): ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  const args = (Array.isArray(node.args) ? node.args.flat(2) : [node.args]) as unknown[];
  return args.filter((arg): arg is ASTNode => arg !== null && typeof arg === 'object' && 'op' in arg);
}

function refused(
  node: ASTNode,
  nesting: number,
  unknown: Readonly<Record<string, string>>,
  more: ReadonlySet<string>,
): PredicateProblem | undefined {
  if (node.op === 'call' || node.op === 'rcall') {
    const name = node.args[0];
    const offset =
      node.op === 'call'
        ? node.start
        : Math.max(node.start, node.input.indexOf(`${name}(`, node.args[1].end));
    if (!functions.has(name) && !more.has(name)) {
      const near = nearest(name, [...functions, ...more]);
      const other =
        near === undefined ? `there are: ${[...more, ...functions].join(', ')}` : `did you mean "${near}"?`;
      return { message: `there is no function ${name} here`, hint: refusals[name] ?? other, offset };
    }
    if (node.op === 'rcall' && comprehensions.has(name) && nesting >= celLimits.comprehensionsNestedMax) {
      const message = `${name} is nested more than ${celLimits.comprehensionsNestedMax} deep`;
      return { message, hint: 'split the rule in two', offset };
    }
  }
  if (node.op === 'map')
    return { message: 'a map { } is not used here', hint: 'use a list [ ]', offset: node.start };
  if (node.op === '.' && node.args[0].op === 'id' && node.args[0].args === 'event') {
    const reason = Object.hasOwn(unknown, node.args[1]) ? unknown[node.args[1]] : undefined;
    if (reason !== undefined) {
      return { message: `event.${node.args[1]} is not known here`, hint: reason, offset: node.start };
    }
  }
  // event[…] would be looked up when it runs; everything here is known when it is checked.
  if (node.op === '[]' && node.args[0].op === 'id' && node.args[0].args === 'event') {
    return { message: 'a field cannot be looked up by [ ]', hint: 'write event.<field>', offset: node.start };
  }
  return undefined;
}

function wrongWord(node: ASTNode): PredicateProblem | undefined {
  if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') return undefined;
  const [left, right] = node.args;
  const allowed = closedWords[fieldOf(left) ?? ''] ?? closedWords[fieldOf(right) ?? ''];
  if (allowed === undefined) return undefined;
  for (const literal of [left, right].flatMap((side) => (side.op === 'list' ? side.args : [side]))) {
    if (literal.op !== 'value' || typeof literal.args !== 'string' || allowed.includes(literal.args))
      continue;
    const near = nearest(literal.args, allowed);
    const hint =
      near === undefined || near === ''
        ? `allowed: ${allowed.filter((word) => word !== '').join(', ')}`
        : `did you mean "${near}"?`;
    return { message: `it is never "${literal.args}"`, hint, offset: literal.start };
  }
  return undefined;
}

function fieldOf(node: ASTNode): string | undefined {
  if (node.op !== '.') return undefined;
  const owner = (node.args[0] as { checkedType?: { name: string } }).checkedType;
  return owner === undefined ? undefined : `${owner.name}.${node.args[1]}`;
}
