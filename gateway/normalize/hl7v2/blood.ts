/** Blood products: what is asked for (BPO), what is dispensed (BPX) and what is transfused (BTX) [HL7 4.14]. */
import type { BloodOrder, BloodUnit, Order, Participant } from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { upper } from '../text.ts';
import { span, time } from './clock.ts';
import { code, codes, unitIn, unitText } from './coded.ts';
import type { Draft } from './draft.ts';
import { oncePerOrder } from './heading.ts';
import { ei, firstOrganization } from './identified.ts';
import type { Segment } from './message.ts';
import { beginning } from './own-orc.ts';
import { location, participants } from './people.ts';
import { fresh } from './shapes.ts';
import { controlOf } from './status.ts';
import { asSent, fill, type Table, word } from './table.ts';

type Measured = Pick<BloodOrder, 'unit' | 'unitCode'>;

function unit(to: Measured, segment: Segment, field: number): void {
  const found = unitIn(segment, field);
  to.unit = unitText(found);
  to.unitCode = found;
}

/** What an order of any kind has a place for. */
const bpoOrder: Table<Order> = [
  [1, 'setId', word],
  [2, 'service', code],
  // Irradiated, leukoreduced …: without them the wrong product is given.
  [3, 'details', codes],
  [4, 'quantity', asSent],
  [7, 'scheduled', time],
  [13, 'reason', codes],
];

const bpoBlood: Table<BloodOrder> = [
  [5, 'amount', word],
  [6, unit],
  [8, 'dispenseFrom', location],
  [10, 'dispense', time],
  [11, 'dispenseTo', location],
  [14, 'consent', word],
];

const people =
  (role: string) =>
  (to: { participants: Participant[] }, segment: Segment, field: number): void =>
    void to.participants.push(...participants(role)(segment, field));

const bpx: Table<BloodUnit> = [
  [1, 'setId', word],
  [2, 'status', code],
  [3, 'messageStatus', word],
  [4, 'statusAt', time],
  [5, 'donation', ei()],
  [6, 'component', code],
  [7, 'donationType', code],
  [8, 'product', code],
  [9, 'manufacturer', firstOrganization],
  [10, 'lot', ei()],
  [11, 'bloodGroup', code],
  [12, 'specialTesting', codes],
  [13, 'expires', time],
  [14, 'quantity', word],
  [15, 'amount', word],
  [16, unit],
  [17, 'identifier', ei()],
  [18, 'dispensedTo', location],
  [20, people('other')],
  [21, people('dispensing')],
];

const btx: Table<BloodUnit> = [
  [1, 'setId', word],
  [2, 'donation', ei()],
  [3, 'component', code],
  [4, 'bloodGroup', code],
  [5, 'product', code],
  [6, 'manufacturer', firstOrganization],
  [7, 'lot', ei()],
  [8, 'quantity', word],
  [9, 'amount', word],
  [10, unit],
  [11, 'status', code],
  [12, 'messageStatus', word],
  [13, 'statusAt', time],
  [14, people('administering')],
  [15, people('verifying')],
  [
    16,
    (to, segment, field) => {
      to.transfused = span(time(segment, field), to.transfused?.end);
    },
  ],
  [
    17,
    (to, segment, field) => {
      to.transfused = span(to.transfused?.start, time(segment, field));
    },
  ],
  [18, 'reactions', codes],
  [19, 'interruption', code],
];

export const bloodTables = { BPO: [...bpoOrder, ...bpoBlood], BPX: bpx, BTX: btx };

export const bloodSegments = beginning({
  BPO(draft, segment) {
    oncePerOrder(draft, 'BPO');
    const { order } = draft;
    fill(order, bpoOrder, segment);
    const blood = fill(fresh.bloodOrder(), bpoBlood, segment);
    if (bpoBlood.some(([field]) => segment.has(field))) order.blood = blood;
  },
  BPX: (draft, segment) => unitOf(draft, 'dispense', fill(fresh.bloodUnit(), bpx, segment)),
  BTX: (draft, segment) => unitOf(draft, 'transfusion', fill(fresh.bloodUnit(), btx, segment)),
});

/** Each unit has an outcome of its own. */
function unitOf(draft: Draft, act: string, unit: BloodUnit): void {
  unit.act = act;
  draft.order.bloodUnits.push(unit);
  draft.notes = unit.notes;
  draft.acting = unit.participants;
}

/** What did not go into the patient [HL7 table 0513]. */
const notGiven = new Set(['RA', 'RL', 'WA']);

/**
 * RE says that what is told of the units follows. A unit that is dispensed, returned or wasted does not end the order;
 * only as many as were asked for, transfused, do. Undefined where they did, or where ORC-1 says something else.
 */
export function underWay(order: Order | undefined): string | undefined {
  if (order === undefined || order.bloodUnits.length === 0 || controlOf(order) !== 'RE') return undefined;
  const given = order.bloodUnits.filter(
    ({ act, status }) => act === 'transfusion' && !notGiven.has(upper(codeInTable(status, '0513'))),
  );
  const many = given.reduce(
    (sum, { quantity }) => sum + (/^\d{1,9}$/.test(quantity) ? Number(quantity) : 1),
    0,
  );
  return many === 0 || many < Number(order.quantity) ? 'in-progress' : undefined;
}
