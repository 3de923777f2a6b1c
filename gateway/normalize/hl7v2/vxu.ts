/** VXU: vaccinations [HL7 4A.7 with the CDC guide]. One event per RXA. */
import { doseStatus, wasNotGiven } from './dose.ts';
import { type Family, handlers } from './family.ts';
import { orderedStatus } from './order-status.ts';
import { vaccineSegments } from './rx.ts';
import { commonSegments } from './segments.ts';
import { fresh } from './shapes.ts';

export const vxu: Family = {
  name: 'vxu',
  kind: 'immunization',
  opens: new Set(['ORC', 'RXA']),
  about: ['RXA', 'ORC', 'OBX'],
  segments: handlers(commonSegments, vaccineSegments),
  finish(event, draft) {
    const { immunization, order } = event;
    if (immunization !== undefined) {
      // Every refusal of every patient has this one [CDC IG 2.5.1, ORC-3].
      const isNumber = order?.filler?.value !== '9999' || !wasNotGiven(immunization, immunization.vaccine);
      if (order !== undefined && !isNumber) order.filler = undefined;
      immunization.identifier = order?.filler ?? order?.placer;
    }
    const said = immunization && doseStatus(immunization, immunization.vaccine, draft.message.scope);
    // Without an RXA nothing was given; a dose that RXA leaves open is where its order stands.
    const usual = immunization === undefined ? 'unknown' : 'completed';
    event.status = said ?? orderedStatus(order, draft, usual);
    event.times ??= fresh.times();
    event.times.observed = immunization?.administered ?? event.times.observed;
  },
};
