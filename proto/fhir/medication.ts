/** MedicationRequest, MedicationDispense and MedicationAdministration, by the act that the segment tells of. */
import type { ClinicalEvent, Code, Medication } from '../gen/hilum/v1/event.ts';
import {
  coded,
  concept,
  concepts,
  dateTime,
  hl7System,
  identifier,
  identifiers,
  logical,
  notes,
  notStated,
  period,
  quantity,
  textOf,
  timed,
} from './datatypes.ts';
import { dosage, given } from './dosage.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, present } from './json.ts';
import { furtherLots } from './lots.ts';
import { inRole, organization } from './practitioner.ts';
import { labelsOf } from './security.ts';
import { authored, orderer, ownStatusOf, priorityOf, requestStatusOf } from './service-request.ts';
import { administrationStatus, dispenseStatus, medicationRequestStatus, table } from './tables.ts';

export function addMedications(draft: Draft): void {
  const { medication, furtherMedications } = draft.event;
  // As ordered (RXO) and as encoded (RXE) come before what was done with them.
  let before = '';
  let basis: Element[] = [];
  const add = (path: string, one: Medication): void => {
    // Two doses to be given are both of what was ordered, and the second is none of the first.
    if (one.act !== before) basis = draft.prescriptions.slice(-1);
    before = one.act;
    addMedication(draft, path, one, basis);
  };
  furtherMedications.forEach((one, at) => {
    add(`furtherMedications/${at}`, one);
  });
  if (medication !== undefined) add('medication', medication);
}

function addMedication(draft: Draft, path: string, from: Medication, basis: Element[]): void {
  if (from.act === 'dispense') draft.add(path, dispensed(draft, path, from));
  else if (from.act === 'administration') draft.add(path, administered(draft, path, from));
  else {
    const labels = labelsOf(draft.event.order?.confidentiality);
    draft.prescriptions.push(draft.add(path, requested(draft, path, from, basis), labels));
  }
}

/** RXC-1 [HL7 table 0166]: what is added acts, the base carries it. */
const active = table<boolean>({ A: true, B: false });

/** What was dispensed, given or refused under a prescription does not end it; only its order says that. */
function requestedStatus(event: ClinicalEvent): string {
  const { order, medication } = event;
  // An order that nobody finds is not one that somebody entered in error.
  if (/^ER$/i.test(order?.orderStatus ?? '')) return event.status === 'rejected' ? 'cancelled' : 'unknown';
  const carriedOut = medication?.act === 'dispense' || medication?.act === 'administration';
  const said = carriedOut ? ownStatusOf(order) : requestStatusOf(event, order);
  const status = medicationRequestStatus[said ?? ''] ?? 'unknown';
  // Discontinued, after some of it was given; not where it was never taken.
  const stopped =
    event.status !== 'rejected' &&
    (['DC', 'DR', 'OD'].includes((order?.control ?? '').toUpperCase()) ||
      ['DC', 'DISCONTINUED'].includes((order?.orderStatus ?? '').toUpperCase()));
  return status === 'cancelled' && stopped ? 'stopped' : status;
}

type Body = { resourceType: string } & Record<string, Json>;

function requested(draft: Draft, path: string, from: Medication, basis: Element[]): Body {
  const { event } = draft;
  const { order } = event;
  const people = [...(order?.participants ?? []), ...from.participants];
  const parents = (order?.parents ?? []).flatMap((one) => logical('MedicationRequest', one) ?? []);
  const replacing = (order?.control ?? '').toUpperCase() === 'RO';
  return {
    resourceType: 'MedicationRequest',
    identifier: identifiers([order?.placer, order?.filler, ...(order?.alternates ?? []), from.prescription]),
    // As encoded, of what was ordered.
    basedOn: [...basis, ...(replacing ? [] : parents)],
    groupIdentifier: identifier(order?.group),
    // One has a place; of both numbers of the same order the first is the placer's.
    priorPrescription: replacing ? parents[0] : undefined,
    statusReason: concept(order?.controlReason),
    status: requestedStatus(event),
    intent: from.act === 'give' ? 'instance-order' : 'order',
    priority: urgencyOf(from) ?? priorityOf(order?.priority ?? ''),
    ...what(draft, path, from),
    subject: draft.subject,
    encounter: draft.encounter,
    supportingInformation: present([draft.device]),
    authoredOn: order && authored(order),
    requester: inRole(draft, people, 'ordering')[0] ?? (order && orderer(draft, order)),
    reasonCode: concepts([...(order?.reason ?? []), ...indications(from)]),
    note: [
      ...(order?.orderNotes ?? []).map((text) => ({ text })),
      ...notes(event.notes),
      ...unread(from),
      ...toReview(from),
    ],
    dosageInstruction: dosage(event, from),
    dispenseRequest: {
      numberOfRepeatsAllowed: /^\d{1,3}$/.test(from.refills) ? Number(from.refills) : undefined,
      quantity: quantity(from.dispenseAmount, from.dispenseUnit, from.dispenseUnitCode),
      performer: organization(draft, textOf(from.pharmacy)),
    },
    substitution: substitution(from),
  };
}

/** What is to be given at one time says itself how urgent that is. */
function urgencyOf({ act, timing }: Medication): string | undefined {
  const said = act === 'give' ? timing.map(({ priority }) => priorityOf(priority)) : [];
  return ['stat', 'asap', 'urgent', 'routine'].find((one) => said.includes(one));
}

function indications({ indication, furtherIndications }: Medication): Code[] {
  return indication === undefined ? furtherIndications : [indication, ...furtherIndications];
}

