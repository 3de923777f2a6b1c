/**
 * The built-in vitals shape, understood with no config at all.
 *
 *     {"device": "mon-12",
 *      "patient": {"id": "4711", "system": "urn:oid:1.2.3"},
 *      "location": {"unit": "ICU", "room": "", "bed": "4"},
 *      "time": "2026-11-23T08:15:00+01:00",
 *      "readings": [{"code": "heartRate", "value": "72", "unit": "/min", "status": "final", "interpretation": "H"}]}
 *
 * An array of such objects is a batch. Members:
 *   device     required: its identifier, or {id, system, type, model, manufacturer}; also `deviceId`
 *   patient    identifier, {id, system, type}, or {identifiers: [{value, system, type}]}; absent: not known; also `patientId`
 *   encounter  visit number, or {id, system}; also `encounterId`
 *   location   {unit, room, bed, facility}, or text: where the device says it stands, never identity
 *   time       FHIR dateTime; without an offset the source's zone is assumed and marked; also seconds, milli-,
 *              micro- or nanoseconds since 1970, told by their size (2000 to 2100). Of the readings; a reading may have
 *              its own. Also `timestamp`
 *   readings   [{code, value, unit, status, interpretation, referenceRange, time}], code as text or
 *              {code, system, display}; or an object name → value, also called `values`
 *              Flags, status and the words of an alarm: a text, {code}, {value}, {text}, or a list of these
 *   <name>     flat form: a number, or {value, unit, …}, under any name that has no other meaning here
 *   alarm      {id, code, priority: high|medium|low, phase: start|continue|escalate|deescalate|end|…,
 *              state: active|inactive|latched (or active: true|false), type: physiological|technical, text, time}; also a list, `alarms`.
 *              Any of these makes it one; so does a text. null, false and '' are no alarm
 *   battery    as the device says it
 *
 * Names of vitals.ts get their MDC and LOINC codings and, where a bare number has no unit, the unit that the shape
 * has for them, unless it is no number in it: a bare 98.6 is no temperature in Celsius, and has none (a unit that is no text is none, with a remark; `98.6 F` keeps its text). A unit of another kind leaves those codings out. Other names stay as local codes of the source. Numbers keep their text: 7.40 stays 7.40.
 *
 * One device-observation event for all readings of an object, one device-alarm event for each alarm; what is no alarm
 * (true, a number) or says nothing which the shape knows goes to quarantine beside them. What is not JSON is `unreadable`; JSON of another shape is `not-understood`, with what is missing, never with what is there.
 * What stands at one of these places and is nothing of this leaves a remark.
 */
