/**
 * Why a field of an event says what it says: for each the places of the message that it comes
 * from and the rules of the config that had a hand in it, and what of the message is in no event.
 *
 * Nothing here knows a mapping. A place is changed, the very code that runs at the gateway runs
 * again, and what differs in its events comes from that place; a rule of the config is taken out,
 * and what differs comes from that rule. So the explanation cannot disagree with the mapping, no
 * rule needs an annotation, and the way of a message at the gateway costs nothing for it. Its price
 * is time: one run for each place, which is bounded below, and what was not tried is counted.
 *
 * A change that turns the message into another kind, or into none (MSH-9), says nothing about the
 * fields that went with it: such a place stands for the kind and for fields that show its text.
 */
import type { Config } from '../../../proto/config/schema.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { looksLikeHl7v2 } from '../../../proto/looks-like-hl7v2.ts';
import { messagesOf } from '../hl7v2/index.ts';
import type { NormalizeContext, Normalized } from '../outcome.ts';
import { placesOfHl7v2 } from './hl7v2.ts';
import { placesOfJson } from './json.ts';
import { differences, type Leaves, leavesOf } from './paths.ts';
import { nameMark, type Place } from './places.ts';
import { withoutEach } from './rules.ts';

export interface Explained {
  events: ExplainedEvent[];
  unused: Unused[];
  /** Places that the limit on work left untried. */
  untried: number;
  reject: Normalized['reject'];
}

export interface ExplainedEvent {
  event: ClinicalEvent;
  fields: ExplainedField[];
}

export interface ExplainedField {
  /** `observations[0].value` */
  path: string;
  value: string;
  /** `OBX[3]-5.1`; the place whose text it shows first. Empty: it is the same whatever a place says. */
  from: string[];
  /** `hl7v2/oru`, and what of the config had a hand in it: `codes.lab-tests`. */
  rules: string[];
}

export interface Unused {
  location: string;
  value: string;
  /**
   * `not-read`: no rule looks there. `no-effect`: one looks, but there is nothing in it that
   * it uses, or another place says the same or wins.
   */
  why: 'not-read' | 'no-effect';
}

export interface Subject {
  raw: Uint8Array;
  config: Config;
  context: NormalizeContext;
  /** The gateway's own way from bytes to events under a config. */
  run(raw: Uint8Array, config: Config): Normalized;
}

/** Bytes that the runs of one explanation may read together. */
const workBytesMax = 64 * 1024 * 1024;

/** Facts of this very run, and lists that any change adds to. */
const aside = /^provenance\.(remarks|rules|unread)\b|^provenance\.(index|count)$/;

/** What the gateway knows of a record without reading it. */
const captured =
  /^(provenance\.(source|protocol|topic|mappingVersion|resend|duplicateOf|conflict)|times\.capturedAtUs)$/;

export function explain(subject: Subject): Explained {
  const whole: Explained = { events: [], unused: [], untried: 0, reject: undefined };
  const messages = looksLikeHl7v2(subject.raw)
    ? messagesOf(subject.raw)
    : [{ raw: subject.raw, remarks: [] }];
  const work = { left: workBytesMax };
  messages.forEach(({ raw, remarks }, index) => {
    const one = explainMessage({ ...subject, raw }, work);
    const named = (location: string) =>
      messages.length === 1 ? location : `message ${index + 1}: ${location}`;
    for (const { event, fields } of one.events) {
      event.provenance?.remarks.push(...remarks);
      whole.events.push({
        event,
        fields: fields.map((field) => ({ ...field, from: field.from.map(named) })),
      });
    }
    whole.unused.push(...one.unused.map((unused) => ({ ...unused, location: named(unused.location) })));
    whole.untried += one.untried;
    whole.reject ??= one.reject;
  });
  return whole;
}

function explainMessage({ raw, config, context, run }: Subject, work: { left: number }): Explained {
  const hl7v2 = looksLikeHl7v2(raw);
  const found = hl7v2 ? placesOfHl7v2(raw, context) : { raw, places: placesOfJson(raw) };
  const { events, reject } = run(raw, config);
  if (events.length === 0) return { events: [], unused: [], untried: 0, reject };
  const places = found?.places ?? [];
  const base = found === undefined ? [] : run(found.raw, config).events;
  const books = new Books(base);
  const sees = (bytes: Uint8Array, text: string, location: string): boolean => {
    work.left -= bytes.length;
    const made = run(bytes, config);
    // A mapping that fails on the changed value reads it; of what it makes nothing can be told.
    if (made.reject?.code === 'mapping-failed') {
      failed = true;
      return true;
    }
    return books.note(made.events, text, location);
  };
  let failed = false;
  const unused: Unused[] = [];
  let untried = 0;
  const tryOne = (place: Place): void => {
    if (work.left < 0) {
      untried += 1;
      return;
    }
    const { location, text, read, parts } = place;
    if (parts.length === 0) {
      failed = false;
      const seen = place.changed().map((bytes) => sees(bytes, text, location));
      if (seen.includes(true) && !failed) return;
      if (sees(place.blanked(), text, location) || seen.includes(true)) return;
    } else if (read !== false || place.changed().some((bytes) => books.sees(run(bytes, config).events))) {
      for (const part of parts) tryOne(part);
      return;
    }
    // A member's name that means nothing is told by its value.
    if (location.endsWith(nameMark)) return;
    unused.push({ location, value: text, why: read === false ? 'not-read' : 'no-effect' });
  };
  for (const place of places) tryOne(place);
  const rules = rulesOf(base, config, (other) => run(found?.raw ?? raw, other).events, books);
  return {
    events: events.map((event, index) => ({ event, fields: fieldsOf(event, index, books, rules) })),
    unused,
    untried,
    reject,
  };
}

