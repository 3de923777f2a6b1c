/**
 * Predicates over a device payload that has no schema: what a template reads is text, or it is not there.
 *
 *   text("@.type") == "Heart Rate" && double(text("@.hr")) > 0.0      present("$.telemetry")      topic
 *
 * Their paths are checked with the config. What they may look at is metered by whoever reads the payload.
 */
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { PredicateProblem } from './cel.ts';
import { type Dialect, explainCel } from './cel-explain.ts';
import { inspect } from './cel-inspect.ts';
import { type JsonPath, parsePath } from './json-path.ts';
import { celLimits } from './limits.ts';

/** What a predicate sees of a payload. */
export interface PayloadReader {
  readonly topic: string;
  /** The text of the first value there, numbers as they were written; '' where there is none. */
  text(path: JsonPath): string;
  present(path: JsonPath): boolean;
}

export interface PayloadPredicate {
  readonly source: string;
  /** A predicate that fails at run time (a text that is no number) does not hold; `failed` is told. */
  test(reader: PayloadReader, failed?: () => void): boolean;
}

const readers = new Set(['text', 'present']);
const dialect: Dialect = {
  variables: ['topic', 'text', 'present'],
  unknown: 'put a text in quotes; a value of the payload is text("@.name")',
};

/** Evaluation is synchronous: the reader and the paths of the predicate that runs just now. */
let running: { reader: PayloadReader; paths: ReadonlyMap<string, JsonPath> } | undefined;
let environment: Environment | undefined;

function theEnvironment(): Environment {
  environment ??= new Environment({
    unlistedVariablesAreDyn: false,
    limits: {
      maxAstNodes: celLimits.nodesMax,
      maxDepth: celLimits.depthMax,
      maxListElements: celLimits.listElementsMax,
      maxMapEntries: 1,
      maxCallArguments: 4,
    },
  })
    .registerVariable('topic', 'string')
    .registerFunction('text(string): string', (path: string) =>
      at(path, (one, reader) => reader.text(one), ''),
    )
    .registerFunction('present(string): bool', (path: string) =>
      at(path, (one, reader) => reader.present(one), false),
    );
  return environment;
}

function at<T>(source: string, read: (path: JsonPath, reader: PayloadReader) => T, absent: T): T {
  const path = running?.paths.get(source);
  return path === undefined || running === undefined ? absent : read(path, running.reader);
}

export function compilePayloadPredicate(
  source: string,
): { predicate: PayloadPredicate; problem?: never } | { problem: PredicateProblem } {
  if (source.length > celLimits.sourceCharactersMax) {
    const message = `the predicate is longer than ${celLimits.sourceCharactersMax} characters`;
    return { problem: { message, hint: 'split the template in two', offset: 0 } };
  }
  let run: ReturnType<Environment['parse']>;
  try {
    run = theEnvironment().parse(source);
  } catch (error) {
    return { problem: explainCel(error, source, dialect) };
  }
  const { problem } = inspect(run.ast as ASTNode, {}, readers);
  if (problem !== undefined) return { problem };
  const checked = run.check();
  if (!checked.valid) return { problem: explainCel(checked.error, source, dialect) };
  if (checked.type !== 'bool') {
    const message = `the predicate gives ${checked.type}, not true or false`;
    return { problem: { message, hint: 'compare it with something: … == "hr"', offset: 0 } };
  }
  const paths = new Map<string, JsonPath>();
  const wrong = pathsIn(run.ast as ASTNode, paths);
  if (wrong !== undefined) return { problem: wrong };
  return {
    predicate: {
      source,
      test(reader, failed) {
        running = { reader, paths };
        try {
          return run({ topic: reader.topic }) === true;
        } catch {
          failed?.();
          return false;
        } finally {
          running = undefined;
        }
      },
    },
  };
}

/** Collects the paths that text() and present() are given; each must be known when the config is checked. */
function pathsIn(node: ASTNode, paths: Map<string, JsonPath>): PredicateProblem | undefined {
  if (node.op === 'call' && readers.has(node.args[0])) {
    const [argument] = node.args[1] as ASTNode[];
    if (argument?.op !== 'value' || typeof argument.args !== 'string') {
      const message = `${node.args[0]} wants its path as it stands`;
      return { message, hint: `write ${node.args[0]}("@.name")`, offset: argument?.start ?? node.start };
    }
    const { path, problem } = parsePath(argument.args) as ReturnType<typeof parsePath> & { path?: JsonPath };
    if (problem !== undefined) return { ...problem, offset: argument.start + 1 + problem.offset };
    if (path !== undefined) paths.set(argument.args, path);
    return undefined;
  }
  for (const child of (Array.isArray(node.args) ? node.args.flat(2) : [node.args]) as unknown[]) {
    if (child === null || typeof child !== 'object' || !('op' in child)) continue;
    const problem = pathsIn(child as ASTNode, paths);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
