/** Encounter: the visit, its places and its people. */
import type { Code, Encounter } from '../gen/hilum/v1/event.ts';
import { codeInTable } from '../hl7-table.ts';
import {
  code,
  concept,
  concepts,
  hl7System,
  identifier,
  identifiers,
  logical,
  period,
  uri,
  word,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, present } from './json.ts';
import { location } from './location.ts';
import { directiveExtensions } from './own-extensions.ts';
import { practitioner, roleOf } from './practitioner.ts';
import { encounterClass, encounterStatus, patientClasses, table } from './tables.ts';

export function addEncounters(draft: Draft): void {
  const { encounter, furtherEncounters, movement } = draft.event;
  if (movement?.action === 'bed-status' && draft.patient === undefined) {
    // A bed and nobody in it: there is no visit.
    location(draft, encounter?.location, bedStatus(encounter));
    return;
  }
  if (encounter !== undefined) draft.encounter = addEncounter(draft, 'encounter', encounter);
  furtherEncounters.forEach((one, at) => {
    addEncounter(draft, `furtherEncounters/${at}`, one);
  });
  const theirs = draft.event.merge?.otherEncounter;
  if (theirs === undefined) return;
  const whose =
    draft.event.merge?.other === undefined ? undefined : draft.reference('Patient', 'merge/other');
  addEncounter(draft, 'merge/otherEncounter', theirs, whose);
}

function addEncounter(draft: Draft, path: string, from: Encounter, whose = draft.patient): Element {
  const status = statusOf(draft, from);
  const { period: stay, expectedAdmit, expectedDischarge } = from;
  return draft.add(path, {
    resourceType: 'Encounter',
    extension: directiveExtensions(from.advanceDirectives),
    // PV1-19 and PV1-50 number visits, where their type does not say so.
    identifier: identifiers(from.identifiers.map((one) => ({ ...one, type: one.type || 'VN' }))),
    status,
    class: classOf(from.class, draft.event.provenance?.source ?? ''),
    type: concepts([from.type, from.patientType]),
    serviceType: concept(from.hospitalService),
    priority: concept(from.priority),
    subject: whose,
    episodeOfCare: [logical('EpisodeOfCare', from.episode)],
    // DE: not any more.
    participant: from.participants
      .filter(({ action }) => action !== 'DE')
      .map(({ role, person, period: during }) => ({
        type: [roleOf(role)],
        period: period(during?.start, during?.end),
        individual: practitioner(draft, person),
      })),
    // What is expected is the visit's time only while it is planned.
    period:
      period(stay?.start, stay?.end) ??
      (status === 'planned' ? period(expectedAdmit, expectedDischarge) : undefined),
    reasonCode: reasons(from),
    hospitalization: hospitalization(draft, from),
    location: locations(draft, from, status),
    serviceProvider: provider(from),
  });
}

/** What the trigger said; else what is certain from the visit itself. */
function statusOf(draft: Draft, from: Encounter): string {
  const { action } = draft.event.movement ?? {};
  if (action === 'leave') return 'onleave';
  if (action === 'delete-visit') return 'entered-in-error';
  if (encounterStatus.has(from.status)) return from.status;
  if ((from.period?.end?.value ?? '') !== '') return 'finished';
  return from.class.toUpperCase() === 'P' ? 'planned' : 'unknown';
}

/** Table 0004 is a suggestion, and most sites have words of their own, whose meaning nobody here knows. */
function classOf(sent: string, source: string): Element {
  const said = sent.toUpperCase();
  const known = encounterClass[said];
  if (known !== undefined) return { system: hl7System('v3-ActCode'), code: known };
  if (patientClasses.has(said)) return { system: hl7System('v2-0004'), code: said };
  const own = code(sent);
  if (own === undefined) return { system: hl7System('v3-NullFlavor'), code: 'UNK' };
  return { system: source === '' ? undefined : uri(`urn:hilum:${source}`), code: own };
}

function reasons(from: Encounter): Element[] {
  const described = word(from.visitDescription);
  return [...concepts([from.admitReason]), ...(described ? [described] : [])];
}

function hospitalization(draft: Draft, from: Encounter): Element {
  return {
    preAdmissionIdentifier:
      identifier(from.preadmit) ?? (from.preadmitNumber === '' ? undefined : { value: from.preadmitNumber }),
    admitSource: concept(from.admitSource),
    reAdmission: wordIn(from.reAdmissionCode, from.reAdmission, '0092'),
    dietPreference: concepts(from.diet),
    specialCourtesy: present([wordIn(from.vipCode, from.vip, '0099')]),
    specialArrangement: concepts([...from.ambulatoryStatus, ...from.precautions]),
    destination: location(draft, from.dischargedTo),
    dischargeDisposition: concept(from.dischargeDisposition),
  };
}

/** Of a visit that never was the places have no status; a transfer that was called off is not planned. */
function locations(draft: Draft, from: Encounter, status: string): Element[] {
  const never = status === 'cancelled' || status === 'entered-in-error';
  // ZBE-5: where the patient was then.
  const historic = draft.event.movement?.historic.toUpperCase() === 'Y';
  const now = never ? undefined : historic ? 'completed' : (placeStatus[status] ?? 'active');
  const off = draft.event.movement?.action === 'cancel-pending-transfer';
  const places = [
    [from.location, now],
    [from.temporaryLocation, now],
    [from.priorLocation, 'completed'],
    [from.priorTemporaryLocation, 'completed'],
    [off ? undefined : from.pendingLocation, never ? undefined : 'planned'],
  ] as const;
  return places.flatMap(([place, status]) => {
    const reference = location(draft, place, place === from.location ? bedStatus(from) : undefined);
    return reference === undefined ? [] : [{ location: reference, status }];
  });
}

const placeStatus = table({ finished: 'completed', planned: 'planned' });

/** PV1-40, NPU-2 [HL7 table 0116]. */
function bedStatus(from: Encounter | undefined): Element | undefined {
  const sent = codeInTable(from?.bedStatus, '0116');
  return /^[CHOUKI]$/.test(sent) ? { system: hl7System('v2-0116'), code: sent } : undefined;
}

function provider(from: Encounter): Element | undefined {
  const place = from.servicingFacility;
  if (place === undefined) return undefined;
  return { type: 'Organization', display: place.facility || place.pointOfCare || place.description };
}

/** By its code in a table of HL7's, with the text that stands beside it. */
function wordIn(from: Code | undefined, sent: string, table: string): Element | undefined {
  const known = codeInTable(from, table) || sent;
  const told = word(known, hl7System(`v2-${table}`));
  return told && { ...told, text: sent };
}