/** Path → what of the config had a hand in it, for each event. */
function rulesOf(
  base: readonly ClinicalEvent[],
  config: Config,
  run: (config: Config) => readonly ClinicalEvent[],
  books: Books,
): Map<string, string[]>[] {
  const rules = base.map(() => new Map<string, string[]>());
  withoutEach(config, (other, name) => {
    const events = run(other);
    if (!books.sees(events)) return false;
    if (name !== undefined && books.comparable(events)) {
      base.forEach((event, index) => {
        for (const path of changedPaths(event, events[index])) append(rules[index], path, name);
      });
    }
    return true;
  });
  return rules;
}

function fieldsOf(
  event: ClinicalEvent,
  index: number,
  books: Books,
  rules: readonly Map<string, string[]>[],
): ExplainedField[] {
  const fired = event.provenance?.rules ?? [];
  const builtIn = fired[0] ?? '';
  const classRule = fired.find((rule) => rule.startsWith('class:'));
  const fields: ExplainedField[] = [];
  for (const [path, value] of leavesOf(event)) {
    if (aside.test(path)) continue;
    const from = books.from(index, path, value);
    const own = rules[index]?.get(path) ?? [];
    // The one field whose rule the event names itself.
    if (path === 'class' && classRule !== undefined) fields.push({ path, value, from, rules: [classRule] });
    else fields.push({ path, value, from, rules: [captured.test(path) ? 'capture' : builtIn, ...own] });
  }
  return fields;
}

interface Entry {
  location: string;
  text: string;
}

/** Which places each field of each event was seen to follow. */
class Books {
  readonly #base: readonly ClinicalEvent[];
  readonly #entries: Map<string, Entry[]>[];

  constructor(base: readonly ClinicalEvent[]) {
    this.#base = base;
    this.#entries = base.map(() => new Map<string, Entry[]>());
  }

  /** True where the events still stand for each other. */
  comparable(events: readonly ClinicalEvent[]): boolean {
    return (
      events.length === this.#base.length &&
      events.every((event, index) => event.kind === this.#base[index]?.kind)
    );
  }

  sees(events: readonly ClinicalEvent[]): boolean {
    return (
      !this.comparable(events) ||
      this.#base.some((event, index) => changedPaths(event, events[index]).length > 0)
    );
  }

  /** False where nothing is different. */
  note(events: readonly ClinicalEvent[], text: string, location: string): boolean {
    const comparable = this.comparable(events);
    let changed = false;
    this.#base.forEach((event, index) => {
      let paths = comparable ? changedPaths(event, events[index]) : structural(event, text);
      changed ||= paths.length > 0;
      if (location.endsWith(nameMark)) paths = shownBeside(paths, leavesOf(event), text);
      for (const path of paths) append(this.#entries[index], path, { location, text });
    });
    return changed || !comparable;
  }

  /** The places of a field, those whose text it shows first. */
  from(index: number, path: string, value: string): string[] {
    const entries = this.#entries[index]?.get(path) ?? [];
    const ranked = entries.map(({ location, text }, at) => ({ location, at, rank: likeness(text, value) }));
    ranked.sort((a, b) => a.rank - b.rank || a.at - b.at);
    return [...new Set(ranked.map(({ location }) => location))];
  }
}

function changedPaths(event: ClinicalEvent, other: ClinicalEvent | undefined): string[] {
  return differences(event, other ?? {}).filter((path) => !aside.test(path));
}

function structural(event: ClinicalEvent, text: string): string[] {
  const shown = [...leavesOf(event)].filter(
    ([path, value]) => !aside.test(path) && text.length > 1 && value.includes(text),
  );
  return ['kind', ...shown.map(([path]) => path)];
}

/** Every value hangs from the name of its member; what a name says itself is a code, and what comes of that code. */
function shownBeside(paths: readonly string[], leaves: Leaves, name: string): string[] {
  const owners = paths
    .filter((path) => leaves.get(path) === name)
    .map((path) => path.replace(/\.[^.]*$/, '.'));
  return paths.filter((path) => owners.some((owner) => path.startsWith(owner)));
}

/** 0: shows the text; 1: shows it in another form (a time); 2: depends on it. */
function likeness(text: string, value: string): number {
  if (text.trim() === value) return 0;
  const [sent, shown] = [text, value].map((one) => one.replace(/[^0-9A-Za-z]/g, '').toLowerCase());
  if (sent === undefined || shown === undefined || sent.length < 2) return 2;
  return shown.includes(sent.slice(0, 12)) || (shown.length > 1 && sent.includes(shown)) ? 1 : 2;
}

function append<T>(map: Map<string, T[]> | undefined, path: string, entry: T): void {
  const entries = map?.get(path);
  if (entries === undefined) map?.set(path, [entry]);
  else entries.push(entry);
}
