/** Observation: one for each result, with what it was measured on, by and with. */
import type {
  Attachment,
  ClinicalEvent,
  Code,
  DeviceComponent,
  Observation,
  Order,
} from '../gen/hilum/v1/event.ts';
import { attachmentOf, attachmentTitle, hashIdentifier } from './attachment.ts';
import {
  coded,
  concept,
  hl7System,
  identifier,
  identifiers,
  instant,
  logical,
  notes,
  notStated,
  periodOf,
  textOf,
  timed,
} from './datatypes.ts';
import { furtherDevice, isOfAlarm, ordersOfDevice } from './device.ts';
import type { Draft } from './draft.ts';
import { interpretationsOf } from './interpretation.ts';
import { type Element, type Json, present } from './json.ts';
import { criticalInterpretation, subIdExtensions, supersededExtension } from './own-extensions.ts';
import { actor, organization } from './practitioner.ts';
import { enclosing, observationCategory, observationStatus } from './tables.ts';
import { firstValue, referenceRange, textValue } from './value.ts';

export function addObservations(draft: Draft): void {
  const { event } = draft;
  event.observations.forEach((from, at) => {
    // A goal or a request is none, whatever its form [Observation.status: of what was observed].
    if (from.mood !== undefined || toldElsewhere(event, from)) return;
    draft.results.push(addObservation(draft, `observations/${at}`, from));
  });
}

const text = new Set(['TX', 'FT', 'ST', '']);

/** A document's text and files are its content; a device's containment rows are the Device, an alarm's the alarm. */
function toldElsewhere({ kind, alarm, device }: ClinicalEvent, from: Observation): boolean {
  if (alarm !== undefined && isOfAlarm(alarm, from)) return true;
  if (kind === 'document') return from.attachment !== undefined || text.has(from.valueType);
  return isEmpty(from) && (device?.components ?? []).some((part) => isPart(part, from));
}

function isEmpty(from: Observation): boolean {
  if (from.value !== '' || from.valueCode !== undefined) return false;
  return from.attachment === undefined && from.samples === undefined;
}

/** The row that names a part of the device: a place in the containment may have ended in zeros. */
function isPart({ path, type }: DeviceComponent, { subId, code }: Observation): boolean {
  const place = subId.replace(/(?<!\.0)(?:\.0)+$/, '');
  return place === path && JSON.stringify(code) === JSON.stringify(type);
}

function addObservation(draft: Draft, path: string, from: Observation): Element {
  const { event } = draft;
  const files = from.attachment === undefined ? [] : [from.attachment, ...from.furtherAttachments];
  const derivedFrom = files.map((file, at) =>
    addFile(draft, `${path}/attachment${at === 0 ? '' : `/${at}`}`, from, file),
  );
  return draft.add(path, {
    resourceType: 'Observation',
    extension: [...(supersededExtension(from.superseded) ?? []), ...subIdExtensions(from.subId)],
    identifier: [identifier(from.identifier)],
    basedOn: basedOn(draft, from),
    partOf: draft.immunization === undefined ? undefined : [draft.immunization],
    status: statusOf(from),
    category: categoryOf(event.order?.diagnosticSection ?? ''),
    code: concept(from.code) ?? notStated,
    ...draft.about(orderOf(event, from), from.ofEncounter),
    ...effective(event, from),
    issued: from.ofOrder.startsWith('further') ? undefined : instant(event.times?.issued),
    performer: performers(draft, from),
    // Where the values themselves say why there is none, that counts.
    dataAbsentReason: hasValue(from) ? undefined : concept(from.valueAbsentReason),
    ...values(from),
    interpretation: present([...interpretationsOf(from), criticalInterpretation(from.critical)]),
    note: notes(from.notes),
    bodySite: concept(from.bodySites[0]),
    method: concept(from.methods[0]),
    specimen: specimenOf(draft, from),
    device: deviceOf(draft, from),
    referenceRange: referenceRange(from),
    derivedFrom,
  });
}

function effective(event: ClinicalEvent, from: Observation): Record<string, Json> {
  const { kind, times } = event;
  if (from.effective !== undefined) return timed('effective', from.effective, undefined);
  if (from.ofOrder !== '') return periodOf('effective', orderAt(event, from.ofOrder)?.performed);
  return enclosing.has(kind) ? {} : timed('effective', times?.observed, times?.observedEnd);
}

