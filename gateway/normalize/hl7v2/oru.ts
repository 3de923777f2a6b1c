/** Results: ORU and OUL, one event per OBR group [HL7 7.3]. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { alarmOf, isAlarm } from './alarm.ts';
import { finishDevice } from './device.ts';
import type { Draft } from './draft.ts';
import { type Family, handlers } from './family.ts';
import {
  clinicalSegments,
  coverageSegments,
  noteSegment,
  observationSegments,
  orderSegments,
  patientSegments,
} from './segments.ts';
import { fresh } from './shapes.ts';
import { orderStatus, reportStatus } from './status.ts';

const segments = handlers(
  patientSegments,
  clinicalSegments,
  coverageSegments,
  noteSegment,
  orderSegments,
  observationSegments,
);

export const oru: Family = {
  name: 'oru',
  kind: 'observation',
  opens: new Set(['ORC', 'OBR']),
  segments,
  finish: finishReport,
};

export const oul: Family = { ...oru, name: 'oul' };

/** IHE PCD-01, PCD-04 and their kin: the same structure, said by a device [IHE DEV TF-2]. */
export const device: Family = {
  ...oru,
  name: 'oru-device',
  kind: 'device-observation',
  finish(event, draft) {
    finishReport(event, draft);
    finishDevice(event);
  },
};

export const alarm: Family = {
  ...oru,
  name: 'oru-alarm',
  kind: 'device-alarm',
  finish(event, draft) {
    finishReport(event, draft);
    finishDevice(event);
    if (isAlarm(event) || draft.done[0] === event) event.alarm = alarmOf(event);
    else event.kind = device.kind;
  },
};

export function finishReport(event: ClinicalEvent, _draft: Draft): void {
  const { order, observations } = event;
  event.status = reportStatus[upper(order?.resultStatus ?? '')] ?? fromObservations(event);
  event.times ??= fresh.times();
  event.times.observed ??= observations.find((one) => one.effective !== undefined)?.effective;
}

/** Without OBR-25 the least final result speaks for the group. */
function fromObservations(event: ClinicalEvent): string {
  const statuses = new Set(event.observations.map((one) => one.status));
  statuses.delete('unknown');
  for (const status of ['registered', 'partial', 'preliminary', 'corrected', 'final', 'cancelled']) {
    if (statuses.has(status)) return status;
  }
  if (statuses.has('entered-in-error')) return 'entered-in-error';
  return orderStatus[event.order?.orderStatus ?? ''] ?? 'unknown';
}
