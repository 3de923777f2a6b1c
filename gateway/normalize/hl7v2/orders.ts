/** Orders and their responses: ORM, OML, OMG, OMI … ORL, ORR [HL7 4]. One event per order. */
import type { Order } from '../../../proto/gen/hilum/v1/event.ts';
import { time } from './clock.ts';
import { code, codes } from './coded.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { orderedStatus } from './order-status.ts';
import { replySegments } from './reply.ts';
import { rxSegments } from './rx.ts';
import {
  clinicalSegments,
  coverageSegments,
  noteSegment,
  observationSegments,
  orderSegments,
  patientSegments,
} from './segments.ts';
import { fresh } from './shapes.ts';
import { isReplaced } from './status.ts';
import { asSent, fill, label, type Table, word } from './table.ts';

/** Stock and supplies [HL7 4.11]. */
const rqd: Table<Order> = [
  [1, 'setId', word],
  [3, 'service', code],
  [5, 'quantity', asSent],
  [7, 'enteringOrganization', label],
];
/** Diet [HL7 4.8]. */
const ods: Table<Order> = [
  [3, 'service', code],
  [4, 'relevantClinicalInformation', word],
];
/** Blood products [HL7 4.14.1]. */
const bpo: Table<Order> = [
  [1, 'setId', word],
  [2, 'service', code],
  [4, 'quantity', asSent],
  [7, 'scheduled', time],
  [13, 'reason', codes],
];
export const orderTables = { RQD: rqd, ODS: ods, BPO: bpo };

const supplies: Record<string, Handler> = {
  RQD: (draft, segment) => void fill(draft.order, rqd, segment),
  ODS: (draft, segment) => void fill(draft.order, ods, segment),
  BPO: (draft, segment) => void fill(draft.order, bpo, segment),
};

export const orders: Family = {
  name: 'orders',
  kind: 'order',
  opens: new Set(['ORC', 'OBR']),
  segments: handlers(
    replySegments,
    patientSegments,
    clinicalSegments,
    coverageSegments,
    noteSegment,
    orderSegments,
    observationSegments,
    rxSegments,
    supplies,
  ),
  finish(event, draft) {
    event.status = isReplaced(event, draft.done) ? 'cancelled' : orderedStatus(event.order, draft);
    event.times ??= fresh.times();
    event.times.observed ??= event.order?.requested;
  },
};