function orderAt({ order, furtherOrders }: ClinicalEvent, place: string): Order | undefined {
  return place === 'order' ? order : furtherOrders[Number(/\d+/.exec(place)?.[0])];
}

function orderOf(event: ClinicalEvent, { ofOrder }: Observation): Order | undefined {
  return ofOrder === '' ? event.order : orderAt(event, ofOrder);
}

function basedOn({ event, requests, orders }: Draft, from: Observation): Element[] {
  if (event.kind === 'device-observation') return ordersOfDevice(event);
  if (from.ofOrder === '') return enclosing.has(event.kind) ? [] : requests.slice(0, 1);
  const under = orders.get(from.ofOrder);
  return under === undefined ? [] : [under.request];
}

/** FHIR tells a correction from an amendment: OBX-11 A and B [HL7 table 0085]. */
function statusOf({ status, resultStatus }: Observation): string {
  if (status === 'corrected' && /^[AB]$/i.test(resultStatus)) return 'amended';
  return observationStatus[status] ?? 'unknown';
}

/** A reason stands only where there is none [obs-6]. */
function hasValue({ value, valueCode }: Observation): boolean {
  return value !== '' || valueCode !== undefined;
}

/** Repetitions are values of one observation: lines of a text, else components beside each other [obs-7]. */
function values(from: Observation): Record<string, Json> {
  const { furtherValues, furtherValueCodes, valueType } = from;
  if (from.attachment !== undefined) return {};
  if (furtherValues.length === 0 && furtherValueCodes.length === 0) {
    return isEmpty(from) ? {} : firstValue(from);
  }
  if (text.has(valueType)) return { valueString: [from.value, ...furtherValues].join('\n') };
  const further =
    furtherValueCodes.length > 0
      ? furtherValueCodes.map((one: Code) => ({ valueCodeableConcept: concept(one) }))
      : furtherValues.map((one) => textValue(from, one));
  const code = concept(from.code) ?? notStated;
  return { component: [firstValue(from), ...further].map((value) => ({ code, ...value })) };
}

function categoryOf(section: string): Element[] | undefined {
  const known = observationCategory[section.toUpperCase()];
  return known === undefined ? undefined : [coded(hl7System('observation-category'), known)];
}

function performers(draft: Draft, from: Observation): Element[] {
  const people = present(from.performers.map((one) => actor(draft, one)));
  const lab = organization(
    draft,
    from.performingOrganization,
    from.performingOrganizationIdentifiers,
    from.performingOrganizationAddress && [from.performingOrganizationAddress],
  );
  return lab === undefined ? people : [...people, lab];
}

/** The one that the row is of, or the only one; of a number that no specimen here has nothing more is known. */
function specimenOf(draft: Draft, from: Observation): Element | undefined {
  const { ofSpecimen, specimenIdentifier } = from;
  const { specimens } = draft.orders.get(from.ofOrder) ?? draft;
  if (ofSpecimen > 0) return specimens[ofSpecimen - 1];
  return logical('Specimen', specimenIdentifier) ?? (specimens.length === 1 ? specimens[0] : undefined);
}

/**
 * The row's own device, else that of the event, where that or the row's place says that it measured: a pump that a drug is for did not weigh
 * the patient. Of a lab's analyzer (OBX-18) only the number is known.
 */
function deviceOf(draft: Draft, from: Observation): Element | undefined {
  const measured = draft.event.kind.startsWith('device-') || from.devicePath !== '';
  if (measured) {
    const own = draft.deviceOfRow(from);
    if (own !== undefined) return furtherDevice(draft, own);
    if (draft.device !== undefined) return draft.device;
  }
  const [number] = identifiers(from.equipment);
  return number && { type: 'Device', identifier: number };
}

/** Observation has no value for a file; what it was read from is a DocumentReference [Observation.derivedFrom]. */
function addFile(draft: Draft, path: string, from: Observation, file: Attachment): Element {
  return draft.add(path, {
    resourceType: 'DocumentReference',
    identifier: hashIdentifier(file),
    status: from.status === 'entered-in-error' ? 'entered-in-error' : 'current',
    type: concept(from.code),
    subject: draft.about(orderOf(draft.event, from)).subject,
    content: [{ attachment: attachmentOf(file, attachmentTitle(file, textOf(from.code))) }],
  });
}
