/**
 * Golden files: what a message must become. A golden is a JSON array of canonical events, each a
 * subset of what is made: members that it leaves out are not looked at, `null` says that there
 * must be none, lists have as many entries as it shows, and values are compared as they stand
 * (`"7.40"` is not `"7.4"`). A record that goes to quarantine is `{"quarantine": "code", "events": […]}`.
 */
import type { Understood } from '../../gateway/meaning.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';

export interface Mismatch {
  /** `events[0].observations[1].value` */
  path: string;
  expected: string;
  found: string;
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

interface Golden {
  /** Left out: the record is not quarantined. */
  quarantine?: Json;
  events: Json;
}

/** What depends on the moment, the gateway or the build, and so on no golden: by message, its members. */
const ephemeral: readonly (readonly string[])[] = [
  ['id'],
  ['gateway'],
  ['site'],
  ['position'],
  ['times', 'capturedAtUs'],
  ['provenance', 'record'],
  ['provenance', 'recordHash'],
  ['provenance', 'mappingVersion'],
];

/** What a golden of this would say. */
export function goldenOf({ events, reject }: Pick<Understood, 'events' | 'reject'>): Json {
  const made = events.map((event) => {
    const json = ClinicalEvent.toJSON(event) as Record<string, Json>;
    for (const path of ephemeral) remove(json, path);
    return json;
  });
  return reject === undefined ? made : { quarantine: reject.code, events: made };
}

/** `expected` as it was parsed from a golden, `found` from goldenOf. */
export function mismatches(expected: unknown, found: unknown): Mismatch[] {
  const [wanted, made] = [golden(expected), golden(found)];
  const all: Mismatch[] = [];
  compare('quarantine', wanted.quarantine ?? null, made.quarantine ?? null, all);
  compare('events', wanted.events, made.events, all);
  return all;
}

function golden(value: unknown): Golden {
  if (Array.isArray(value)) return { events: value as Json[] };
  const { quarantine = null, events = [], ...other } = (value ?? {}) as Record<string, Json>;
  const [unknown] = Object.keys(other);
  // A misspelt member would be a golden that says nothing.
  if (unknown !== undefined || typeof value !== 'object') {
    throw new TypeError(
      `a golden is a list of events, or {"quarantine": "code", "events": []}${unknown === undefined ? '' : `; there is no "${unknown}"`}`,
    );
  }
  return { quarantine, events };
}

function compare(path: string, expected: Json, found: Json | undefined, all: Mismatch[]): void {
  if (Array.isArray(expected) && Array.isArray(found)) {
    if (expected.length !== found.length) {
      all.push({ path, expected: entries(expected.length), found: entries(found.length) });
    }
    expected.forEach((item, index) => {
      if (index < found.length) compare(`${path}[${index}]`, item, found[index], all);
    });
  } else if (isObject(expected) && isObject(found)) {
    for (const [name, item] of Object.entries(expected)) compare(`${path}.${name}`, item, found[name], all);
  } else if (expected !== (found ?? null)) {
    all.push({ path, expected: shown(expected), found: shown(found ?? null) });
  }
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}

function shown(value: Json): string {
  return value === null ? 'nothing' : JSON.stringify(value);
}

function remove(json: Record<string, Json>, path: readonly string[]): void {
  const [name = '', ...rest] = path;
  const member = json[name];
  if (rest.length === 0) delete json[name];
  else if (isObject(member)) remove(member, rest);
}
