/**
 * The only door to cel-js: predicates over `event`, typed when the config is checked and
 * bounded when they run. The control plane (to check) and the gateway (to run) use this file,
 * so what was accepted at the centre is what runs at the site.
 *
 * Only the functions below exist. `matches` is not among them, because a regular expression can
 * take exponential time; `has` is not, because every field is there (event-view.ts).
 */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { ClinicalEvent } from '../gen/hilum/v1/event.ts';
import { explainCel } from './cel-explain.ts';
import { inspect, names } from './cel-inspect.ts';
import { holdsForNone } from './cel-never.ts';
import { type EventView, rootType, viewEvent, viewFields, viewTypes } from './event-view.ts';
import { celLimits } from './limits.ts';

export interface Predicate {
  readonly source: string;
  /** A predicate that fails at run time does not match; that is counted, and told by `takeFailed`. */
  test(event: ClinicalEvent | EventView): boolean;
  /** How often it failed at run time. */
  readonly failures: number;
}

export interface PredicateProblem {
  message: string;
  hint: string;
  /** Into the source, UTF-16 units. */
  offset: number;
}

export type PredicateResult = { predicate: Predicate; problem?: never } | { problem: PredicateProblem };

export interface PredicateOptions {
  /** Fields of `event` that are not known where this predicate runs, with the reason. */
  unknown?: Readonly<Record<string, string>>;
  /** What `takeFailed` calls it. */
  name?: string;
}

let environment: Environment | undefined;

/** Made when first needed: a process that checks no config does not pay for it. */
function theEnvironment(): Environment {
  if (environment !== undefined) return environment;
  environment = new Environment({
    unlistedVariablesAreDyn: false,
    limits: {
      maxAstNodes: celLimits.nodesMax,
      maxDepth: celLimits.depthMax,
      maxListElements: celLimits.listElementsMax,
      maxMapEntries: 1,
      maxCallArguments: 4,
    },
  });
  for (const [name, fields] of Object.entries(viewFields)) {
    environment.registerType(name, { ctor: viewTypes.get(name)!, fields: { ...fields } });
  }
  environment.registerVariable('event', rootType);
  return environment;
}

/** Parses and checks; the result of a predicate is bool. */
export function compilePredicate(source: string, options: PredicateOptions = {}): PredicateResult {
  if (source.length > celLimits.sourceCharactersMax) {
    const message = `the predicate is longer than ${celLimits.sourceCharactersMax} characters`;
    return { problem: { message, hint: 'split it into several rules', offset: 0 } };
  }
  let run: ReturnType<Environment['parse']>;
  try {
    run = theEnvironment().parse(source);
  } catch (error) {
    return { problem: explainCel(error, source) };
  }
  const { problem, nodes } = inspect(run.ast as ASTNode, options.unknown ?? {});
  if (problem !== undefined) return { problem };
  const checked = run.check();
  if (!checked.valid) return { problem: explainCel(checked.error, source) };
  if (checked.type !== 'bool') {
    const message = `the predicate gives ${checked.type}, not true or false`;
    return { problem: { message, hint: 'compare it with something: … == "ICU"', offset: 0 } };
  }
  const wrong = inspect(run.ast as ASTNode, {}).wrongWord;
  if (wrong !== undefined) return { problem: wrong };
  const entries = Math.min(celLimits.entriesMax, Math.floor(celLimits.stepsMax / nodes));
  return { predicate: new CompiledPredicate(options.name ?? '', source, run, entries) };
}

/** For a config that has been checked: a predicate that does not compile is a broken invariant. */
export function mustCompile(name: string, source: string): Predicate {
  const result = compilePredicate(source, { name });
  if (result.problem !== undefined) throw new Error(`${name}: ${result.problem.message}`);
  return result.predicate;
}

/** Of a predicate that compiles: true where no event makes it true, also where it fails on each. */
export function neverHolds(source: string): boolean {
  const { ast } = theEnvironment().parse(source);
  if (holdsForNone(ast as ASTNode)) return true;
  return !names(ast as ASTNode, 'event') && !mustCompile('', source).test(ClinicalEvent.create());
}

const failed = new Set<string>();
/** More than a config has rules; whoever never asks is not to keep the names of all configs. */
const failedMax = 1_000;
const none: readonly string[] = [];

/** Names of the predicates that failed in this thread since the last call. */
export function takeFailed(): readonly string[] {
  if (failed.size === 0) return none;
  const taken = [...failed];
  failed.clear();
  return taken;
}

class CompiledPredicate implements Predicate {
  readonly source: string;
  failures = 0;
  readonly #name: string;
  readonly #run: (context: { event: EventView }) => unknown;
  readonly #entries: number;

  constructor(
    name: string,
    source: string,
    run: (context: { event: EventView }) => unknown,
    entries: number,
  ) {
    this.#name = name;
    this.source = source;
    this.#run = run;
    this.#entries = entries;
  }

  test(event: ClinicalEvent | EventView): boolean {
    const view = 'meter' in event ? event : viewEvent(event);
    view.meter.left = this.#entries;
    try {
      return this.#run({ event: view }) === true;
    } catch {
      this.failures += 1;
      if (failed.size < failedMax) failed.add(this.#name);
      return false;
    }
  }
}
