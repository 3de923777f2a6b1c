/** ORC, OBR and TQ1 [HL7 4.5, 7.4]. */
import type {
  Identifier,
  ImagingStep,
  Order,
  Organization,
  ParentObservation,
  Times,
} from '../../../proto/gen/hilum/v1/event.ts';
import { identifier, sameNumber } from '../identity.ts';
import { whereOrdererIs } from './acting.ts';
import { time, timings } from './clock.ts';
import { code, codeOf, codes, oneCode } from './coded.ts';
import { cxs, ei, eiOf, eips, eis, organizationNumber, parentsIn } from './identified.ts';
import { tellPriority } from './known-words.ts';
import type { Segment } from './message.ts';
import { addresses, namedWithLocation, participants, telecoms, telecomsOf } from './people.ts';
import { isAlike, priorityOf, urge } from './priority.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { specimenOf, specimenSource } from './specimen.ts';
import { asSent, label, type Table, word } from './table.ts';

/** What ORC and OBR fill: the order and the times of the event that it becomes. */
export interface Ordering {
  order: Order;
  times: Times;
}

export const orc: Table<Order> = [
  [1, 'control', word],
  [2, (to, segment, field) => ownNumber(to, 'placer', segment, field)],
  [3, (to, segment, field) => ownNumber(to, 'filler', segment, field)],
  [4, groups],
  [5, 'orderStatus', word],
  [6, 'response', code],
  [7, timed],
  [8, addParents],
  [9, 'requested', time],
  [10, 'participants', participants('entering')],
  [11, 'participants', participants('verifying')],
  [12, 'participants', participants('ordering')],
  [13, 'enterersLocation', asSent],
  [14, 'callback', telecoms],
  [15, 'effective', time],
  [16, 'controlReason', code],
  [17, 'enteringOrganization', label],
  [19, 'participants', participants('other')],
  [21, (to, segment, field) => orderingFacility(to, segment, field)],
  [
    22,
    (to, segment, field) => {
      facilityOf(to).address = addresses(segment, field)[0];
    },
  ],
  [23, (to, segment, field) => void facilityOf(to).telecoms.push(...telecomsOf('work')(segment, field))],
  [24, whereOrdererIs],
  [25, 'statusModifier', code],
  [28, 'confidentiality', code],
  [29, 'setting', code],
  [30, 'authorization', code],
  [33, placerAlternates],
];

