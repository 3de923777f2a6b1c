/** Orders and their responses: ORM, OML, OMG, OMI … ORL, ORR [HL7 4]. One event per order. */
import { analyzerSegments } from './analyzer.ts';
import { bloodSegments, underWay } from './blood.ts';
import { type Family, handlers } from './family.ts';
import { orderedStatus } from './order-status.ts';
import { contactSegment } from './ref.ts';
import { replySegments } from './reply.ts';
import { rxSegments, toBeGiven } from './rx.ts';
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
import { supplySegments } from './supplies.ts';

export const orders: Family = {
  name: 'orders',
  kind: 'order',
  opens: new Set(['ORC', 'OBR']),
  about: ['ORC', 'OBR', 'RXO', 'RQD', 'BPO', 'BPX', 'BTX', 'ODS', 'ODT', 'OBX'],
  segments: handlers(
    replySegments,
    patientSegments,
    clinicalSegments,
    coverageSegments,
    noteSegment,
    orderSegments,
    contactSegment,
    observationSegments,
    rxSegments,
    bloodSegments,
    supplySegments,
    analyzerSegments,
  ),
  finish(event, draft) {
    event.status = isReplaced(event, draft.done)
      ? 'cancelled'
      : orderedStatus(event.order, draft, toBeGiven(event) ?? underWay(event.order));
    event.times ??= fresh.times();
    event.times.observed ??= event.order?.requested;
  },
};
