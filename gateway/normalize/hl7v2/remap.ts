/**
 * A config's mappings over what the built-in ones made: field by field, from any place of the message.
 *
 * Places are looked for near what is set. Of an observation: its OBX and what follows it up to the
 * next OBX or order (a ZBX behind it); then of the event: from its ORC or OBR to the next; then of
 * the patient: from the PID to the first order. What is empty there sets nothing, so the built-in
 * value stays; so does the HL7 null.
 *
 * Codes and times that many events share are never written to: what is set is set in a copy of each
 * message on the way. A line that fails costs its record, with the mapping, the field and the place
 * in the reason, never the content.
 */
import { mustCompile, type Predicate } from '../../../proto/config/cel.ts';
import {
  type Location,
  parseLocation,
  parseTarget,
  type Target,
} from '../../../proto/config/mapping-paths.ts';
import type { MappingScalar } from '../../../proto/config/mapping-schema.ts';
import type { Config } from '../../../proto/config/schema.ts';
import { eventFields } from '../../../proto/gen/event-fields.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { type Normalized, rejected } from '../outcome.ts';
import { readTime } from '../time.ts';
import { codeOf } from './coded.ts';
import { readForm } from './date-form.ts';
import type { Message, Segment } from './message.ts';
import { Layout, type Stretches } from './stretches.ts';

export interface Mapping {
  name: string;
  when: Predicate | undefined;
  lines: Line[];
  /** Those that it reads: they are unread no more. */
  fields: ReadonlySet<string>;
}

interface Line {
  /** As it is written, for reasons. */
  to: string;
  target: Target;
  value: Value | { type: string; fields: { name: string; value: Value }[] };
}

interface Value {
  type: string;
  text?: string;
  places: { written: string; location: Location }[];
  letters: 'upper' | 'lower' | undefined;
  date: string | undefined;
  map: Record<string, string> | undefined;
}

/** The mappings of each source, in the order of the config; undefined for a source that has none. */
export function compileMappings({
  mappings,
}: Pick<Config, 'mappings'>): (source: string) => Mapping[] | undefined {
  const all = Object.entries(mappings).map(([name, { source, when, set }]) => {
    const lines = Object.entries(set).map(([to, line]): Line => {
      const { target } = parseTarget(to) as { target: Target };
      if (!('fields' in line)) return { to, target, value: compileValue(target.type, line) };
      const types = eventFields[target.type] ?? {};
      const fields = Object.entries(line.fields).map(([field, scalar]) => ({
        name: field,
        value: compileValue(types[field] ?? 'string', scalar),
      }));
      return { to, target, value: { type: target.type, fields } };
    });
    const test = when === undefined ? undefined : mustCompile(`mapping ${name}`, when);
    return { source, name, when: test, lines, fields: fieldsOf(lines) };
  });
  const known = new Map<string, Mapping[] | undefined>();
  return (source) => {
    if (!known.has(source)) {
      const own = all.filter((mapping) => mapping.source === undefined || mapping.source.includes(source));
      known.set(source, own.length === 0 ? undefined : own);
    }
    return known.get(source);
  };
}

/** As `unread` names them, of every place that the lines read: `PV2-32`, `PV1-18[2]`, `NK1-4.11`. */
function fieldsOf(lines: readonly Line[]): ReadonlySet<string> {
  const values = lines.flatMap(({ value }) =>
    'fields' in value ? value.fields.map((one) => one.value) : [value],
  );
  const places = values.flatMap((value) => value.places);
  return new Set(
    places.flatMap(({ location: { segment, field, repetition, component } }) => {
      const place = `${segment}-${field}`;
      return [place, `${place}.${component}`, ...(repetition > 1 ? [`${place}[2]`] : [])];
    }),
  );
}

function compileValue(type: string, scalar: MappingScalar): Value {
  const blank = { type, places: [], letters: undefined, date: undefined, map: undefined };
  if ('const' in scalar) return { ...blank, text: scalar.const };
  const places = scalar.from.map((written) => ({
    written,
    ...(parseLocation(written) as { location: Location }),
  }));
  const { case: letters, date, map } = { case: undefined, date: undefined, map: undefined, ...scalar };
  // It inherits nothing: what is looked up in it was sent.
  const words =
    map === undefined ? undefined : (Object.assign(Object.create(null), map) as Record<string, string>);
  return { type, places, letters, date, map: words };
}

/** Why a line could not be followed; the message has no content of the record. */
class Unmappable extends Error {}

