/**
 * A config as a whole: read, then checked against itself, its predicates compiled. The control
 * plane runs this before it offers a config, the gateway before it runs one.
 */
import { createHash } from 'node:crypto';
import { relate } from '../units/ucum.ts';
import { checkCritical } from './check-critical.ts';
import { checkDevices, checkPayloads } from './check-devices.ts';
import { checkMappings } from './check-mappings.ts';
import { checkOnce } from './check-once.ts';
import { checkPredicates } from './check-predicates.ts';
import {
  inTextOrder,
  type Path,
  type Positions,
  type Problem,
  readDocument,
  type Written,
} from './document.ts';
import { budgetMs } from './duration.ts';
import { documentLimits } from './limits.ts';
import { nearest } from './nearest.ts';
import { pathText } from './position.ts';
import { type Class, type Config, classes, configSchema } from './schema.ts';

export interface CheckOptions {
  /** The gateway's listeners, name and type; left out where they are not known (at the centre). */
  listeners?: Listeners;
  fileName?: string;
}

export type Listeners = Readonly<Record<string, 'mllp' | 'mqtt'>>;

/** `hash` is the SHA-256 of the text: what an offer is answered by. */
export type CheckResult =
  | { config: Config; hash: Uint8Array; problems?: never }
  | { problems: Problem[]; config?: never };

/** A large one takes a second, and is asked for several times on its way from a push to those who run it. */
let last: { text: string; options: string; result: WeakRef<CheckResult> } | undefined;

export function checkConfig(text: string, options: CheckOptions = {}): CheckResult {
  const known = recalled(text, options);
  if (known !== undefined) return known;
  const result = check(text, options);
  remember(text, options, result);
  return result;
}

/** What was found last, where it is of this text. */
export function recalled(text: string, options: CheckOptions): CheckResult | undefined {
  return last?.text === text && last.options === JSON.stringify(options) ? last.result.deref() : undefined;
}

/** What a check elsewhere has found. */
export function remember(text: string, options: CheckOptions, result: CheckResult): void {
  last = { text, options: JSON.stringify(options), result: new WeakRef(result) };
}

function check(text: string, options: CheckOptions): CheckResult {
  const read = readDocument(text, configSchema, options.fileName ?? 'the config');
  if (read.problems !== undefined) return { problems: withPredicates(read.problems, read.written) };
  const { value: config, written } = read;
  const { positions } = written;
  const problems = [
    ...checkPredicates(written.plain),
    ...checkSources(config, options.listeners),
    ...checkPayloads(config, positions),
    ...checkDevices(config),
    ...checkCodes(config),
    ...checkConversions(config, positions),
    ...checkMappings(config, positions),
    ...checkCritical(config),
    ...checkOnce(config, positions),
    ...checkClasses(config, positions),
    ...checkBudgets(config),
    ...checkRoutes(config, positions),
  ];
  if (problems.length > 0)
    return { problems: inTextOrder(problems.map((found) => placed(found, positions))) };
  return { config, hash: createHash('sha256').update(text).digest() };
}

/** Mistakes in predicates beside those of the schema: nobody is to mend a file twice. */
function withPredicates(problems: Problem[], written: Written | undefined): Problem[] {
  if (written === undefined) return problems;
  const room = documentLimits.problemsMax - problems.length;
  const found = checkPredicates(written.plain).slice(0, Math.max(0, room));
  return inTextOrder([...problems, ...found.map((one) => placed(one, written.positions))]);
}

/** What is wrong, before its place in the text is looked up. */
export interface Found {
  path: Path;
  message: string;
  hint: string;
  /** Into the text value, where it has a place inside. */
  offset?: number;
  /** The name is wrong, not what it stands for. */
  atKey?: boolean;
}

function placed({ path, message, hint, offset, atKey }: Found, positions: Positions): Problem {
  const position = atKey === true ? positions.ofKey(path) : positions.ofValue(path, offset);
  return { path: pathText(path), ...position, message, hint };
}

function checkSources(config: Config, listeners: Listeners | undefined): Found[] {
  const found: Found[] = [];
  const whole = new Map<string, string>();
  for (const [name, { listener, topics, payloads }] of Object.entries(config.sources)) {
    const path = ['sources', name, 'listener'];
    if (listeners !== undefined && !Object.hasOwn(listeners, listener)) {
      found.push({ path, ...noSuch('listener', listener, Object.keys(listeners)) });
    }
    for (const [key, value] of Object.entries({ topics, payloads })) {
      if (listeners?.[listener] !== 'mllp' || value === undefined) continue;
      const message = `the listener "${listener}" is MLLP and hears no ${key === 'topics' ? 'topics' : 'JSON'}`;
      found.push({
        path: ['sources', name, key],
        message,
        hint: 'name an MQTT listener, or leave it out',
        atKey: true,
      });
    }
    if (topics !== undefined) continue;
    // Without topics a source takes all that its listener hears, so a second one could not be told apart.
    const other = whole.get(listener);
    if (other === undefined) whole.set(listener, name);
    else {
      const message = `the listener "${listener}" already belongs to the source "${other}"`;
      found.push({ path, message, hint: 'give each its own listener, or topics' });
    }
  }
  return found;
}