export const obr: Table<Ordering> = [
  [
    1,
    (to, segment, field) => {
      to.order.setId = word(segment, field);
    },
  ],
  // ORC and OBR carry the same numbers; where both do and they differ, both are kept.
  [2, (to, segment, field) => number(to.order, 'placer', segment, field)],
  [3, (to, segment, field) => number(to.order, 'filler', segment, field)],
  [
    4,
    (to, segment, field) => {
      to.order.service = oneCode(segment, field);
    },
  ],
  [
    5,
    (to, segment, field) => {
      const priority = word(segment, field);
      tellPriority(priority, segment, field);
      // OBR-5 is the priority of 2.2 and before; where OBR-27 says one, that one counts.
      const said = priorityOf(timings(segment, 27));
      if (said === '') urge(to.order, priority, segment, field);
      else if (!isAlike(said, priority))
        remark(segment.message.scope, 'OBR-5: OBR-27 says another priority, and stands');
    },
  ],
  [
    6,
    (to, segment, field) => {
      // When it is wanted; OBR-36 says when it is planned.
      to.order.timing.push({ ...fresh.timing(), start: time(segment, field) });
    },
  ],
  [
    7,
    (to, segment, field) => {
      to.times.observed = time(segment, field);
    },
  ],
  [
    8,
    (to, segment, field) => {
      to.times.observedEnd = time(segment, field);
    },
  ],
  [
    9,
    (to, segment, field) => {
      to.order.quantity = asSent(segment, field);
    },
  ],
  [10, people('collector')],
  [
    11,
    (to, segment, field) => {
      to.order.action = code(segment, field);
    },
  ],
  [
    12,
    (to, segment, field) => {
      to.order.danger = code(segment, field);
    },
  ],
  [
    13,
    (to, segment, field) => {
      to.order.relevantClinicalInformation = asSent(segment, field);
    },
  ],
  [
    14,
    (to, segment, field) => {
      const specimen = specimenOf(to.order);
      specimen.received ??= time(segment, field);
    },
  ],
  [15, (to, segment, field) => specimenSource(to.order, segment, field)],
  [16, people('ordering')],
  [17, (to, segment, field) => void to.order.callback.push(...telecoms(segment, field))],
  // What they hold is between placer and filler [HL7 7.4.1.18].
  [
    18,
    (to, segment, field) => {
      to.order.placerField1 = asSent(segment, field);
    },
  ],
  [
    19,
    (to, segment, field) => {
      to.order.placerField2 = asSent(segment, field);
    },
  ],
  [
    20,
    (to, segment, field) => {
      to.order.fillerField1 = asSent(segment, field);
    },
  ],
  [
    21,
    (to, segment, field) => {
      to.order.fillerField2 = asSent(segment, field);
    },
  ],
  [
    22,
    (to, segment, field) => {
      to.times.issued = time(segment, field);
    },
  ],
  [
    24,
    (to, segment, field) => {
      to.order.diagnosticSection = word(segment, field);
    },
  ],
  [
    25,
    (to, segment, field) => {
      to.order.resultStatus = word(segment, field);
    },
  ],
  [
    26,
    (to, segment, field) => {
      to.order.parentResult = asSent(segment, field);
      to.order.parentObservation = parentObservation(segment, field);
    },
  ],
  [27, (to, segment, field) => timed(to.order, segment, field)],
  [28, people('copy-to')],
  [29, (to, segment, field) => parents(to.order, segment, field)],
  [
    30,
    (to, segment, field) => {
      to.order.transportMode = word(segment, field);
    },
  ],
  [31, (to, segment, field) => void to.order.reason.push(...codes(segment, field))],
  [32, located('interpreting')],
  [33, located('assisting')],
  [34, located('performing')],
  [35, located('transcribing')],
  [
    36,
    (to, segment, field) => {
      to.order.scheduled = time(segment, field);
    },
  ],
  [
    44,
    (to, segment, field) => {
      to.order.procedure = code(segment, field);
    },
  ],
  [39, (to, segment, field) => void to.order.collectorComments.push(...codes(segment, field))],
  [45, (to, segment, field) => void to.order.procedureModifiers.push(...codes(segment, field))],
  [46, (to, segment, field) => void to.order.details.push(...codes(segment, field))],
  [47, (to, segment, field) => void to.order.details.push(...codes(segment, field))],
  [
    49,
    (to, segment, field) => {
      to.order.resultHandling = code(segment, field);
    },
  ],
  [
    50,
    (to, segment, field) => {
      to.order.parentService = code(segment, field);
    },
  ],
  [53, (to, segment, field) => placerAlternates(to.order, segment, field)],
  [54, (to, segment, field) => addParents(to.order, segment, field)],
  [
    55,
    (to, segment, field) => {
      to.order.segmentAction = word(segment, field);
    },
  ],
];

const numbersOf = { placer: eis('PLAC'), filler: eis('FILL') };

function number(order: Order, which: 'placer' | 'filler', segment: Segment, field: number): void {
  const all = numbersOf[which](segment, field);
  const old = order[which];
  const [first] = all;
  // Not by the standard, but some send the accession's number and its key as repetitions.
  const found = old === undefined ? first : (all.find((one) => sameNumber(one, old)) ?? first);
  for (const one of all) if (one !== found) addAlternate(order, one);
  if (old === undefined) order[which] = found;
  else if (found !== undefined && !sameNumber(found, old)) {
    // The order segment is about this order; a different number here is one it hangs from.
    addParent(order, found);
    remark(
      segment.message.scope,
      `${segment.name}-${field}: another number than ORC-${field}, kept as a parent`,
    );
  } else if (found !== undefined && old.assigner === '') order[which] = found;
}

/** The order segment's own number stands above one of an OBR before it (OUL), which it then hangs from. */
function ownNumber(order: Order, which: 'placer' | 'filler', segment: Segment, field: number): void {
  const old = order[which];
  order[which] = undefined;
  number(order, which, segment, field);
  if (old !== undefined) keepNumber(order, which, old);
}

function keepNumber(order: Order, which: 'placer' | 'filler', old: Identifier): void {
  const now = order[which];
  if (now === undefined) order[which] = old;
  else if (!sameNumber(now, old)) {
    // Where it was one of several repetitions, so is the other.
    const others = order.alternates.filter((one) => one.type !== now.type || !sameNumber(one, now));
    if (others.length === order.alternates.length) addParent(order, old);
    else {
      order.alternates = others;
      addAlternate(order, old);
    }
  } else if (now.assigner === '') order[which] = old;
}

