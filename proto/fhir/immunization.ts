/** Immunization: a dose that was given, or was not and why. */
import { Identifier, type Immunization } from '../gen/hilum/v1/event.ts';
import {
  code,
  coded,
  concept,
  concepts,
  date,
  dateTime,
  hl7System,
  identifiers,
  notes,
  notStated,
  quantity,
  textOf,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, visible } from './json.ts';
import { location } from './location.ts';
import { furtherLots } from './lots.ts';
import { inRole, organization } from './practitioner.ts';
import { immunizationStatus } from './tables.ts';

export function addImmunization(draft: Draft): void {
  const { immunization: from, order, notes: about, status } = draft.event;
  if (from === undefined) return;
  const given = immunizationStatus[status];
  // FHIR has no code for a dose of which nobody knows whether it was given, and wants one.
  if (given === undefined) {
    draft.add('immunization', {
      resourceType: 'Basic',
      identifier: numbers(from, order),
      code: { text: `Immunization of unknown status: ${textOf(from.vaccine)}` },
      subject: draft.subject,
    });
    return;
  }
  draft.immunization = draft.add('immunization', {
    resourceType: 'Immunization',
    identifier: numbers(from, order),
    status: given,
    statusReason: concept(from.refusalReasons[0]),
    vaccineCode: concept(from.vaccine) ?? notStated,
    patient: draft.subject,
    encounter: draft.encounter,
    ...occurrence(from),
    recorded: dateTime(from.recorded),
    ...origin(from),
    location: location(draft, from.location, undefined, from.locationAddress),
    manufacturer: manufacturer(draft, from),
    lotNumber: from.lotNumber,
    expirationDate: date(from.expires),
    site: concept(from.site),
    route: concept(from.route),
    // 999 says that the amount is not known [CDC IG, RXA-6].
    doseQuantity:
      from.doseAmount === '999' ? undefined : quantity(from.doseAmount, from.doseUnit, from.doseUnitCode),
    performer: [
      ...performers('AP', inRole(draft, from.participants, 'administering')),
      ...performers('OP', inRole(draft, [...(order?.participants ?? []), ...from.participants], 'ordering')),
      ...performers('EP', inRole(draft, from.participants, 'entering')),
    ],
    note: [...notes(about), ...furtherLots(from)],
    reasonCode: concepts(from.indications),
    isSubpotent: status === 'partial' ? true : undefined,
  });
}

function numbers(from: Immunization, order: Draft['event']['order']): Element[] {
  const own = from.identifier;
  const others = [order?.filler, order?.placer].filter((one) => one?.value !== own?.value);
  return identifiers([own, ...others]);
}

function occurrence(from: Immunization): Record<string, Json> {
  const at = dateTime(from.administered);
  return at === undefined
    ? { occurrenceString: [from.administered?.original ?? ''].find(visible) ?? 'not stated' }
    : { occurrenceDateTime: at };
}

/** RXA-9 [CDC NIP001]: 00 is a new record of who gave the dose, 01 and up are from somewhere else. */
function origin(from: Immunization): Record<string, Json> {
  const source = from.informationSource.find((one) => one.codings.some(({ code }) => /^\d\d$/.test(code)));
  const sent = source?.codings.find((one) => /^\d\d$/.test(one.code));
  if (sent === undefined) return {};
  const primarySource = sent.code === '00';
  return primarySource ? { primarySource } : { primarySource, reportOrigin: concept(source) };
}

function manufacturer(draft: Draft, from: Immunization): Element | undefined {
  const { manufacturer: maker } = from;
  const coding = maker?.codings[0];
  if (maker === undefined) return undefined;
  const number = coding === undefined || code(coding.code) === undefined ? undefined : coding;
  return organization(
    draft,
    textOf(maker),
    number === undefined ? [] : [Identifier.fromPartial({ system: number.system, value: number.code })],
  );
}

function performers(role: string, people: readonly Element[]): Element[] {
  return people.map((actor) => ({ function: coded(hl7System('v2-0443'), role), actor }));
}
