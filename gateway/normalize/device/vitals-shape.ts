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
 *   patient    identifier, {id, system, type}, or {identifiers: [{value, system, type}]}; absent: not known
 *   encounter  visit number, or {id, system}
 *   location   {unit, room, bed, facility}, or text: where the device says it stands, never identity
 *   time       FHIR dateTime; without an offset the source's zone is assumed and marked; also epoch seconds or
 *              milliseconds. Of the readings; a reading may have its own
 *   readings   [{code, value, unit, status, interpretation, referenceRange, time}], code as text or
 *              {code, system, display}; or an object name → value, also called `values`
 *   <name>     flat form: a number, or {value, unit, …}, under any name that has no other meaning here
 *   alarm      {id, code, priority: high|medium|low, phase: start|continue|escalate|deescalate|end|…,
 *              state: active|inactive|latched, type: physiological|technical, text, time}; also a list, `alarms`
 *   battery    as the device says it
 *
 * Names of vitals.ts get their MDC and LOINC codings and, where no unit was sent, the unit that the shape has for
 * them; other names stay as local codes of the source. Numbers keep their text: 7.40 stays 7.40.
 *
 * One device-observation event for all readings of an object, one device-alarm event for each alarm. What is not
 * JSON is `unreadable`; JSON of another shape is `not-understood`, with what is missing, never with what is there.
 */

