/** Specimen: what was taken from the patient for an order. */
import type { Identifier, Order, Specimen } from '../gen/hilum/v1/event.ts';
import { isOfPatient } from '../specimen-role.ts';
import {
  concept,
  concepts,
  dateTime,
  identifier,
  identifiers,
  logical,
  modified,
  periodOf,
  quantity,
  textOf,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element } from './json.ts';
import { roleExtensions } from './own-extensions.ts';
import { inRole } from './practitioner.ts';
import { table } from './tables.ts';

export function addSpecimens(draft: Draft, path: string, order: Order): Element[] {
  const all = [...(order.specimen === undefined ? [] : [order.specimen]), ...order.furtherSpecimens];
  return all.map((from, at) => add(draft, `${path}/specimens/${at}`, order, from));
}

/** Numbers of containers (SAC-3, SAC-4) and of the accession (SAC-2) have elements of their own. */
function add(draft: Draft, path: string, order: Order, from: Specimen): Element {
  const accession = from.identifiers.find((one) => one.type === 'ACSN');
  const containers = from.identifiers.filter((one) => one.type.startsWith('CNTNR'));
  const own = from.identifiers.filter((one) => one !== accession && !containers.includes(one));
  return draft.add(path, {
    resourceType: 'Specimen',
    extension: roleExtensions(from.roles),
    identifier: identifiers(own),
    accessionIdentifier: identifier(accession),
    status: from.rejectReasons.length > 0 ? 'unsatisfactory' : availability[from.availability.toUpperCase()],
    type: modified(from.type, from.typeModifiers),
    subject: isOfPatient(from) ? draft.patient : undefined,
    receivedTime: dateTime(from.received),
    collection: {
      collector: inRole(draft, order.participants, 'collector')[0],
      ...periodOf('collected', from.collected),
      quantity: quantity(from.quantity, from.unit),
      method: concept(from.collectionMethod),
      bodySite: modified(from.sourceSite, from.siteModifiers),
    },
    parent: from.parents.flatMap((one) => logical('Specimen', one) ?? []),
    container: containersOf(from, containers),
    condition: concepts([
      ...from.conditions,
      ...from.rejectReasons,
      ...[from.quality, from.appropriateness, from.containerCondition].filter((one) => one !== undefined),
      ...from.risks,
    ]),
    note: [from.description, ...from.handling.map(textOf)]
      .filter((text) => text !== '')
      .map((text) => ({ text })),
  });
}

/** HL7 table 0136. */
const availability = table({ Y: 'available', N: 'unavailable' });

/** What it is kept in is said once for the specimen, the numbers are of each container. */
function containersOf({ containerType, additives }: Specimen, numbers: readonly Identifier[]): Element[] {
  const kept = { type: concept(containerType), additiveCodeableConcept: concept(additives[0]) };
  if (numbers.length === 0) return [kept];
  return numbers.map((one) => ({ identifier: [identifier(one)], ...kept }));
}
