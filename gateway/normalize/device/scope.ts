/** What every reader of device JSON shares: its scope, identifiers, codes, units, and the event around them. */
import { ucumSystem } from '../../../proto/code-systems.ts';
import type {
  Alarm,
  ClinicalTime,
  Code,
  Identifier,
  Observation,
} from '../../../proto/gen/hilum/v1/event.ts';
import { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { addMapped } from '../codes.ts';
import { codingOf } from '../coding.ts';
import { identifier, identifierSystem } from '../identity.ts';
import { beginnings, over } from '../known-word.ts';
import type { NormalizeContext, Reject } from '../outcome.ts';
import type { Json, JsonObject } from './json.ts';
import { JsonNumber } from './json.ts';
import { readDeviceTime } from './time.ts';
import { ucumOf } from './vitals.ts';

const remarksMax = 100;

/** What reading one object needs beside it, and what it leaves for the provenance. */
export class Scope {
  readonly context: NormalizeContext;
  readonly tables = new Set<string>();
  /** What was said of this part alone. */
  readonly own = new Set<string>();
  readonly #whole: Scope | undefined;

  constructor(context: NormalizeContext, whole?: Scope) {
    this.context = context;
    this.#whole = whole;
  }

  /** One event's part of the object: what is said of it stands on no other event, what is said of the whole on all. */
  part(): Scope {
    return new Scope(this.context, this);
  }

  /** With its place; never content. */
  remark(text: string): void {
    if (this.own.size < remarksMax) this.own.add(text);
  }

  get remarks(): string[] {
    return [...(this.#whole?.remarks ?? []), ...this.own];
  }

  get rules(): string[] {
    return [...(this.#whole?.rules ?? []), ...this.tables];
  }

  time(value: Json | undefined, where: string): ClinicalTime | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    const text = scalar(value);
    const read = readDeviceTime(text ?? '', value instanceof JsonNumber, this.context.zone);
    if (read.remark !== '') this.remark(`${where}: ${read.remark}`);
    return read.time;
  }

  /** Of an object of the built-in shape. */
  timeOf(fields: JsonObject, where: string): ClinicalTime | undefined {
    return this.time(fields.get('time') ?? fields.get('timestamp'), where);
  }

  /** The text of a member; what is none (an object, a list) leaves a remark. */
  text(value: Json | undefined, where: string): string {
    const text = scalar(value);
    if (text === undefined && value !== undefined && value !== null) this.remark(`${where}: not a text`);
    return text ?? '';
  }

  /** Members at a place of ours that nobody reads, where they say something; counted, not named. */
  unknown(fields: JsonObject, known: ReadonlySet<string>, where: string): void {
    let count = 0;
    for (const [name, value] of fields) if (!known.has(name) && value !== null && value !== '') count++;
    if (count > 0) this.remark(`${where}: members that the shape does not know: ${count}`);
  }

  map(code: Code): Code {
    addMapped(code, this.context.codes, (table) => this.tables.add(table));
    return code;
  }
}

export type Shared = Pick<ClinicalEvent, 'device' | 'patient' | 'encounter' | 'times'>;

export function eventOf(
  kind: string,
  status: string,
  shared: Shared,
  scope: Scope,
  rule: string,
  body: { observations?: Observation[]; alarm?: Alarm },
): ClinicalEvent {
  const { source, protocol, topic } = scope.context;
  const rules = [...new Set([rule, ...scope.rules])];
  return {
    ...ClinicalEvent.fromPartial({
      kind,
      status,
      provenance: { source, protocol, topic, charset: 'UTF-8', rules, remarks: scope.remarks },
    }),
    ...shared,
    observations: body.observations ?? [],
    alarm: body.alarm,
  };
}

/** A system that is a URI is taken at its word; any other name is an assigning authority of the source. */
export function identifierFrom(value: string, type: string, system: string, scope: Scope): Identifier {
  const { source, authorities } = scope.context;
  if (/^(urn:|https?:\/\/|oid:)/i.test(system))
    return identifier(value, type, system.replace(/^oid:/i, 'urn:oid:'));
  return { ...identifier(value, type, identifierSystem(source, authorities, system)), assigner: system };
}

export function localCode(sent: string, scope: Scope, system = '', display = ''): Code {
  const uri = system === '' ? `urn:hilum:${scope.context.source}` : system;
  const own = /^(urn:|https?:)/i.test(uri) ? uri : `urn:hilum:${scope.context.source}:${system}`;
  const name = own === uri ? '' : system;
  return {
    text: display || sent,
    codings: [
      {
        system: own,
        code: sent,
        display,
        version: '',
        name,
        mapped: false,
        valueSet: '',
        valueSetVersion: '',
      },
    ],
  };
}

/** The unit with its UCUM coding, where that is known. */
export function unitCodeOf(unit: string, said = ucumOf(unit)): Code | undefined {
  if (said === undefined) return undefined;
  const coding = codingOf(ucumSystem, said, '', said !== unit);
  return { text: unit, codings: [coding] };
}

export const NUMERIC = /^[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** The text of a scalar, numbers as they were written; undefined for null and for what has members. */
export function scalar(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber) return value.text;
  return typeof value === 'boolean' ? String(value) : undefined;
}

/** What may identify: a text that is not blank, or a number. */
export function idText(value: Json | undefined): string | undefined {
  const text = typeof value === 'boolean' ? '' : (scalar(value) ?? '');
  return text.trim() === '' ? undefined : text;
}

/** A part of a record that could not be taken, and where it stands. */
export interface Refused extends Reject {
  place: string;
}

const namedMax = 5;

/** One reason for all of them: the first in full, the places of the others. Undefined where there are none. */
export function joined(refused: readonly Refused[]): Reject | undefined {
  const [first, ...others] = refused;
  if (first === undefined) return undefined;
  const { code, place, reason } = first;
  if (others.length === 0) return { code, reason: `${place}: ${reason}` };
  const named = others.slice(0, namedMax).map((one) => one.place);
  if (others.length > namedMax) named.push(`${others.length - namedMax} more`);
  return { code, reason: `${place}: ${reason} Refused as well: ${named.join(', ')}.` };
}

/**
 * What an alarm's time says: when it began, where the phase is its beginning, else when it last changed. A phase that
 * nobody said is a beginning, unless the state is over; a phase or a state that nobody understood may be its end.
 */
export function alarmTimes(
  { phase, state }: Pick<Alarm, 'phase' | 'state'>,
  says: (member: 'phase' | 'state') => boolean,
  time: ClinicalTime | undefined,
): Pick<Alarm, 'raised' | 'updated'> {
  const unknown = (phase === '' && says('phase')) || (state === '' && says('state'));
  const begins = phase === '' ? !unknown && !over.has(state) : beginnings.has(phase);
  return { raised: begins ? time : undefined, updated: time };
}