import type { ClinicalTime, Code, Identifier, Location } from '../../../proto/gen/hilum/v1/event.ts';
import { Alarm, ClinicalEvent, Device, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import type { NormalizeContext, Normalized } from '../outcome.ts';
import type { Json, JsonObject } from './json.ts';
import { JsonNumber } from './json.ts';
import {
  alarmTimes,
  eventOf,
  INACTIVATIONS,
  identifier,
  listed,
  localCode,
  NUMERIC,
  PHASES,
  PRIORITIES,
  reject,
  Scope,
  type Shared,
  STATES,
  STATUSES,
  scalar,
  TYPES,
  unitCodeOf,
} from './scope.ts';
import { ucumOf, vitalOf } from './vitals.ts';

const MDC = 'urn:iso:std:iso:11073:10101';
const LOINC = 'http://loinc.org';
const RULE = 'device/vitals';

export const deviceLimits = { bytesMax: 4 * 1024 * 1024, batchMax: 1_000, readingsMax: 20_000 };

/** Members with a meaning of their own: never readings of the flat form. */
const KNOWN = new Set([
  'device',
  'deviceId',
  'patient',
  'encounter',
  'location',
  'time',
  'readings',
  'values',
  'alarm',
  'alarms',
  'battery',
]);

/** An object, or an array of them. */
export function fromVitals(payload: Json, context: NormalizeContext): Normalized {
  if (payload instanceof Map) return fromObject(payload, context);
  if (!Array.isArray(payload)) return reject('not-understood', 'Not the vitals shape: not an object.');
  return fromBatch(payload, context);
}

function fromBatch(items: Json[], context: NormalizeContext): Normalized {
  if (items.length === 0) return reject('nothing-in-it', 'The batch is empty.');
  if (items.length > deviceLimits.batchMax) return reject('too-large', 'The batch has over 1000 objects.');
  const events: ClinicalEvent[] = [];
  const delivered: number[] = [];
  let first: Normalized['reject'];
  items.forEach((item, i) => {
    if (context.delivered?.includes(i + 1) === true) return;
    const one =
      item instanceof Map
        ? fromObject(item, context)
        : reject('not-understood', 'Not the vitals shape: not an object.');
    events.push(...one.events);
    if (one.events.length > 0) delivered.push(i + 1);
    if (one.reject) first ??= { code: one.reject.code, reason: `Object ${i + 1}: ${one.reject.reason}` };
  });
  return first ? { events, reject: first, delivered } : { events };
}

function fromObject(object: JsonObject, context: NormalizeContext): Normalized {
  const scope = new Scope(context);
  const device = deviceOf(object, scope);
  const alarms = listed(object.get('alarm')).concat(listed(object.get('alarms')));
  const time = scope.time(object.get('time'), 'time');
  const readings = readingsOf(object, scope);
  if (!device || (readings.length === 0 && alarms.length === 0)) {
    const missing = [
      ...(device ? [] : ['`device`']),
      ...(readings.length === 0 && alarms.length === 0
        ? ['`readings`, a vital by its name, or `alarm`']
        : []),
    ];
    const both = device && (object.has('readings') || object.has('values'));
    if (both) return reject('nothing-in-it', 'The vitals shape without a reading that has a value.');
    return reject('not-understood', `Not the vitals shape: missing ${missing.join(', and ')}.`);
  }
  const shared = sharedOf(object, device, time, scope);
  const events: ClinicalEvent[] = [];
  if (readings.length > 0) {
    if (readings.length > deviceLimits.readingsMax) return reject('too-large', 'Over 20000 readings.');
    const statuses = new Set(readings.map((reading) => reading.status));
    const status = statuses.size === 1 ? (readings[0]?.status ?? 'unknown') : 'unknown';
    events.push(eventOf('device-observation', status, shared, scope, RULE, { observations: readings }));
  }
  for (const item of alarms) {
    const alarm = alarmOf(item, time, scope);
    if (alarm) events.push(eventOf('device-alarm', 'unknown', shared, scope, RULE, { alarm }));
    else scope.remarks.push('alarm: without code, text and id');
  }
  if (events.length === 0) return reject('nothing-in-it', 'An alarm without code, text and id.');
  return { events };
}

function sharedOf(object: JsonObject, device: Device, time: ClinicalTime | undefined, scope: Scope): Shared {
  const parts = ClinicalEvent.fromPartial({ device: {}, patient: {}, encounter: {}, times: {} });
  const shared: Shared = { device, patient: undefined, encounter: undefined, times: parts.times };
  if (shared.times) {
    shared.times.observed = time;
    shared.times.capturedAtUs = scope.context.capturedAtUs;
  }
  const patient = identifiersOf(object.get('patient'), scope);
  if (patient.length > 0 && parts.patient) shared.patient = { ...parts.patient, identifiers: patient };
  const encounter = identifiersOf(object.get('encounter'), scope);
  if (encounter.length > 0 && parts.encounter)
    shared.encounter = { ...parts.encounter, identifiers: encounter };
  return shared;
}

// ── device, patient, place ─────────────────────────────────────────────────────────────────────────

function deviceOf(object: JsonObject, scope: Scope): Device | undefined {
  const said = object.get('device') ?? object.get('deviceId');
  const identifiers = identifiersOf(said, scope);
  if (identifiers.length === 0) return undefined;
  const device = Device.fromPartial({
    identifiers,
    path: scope.context.topic,
    battery: scalar(object.get('battery')) ?? '',
  });
  if (said instanceof Map) {
    device.model = scalar(said.get('model')) ?? '';
    device.manufacturer = scalar(said.get('manufacturer')) ?? '';
    const type = scalar(said.get('type'));
    if (type) device.type = localCode(type, scope);
    device.battery ||= scalar(said.get('battery')) ?? '';
  }
  device.location = locationOf(object.get('location'));
  return device;
}

function identifiersOf(value: Json | undefined, scope: Scope): Identifier[] {
  if (Array.isArray(value)) return value.flatMap((one) => identifiersOf(one, scope)).slice(0, 32);
  if (!(value instanceof Map)) {
    const text = value === undefined ? undefined : scalar(value);
    return text ? [identifier(text, '', '', scope)] : [];
  }
  const many = value.get('identifiers') ?? value.get('identifier');
  if (many !== undefined) return identifiersOf(many, scope);
  const id = scalar(value.get('id') ?? value.get('value'));
  if (!id) return [];
  const system = scalar(value.get('system')) ?? '';
  return [identifier(id, system, scalar(value.get('type')) ?? '', scope)];
}

function locationOf(value: Json | undefined): Location | undefined {
  const blank = Device.fromPartial({ location: {} }).location as Location;
  if (!(value instanceof Map)) {
    const text = scalar(value);
    return text ? { ...blank, description: text } : undefined;
  }
  const part = (...names: string[]): string =>
    scalar(names.map((n) => value.get(n)).find((v) => v !== undefined)) ?? '';
  return {
    ...blank,
    pointOfCare: part('unit', 'pointOfCare', 'ward'),
    room: part('room'),
    bed: part('bed'),
    facility: part('facility'),
    building: part('building'),
    floor: part('floor'),
    description: part('description', 'text'),
  };
}

// ── readings ───────────────────────────────────────────────────────────────────────────────────────

function readingsOf(object: JsonObject, scope: Scope): Observation[] {
  const found: Observation[] = [];
  const push = (name: string, value: Json): void => {
    const one = readingOf(name, value, scope);
    if (one) found.push(one);
    else scope.remarks.push(`reading ${found.length + 1}: without a code or a value`);
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
  if (unread > 0) scope.remarks.push(`members that are no readings: ${unread}`);
  return found;
}

function isMeasured(value: Json): boolean {
  if (value instanceof Map) return isMeasured(value.get('value') ?? null);
  return value instanceof JsonNumber || (typeof value === 'string' && NUMERIC.test(value));
}

function readingOf(name: string, item: Json, scope: Scope): Observation | undefined {
  const fields: JsonObject = item instanceof Map ? item : new Map([['value', item]]);
  const value = scalar(fields.get('value'));
  const said = fields.get('code') ?? fields.get('name') ?? (name === '' ? undefined : name);
  if (value === undefined || value === '' || said === undefined) return undefined;
  const sentUnit = scalar(fields.get('unit')) ?? '';
  const { code, unit } = codeOf(said, sentUnit, scope);
  if (!code) return undefined;
  const status = (scalar(fields.get('status')) ?? '').toLowerCase();
  if (status !== '' && !STATUSES.has(status)) scope.remarks.push('status: not a known word');
  const flags = listed(fields.get('interpretation')).flatMap((flag) => scalar(flag) || []);
  return Observation.fromPartial({
    code,
    value,
    unit,
    unitCode: unitCodeOf(unit),
    status: STATUSES.has(status) ? status : 'unknown',
    interpretation: flags[0] ?? '',
    interpretations: flags,
    valueType: NUMERIC.test(value) ? 'NM' : 'ST',
    referenceRange: scalar(fields.get('referenceRange')) ?? '',
    effective: scope.time(fields.get('time'), 'reading time'),
  });
}

function codeOf(said: Json, sentUnit: string, scope: Scope): { code: Code | undefined; unit: string } {
  const fields: JsonObject = said instanceof Map ? said : new Map([['code', said]]);
  const sent = scalar(fields.get('code')) ?? '';
  if (sent === '') return { code: undefined, unit: sentUnit };
  const system = scalar(fields.get('system')) ?? '';
  const code = localCode(sent, scope, system, scalar(fields.get('display')) ?? '');
  // A code of a named system says itself what it is; only ours and the two of the table are looked up there.
  const known = system === '' || system === MDC || system === LOINC ? vitalOf(sent) : undefined;
  if (!known) return { code: scope.map(code), unit: sentUnit };
  const unit = sentUnit || known.unit;
  const ucum = ucumOf(unit) ?? unit;
  add(code, MDC, known.mdc, known.mdcName);
  const loinc =
    ucum === known.unit ? known.loinc : (known.loincFor?.[ucum] ?? (known.loincFor ? '' : known.loinc));
  if (loinc !== '') add(code, LOINC, loinc, known.display);
  return { code: scope.map(code), unit };
}

function add(code: Code, system: string, value: string, display: string): void {
  if (code.codings.some((one) => one.system === system && one.code === value)) return;
  code.codings.push({ system, code: value, display, version: '', name: '', mapped: true });
}

// ── alarms ─────────────────────────────────────────────────────────────────────────────────────────

function alarmOf(item: Json, time: ClinicalTime | undefined, scope: Scope): Alarm | undefined {
  const fields: JsonObject = item instanceof Map ? item : new Map([['text', item]]);
  const id = scalar(fields.get('id')) ?? '';
  const text = scalar(fields.get('text')) ?? '';
  const { code } = codeOf(fields.get('code') ?? '', '', scope);
  if (id === '' && text === '' && !code) return undefined;
  const word = (member: string, words: ReadonlySet<string>): string => {
    const sent = (scalar(fields.get(member)) ?? '').toLowerCase();
    if (sent === '' || words.has(sent)) return sent;
    scope.remarks.push(`alarm ${member}: not a known word`);
    return '';
  };
  const phase = word('phase', PHASES);
  return Alarm.fromPartial({
    identifier: id === '' ? undefined : identifier(id, scalar(fields.get('system')) ?? '', '', scope),
    code,
    priority: word('priority', PRIORITIES),
    phase,
    state: word('state', STATES),
    inactivation: word('inactivation', INACTIVATIONS),
    type: word('type', TYPES),
    text,
    ...alarmTimes(phase, scope.time(fields.get('time'), 'alarm time') ?? time),
    sourceLocation: scalar(fields.get('location')) ?? '',
  });
}