function checkCodes(config: Config): Found[] {
  const found: Found[] = [];
  const owners = new Map<string, string>();
  for (const [name, { from, map }] of Object.entries(config.codes)) {
    for (const code of Object.keys(map)) {
      const other = owners.get(`${from}|${code}`);
      owners.set(`${from}|${code}`, other ?? name);
      if (other === undefined) continue;
      const message = `the code "${code}" of "${from}" is mapped by the table "${other}" too`;
      found.push({ path: ['codes', name, 'map', code], message, hint: 'remove one of the two', atKey: true });
    }
  }
  return found;
}

/** Each pair of units is tried here, so that no conversion fails, or surprises, at a site. */
function checkConversions(config: Config, positions: Positions): Found[] {
  const found: Found[] = [];
  const owners = new Map<string, string>();
  for (const [name, { system, code, from, to, molecularWeight }] of Object.entries(config.units.convert)) {
    const base = ['units', 'convert', name];
    let molar = false;
    from.forEach((unit, i) => {
      const inList = [...base, 'from', i];
      const path = positions.exists(inList) ? inList : [...base, 'from'];
      const relation = relate(unit, to, molecularWeight);
      if ('problem' in relation) found.push({ path, message: relation.problem, hint: '' });
      else molar ||= relation.molar;
      const key = `${system}|${code}|${unit}`;
      const other = owners.get(key);
      owners.set(key, other ?? name);
      if (other === undefined) return;
      const message = `"${other}" converts ${unit} of this code too`;
      found.push({ path, message, hint: 'remove one of the two' });
    });
    if (molecularWeight !== undefined && !molar && found.length === 0) {
      const message = 'no unit here is converted between mass and amount of substance';
      found.push({ path: [...base, 'molecularWeight'], message, hint: 'remove it' });
    }
  }
  return found;
}

function checkClasses(config: Config, positions: Positions): Found[] {
  const found: Found[] = [];
  const base = positions.exists(['classes', 'rules']) ? ['classes', 'rules'] : ['classes'];
  const names = new Set<string>();
  config.classes.rules.forEach(({ name }, i) => {
    if (names.has(name)) {
      const message = `there is a rule "${name}" already`;
      found.push({
        path: [...base, i, 'name'],
        message,
        hint: 'an event says which rule gave its class: choose another name',
      });
    }
    names.add(name);
  });
  return found;
}

function checkBudgets(config: Config): Found[] {
  const found: Found[] = [];
  let before: Class | undefined;
  for (const word of classes) {
    if (before !== undefined && budgetMs(config, before) > budgetMs(config, word)) {
      const message = `${config.budgets[word]} is shorter than the budget of ${before} (${config.budgets[before]})`;
      found.push({ path: ['budgets', word], message, hint: 'stat ≤ urgent ≤ routine ≤ bulk' });
    }
    before = word;
  }
  return found;
}

function checkRoutes(config: Config, positions: Positions): Found[] {
  const found: Found[] = [];
  const destinations = Object.keys(config.destinations);
  for (const [name, { sources, to }] of Object.entries(config.routes)) {
    to.forEach((destination, i) => {
      if (destinations.includes(destination)) return;
      const inList = ['routes', name, 'to', i];
      const path = positions.exists(inList) ? inList : ['routes', name, 'to'];
      found.push({ path, ...noSuch('destination', destination, destinations) });
    });
    sources?.forEach((source, i) => {
      if (Object.hasOwn(config.sources, source)) return;
      const path = ['routes', name, 'sources', i];
      found.push({ path, ...noSuch('source', source, Object.keys(config.sources)) });
    });
  }
  return found;
}

export function noSuch(
  what: string,
  word: string,
  known: readonly string[],
): Pick<Found, 'message' | 'hint'> {
  const near = nearest(word, known);
  const message = `there is no ${what} "${word}"`;
  if (near !== undefined) return { message, hint: `did you mean "${near}"?` };
  return { message, hint: known.length > 0 ? `there are: ${known.join(', ')}` : `define the ${what} first` };
}
