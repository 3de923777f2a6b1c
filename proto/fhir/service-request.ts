/** ServiceRequest: what was ordered, for orders, results, documents, charges and referrals. */
import {
  type ClinicalEvent,
  type Code,
  Identifier,
  type Order,
  type Period,
  type Referral,
} from '../gen/hilum/v1/event.ts';
import { codeInTable } from '../hl7-table.ts';
import {
  concept,
  concepts,
  dateTime,
  identifier,
  identifiers,
  logical,
  note,
  notes,
  notStated,
  quantity,
  textOf,
  timed,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, present } from './json.ts';
import { occurrence } from './occurrence.ts';
import { actors, organization, practitioner } from './practitioner.ts';
import { labelsOf } from './security.ts';
import { addSpecimens } from './specimen.ts';
import {
  enclosing,
  observationCategory,
  orderControl,
  orderStatus,
  priority,
  requestStatus,
  resultStatus,
  table,
} from './tables.ts';
import { plain } from './timings.ts';

/** Their orders are told by the medication's or the vaccination's own resource; a device's OBR orders nothing. */
const without = new Set([
  'medication',
  'immunization',
  'device-observation',
  'device-alarm',
  'device-silence',
]);

export function addRequests(draft: Draft): void {
  const { event } = draft;
  if (event.referral !== undefined) draft.requests.push(addReferral(draft, event.referral));
  if (without.has(event.kind) || isOfDrug(event)) return;
  const { order, furtherOrders } = event;
  if (order !== undefined && says(order)) draft.requests.push(addRequest(draft, 'order', order, event.notes));
  furtherOrders.forEach((one, at) => {
    if (says(one)) draft.requests.push(addRequest(draft, `furtherOrders[${at}]`, one, []));
  });
}

/** A drug's order is told by its prescription, whatever message it comes in. */
function isOfDrug({ medication, order }: ClinicalEvent): boolean {
  return medication !== undefined && order?.service === undefined && order?.blood === undefined;
}

function says(order: Order): boolean {
  return order.placer !== undefined || order.filler !== undefined || order.service !== undefined;
}

function addRequest(draft: Draft, place: string, from: Order, said: ClinicalEvent['notes']): Element {
  const path = place.replace(/\[(\d+)\]/, '/$1');
  const timing = occurrence(from);
  const specimens = addSpecimens(draft, path, from);
  if (path === 'order') draft.specimens = specimens;
  const about = draft.about(from);
  const { participants } = from;
  const parents = from.parents.flatMap((one) => logical('ServiceRequest', one) ?? []);
  const replacing = from.control.toUpperCase() === 'RO';
  const details = concepts([
    ...from.procedureModifiers,
    ...from.details,
    ...from.imagingSteps.flatMap(({ protocols }) => protocols),
    ...lines(from).filter((one) => one !== from.service),
  ]);
  const request = {
    resourceType: 'ServiceRequest',
    identifier: identifiers([from.placer, from.filler, ...from.alternates, ...accessions(draft, from)]),
    basedOn: replacing ? undefined : parents,
    replaces: [
      ...(replacing ? parents : []),
      ...draft.event.supersedes.flatMap((one) =>
        path === 'order' && draft.event.kind === 'order' ? (logical('ServiceRequest', one) ?? []) : [],
      ),
    ],
    requisition: identifier(from.group),
    status: requestStatusOf(draft.event, from),
    intent: 'order',
    priority: priorityOf(from.priority),
    // Details stand only beside a code [prr-1].
    code: concept(from.service) ?? (details.length > 0 ? notStated : undefined),
    orderDetail: details,
    subject: about.subject ?? notStated,
    encounter: about.encounter,
    ...timing.members,
    quantityQuantity: from.blood && quantity(from.quantity, ''),
    authoredOn: authored(from),
    requester: actors(draft, participants, 'ordering')[0] ?? orderer(draft, from),
    performer: actors(draft, participants, 'performing'),
    reasonCode: concepts(from.reason),
    supportingInfo: parentResult(from),
    specimen: specimens,
    note: [...texts(from), ...timing.words.map((text) => ({ text })), ...notes(said)],
  };
  const reference = draft.add(path, request, labelsOf(from.confidentiality));
  draft.orders.set(place, { request: reference, specimens });
  return reference;
}

