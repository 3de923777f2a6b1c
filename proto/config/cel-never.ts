/**
 * Predicates that hold for no event. Only what can be said for sure: constants, and what is asked of the kind, which
 * every event has exactly one of; whatever else a predicate reads may be as it wants.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { eventKinds } from './event-words.ts';

/** Of a checked tree. */
export function holdsForNone(root: ASTNode): boolean {
  return eventKinds.every((kind) => outcome(root, kind) === false);
}

/** Undefined where it depends on more than the kind. */
function outcome(node: ASTNode, kind: string): boolean | undefined {
  switch (node.op) {
    case 'value':
      return typeof node.args === 'boolean' ? node.args : undefined;
    case '!_': {
      const inner = outcome(node.args, kind);
      return inner === undefined ? undefined : !inner;
    }
    case '&&':
    case '||': {
      const decides = node.op === '||';
      const sides = node.args.map((side) => outcome(side, kind));
      if (sides.includes(decides)) return decides;
      return sides.includes(undefined) ? undefined : !decides;
    }
    case '?:': {
      const [condition, yes, no] = node.args;
      const taken = outcome(condition, kind);
      if (taken !== undefined) return outcome(taken ? yes : no, kind);
      const [one, other] = [outcome(yes, kind), outcome(no, kind)];
      return one === other ? one : undefined;
    }
    case '==':
    case '!=':
    case 'in': {
      const words = wordsBesideKind(node.args);
      return words === undefined ? undefined : words.includes(kind) !== (node.op === '!=');
    }
    default:
      return undefined;
  }
}

/** `event.kind` beside a text, or a list of texts. */
function wordsBesideKind(sides: readonly ASTNode[]): unknown[] | undefined {
  const other = sides.find((side) => !isKind(side));
  if (other === undefined || !sides.some(isKind)) return undefined;
  const items = other.op === 'list' ? other.args : [other];
  return items.every(({ op }) => op === 'value') ? items.map(({ args }) => args) : undefined;
}

function isKind(node: ASTNode): boolean {
  return (
    node.op === '.' && node.args[1] === 'kind' && node.args[0].op === 'id' && node.args[0].args === 'event'
  );
}
