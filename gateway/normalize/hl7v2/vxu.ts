/** VXU: vaccinations [HL7 4A.7 with the CDC guide]. One event per RXA. */

import { lookup } from '../lookup.ts';
import { type Family, handlers } from './family.ts';
import { vaccineSegments } from './rx.ts';
import {
  clinicalSegments,
  coverageSegments,
  noteSegment,
  observationSegments,
  orderSegments,
  patientSegments,
} from './segments.ts';
import { fresh } from './shapes.ts';

const completion: Record<string, string> = lookup({
  CP: 'completed',
  PA: 'partial',
  RE: 'rejected',
  NA: 'cancelled',
});

export const vxu: Family = {
  name: 'vxu',
  kind: 'immunization',
  opens: new Set(['ORC', 'RXA']),
  segments: handlers(
    patientSegments,
    clinicalSegments,
    coverageSegments,
    noteSegment,
    orderSegments,
    observationSegments,
    vaccineSegments,
  ),
  finish(event) {
    const { immunization, order } = event;
    if (immunization !== undefined) immunization.identifier = order?.filler ?? order?.placer;
    // RXA-21 D: the record is withdrawn.
    event.status =
      immunization?.action === 'D'
        ? 'entered-in-error'
        : (completion[immunization?.completionStatus ?? ''] ?? 'completed');
    event.times ??= fresh.times();
    event.times.observed = immunization?.administered ?? event.times.observed;
  },
};
