/**
 * Every predicate of a config, where it was written. They are looked for in the text, not in the checked config:
 * what else is wrong in the file does not hide what is wrong with one of them.
 */
import { compilePredicate, type PredicateProblem } from './cel.ts';
import { compilePayloadPredicate } from './cel-payload.ts';
import type { Found } from './check.ts';
import type { Path } from './document.ts';

const notYetClassified = {
  class: 'these rules are what gives the class',
  budgetMs: 'the budget follows from the class',
  position: 'the position follows from the class',
  id: 'the id follows from the class',
};
const notYetKnown = {
  class: 'the class is given after the mappings',
  budgetMs: 'the budget is given after the mappings',
  position: 'the position is given after the mappings',
  id: 'the id is given after the mappings',
};

type Check = (source: string) => PredicateProblem | undefined;

const ofEvent: Check = (source) => compilePredicate(source).problem;
const ofClassRule: Check = (source) => compilePredicate(source, { unknown: notYetClassified }).problem;
const ofMapping: Check = (source) => compilePredicate(source, { unknown: notYetKnown }).problem;
const ofPayload: Check = (source) => compilePayloadPredicate(source).problem;

/** `*` is each entry of a mapping of names, `[]` each of a list. */
const places: readonly (readonly [place: string, check: Check])[] = [
  ['payloads * when', ofPayload],
  ['payloads * observations [] when', ofPayload],
  ['payloads * alarm when', ofPayload],
  ['mappings * when', ofMapping],
  ['once results * authoritative [] when', ofEvent],
  ['classes [] when', ofClassRule],
  ['classes rules [] when', ofClassRule],
  ['routes * when', ofEvent],
];

/** `plain` is the document as plain values. What is no text at one of the places is the schema's to refuse. */
export function checkPredicates(plain: unknown): Found[] {
  return places.flatMap(([place, check]) => checkAt(plain, [], place.split(' '), check));
}

function checkAt(value: unknown, path: Path, [step, ...rest]: readonly string[], check: Check): Found[] {
  if (step === undefined) {
    const problem = typeof value === 'string' ? check(value) : undefined;
    return problem === undefined ? [] : [{ path, ...problem }];
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) !== (step === '[]')) return [];
  const inside =
    step === '[]' || step === '*'
      ? Object.entries(value)
      : Object.entries(value).filter(([name]) => name === step);
  return inside.flatMap(([name, inner]) =>
    checkAt(inner, [...path, step === '[]' ? Number(name) : name], rest, check),
  );
}