import type { Alarm, ClinicalTime, Device, Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { ClinicalEvent, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { vitalsMembers } from '../../../proto/vitals-members.ts';
import { vocabulary } from '../known-word.ts';
import { type NormalizeContext, type Normalized, rejected } from '../outcome.ts';
import type { Json, JsonObject } from './json.ts';
import { JsonNumber } from './json.ts';
import {
  eventOf,
  idText,
  joined,
  NUMERIC,
  type Refused,
  Scope,
  type Shared,
  scalar,
  unitCodeOf,
} from './scope.ts';
import { vitalOf } from './vitals.ts';
import { type AlarmItems, alarmItems, alarmOf } from './vitals-alarm.ts';
import { codeOf } from './vitals-code.ts';
import { deviceOf, identifiersOf, saysDevice } from './vitals-identity.ts';
import { wordIn, wordsOf } from './words.ts';

const RULE = 'device/vitals';

export const deviceLimits = { bytesMax: 4 * 1024 * 1024, batchMax: 1_000, readingsMax: 20_000 };

/** Members with a meaning of their own: never readings of the flat form. */
const KNOWN = new Set([...vitalsMembers, 'readings', 'values']);

const OF_READING: ReadonlySet<string> = new Set([
  ...['code', 'name', 'value', 'unit', 'status', 'interpretation', 'referenceRange', 'time', 'timestamp'],
]);

/** An object, or an array of them. */
export function fromVitals(payload: Json, context: NormalizeContext): Normalized {
  if (payload instanceof Map) return fromObject(payload, context);
  if (!Array.isArray(payload)) return rejected('not-understood', 'Not the vitals shape: not an object.');
  return fromBatch(payload, context);
}

function fromBatch(items: Json[], context: NormalizeContext): Normalized {
  if (items.length === 0) return rejected('nothing-in-it', 'The batch is empty.');
  if (items.length > deviceLimits.batchMax) return rejected('too-large', 'The batch has over 1000 objects.');
  const events: ClinicalEvent[] = [];
  const refused: Refused[] = [];
  const delivered: number[] = [];
  items.forEach((item, i) => {
    if (context.delivered?.includes(i + 1) === true) return;
    const one =
      item instanceof Map
        ? fromObject(item, context)
        : rejected('not-understood', 'Not the vitals shape: not an object.');
    events.push(...one.events);
    if (one.reject) refused.push({ place: `Object ${i + 1}`, ...one.reject });
    // One of which a part was refused comes again as a whole: better twice than never.
    else if (one.events.length > 0) delivered.push(i + 1);
  });
  const together = joined(refused);
  return together ? { events, reject: together, delivered } : { events };
}

function fromObject(object: JsonObject, context: NormalizeContext): Normalized {
  const scope = new Scope(context);
  const device = deviceOf(object, scope);
  const alarms = alarmItems(object);
  const time = scope.timeOf(object, 'time');
  const shared = sharedOf(object, device, time, scope);
  const strange = `larms that are neither a text nor an object that says something: ${alarms.strange}`;
  if (alarms.strange > 0) scope.remark(`a${strange}`);
  const ofReadings = scope.part();
  const readings = readingsOf(object, ofReadings);
  if (readings.length > deviceLimits.readingsMax) return rejected('too-large', 'Over 20000 readings.');
  const found = alarms.said.flatMap((item): { alarm: Alarm; part: Scope }[] => {
    const part = scope.part();
    const alarm = alarmOf(item, time, part);
    return alarm === undefined ? [] : [{ alarm, part }];
  });
  const unknown = alarms.said.length - found.length;
  const silent = readings.length === 0 && alarms.said.length === 0;
  if (!device) {
    if (saysDevice(object))
      return rejected(
        'not-understood',
        'Not the vitals shape: `device` is no identifier, which is a text or a number.',
      );
    const missing = silent ? `\`device\`, and ${something}` : '`device`';
    return rejected('not-understood', `Not the vitals shape: missing ${missing}.`);
  }
  if (silent) return nothing(object, alarms);
  const events: ClinicalEvent[] = [];
  if (readings.length > 0) {
    const statuses = new Set(readings.map((reading) => reading.status));
    const status = statuses.size === 1 ? (readings[0]?.status ?? 'unknown') : 'unknown';
    events.push(eventOf('device-observation', status, shared, ofReadings, RULE, { observations: readings }));
  } else if (found[0] !== undefined) {
    // What was wrong with the readings is told, also where none of them was good.
    for (const text of ofReadings.own) found[0].part.remark(text);
  }
  for (const { alarm, part } of found)
    events.push(eventOf('device-alarm', 'unknown', shared, part, RULE, { alarm }));
  const reasons: string[] = [];
  if (alarms.strange > 0) reasons.push(`A${strange}.`);
  if (unknown > 0) reasons.push(`Alarms without any member that the shape knows: ${unknown}.`);
  // It may be the one that matters: a person has to look.
  return reasons.length === 0 ? { events } : { ...rejected('not-understood', reasons.join(' ')), events };
}

/** Why there is no event of a device that is known. */
function nothing(object: JsonObject, { strange }: AlarmItems): Normalized {
  if (strange > 0)
    return rejected('not-understood', 'An alarm that is neither a text nor an object that says something.');
  if (object.has('readings') || object.has('values') || [...object.keys()].some(vitalOf))
    return rejected('nothing-in-it', 'The vitals shape without a reading that has a value.');
  return rejected('not-understood', `Not the vitals shape: missing ${something}.`);
}

const something = '`readings`, a vital by its name, or `alarm`';

function sharedOf(
  object: JsonObject,
  device: Device | undefined,
  time: ClinicalTime | undefined,
  scope: Scope,
): Shared {
  const parts = ClinicalEvent.fromPartial({ device: {}, patient: {}, encounter: {}, times: {} });
  const shared: Shared = { device, patient: undefined, encounter: undefined, times: parts.times };
  if (shared.times) {
    shared.times.observed = time;
    shared.times.capturedAtUs = scope.context.capturedAtUs;
  }
  const named = (member: string): Identifier[] =>
    [member, `${member}Id`].flatMap((name) => identifiersOf(object.get(name), member, scope));
  const patient = named('patient');
  if (patient.length > 0 && parts.patient) shared.patient = { ...parts.patient, identifiers: patient };
  const encounter = named('encounter');
  if (encounter.length > 0 && parts.encounter)
    shared.encounter = { ...parts.encounter, identifiers: encounter };
  return shared;
}

// ── readings ───────────────────────────────────────────────────────────────────────────────────────

function readingsOf(object: JsonObject, scope: Scope): Observation[] {
  const found: Observation[] = [];
  let readings = 0;
  const push = (name: string, value: Json): void => {
    const where = `reading ${++readings}`;
    const one = readingOf(name, value, where, scope);
    if (one) found.push(one);
    else scope.remark(`${where}: without a code or a value`);
  };
  for (const member of ['readings', 'values']) {
    const list = object.get(member);
    if (Array.isArray(list)) for (const item of list) push('', item);
    else if (list instanceof Map) for (const [name, value] of list) push(name, value);
  }
  let unread = 0;
  for (const [name, value] of object) {
    if (KNOWN.has(name)) continue;
    // Text under an unknown name may be anything (a firmware, a person): only what measures is a reading.
    const measures = vitalOf(name) ? value !== null : isMeasured(value);
    if (measures) push(name, value);
    else unread++;
  }
  if (unread > 0) scope.remark(`members that are no readings: ${unread}`);
  return found;
}

function isMeasured(value: Json): boolean {
  if (value instanceof Map) return isMeasured(value.get('value') ?? null);
  return value instanceof JsonNumber || (typeof value === 'string' && NUMERIC.test(value));
}

function readingOf(name: string, item: Json, where: string, scope: Scope): Observation | undefined {
  const fields: JsonObject = item instanceof Map ? item : new Map([['value', item]]);
  const value = scalar(fields.get('value'));
  const said = fields.get('code') ?? fields.get('name') ?? (name === '' ? undefined : name);
  if (value === undefined || value === '' || said === undefined) return undefined;
  const { code, unit } = codeOf(said, unitOf(fields.get('unit'), value, where, scope), scope, where, value);
  if (!code) return undefined;
  scope.unknown(fields, OF_READING, where);
  const flags = wordsOf(fields.get('interpretation'), `${where}: interpretation`, scope);
  return Observation.fromPartial({
    code,
    value,
    unit,
    unitCode: unitCodeOf(unit),
    status: wordIn(vocabulary.status, fields.get('status'), 'status', scope) || 'unknown',
    interpretation: flags[0] ?? '',
    interpretations: flags,
    valueType: NUMERIC.test(value) ? 'NM' : 'ST',
    referenceRange: rangeOf(fields.get('referenceRange'), where, scope),
    effective: scope.timeOf(fields, 'reading time'),
  });
}

/** A text, {text}, or the bounds {low, high}, of which one may be missing. */
function rangeOf(sent: Json | undefined, where: string, scope: Scope): string {
  if (sent === undefined || sent === null) return '';
  const fields: JsonObject = sent instanceof Map ? sent : new Map([['text', sent]]);
  const [text, low, high] = ['text', 'low', 'high'].map((name) => idText(fields.get(name)));
  if (text !== undefined) return text;
  if (low !== undefined && high !== undefined) return `${low}-${high}`;
  if (isNone(fields.get('low')) && high !== undefined) return `<=${high}`;
  if (isNone(fields.get('high')) && low !== undefined) return `>=${low}`;
  if (sent !== '') scope.remark(`${where}: the reference range is no text`);
  return '';
}

function isNone(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '';
}

/** A number, or the bound of one, and nothing else: `98.6 F` has a unit inside. */
const BARE = /^\s*(?:(?:[<>]=?|[≤≥])\s*)?[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*$/;

/**
 * Empty: none was sent, so it is the shape's own. Undefined: nobody knows which, as where it is no text or stands inside
 * the value; the shape's own would be another one.
 */
function unitOf(sent: Json | undefined, value: string, where: string, scope: Scope): string | undefined {
  if (sent === undefined || sent === null || sent === '') return BARE.test(value) ? '' : undefined;
  if (typeof sent === 'string') return sent;
  scope.remark(`${where}: the unit is no text`);
  return undefined;
}
