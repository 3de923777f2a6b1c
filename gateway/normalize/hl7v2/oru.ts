/** Results: ORU and OUL, one event per OBR group [HL7 7.3]. */
import type {
  ClinicalEvent,
  ClinicalTime,
  Observation,
  Order,
  Period,
  Times,
} from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { alarmOf, isAlarm } from './alarm.ts';
import { alarmsApart } from './alarms-apart.ts';
import { analyzerSegments } from './analyzer.ts';
import { finishDevice } from './device.ts';
import type { Draft } from './draft.ts';
import { type Family, handlers } from './family.ts';
import { keepParticipants, notified, tellStatus } from './notification.ts';
import { contactSegment } from './ref.ts';
import { remark } from './scope.ts';
import { commonSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { findSpecimens } from './specimen.ts';
import {
  controlOf,
  endingControl,
  isDeleted,
  orderStatus,
  reportOfOrder,
  reportStatus,
  unknownOrder,
  unknownReport,
} from './status.ts';

const segments = handlers(commonSegments, contactSegment, analyzerSegments);

export const oru: Family = {
  name: 'oru',
  kind: 'observation',
  opens: new Set(['ORC', 'OBR']),
  about: ['OBR', 'OBX', 'ORC'],
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
    finishDevice(event, draft);
  },
};

export const alarm: Family = {
  ...oru,
  name: 'oru-alarm',
  kind: 'device-alarm',
  segments: new Map([...segments, ['PRT', notified]]),
  apart: alarmsApart,
  finish(event, draft) {
    const participants = event.alarm?.notification?.participants ?? [];
    event.alarm = undefined;
    finishReport(event, draft);
    finishDevice(event, draft);
    if (isAlarm(event) || draft.done[0] === event) {
      event.alarm = alarmOf(event, draft.message.scope);
      tellStatus(event.alarm, participants, draft);
    } else {
      event.kind = device.kind;
      keepParticipants(event, participants);
    }
  },
};

export function finishReport(event: ClinicalEvent, draft: Draft): void {
  const { order } = event;
  findSpecimens(event);
  const said = upper(order?.resultStatus ?? '');
  const known = reportStatus[said];
  if (known === undefined && said !== '') {
    remark(draft.message.scope, unknownReport(said, 'the status is that of the results'));
  }
  const ordered = upper(order?.orderStatus ?? '');
  if (ordered !== '' && orderStatus[ordered] === undefined) remark(draft.message.scope, unknownOrder);
  const ended = endingControl.has(controlOf(order));
  const deleted = isDeleted(order?.segmentAction ?? '') ? reportStatus.D : undefined;
  event.status = deleted ?? known ?? (ended ? 'cancelled' : fromObservations(draft.ownRows(event), order));
  event.times ??= fresh.times();
  observedWhen(event, event.times);
}

/**
 * What cannot be read in OBR-7, 0000 too, says no more than an empty field; it stays as the original. Then the results
 * say it, else their specimen: what is found in one was true when that was taken [HL7 7.4.1.7]. Analyzers say it there
 * alone [IHE LAW LAB-29].
 */
function observedWhen({ observations, order }: ClinicalEvent, times: Times): void {
  const { observed } = times;
  if (observed !== undefined && observed.value !== '') return;
  const first = observations.find(({ effective }) => isRead(effective))?.effective;
  const { start, end } = (order?.furtherSpecimens.length === 0 && order.specimen?.collected) || noPeriod;
  const found = first ?? (isRead(start) ? start : undefined);
  if (first === undefined && found !== undefined) times.observedEnd ??= end;
  if (observed === undefined) times.observed = found ?? observations.find((one) => one.effective)?.effective;
  else if (found !== undefined) times.observed = { ...found, original: observed.original };
}

const noPeriod: Period = { start: undefined, end: undefined };

function isRead(time: ClinicalTime | undefined): boolean {
  return time !== undefined && time.value !== '';
}

/** OBX-11 of rows that bring no result and await none: order detail, not asked. */
const besides = new Set(['O', 'N']);
/** OBX-29 of an answer that was asked for with the order. */
const asked = 'AOE';

/**
 * Without a usable OBR-25 the order's own results speak for their group: the least final one of those that are there,
 * or `partial` where some are still to come. What was cancelled, withdrawn, not asked or said with an
 * unknown code counts only where there is nothing else; unknown codes alone leave it to ORC-5, else `unknown`.
 */
function fromObservations(observations: readonly Observation[], order: Order | undefined): string {
  const speaking = observations.filter(
    ({ resultStatus, type, mood }) =>
      mood === undefined && !besides.has(upper(resultStatus)) && upper(type) !== asked,
  );
  const statuses = new Set(speaking.map((one) => one.status));
  const there = ['partial', 'preliminary', 'corrected', 'final'].find((status) => statuses.has(status));
  if (there !== undefined) return statuses.has('registered') ? 'partial' : there;
  for (const status of ['registered', 'cancelled', 'entered-in-error']) {
    if (statuses.has(status)) return status;
  }
  return (
    reportOfOrder[upper(order?.orderStatus ?? '')] ??
    (speaking.length === 0 && observations.length > 0 ? 'registered' : 'unknown')
  );
}
