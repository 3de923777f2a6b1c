/**
 * When an appointment is. SCH-11 and, from 2.5 on, TQ1 say it, either of them several times; ARQ-11 says which times
 * would do. All are kept as sent, and the first one is the period.
 */
import type { ClinicalTime, Schedule } from '../../../proto/gen/hilum/v1/event.ts';
import { span, timeOf, timings } from './clock.ts';
import type { Segment } from './message.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { asSent, fill } from './table.ts';
import { tq1 } from './timing.ts';

/** TQ [HL7 2.A.81]. */
export function sentTimings(to: Schedule, segment: Segment, field: number): void {
  to.timings = timings(segment, field);
  if (to.duration === '') lasting(to, to.timings[0]?.duration ?? '');
  begins(to);
}

/** DR: each of the ranges would do [HL7 10.6.1.11]. */
export function wantedRanges(to: Schedule, segment: Segment, field: number): void {
  to.timings = segment.each(field, (parts) => {
    const [start, end] = [1, 2].map((part) => timeOf(parts.sub(part), 1, segment, field));
    return span(start, end) && { ...fresh.timing(), start, end };
  });
  begins(to);
}

/** How often, and for how long: of the first range. */
export function wantedRepeats(
  key: 'repeat' | 'duration',
): (to: Schedule, segment: Segment, field: number) => void {
  return (to, segment, field) => {
    const [first = fresh.timing(), ...others] = to.timings;
    to.timings = [{ ...first, [key]: asSent(segment, field) }, ...others];
  };
}

/** TQ1 stands in place of SCH-11. @param placed an earlier one said when the appointment is */
export function timedBy(to: Schedule, segment: Segment, placed: boolean): boolean {
  const one = fill(fresh.timing(), tq1, segment);
  const { period, timings } = to;
  const { start, end } = one;
  if (placed || (start === undefined && end === undefined)) {
    timings.push(one);
    return placed;
  }
  const apart = start !== undefined && period?.start !== undefined && !same(start, period.start);
  if (apart) remark(segment.message.scope, 'SCH-11: TQ1-7 says another time, and stands');
  to.timings = timings.length > 1 ? timings : [];
  to.timings.push(one);
  to.period = {
    start: finer(start, apart ? undefined : period?.start),
    end: end ?? (apart ? undefined : period?.end),
  };
  return true;
}

function begins(to: Schedule): void {
  const first = to.timings.find(({ start, end }) => span(start, end) !== undefined);
  if (first !== undefined) to.period = span(first.start, first.end);
}

/** A day and a time on it are not two times. */
function same(one: ClinicalTime, other: ClinicalTime): boolean {
  return one.value.startsWith(other.value) || other.value.startsWith(one.value);
}

function finer(one: ClinicalTime | undefined, other: ClinicalTime | undefined): ClinicalTime | undefined {
  return (other?.value.length ?? 0) > (one?.value.length ?? 0) ? other : one;
}

/** TQ-3: S, M, H or D and how many of them; some senders write the number of SCH-9 again. */
function lasting(to: Schedule, text: string): void {
  const [, unit = '', amount = ''] = /^([SMHD]?)(\d+)$/.exec(text) ?? [];
  to.duration = amount;
  if (unit !== '') to.durationUnit = units[unit] ?? '';
}

const units: Record<string, string> = { S: 's', M: 'min', H: 'h', D: 'd' };