function addParent(order: Order, found: Identifier): void {
  const known = order.parents.some(
    ({ value, system, type }) => value === found.value && system === found.system && type === found.type,
  );
  if (!known) order.parents.push(found);
}

/** ORC-8 and OBR-29 may say the same. */
function addParents(order: Order, segment: Segment, field: number): void {
  for (const one of parentsIn(segment, field)) addParent(order, one);
}

/** The parent order; from 2.9 on the parent's result (its OBX-21), and the order stands in OBR-54 [HL7 2.9 4.5.3.29]. */
function parents(order: Order, segment: Segment, field: number): void {
  if (!/^2\.(?:9|\d\d)/.test(segment.message.segments[0]?.text(12) ?? '')) {
    addParents(order, segment, field);
    return;
  }
  const known = order.parentObservation ?? { code: undefined, subId: '', text: '', identifiers: [] };
  order.parentObservation = { ...known, identifiers: eips(segment, field) };
}

/** PRL: 1 what the parent observed, 2 its sub-ID, 3 its value in words [HL7 2.A.56]. */
function parentObservation(segment: Segment, field: number): ParentObservation {
  const parts = segment.parts(field);
  return { code: codeOf(parts.sub(1)), subId: parts.text(2), text: parts.text(3), identifiers: [] };
}

function facilityOf(order: Order): Organization {
  order.orderingFacility ??= fresh.organization();
  return order.orderingFacility;
}

function orderingFacility(order: Order, segment: Segment, field: number): void {
  const parts = segment.parts(field);
  const facility = facilityOf(order);
  facility.name = parts.text(1);
  const id = organizationNumber(parts);
  if (id !== undefined) facility.identifiers.push(id);
}

/** EI; EIP from 2.9 on, whose two are told by their subcomponents: the placer's group and the filler's. */
function groups(order: Order, segment: Segment, field: number): void {
  const parts = segment.parts(field);
  if (!parts.sub(1).has(2) && !parts.sub(2).has(2)) {
    order.group = ei('GROUP')(segment, field);
    return;
  }
  order.group = eiOf(parts.sub(1), 'GROUP');
  const filler = eiOf(parts.sub(2), 'GROUP');
  if (filler !== undefined) order.alternates.push(filler);
}

/** A further number of the placer's; ORC and OBR may both say it. */
function placerAlternates(order: Order, segment: Segment, field: number): void {
  for (const one of cxs(segment, field)) {
    addAlternate(order, { ...one, type: 'PLAC' });
  }
}

function addAlternate(order: Order, one: Identifier): void {
  const known = order.alternates.some((other) => other.value === one.value && other.system === one.system);
  if (!known) order.alternates.push(one);
}

function people(role: string): (to: Ordering, segment: Segment, field: number) => void {
  const read = participants(role);
  return (to, segment, field) => {
    for (const one of read(segment, field)) to.order.participants.push(one);
  };
}

function located(role: string): (to: Ordering, segment: Segment, field: number) => void {
  const read = namedWithLocation(role);
  return (to, segment, field) => void to.order.participants.push(...read(segment, field));
}

function timed(order: Order, segment: Segment, field: number): void {
  const found = timings(segment, field);
  order.timing.push(...found);
  urge(order, priorityOf(found), segment, field);
}

/** Imaging [HL7 4.5.6]. */
export const ipc: Table<ImagingStep> = [
  [1, 'accession', ei('ACSN')],
  [2, 'requestedProcedure', ei()],
  [3, 'study', ei()],
  [4, 'scheduledStep', ei()],
  [5, 'modality', code],
  [6, 'protocols', codes],
  [7, 'station', word],
  [8, 'location', code],
  [9, 'stationTitle', word],
];

/** The study that IHE's Scheduled Workflow names beside an ORM [IHE RAD TF-2 4.4.4.1.2.4]: RP, its first component the UID. */
export const zds: Table<Order> = [
  [
    1,
    (to, segment, field) => {
      const value = segment.text(field);
      if (to.imagingSteps.some(({ study }) => study?.value === value)) return;
      to.imagingSteps.push({ ...fresh.imagingStep(), study: identifier(value, '', 'urn:dicom:uid') });
    },
  ],
];
