/** Device, and its alarm and its silence as Observations: R4 has no resource for an alert. */
import { mdcSystem } from '../code-systems.ts';
import type { Alarm, ClinicalEvent, ClinicalTime, Observation } from '../gen/hilum/v1/event.ts';
import type { RowDevice } from '../row-device.ts';
import {
  coded,
  concept,
  dateTime,
  identifier,
  identifiers,
  notes,
  notStated,
  textOf,
  timed,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, present, visible } from './json.ts';
import { location } from './location.ts';
import { associationExtension } from './own-extensions.ts';
import { practitioner } from './practitioner.ts';
import { observationStatus } from './tables.ts';

/** MDC_EVT_ALARM. */
const anyAlarm = '196616';

export function addDevice(draft: Draft): void {
  const { device, deviceAssociation } = draft.event;
  if (device === undefined) return;
  const { model, path, battery } = device;
  draft.device = draft.add('device', {
    resourceType: 'Device',
    extension: present([associationExtension(draft, deviceAssociation)]),
    identifier: identifiers(device.identifiers),
    manufacturer: device.manufacturer,
    deviceName: visible(model) ? [{ name: model, type: 'model-name' }] : undefined,
    type: concept(device.type),
    patient: draft.patient,
    location: location(draft, device.location),
    note: [
      ...(path === '' ? [] : [{ text: `path: ${path}` }]),
      ...(battery === '' ? [] : [{ text: `battery: ${battery}` }]),
    ],
  });
}

/** Another one of the event's: a second MDS, or one that a row names. What the event says of its device it says of none. */
export function furtherDevice(draft: Draft, { part, identifiers: numbers }: RowDevice): Element | undefined {
  const { device, deviceAssociation } = draft.event;
  return draft.once({
    resourceType: 'Device',
    extension: device === undefined ? present([associationExtension(draft, deviceAssociation)]) : undefined,
    identifier: identifiers(numbers),
    type: concept(part?.type),
    patient: draft.patient,
    note: part === undefined ? undefined : [{ text: `path: ${part.path}` }],
  });
}

export function addAlarm(draft: Draft): void {
  const { alarm, kind, times, observations } = draft.event;
  if (alarm !== undefined) {
    const ofRows = observations.filter((row) => isOfAlarm(alarm, row)).flatMap((row) => row.notes);
    draft.add('alarm', {
      resourceType: 'Observation',
      identifier: [identifier(alarm.identifier)],
      status: observationStatus[draft.event.status] ?? 'unknown',
      code: concept(alarm.code) ?? notStated,
      subject: draft.patient,
      encounter: draft.encounter,
      ...effective(alarm, times?.observed),
      note: [...notes(ofRows), ...notifications(draft, alarm)],
      valueString: alarm.text,
      device: draft.device,
      hasMember: draft.results,
      component: attributes(alarm),
    });
  } else if (kind === 'device-silence') {
    draft.add('silence', {
      resourceType: 'Observation',
      status: 'final',
      code: coded('urn:hilum:kind', 'device-silence', 'Device silence'),
      subject: draft.patient,
      effectiveDateTime: dateTime(times?.observed),
      device: draft.device,
    });
  }
}

/**
 * What a later phase says is true from when the alarm was raised up to that phase; what goes on behind it the phase's
 * own component says. A status of the notification says nothing of the alarm's own time after it was raised.
 */
function effective(alarm: Alarm, observed: ClinicalTime | undefined): Record<string, Json> {
  const { raised, updated, notification } = alarm;
  if (notification !== undefined) return timed('effective', raised ?? observed, undefined);
  const later = raised !== undefined && updated !== undefined && raised.value !== updated.value;
  return later
    ? timed('effective', raised, updated)
    : timed('effective', updated ?? raised ?? observed, undefined);
}

/** What became of its notification: whoever accepted it made no part of the observation. */
function notifications(draft: Draft, { notification }: Alarm): Element[] {
  return (notification?.participants ?? []).flatMap(({ person, role, reason, telecoms, period: when }) => {
    const said = [textOf(reason), role, ...telecoms.map(({ value }) => value)].filter(visible).join(', ');
    const by = practitioner(draft, person);
    const time = dateTime(when?.start ?? when?.end);
    // Who it was is something, also where nothing says what they did.
    const text = said === '' && by !== undefined ? 'notified' : said;
    return text === '' ? [] : [{ authorReference: by, time, text }];
  });
}

/**
 * A device's report is no order, and names those that it is of: OBR-29, OBR-2, OBR-3. In the message of an alarm they
 * are the alarm's own numbers.
 */
export function ordersOfDevice({ order, device, provenance }: ClinicalEvent): Element[] {
  if (order === undefined || ofAlarm.test(provenance?.messageType ?? '')) return [];
  const infuses = (device?.components ?? []).some(({ type }) =>
    type?.codings.some(({ code, display }) => pump.test(code) || pump.test(display)),
  );
  const type = infuses ? 'MedicationRequest' : 'ServiceRequest';
  const numbers = identifiers(
    [...order.parents, order.placer, order.filler].filter((one) => one?.value !== '0'),
  );
  const once = new Map(numbers.map((one) => [`${String(one.system)}|${String(one.value)}`, one]));
  return [...once.values()].map((number) => ({ type, identifier: number }));
}

const ofAlarm = /\^R4[01]\b/;
const pump = /^MDC_DEV_PUMP_/;

/** Rows that say what the alarm says: its attributes, and its own code and text. */
export function isOfAlarm(alarm: Alarm, row: Observation): boolean {
  const coding = row.code?.codings.find(({ system }) => system === mdcSystem);
  const attribute = attributesOf(alarm).find(([code]) => code === coding?.code);
  // A word that nobody understood is not in the alarm; of a status the words are those of an earlier phase.
  if (attribute !== undefined)
    return attribute[2] !== '' || row.value === '' || alarm.notification !== undefined;
  if (row.value !== alarm.text) return false;
  // The general term leaves it to its value to say what alarmed.
  const says = coding?.code === anyAlarm ? (row.valueCode ?? row.code) : row.code;
  return JSON.stringify(says) === JSON.stringify(alarm.code);
}

/** The attributes of an alarm under their MDC codes [IHE DEV TF-2 3.4]. */
function attributes(alarm: Alarm): Element[] {
  return attributesOf(alarm).flatMap(([code, name, valueString]) =>
    valueString === '' ? [] : [{ code: coded(mdcSystem, code, name), valueString }],
  );
}

function attributesOf(alarm: Alarm): readonly (readonly [code: string, name: string, value: string])[] {
  return [
    ['68480', 'MDC_ATTR_ALERT_SOURCE', alarm.sourceLocation],
    ['68481', 'MDC_ATTR_EVENT_PHASE', alarm.phase],
    ['68482', 'MDC_ATTR_ALARM_STATE', alarm.state],
    ['68483', 'MDC_ATTR_ALARM_INACTIVATION_STATE', alarm.inactivation],
    ['68484', 'MDC_ATTR_ALARM_PRIORITY', alarm.priority],
    ['68485', 'MDC_ATTR_ALERT_TYPE', alarm.type],
  ];
}