/** ORC-9 is the time of what ORC-1 says: of an order that ends or changes it is not when that was asked for. */
export function authored({ control, requested }: Order): string | undefined {
  const later = orderControl[control.toUpperCase()] === 'revoked' || changing.has(control.toUpperCase());
  return later ? undefined : dateTime(requested);
}

const changing = new Set(['XO', 'XR', 'XX', 'HD', 'HR', 'OH', 'RL', 'OE', 'OR', 'SC', 'SR', 'SS']);

/** The parent's result is in another bundle; what tells it there is said here. */
function parentResult({ parentObservation: from }: Order): Element[] | undefined {
  if (from === undefined) return undefined;
  const display = [textOf(from.code), from.subId, from.text].filter((part) => part !== '').join(' / ');
  const [number] = identifiers(from.identifiers);
  return display === '' && number === undefined
    ? undefined
    : [{ type: 'Observation', identifier: number, display: display === '' ? undefined : display }];
}

/** The steps of a study have one accession number. */
function accessions({ event }: Draft, from: Order): Identifier[] {
  const all = from.imagingSteps.flatMap(({ accession }) => accession ?? []);
  const told = accessionOf(from, event.provenance?.source ?? '');
  if (told !== undefined) all.push(told);
  return all.filter((one, at) => all.findIndex(({ value }) => value === one.value) === at);
}

/** OBR-18 of a study [IHE RAD-4]; elsewhere placer and filler alone know what they put there. */
function accessionOf(from: Order, source: string): Identifier | undefined {
  const imaging = observationCategory[from.diagnosticSection.toUpperCase()] === 'imaging';
  const [value = '', assigner = ''] = from.placerField1.split('^');
  if (value === '' || !(imaging || from.imagingSteps.length > 0)) return undefined;
  const system = assigner === '' && source !== '' ? `urn:hilum:${source}` : '';
  return Identifier.fromPartial({ system, value, type: 'ACSN', assigner });
}

/** Where nobody is named who ordered. */
export function orderer(draft: Draft, { orderingFacility: from }: Order): Element | undefined {
  return (
    from && organization(draft, from.name, from.identifiers, from.address && [from.address], from.telecoms)
  );
}

function texts(from: Order): Element[] {
  const { relevantClinicalInformation, orderNotes, danger, collectorComments, controlReason } = from;
  return [
    relevantClinicalInformation,
    textOf(danger),
    ...orderNotes,
    ...collectorComments.map(textOf),
    ...spoken(from),
    ...ofBlood(from),
    textOf(controlReason),
  ]
    .filter((text) => text.trim() !== '')
    .map((text) => ({ text }));
}

/**
 * Where the event is of the order itself, what it says, or what the order says more finely; else what the order says
 * of itself (an ORC-1 that ends it, ORC-5, another ORC-1) counts before what was found or done. What another matter encloses says itself where it stands, or nobody does.
 */
export function requestStatusOf(event: ClinicalEvent, order: Order | undefined): string {
  const own = ownStatusOf(order);
  const told = requestStatus[event.status] ?? 'unknown';
  if (enclosing.has(event.kind))
    return own ?? resultStatus[order?.resultStatus.toUpperCase() ?? ''] ?? 'unknown';
  if (ofOrders.has(event.kind) && order === event.order)
    return finer[own ?? ''] === told ? (own ?? told) : told;
  const control = orderControl[(order?.control ?? '').toUpperCase()];
  if (control === 'revoked' && event.status === 'cancelled') return control;
  return own ?? told;
}

const ofOrders = new Set(['order', 'medication']);

/** RequestStatus that the event's status has no word for → what it says there. */
const finer = table({ 'on-hold': 'active', 'entered-in-error': 'revoked' });

/** What the lines of a diet or a requisition are of; the first of them is the service. */
function lines({ diet, supplies }: Order): Code[] {
  const items = supplies.flatMap(({ external, hospital, internal }) => [external, hospital, internal]);
  return [...diet.flatMap(({ codes }) => codes), ...items.filter((one) => one !== undefined)];
}

