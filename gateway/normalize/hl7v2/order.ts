/** ORC and OBR [HL7 4.5, 7.4]. */
import type { Order, Organization, ParentObservation, Times } from '../../../proto/gen/hilum/v1/event.ts';
import { whereOrdererIs } from './acting.ts';
import { address } from './addresses.ts';
import { period, time, timings } from './clock.ts';
import { code, codeOf, codes, fullCode, oneCode } from './coded.ts';
import { moneyOf } from './drg.ts';
import { ei, eips, organizationOf } from './identified.ts';
import { tellPriority } from './known-words.ts';
import type { Segment } from './message.ts';
import { addParents, groups, number, ownNumber, parents, placerAlternates } from './order-numbers.ts';
import { namedWithLocation, participants } from './people.ts';
import { isAlike, priorityOf, urge } from './priority.ts';
import { furtherUnread, remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { specimenOf, specimenSource } from './specimen.ts';
import { asSent, label, type Table, word } from './table.ts';
import { telecoms, telecomsOf } from './telecoms.ts';

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
  [17, 'enteringOrganizationCode', fullCode],
  [18, 'enteringDevice', code],
  [19, 'participants', participants('other')],
  [20, 'beneficiaryNotice', code],
  [21, (to, segment, field) => orderingFacility(to, segment, field)],
  [
    22,
    (to, segment, field) => {
      facilityOf(to).address = address(segment, field);
    },
  ],
  [23, (to, segment, field) => void facilityOf(to).telecoms.push(...telecomsOf('work')(segment, field))],
  [24, whereOrdererIs],
  [25, 'statusModifier', code],
  [26, 'beneficiaryNoticeOverride', code],
  [27, 'available', time],
  [28, 'confidentiality', code],
  [29, 'setting', code],
  [30, 'authorization', code],
  [32, 'beneficiaryNotified', time],
  [33, placerAlternates],
  [34, 'workflow', eips],
  [
    35,
    (to, segment, field) => {
      to.segmentAction = word(segment, field);
    },
  ],
  [36, 'orderStatusPeriod', period],
  [37, 'created', time],
  [38, 'fillerGroup', ei('GROUP')],
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
    23,
    (to, segment, field) => {
      // MOC: the amount, and what it is charged as [HL7 2.A.42].
      const parts = segment.parts(field);
      to.order.practiceCharge = moneyOf(parts.sub(1));
      to.order.practiceChargeCode = codeOf(parts.sub(2));
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
  [37, set('containerCount', word)],
  [38, (to, segment, field) => void to.order.transportLogistics.push(...codes(segment, field))],
  [40, set('transportResponsibility', code)],
  [41, set('transportArranged', word)],
  [42, set('escort', word)],
  [43, (to, segment, field) => void to.order.transportComments.push(...codes(segment, field))],
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
  [48, set('duplicateReason', code)],
  [49, set('resultHandling', code)],
  [50, set('parentService', code)],
  [51, set('observationGroup', ei())],
  [52, set('parentObservationGroup', ei())],
  [53, (to, segment, field) => placerAlternates(to.order, segment, field)],
  [54, (to, segment, field) => addParents(to.order, segment, field)],
  [
    55,
    (to, segment, field) => {
      to.order.segmentAction = word(segment, field);
    },
  ],
];

/** What most reports do not have. */
function set<K extends keyof Order>(key: K, read: (segment: Segment, field: number) => Order[K]) {
  return ({ order }: Ordering, segment: Segment, field: number): void => {
    order[key] = read(segment, field);
  };
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
  furtherUnread(segment, field, parts.end);
  const { name = '', identifiers = [], nameType } = organizationOf(parts, segment, field) ?? {};
  facility.name = name;
  facility.nameType = nameType;
  facility.identifiers.push(...identifiers);
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
