/** Orders and their responses: ORM, OML, OMG, OMI … ORL, ORR [HL7 4]. One event per order. */
import { analyzerSegments } from './analyzer.ts';
import { bloodSegments, underWay } from './blood.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { orderedStatus } from './order-status.ts';
import { contactSegment } from './ref.ts';
import { replySegments } from './reply.ts';
import { rxSegments, toBeGiven } from './rx.ts';
import { commonSegments, patientSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { isReplaced } from './status.ts';
import { supplySegments } from './supplies.ts';

/** Before any patient and visit stands who has to do with all of the orders [HL7 2.8 4.4, OPL_O37]. */
const ahead: Record<string, Handler> = {
  PRT(draft, segment) {
    const { patient, encounter } = draft.base;
    const first = draft.event === undefined && patient === undefined && encounter === undefined;
    if (first) draft.acting ??= draft.ofEveryOrder;
    patientSegments.PRT?.(draft, segment);
  },
};

export const orders: Family = {
  name: 'orders',
  kind: 'order',
  opens: new Set(['ORC', 'OBR']),
  about: ['ORC', 'OBR', 'RXO', 'RQD', 'BPO', 'BPX', 'BTX', 'ODS', 'ODT', 'OBX'],
  segments: handlers(
    replySegments,
    commonSegments,
    ahead,
    contactSegment,
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
