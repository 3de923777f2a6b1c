/** Diets (ODS, ODT) and requisitions (RQD, RQ1): lines of one order, each with what is said of it [HL7 4.8, 4.11]. */
import type { DietItem, SupplyItem } from '../../../proto/gen/hilum/v1/event.ts';
import { time } from './clock.ts';
import { code, codes, unitIn, unitText } from './coded.ts';
import type { Draft } from './draft.ts';
import { tellFurther } from './next-body.ts';
import { beginning } from './own-orc.ts';
import { fresh } from './shapes.ts';
import { asSent, eachAsSent, fill, label, type Table, word } from './table.ts';

const rqd: Table<SupplyItem> = [
  [1, 'setId', word],
  [2, 'internal', code],
  [3, 'external', code],
  [4, 'hospital', code],
  [5, 'quantity', asSent],
  [
    6,
    (to, segment, field) => {
      to.unitCode = unitIn(segment, field);
      to.unit = unitText(to.unitCode);
    },
  ],
  [7, 'department', code],
  [8, 'account', asSent],
  [9, 'deliverTo', code],
  [10, 'needed', time],
];

const rq1: Table<SupplyItem> = [
  [1, 'price', word],
  [2, 'manufacturer', code],
  [3, 'catalog', word],
  [4, 'vendor', code],
  [5, 'vendorCatalog', word],
  [6, 'taxable', word],
  [7, 'substitution', word],
];

const ods: Table<DietItem> = [
  [1, 'type', word],
  [2, 'periods', codes],
  [3, 'codes', codes],
  [4, 'instructions', eachAsSent],
];

const odt: Table<DietItem> = [
  [1, 'codes', codes],
  [2, 'periods', codes],
  [3, 'instructions', eachAsSent],
];

export const supplyTables = { RQD: rqd, RQ1: rq1, ODS: ods, ODT: odt };

/** The order is named by its first line. */
export const supplySegments = beginning({
  RQD(draft, segment) {
    draft.seen.delete('RQ1');
    const { order } = draft;
    const item = fill(fresh.supplyItem(), rqd, segment);
    line(draft);
    order.service ??= item.external ?? item.hospital ?? item.internal;
    if (order.supplies.push(item) > 1) return;
    order.setId = item.setId;
    order.quantity = item.quantity;
    if (segment.has(7)) order.enteringOrganization = label(segment, 7);
  },
  RQ1(draft, segment) {
    tellFurther(draft, 'RQ1');
    const { supplies } = draft.order;
    const item = supplies.at(-1) ?? fresh.supplyItem();
    if (supplies.length === 0) supplies.push(item);
    fill(item, rq1, segment);
  },
  ODS: (draft, segment) => dietary(draft, fill(fresh.dietItem(), ods, segment)),
  ODT: (draft, segment) => dietary(draft, fill(fresh.dietItem(), odt, segment)),
});

/** What is noted behind a line, and who is named there, is of the order and not of a result further up. */
function line(draft: Draft): void {
  draft.notes = draft.current.notes;
  draft.acting = draft.order.participants;
}

function dietary(draft: Draft, item: DietItem): void {
  const { order } = draft;
  line(draft);
  // What is said of a line stands beside the service only where that is the line's.
  if (order.service === undefined) {
    order.service = item.codes[0];
    order.relevantClinicalInformation ||= item.instructions[0] ?? '';
  }
  order.diet.push(item);
}
