/** Pharmacy: RDE, RDS, RAS, RGV, OMP and their kin [HL7 4A]. One event per order. */
import type { ClinicalEvent, Immunization, Medication } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { finishDevice, namesPart } from './device.ts';
import { doseStatus } from './dose.ts';
import type { Draft } from './draft.ts';
import { copied, type Doses } from './draft-parts.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { oncePerOrder } from './heading.ts';
import { rxv } from './infusion.ts';
import type { Segment } from './message.ts';
import { tellFurther } from './next-body.ts';
import { orderedStatus, refusesOrder } from './order-status.ts';
import { beginHere, beginning } from './own-orc.ts';
import { priorityOf, urge } from './priority.ts';
import { replySegments } from './reply.ts';
import {
  placeOf,
  rxaGiven,
  rxaVaccine,
  rxc,
  rxcPart,
  rxd,
  rxe,
  rxg,
  rxo,
  rxrGiven,
  rxrVaccine,
} from './rx-tables.ts';
import { commonSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { controlOf, isReplaced } from './status.ts';
import { fill, type Table } from './table.ts';

export const rxSegments: Record<string, Handler> = {
  ...beginning({
    RXO: (draft, segment) => medicate(draft, segment, rxo, 'order'),
    RXE: (draft, segment) => medicate(draft, segment, rxe, 'encoded-order'),
    RXD: (draft, segment) => medicate(draft, segment, rxd, 'dispense'),
    RXG: (draft, segment) => medicate(draft, segment, rxg, 'give'),
    RXR(draft, segment) {
      const to = medication(draft);
      draft.seen.add('RXR');
      const doses = to.act === 'administration' ? draft.doses?.unrouted : undefined;
      for (const one of doses ?? [to]) fill(one, rxrGiven, segment);
    },
    RXV(draft, segment) {
      medication(draft).infusions.push(fill(fresh.infusion(), rxv, segment));
    },
    RXC(draft, segment) {
      const to = medication(draft);
      fill(to, rxc, segment);
      to.ingredients.push(fill(fresh.ingredient(), rxcPart, segment));
    },
  }),
  RXA(draft, segment) {
    nextDose(draft);
    medicate(draft, segment, rxaGiven, 'administration');
    medication(draft).location ??= placeOf(segment);
    draft.doses?.unrouted.push(medication(draft));
  },
};

function medication(draft: Draft): Medication {
  const { current } = draft;
  current.medication ??= fresh.medication();
  return current.medication;
}

function medicate(draft: Draft, segment: Segment, table: Table<Medication>, act: string): void {
  if (act === 'order' || act === 'encoded-order') nextDrug(draft, segment, act);
  const { current } = draft;
  // As ordered, as encoded, as dispensed: each is kept, the last one leads.
  if (current.medication !== undefined && current.medication.act !== '') {
    current.furtherMedications.push(current.medication);
    current.medication = undefined;
  }
  const to = medication(draft);
  to.act = act;
  fill(to, table, segment);
  // RXE-1 is of the order; what is to be given at one time (RXG-3) has its own.
  if (act === 'encoded-order' && priorityOf(to.timing) !== '')
    urge(draft.order, priorityOf(to.timing), segment, 1);
  draft.acting = to.participants;
  draft.notes = draft.current.notes;
}

/**
 * An order has one drug as ordered and one as encoded [HL7 4A.3]; a further one is an order of its own, with its own
 * timing and route. The ORC before the first is that of each, as one before several OBR is, and so is what was ordered
 * of each that it is encoded as.
 */
function nextDrug(draft: Draft, { name }: Segment, act: string): void {
  const { medication, furtherMedications } = draft.current;
  if (!oncePerOrder(draft, name)) return;
  const all = medication === undefined ? furtherMedications : [...furtherMedications, medication];
  const first = all.findIndex((one) => one.act === act);
  const before = all.slice(0, Math.max(first, 0)).map(copied);
  draft.current.furtherMedications = before;
  if (before.length > 0) draft.seen.add('RXO');
  draft.repeatedBytes += JSON.stringify(before).length;
}

/**
 * Several administrations of one order are several events. What was ordered, encoded or noted before the first one is
 * of each of them, and an RXR of all that stand before it [HL7 4A.3.14: ADMINISTRATION is {RXA} RXR [{OBX}]].
 */
function nextDose(draft: Draft): void {
  const { seen } = draft;
  const first = !seen.has('RXA');
  const routed = seen.has('RXR');
  if (first) {
    if (draft.event === undefined) again(draft);
    draft.doses = dosesOf(draft.current);
  } else {
    again(draft);
    const { doses, current } = draft;
    if (doses !== undefined) {
      // A message that repeats too much is refused in the end.
      draft.repeatedBytes += doses.bytes;
      current.furtherMedications = doses.medications.map(copied);
      current.notes.push(...doses.notes);
      if (routed) doses.unrouted = [];
    }
  }
  seen.delete('RXR');
  seen.add('RXA');
}

function dosesOf({ medication, furtherMedications, notes }: ClinicalEvent): Doses {
  const medications = medication === undefined ? [] : [medication];
  medications.unshift(...furtherMedications);
  const bytes = JSON.stringify([medications, notes]).length;
  return { medications, notes: [...notes], bytes, unrouted: [] };
}

/** A new group of the same order. */
function again(draft: Draft): void {
  const { order } = draft.current;
  draft.openGroup();
  if (order !== undefined && draft.event !== undefined) draft.event.order = order;
}

export const vaccineSegments: Record<string, Handler> = {
  RXA(draft, segment) {
    if (draft.seen.has('RXA') || draft.event === undefined) again(draft);
    draft.seen.add('RXA');
    const to = immunization(draft);
    fill(to, rxaVaccine, segment);
    to.location ??= placeOf(segment);
    draft.acting = to.participants;
    draft.notes = draft.current.notes;
  },
  RXR(draft, segment) {
    beginHere(draft, segment);
    tellFurther(draft, 'RXR');
    fill(immunization(draft), rxrVaccine, segment);
  },
};

function immunization(draft: Draft): Immunization {
  const { current } = draft;
  current.immunization ??= fresh.immunization();
  return current.immunization;
}

function finishMedication(event: ClinicalEvent, draft: Draft): void {
  const { order, medication } = event;
  event.times ??= fresh.times();
  event.times.observed ??=
    medication?.administered ?? medication?.dispensed ?? order?.requested ?? medication?.timing[0]?.start;
  if (order?.priority === '')
    order.priority = priorityOf(
      [medication, ...event.furtherMedications].flatMap((one) => one?.timing ?? []),
    );
  event.status = medicationStatus(event, draft);
}

function medicationStatus(event: ClinicalEvent, draft: Draft): string {
  const { order, medication } = event;
  const done = medication && doseStatus(medication, medication.code, draft.message.scope);
  const usual = carriedOut(event);
  // The reply repeats what it does not take over: that it was done is not for it to say, nor that it was not.
  if (usual === 'completed' && refusesOrder(order, draft)) return 'unknown';
  return done ?? orderedStatus(order, draft, usual);
}

function carriedOut(event: ClinicalEvent): string | undefined {
  const act = event.medication?.act;
  return act === 'administration' || act === 'dispense' ? 'completed' : toBeGiven(event);
}

/** RE says what is to be given, as it was ordered or encoded, not that it was [HL7 4A.3.11]. */
export function toBeGiven({ order, medication }: ClinicalEvent): string | undefined {
  return controlOf(order) === 'RE' ? awaited[medication?.act ?? ''] : undefined;
}

const awaited: Record<string, string> = lookup({
  order: 'accepted',
  'encoded-order': 'accepted',
  give: 'requested',
});

export const rx: Family = {
  name: 'rx',
  kind: 'medication',
  opens: new Set(['ORC', 'RXA']),
  about: ['ORC', 'RXO', 'RXE', 'RXD', 'RXG', 'RXA', 'RXR', 'RXC', 'OBX'],
  segments: handlers(replySegments, commonSegments, rxSegments),
  finish(event, draft) {
    finishMedication(event, draft);
    if (isReplaced(event, draft.done)) event.status = 'cancelled';
    // The pump and its channel that it is for [IHE PCD-03].
    if (event.observations.some(namesPart)) finishDevice(event, draft);
  },
};