/** What is said of one line stands with its name, so that it is not read of another. */
function spoken({ diet, supplies, relevantClinicalInformation }: Order): string[] {
  return [
    ...diet.flatMap(({ codes, periods, instructions }) => {
      const said = [...periods.map(textOf), ...instructions].filter((text) => text !== '').join(', ');
      return said === '' || said === relevantClinicalInformation ? [] : [`${textOf(codes[0])}: ${said}`];
    }),
    ...supplies.flatMap(({ external, hospital, internal, quantity, unit }) =>
      quantity === '' ? [] : [`${textOf(external ?? hospital ?? internal)}: ${quantity} ${unit}`.trim()],
    ),
  ];
}

/** BPO-5 is the volume of each of BPO-4 [HL7 4.14.2.1]. */
function ofBlood({ blood, quantity: sent }: Order): string[] {
  if (blood === undefined) return [];
  const many = sent === '' || quantity(sent, '') !== undefined ? '' : `quantity ${plain(sent)}`;
  return [many, blood.amount === '' ? '' : `each ${blood.amount} ${blood.unit}`.trim()];
}

/** What the order says of itself alone. */
export function ownStatusOf(order: Order | undefined): string | undefined {
  return (
    orderStatus[(order?.orderStatus ?? '').toUpperCase()] ??
    orderControl[(order?.control ?? '').toUpperCase()]
  );
}

export function priorityOf(sent: string): string | undefined {
  // TM10: within ten minutes.
  return priority[sent.toUpperCase().replace(/^(T[SMH])\d+$/, '$1')];
}

const said = { source: '', type: undefined, setId: '', enteredBy: undefined, entered: undefined };

/** To the day, or as precise as it was said. @param at a day, empty where it is not known */
function holds(period: Period | undefined, at: string): boolean {
  const [start = '', end = ''] = [period?.start?.value, period?.end?.value].map((one) => one?.slice(0, 10));
  const isOver = end !== '' && end < at.slice(0, end.length);
  return at === '' || !(isOver || start > at.slice(0, start.length));
}

/** RF1 asks one provider to see another's patient. */
function addReferral(draft: Draft, from: Referral): Element {
  const at = draft.event.times?.message?.value ?? '';
  const people = from.participants.map(({ role, roleCode, person, period }) => ({
    role: (codeInTable(roleCode, '0286') || role).toUpperCase(),
    reference: practitioner(draft, person),
    isInRole: holds(period, at),
  }));
  // Who has the role no more, or not yet, stands for it only where nobody has it.
  const those = (...roles: string[]): Element[] => {
    const all = people.filter(({ role, reference }) => roles.includes(role) && reference !== undefined);
    const now = all.filter(({ isInRole }) => isInRole);
    return present((now.length > 0 ? now : all).map(({ reference }) => reference));
  };
  const remarks = [from.disposition, ...from.furtherDispositions].flatMap(
    (one) => note({ ...said, text: textOf(one) }) ?? [],
  );
  return draft.add('referral', {
    resourceType: 'ServiceRequest',
    identifier: identifiers([from.originating, from.external]),
    status: requestStatus[draft.event.status] ?? 'unknown',
    intent: 'order',
    category: concepts([from.type, from.category]),
    priority: priorityOf(codeInTable(from.priority, '0280')),
    subject: draft.subject,
    encounter: draft.encounter,
    ...timed('occurrence', from.effective, from.expires),
    // PRD-1 [HL7 table 0286]: RP referring, RT referred to, in code or in words.
    requester: those('RP', 'REFERRING', 'REFERRING PROVIDER')[0],
    performer: those('RT', 'REFERRED TO', 'REFERRED TO PROVIDER'),
    reasonCode: [...concepts(from.reasons), ...(from.reasonText === '' ? [] : [{ text: from.reasonText }])],
    // The number of what an insurer allowed.
    insurance: from.authorizations.flatMap((one) => logical('ClaimResponse', one.identifier) ?? []),
    note: [...remarks, ...notes(draft.event.notes)],
  });
}
