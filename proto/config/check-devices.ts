/** Payload templates and declared devices, checked against themselves and the rest of the config. */
import { type Found, noSuch } from './check.ts';
import { span } from './duration.ts';
import { parsePath } from './json-path.ts';
import type { Path, Positions } from './position.ts';
import type { Config } from './schema.ts';

export function checkPayloads(config: Config, positions: Positions): Found[] {
  const found: Found[] = [];
  const names = Object.keys(config.payloads);
  for (const [source, { kind, payloads }] of Object.entries(config.sources)) {
    if (kind === 'hl7v2' && payloads !== undefined) {
      const message = 'payload templates read JSON, not HL7 v2';
      found.push({ path: ['sources', source, 'payloads'], message, hint: 'remove them', atKey: true });
    }
    payloads?.forEach((name, i) => {
      if (names.includes(name)) return;
      found.push({ path: ['sources', source, 'payloads', i], ...noSuch('payload template', name, names) });
    });
  }
  for (const [name, template] of Object.entries(config.payloads)) {
    const base = ['payloads', name];
    found.push(...checkTexts(base, template, positions));
    if (template.observations.length === 0 && template.alarm === undefined) {
      const hint = 'add observations, or an alarm';
      found.push({ path: base, message: 'the template reads nothing', hint, atKey: true });
    }
    if (template.alarm !== undefined && !saysSomething(template.alarm)) {
      const hint = 'add id, code or text';
      found.push({ path: [...base, 'alarm'], message: 'the alarm has no name', hint, atKey: true });
    }
  }
  return found;
}

/** Keys whose text is a path wherever they stand in a template; `value` is one unless it is `coded`. */
const pathKeys = new Set([
  ...['each', 'from', 'device', 'patient', 'encounter', 'time', 'correlation', 'value', 'interpretation'],
  ...['referenceRange', 'text', 'id', 'room', 'bed', 'facility'],
]);

/** Every path of a template as it was written. */
function checkTexts(base: Path, template: unknown, positions: Positions): Found[] {
  const found: Found[] = [];
  visit(template, base);
  return found;

  function visit(value: unknown, path: Path): void {
    if (Array.isArray(value)) for (const [i, one] of value.entries()) visit(one, [...path, i]);
    else if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    } else if (typeof value === 'string') check(value, path);
  }

  function check(text: string, path: Path): void {
    const key = path.findLast((step) => typeof step === 'string');
    const problem = pathProblem(text, path, key);
    if (problem !== undefined) found.push({ path: written(path, positions), ...problem });
  }

  function pathProblem(text: string, path: Path, key: unknown) {
    if (!isPath(path, key)) return undefined;
    const { path: parsed, problem } = parsePath(text) as { path?: { root: string }; problem?: never };
    if (key === 'each' && parsed?.root === 'topic') {
      return { message: 'a level of the topic has no items', hint: 'begin with $. or @.', offset: 0 };
    }
    return problem;
  }

  function isPath(path: Path, key: unknown): boolean {
    if (typeof key !== 'string' || path.includes('words')) return false;
    // `unit` is a path of a location, and a text of an observation; `text` is one of an alarm, not of a unit.
    if (key === 'unit') return path[2] === 'location';
    if (key === 'text') return path[2] === 'alarm';
    return pathKeys.has(key);
  }
}

/** Short forms are written out when a config is read (`device: $.id` is `from: [$.id]`): the place in the text. */
function written(path: Path, positions: Positions): Path {
  let here: Path = [];
  for (const step of path) if (positions.exists([...here, step])) here = [...here, step];
  return here;
}

function saysSomething(alarm: { id?: unknown; code?: unknown; text?: unknown }): boolean {
  return alarm.id !== undefined || alarm.code !== undefined || alarm.text !== undefined;
}

export function checkDevices(config: Config): Found[] {
  const found: Found[] = [];
  const sources = Object.keys(config.sources);
  const entries = Object.entries(config.devices);
  entries.forEach(([name, device], i) => {
    const path = ['devices', name];
    device.sources?.forEach((source, at) => {
      if (sources.includes(source)) return;
      found.push({ path: [...path, 'sources', at], ...noSuch('source', source, sources) });
    });
    if (device.patient === undefined && device.location === undefined) {
      const hint = 'add a patient or a location';
      found.push({ path, message: 'nothing is declared of the device', hint, atKey: true });
    }
    const [since, until] = span(device);
    if (until <= since) {
      found.push({
        path: [...path, 'until'],
        message: 'it ends before it begins',
        hint: 'write a later time',
      });
    }
    const other = entries.slice(0, i).find(([, one]) => meet(one, device));
    if (other === undefined) return;
    const message = `the entry "${other[0]}" declares the same device for the same time`;
    found.push({ path, message, hint: 'give the earlier one an `until`', atKey: true });
  });
  return found;
}

type Declared = Config['devices'][string];

function meet(a: Declared, b: Declared): boolean {
  if (a.identifier.value !== b.identifier.value) return false;
  const [one, other] = [a.identifier.system, b.identifier.system];
  if (one !== '' && other !== '' && one !== other) return false;
  if (a.sources !== undefined && b.sources !== undefined && !a.sources.some((x) => b.sources?.includes(x))) {
    return false;
  }
  const [sinceA, untilA] = span(a);
  const [sinceB, untilB] = span(b);
  return sinceA < untilB && sinceB < untilA;
}