/** R4 has no element for it, and nobody may carry out what is still to be looked at. */
function toReview({ needsReview }: Medication): Element[] {
  return /^y/i.test(needsReview) ? [{ text: 'Needs human review' }] : [];
}

/** What is to be handed over, where it is no number. */
function unread({ dispenseAmount, dispenseUnit, refills }: Medication): Element[] {
  const read = dispenseAmount === '' || quantity(dispenseAmount, '') !== undefined;
  const words = [
    read ? '' : `dispense ${dispenseAmount} ${dispenseUnit}`.trim(),
    refills === '' || /^\d{1,3}$/.test(refills) ? '' : `refills ${refills}`,
  ];
  return words.filter((text) => text !== '').map((text) => ({ text }));
}

function dispensed(draft: Draft, path: string, from: Medication): Body {
  const { event } = draft;
  return {
    resourceType: 'MedicationDispense',
    identifier: identifiers([event.order?.filler, from.prescription]),
    status: dispenseStatus[event.status] ?? 'unknown',
    type: concept(from.dispenseType),
    ...what(draft, path, from),
    subject: draft.patient,
    context: draft.encounter,
    performer: inRole(draft, from.participants, 'dispensing').map((actor) => ({ actor })),
    authorizingPrescription: prescriptions(draft),
    quantity: quantity(from.dispenseAmount, from.dispenseUnit, from.dispenseUnitCode),
    whenHandedOver: dateTime(from.dispensed),
    note: [...notes(event.notes), ...furtherLots(from), ...toReview(from)],
    dosageInstruction: dosage(event, from),
    substitution: /^[NGT]$/.test(from.substitution)
      ? { wasSubstituted: from.substitution !== 'N' } // HL7 table 0167
      : undefined,
  };
}

function administered(draft: Draft, path: string, from: Medication): Body {
  const { event } = draft;
  const { administered, administeredEnd } = from;
  const when = period(administered, administeredEnd);
  const { dosage, unsaid } = given(from);
  const partly = inPart(event, from);
  return {
    resourceType: 'MedicationAdministration',
    identifier: identifiers([event.order?.filler]),
    status: partly ?? administrationStatus[event.status] ?? 'unknown',
    statusReason: concepts(from.refusalReasons),
    ...what(draft, path, from),
    subject: draft.subject,
    context: draft.encounter,
    ...(when === undefined
      ? { effectivePeriod: notStated }
      : timed('effective', administered, administeredEnd)),
    performer: inRole(draft, from.participants, 'administering').map((actor) => ({ actor })),
    reasonCode: concepts(indications(from)),
    request: prescriptions(draft)[0],
    device: present([draft.device]),
    note: [
      ...(partly === undefined ? [] : [{ text: 'Partially administered' }]),
      ...notes(event.notes),
      ...furtherLots(from),
      { text: unsaid },
    ],
    dosage,
  };
}

/**
 * RXA-20 PA: not all of it was given, and `completed` would say that it was. A rate (RXA-12) without an end (RXA-4) goes
 * on; anything else without one ended when it began [HL7 4A.4.7.4].
 */
function inPart({ status }: ClinicalEvent, from: Medication): string | undefined {
  if (status !== 'partial' || from.completionStatus === '') return undefined;
  return from.per !== '' && from.administeredEnd === undefined ? 'in-progress' : 'stopped';
}

/** The request of the same message, else the placer's number of it. */
function prescriptions(draft: Draft): Element[] {
  const here = draft.prescriptions.slice(-1);
  if (here.length > 0) return here;
  const number = logical('MedicationRequest', draft.event.order?.placer);
  return number === undefined ? [] : [number];
}

/** The drug by its code, or as a resource where a lot, a form, a strength or ingredients are told of it. */
function what(draft: Draft, path: string, from: Medication): Record<string, Json> {
  const { code, dosageForm, strength, strengthUnit, ingredients, lotNumber, expires, manufacturers } = from;
  const batch = { lotNumber, expirationDate: dateTime(expires) };
  const unbatched = lotNumber === '' && batch.expirationDate === undefined && manufacturers.length === 0;
  if (unbatched && dosageForm === undefined && strength === '' && ingredients.length === 0)
    return { medicationCodeableConcept: concept(code) ?? notStated };
  const strong = quantity(strength, strengthUnit, from.strengthUnitCode);
  const one = quantity('1', '');
  const volume = quantity(from.strengthVolume, from.strengthVolumeUnit, from.strengthVolumeUnitCode);
  const parts = ingredients.map((part) => {
    const amount = quantity(part.amount, part.unit, part.unitCode);
    return {
      itemCodeableConcept: concept(part.code) ?? notStated,
      isActive: active[part.type.toUpperCase()],
      strength: amount && { numerator: amount, denominator: one },
    };
  });
  const itself = strong === undefined ? [] : concepts([code]);
  return {
    medicationReference: draft.add(`${path}/drug`, {
      resourceType: 'Medication',
      code: concept(code) ?? notStated,
      form: concept(dosageForm),
      ingredient: [
        ...itself.map((part) => ({
          itemCodeableConcept: part,
          // 10 mg per 2 mL; where no volume is said, of one of it.
          strength: { numerator: strong, denominator: volume ?? one },
        })),
        ...parts,
      ],
      manufacturer: organization(draft, textOf(manufacturers[0])),
      batch,
    }),
  };
}

/** RXE-9 [HL7 table 0161]: G generic and T therapeutic are allowed, N none. */
function substitution(from: Medication): Element | undefined {
  const sent = from.substitution.toUpperCase();
  if (!/^[NGT]$/.test(sent)) return undefined;
  return { allowedCodeableConcept: coded(hl7System('v2-0161'), sent) };
}
