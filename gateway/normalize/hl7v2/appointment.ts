/** What a scheduling message does or asks for, where the appointment then stands, and when each resource is needed. */
import type { ClinicalTime, Code, Schedule } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { remark, type Scope } from './scope.ts';
import { appointmentStatus, fillerStatus } from './status.ts';

/** S01 to S11 ask (SRM), S12 to S27 tell (SIU) [HL7 10.3, 10.4]. */
export const scheduleActions: Record<string, string> = lookup({
  S01: 'book',
  S02: 'reschedule',
  S03: 'modify',
  S04: 'cancel',
  S05: 'discontinue',
  S06: 'delete',
  S07: 'add-resource',
  S08: 'modify-resource',
  S09: 'cancel-resource',
  S10: 'discontinue-resource',
  S11: 'delete-resource',
  S12: 'book',
  S13: 'reschedule',
  S14: 'modify',
  S15: 'cancel',
  S16: 'discontinue',
  S17: 'delete',
  S18: 'add-resource',
  S19: 'modify-resource',
  S20: 'cancel-resource',
  S21: 'discontinue-resource',
  S22: 'delete-resource',
  S23: 'block',
  S24: 'open',
  S26: 'noshow',
  S27: 'broadcast',
});

/** SCH-25 as systems spell it that do not keep to table 0278: letters alone, upper case. */
const spellings: Record<string, string> = lookup({
  SCHEDULED: 'booked',
  CONFIRMED: 'booked',
  RESCHEDULED: 'rescheduled',
  REQUESTED: 'requested',
  WAITLISTED: 'requested',
  ARRIVED: 'in-progress',
  CHECKEDIN: 'in-progress',
  INPROGRESS: 'in-progress',
  COMPLETED: 'completed',
  CHECKEDOUT: 'completed',
  CANCELED: 'cancelled',
  NOSHOWED: 'noshow',
});

/** A trigger that ends the appointment says it; any other only that something of it changed: SCH-25 says what it is. */
export function statusOf(trigger: string, said: Code | undefined, scope: Scope): string {
  const filler = spelled(said);
  const told = appointmentStatus[trigger];
  if (told !== undefined && ended.has(told)) return told;
  if (told === 'rescheduled' && (filler === undefined || filler === 'booked')) return told;
  if (filler !== undefined) return filler;
  if (said === undefined) return told ?? 'requested';
  remark(scope, 'SCH-25: not a status that is known');
  // A mere change leaves the appointment what it was, and nobody knows what that is.
  return changes.has(trigger) ? 'unknown' : (told ?? 'requested');
}

const ended = new Set(['cancelled', 'entered-in-error', 'noshow']);
const changes = new Set(['S14', 'S18', 'S19', 'S20', 'S21', 'S22']);

/** The first of the codes and texts that says one. */
function spelled(said: Code | undefined): string | undefined {
  if (said === undefined) return undefined;
  const words = [...said.codings.flatMap(({ code, display }) => [code, display]), said.text];
  for (const word of words) {
    const letters = word.toUpperCase().replace(/[^A-Z]/g, '');
    const found = fillerStatus[letters] ?? spellings[letters];
    if (found !== undefined) return found;
  }
  return undefined;
}

const unitMs: Record<string, number> = lookup({
  S: 1_000,
  SEC: 1_000,
  M: 60_000,
  MIN: 60_000,
  MINUTES: 60_000,
  H: 3_600_000,
  HR: 3_600_000,
  HOURS: 3_600_000,
  D: 86_400_000,
});

/** Resources that say only how long after the appointment's start they are needed. */
export function placeResources({ period, resources }: Schedule): void {
  for (const one of resources) {
    if (one.start === undefined && period?.start !== undefined && /^[+-]?\d{1,6}$/.test(one.offset))
      one.start = later(
        period.start,
        Number(one.offset) * (unitMs[one.offsetUnit.toUpperCase()] ?? Number.NaN),
      );
  }
}

/** In the offset of the time that it is counted from. */
function later(from: ClinicalTime, ms: number): ClinicalTime | undefined {
  if (!from.value.includes('T') || from.ambiguity !== '' || Number.isNaN(ms)) return undefined;
  const at = Date.parse(from.offset === '' ? `${from.value}Z` : from.value);
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(from.offset) ?? [];
  const aheadMs = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -60_000 : 60_000);
  const local = new Date(at + ms + aheadMs);
  // Beyond the year 9999 no time can be written, and none was meant.
  if (Number.isNaN(local.getTime()) || local.getUTCFullYear() > 9999) return undefined;
  const { precision } = from;
  const text = local.toISOString().slice(0, precision === 'fraction' ? 23 : 19);
  const fine = precision === 'hour' ? 'minute' : precision;
  return { ...from, value: `${text}${from.offset}`, precision: fine, original: '' };
}