export function remap(made: Normalized, message: Message, mappings: readonly Mapping[]): Normalized {
  let at = '';
  try {
    const before = message.scope.rules.length;
    // Before anything is set: what is set is set in copies.
    const starts = made.events.map(({ order }) =>
      order === undefined ? undefined : message.segmentsOf?.get(order)?.[0]?.line,
    );
    const layout = new Layout(message, starts);
    made.events.forEach((event, index) => {
      const scopes = layout.ofEvent(index);
      for (const mapping of mappings) {
        at = mapping.name;
        if (mapping.when !== undefined && !mapping.when.test(event)) continue;
        let set = false;
        for (const line of mapping.lines) {
          at = `${mapping.name}: ${line.to}`;
          set = follow(line, event, message, layout, scopes) || set;
        }
        if (!set || event.provenance === undefined) continue;
        const { provenance } = event;
        provenance.rules.push(`mapping/${mapping.name}`, ...message.scope.rules.slice(before));
        provenance.unread = provenance.unread.filter((place) => !mapping.fields.has(place));
      }
    });
    return made;
  } catch (error) {
    const why = error instanceof Unmappable ? error.message : 'failed';
    return rejected('mapping-failed', `Mapping ${at} ${why}.`);
  }
}

function follow(
  line: Line,
  event: ClinicalEvent,
  message: Message,
  layout: Layout,
  scopes: Stretches,
): boolean {
  const { target } = line;
  if (target.of === 'event') return put(event, target, read(line.value, scopes));
  let set = false;
  const shared = scopes.map((one) => one.withoutResults);
  event.observations.forEach((observation, index) => {
    const own = message.segmentsOf?.get(observation)?.[0];
    const near = own === undefined ? [] : [layout.following(own), ...shared];
    const copy = { ...observation };
    if (!put(copy, target, read(line.value, near))) return;
    if (own !== undefined) message.segmentsOf?.set(copy, [own]);
    event.observations[index] = copy;
    set = true;
  });
  return set;
}

function read(value: Line['value'], scopes: Stretches): unknown {
  if (!('fields' in value)) return readOne(value, scopes);
  const found = value.fields.map(({ name, value: inner }) => [name, readOne(inner, scopes)] as const);
  // Constants alone say nothing of this message.
  const said = found.some(
    ([, one], index) => one !== undefined && value.fields[index]?.value.text === undefined,
  );
  const made = found.filter(([, one]) => one !== undefined);
  return said ? { ...blank(value.type), ...Object.fromEntries(made) } : undefined;
}

function readOne({ type, text, places, letters, date, map }: Value, scopes: Stretches): unknown {
  if (text !== undefined) return text;
  for (const { written, location } of places) {
    const { field, repetition, component, subcomponent } = location;
    const segment = segmentAt(location, scopes);
    if (segment === undefined) continue;
    if (type === 'Code') {
      const code = codeOf(segment.parts(field, repetition));
      if (code !== undefined) return code;
      continue;
    }
    let said = segment.text(field, repetition, component, subcomponent);
    if (said === '') continue;
    if (date !== undefined) {
      const digits = readForm(said, date);
      if (digits === undefined) throw new Unmappable(`from ${written}: not a date of the form ${date}`);
      said = digits;
    }
    if (letters !== undefined) said = letters === 'upper' ? said.toUpperCase() : said.toLowerCase();
    said = map?.[said] ?? said;
    if (type === 'string' && date === undefined) return said;
    const { offset, context } = segment.message.scope;
    const { time, remark } = readTime(said, context.zone, '', offset);
    if (remark !== '') throw new Unmappable(`from ${written}: ${remark}`);
    return type === 'string' ? time.value : time;
  }
  return undefined;
}

function segmentAt({ segment, nth }: Location, scopes: Stretches): Segment | undefined {
  for (const scope of scopes) {
    const found = scope.find(segment, nth);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** False where there is nothing to set. `root` is the caller's own to write to. */
function put(root: object, { steps, types, appends }: Target, value: unknown): boolean {
  if (value === undefined) return false;
  const [first = '', name = ''] = steps;
  if (first === 'extensions') {
    const { extensions } = root as ClinicalEvent;
    (root as ClinicalEvent).extensions = [
      ...extensions.filter((one) => one.name !== name),
      { name, value: value as string },
    ];
    return true;
  }
  let owner = root as Record<string, unknown>;
  steps.slice(0, -1).forEach((step, index) => {
    const inner = { ...(owner[step] ?? blank(types[index] ?? '')) } as Record<string, unknown>;
    owner[step] = inner;
    owner = inner;
  });
  const last = steps.at(-1) ?? '';
  owner[last] = appends ? [...((owner[last] as unknown[] | undefined) ?? []), value] : value;
  return true;
}

/** An empty message of the contract by its name. */
function blank(type: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(eventFields[type] ?? {}).map(([name, kind]) => [name, emptyOf(kind)]),
  );
}

function emptyOf(kind: string): unknown {
  if (kind === 'string') return '';
  if (kind === 'bool') return false;
  if (kind === 'int') return 0;
  return kind.startsWith('list<') ? [] : undefined;
}
