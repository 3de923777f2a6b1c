/** What a config says and can never come about: a rule behind one that always holds, a source that nobody is. */
import { neverHolds } from './cel.ts';
import { nearest } from './nearest.ts';
import { type Path, pathText } from './position.ts';
import type { Config } from './schema.ts';

/** Sentences. The config has been checked. */
export function neverWarnings(config: Config): string[] {
  return [
    ...unreached(config),
    ...neverTrue(config),
    ...unknownSources(config),
    ...dateForms(config),
    ...doubleDestinations(config),
    ...unusedDestinations(config),
    ...idleTables(config),
    ...sameUnits(config),
  ];
}

/** Rules of a list of which the first that is true counts, as far as anything comes to them. */
export function reachedRules<T extends { when: string }>(rules: readonly T[]): readonly T[] {
  const always = rules.findIndex(({ when }) => /^[\s(]*true[\s)]*$/.test(when));
  return always === -1 ? rules : rules.slice(0, always + 1);
}

function unreached({ classes }: Config): string[] {
  const reached = reachedRules(classes.rules);
  const last = reached.at(-1);
  return classes.rules
    .slice(reached.length)
    .map(
      ({ name }) => `The class rule "${name}" is never reached: "${last?.name}" before it is always true.`,
    );
}

function neverTrue(config: Config): string[] {
  return [...predicatesOf(config)]
    .filter(([, when]) => neverHolds(when))
    .map(([place]) => `${place} never holds, whatever the event: correct its condition, or remove it.`);
}

function unknownSources(config: Config): string[] {
  const known = Object.keys(config.sources);
  return [...predicatesOf(config)].flatMap(([place, when]) =>
    [...sourcesIn(when)]
      .filter((name) => !known.includes(name))
      .map((name) => {
        const near = nearest(name, known);
        const meant = near === undefined ? '' : `; did you mean "${near}"?`;
        return `${place}: no source of this config has the name "${name}" (a listener without a source counts under its own name)${meant}`;
      }),
  );
}

function* predicatesOf({ mappings, once, classes, routes }: Config): Generator<[string, string]> {
  for (const [name, { when }] of Object.entries(mappings))
    if (when !== undefined) yield [pathText(['mappings', name, 'when']), when];
  for (const [name, { authoritative }] of Object.entries(once.results))
    for (const [at, one] of (Array.isArray(authoritative) ? authoritative : []).entries())
      if (one.when !== undefined)
        yield [pathText(['once', 'results', name, 'authoritative', at, 'when']), one.when];
  for (const { name, when } of classes.rules) yield [`The class rule "${name}"`, when];
  for (const [name, { when }] of Object.entries(routes))
    if (when !== undefined) yield [pathText(['routes', name, 'when']), when];
}

const compared = /\bevent\.(?:provenance\.)?source\s*(?:[!=]=\s*("[^"\\]*"|'[^'\\]*')|in\s*\[([^\]]*)\])/g;

/** Names that a predicate compares the source with. */
function* sourcesIn(when: string): Generator<string> {
  for (const [, one, list] of when.matchAll(compared))
    for (const [text] of (one ?? list ?? '').matchAll(/"[^"\\]*"|'[^'\\]*'/g)) yield text.slice(1, -1);
}

/** Letters that stand for a part of a date, where too many or too few of them stand for themselves. */
function dateForms({ mappings }: Config): string[] {
  const warnings: string[] = [];
  for (const [name, { set }] of Object.entries(mappings))
    for (const [to, line] of Object.entries(set))
      for (const scalar of 'fields' in line ? Object.values(line.fields) : [line]) {
        const date = 'from' in scalar && 'date' in scalar ? scalar.date : undefined;
        const [, stray] = /([YMDH]|(?<=§)[ms])/.exec((date ?? '').replace(/YYYY|MM|DD|HH|mm|ss/g, '§')) ?? [];
        if (stray === undefined) continue;
        warnings.push(
          `The mapping "${name}" reads ${to} by the form ${date}, where one "${stray}" stands for itself and no date has it: write YYYY, MM, DD, HH, mm and ss, each once.`,
        );
      }
  return warnings;
}

function doubleDestinations({ routes }: Config): string[] {
  return Object.entries(routes).flatMap(([name, { to }]) =>
    to
      .filter((destination, at) => to.indexOf(destination) !== at)
      .map((destination) => `${pathText(['routes', name, 'to'])}: "${destination}" stands there twice.`),
  );
}

function unusedDestinations({ destinations, routes }: Config): string[] {
  const used = new Set(Object.values(routes).flatMap(({ to }) => to));
  return Object.keys(destinations)
    .filter((name) => !used.has(name))
    .map((name) => `${pathText(['destinations', name])}: no route leads there, so it gets nothing new.`);
}

/** Tables that say nothing, and entries that nobody sends: a message has no blanks around a code or a unit. */
function idleTables({ codes, units }: Config): string[] {
  const empty = Object.entries(codes)
    .filter(([, { map, unmapped }]) => unmapped === 'worklist' && Object.keys(map).length === 0)
    .map(([name]) => `${pathText(['codes', name, 'map'])}: there is no entry, so the table changes nothing.`);
  const maps: [Path, object][] = [
    ...Object.entries(codes).map(([name, { map }]): [Path, object] => [['codes', name, 'map'], map]),
    [['units', 'map'], units.map],
  ];
  const blank = maps.flatMap(([path, map]) =>
    Object.keys(map)
      .filter((key) => key !== key.trim())
      .map(
        (key) => `${pathText([...path, key])}: what is sent never has a blank at its ends: remove it here.`,
      ),
  );
  return [...empty, ...blank];
}

function sameUnits({ units }: Config): string[] {
  return Object.entries(units.convert)
    .filter(([, { from, to }]) => from.includes(to))
    .map(
      ([name, { to }]) =>
        `${pathText(['units', 'convert', name])}: from ${to} to ${to} nothing is to convert: remove it from "from".`,
    );
}
