/**
 * Units of blood: each a BiologicallyDerivedProduct of its own, and its transfusion a Procedure, because two units
 * of one order end differently.
 */
import type { BloodUnit, ClinicalEvent, Participant } from '../gen/hilum/v1/event.ts';
import { codeInTable } from '../hl7-table.ts';
import { concept, concepts, identifiers, notes, periodOf, textOf } from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element, Resource } from './json.ts';
import { unitExtensions } from './own-extensions.ts';
import { practitioner, roleOf } from './practitioner.ts';
import { table } from './tables.ts';

export function addBloodUnits(draft: Draft): void {
  draft.event.order?.bloodUnits.forEach((from, at) => {
    const path = `order/bloodUnits/${at}`;
    draft.add(path, {
      resourceType: 'BiologicallyDerivedProduct',
      extension: unitExtensions(from),
      identifier: identifiers([from.donation, from.identifier, from.lot]),
      productCode: concept(from.component ?? from.product),
      status: availability[statusOf(from)],
      request: draft.requests.slice(0, 1),
      quantity: /^\d{1,9}$/.test(from.quantity) ? Number(from.quantity) : undefined,
    });
    if (from.act === 'transfusion') draft.add(`${path}/transfusion`, transfused(draft, from));
  });
}

/**
 * HL7 tables 0510 and 0513: kept for the patient (RI, RS, RD, RL); gone (PT, TX, TR, WA). Of the others R4 has no word: a
 * unit that was dispensed is not in the store, and one that was given back or set free may be for somebody else.
 */
const availability = table({
  RI: 'available',
  RS: 'available',
  RD: 'available',
  RL: 'available',
  PT: 'unavailable',
  TX: 'unavailable',
  TR: 'unavailable',
  WA: 'unavailable',
});

function statusOf({ status }: BloodUnit): string {
  return codeInTable(status, '0510', '0513').toUpperCase();
}

/** HL7 table 0513: transfused, with a reaction; returned, wasted. */
const procedureStatus = table({
  TX: 'completed',
  TR: 'completed',
  RA: 'not-done',
  RL: 'not-done',
  WA: 'not-done',
});

function transfused(draft: Draft, from: BloodUnit): Resource {
  const said = isRefused(draft.event) ? undefined : procedureStatus[statusOf(from)];
  const number = from.donation?.value ?? '';
  return {
    resourceType: 'Procedure',
    basedOn: draft.requests.slice(0, 1),
    status: said === 'completed' && from.interruption !== undefined ? 'stopped' : (said ?? 'unknown'),
    statusReason: concept(from.interruption),
    code: { text: ['Transfusion', textOf(from.component ?? from.product)].filter(Boolean).join(': ') },
    subject: draft.subject,
    encounter: draft.encounter,
    ...periodOf('performed', from.transfused),
    performer: performers(draft, from.participants),
    complication: concepts(from.reactions),
    // R4 has no reference from a Procedure to the product that it used.
    note: [
      ...[number, textOf(from.status)].filter((text) => text !== '').map((text) => ({ text })),
      ...notes(from.notes),
    ],
  };
}

/** A reply that refuses repeats what it does not take over. */
function isRefused({ status, provenance }: ClinicalEvent): boolean {
  return status === 'rejected' && (provenance?.acknowledgment ?? '') !== '';
}

function performers(draft: Draft, from: readonly Participant[]): Element[] {
  return from.flatMap(({ role, person }) => {
    const actor = practitioner(draft, person);
    return actor === undefined ? [] : [{ function: roleOf(role), actor }];
  });
}
