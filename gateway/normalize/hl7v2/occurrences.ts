/**
 * When an appointment is. SCH-11 and, from 2.5 on, TQ1 say it, either of them several times. All are kept as
 * sent, and the first one is the period. Of a series the end is that of all of it, not of the
 * appointment that it begins with.
 */
import type { ClinicalTime, Schedule, Timing } from '../../../proto/gen/hilum/v1/event.ts';
import { span, timings } from './clock.ts';
import type { Segment } from './message.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { asSent, fill } from './table.ts';
import { tq1 } from './timing.ts';

/** TQ [HL7 2.A.81]. */
export function sentTimings(to: Schedule, segment: Segment, field: number): void {
  to.timings = timings(segment, field);
  const [first] = to.timings;
  if (first !== undefined) lasting(to, first);
  begins(to);
}

/** ARQ-13 and ARQ-14: how often, and for how long. */
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
  lasting(to, one);
  if (placed || (start === undefined && end === undefined)) {
    timings.push(one);
    return placed;
  }
  const apart = start !== undefined && period?.start !== undefined && !same(start, period.start);
  if (apart) remark(segment.message.scope, 'TQ1-7: another time than in SCH-11, and stands');
  // What it stands in place of is one time, not a pattern (ARQ-13) and not the others of several.
  const [sent] = timings;
  if (timings.length === 1 && span(sent?.start, sent?.end) !== undefined) to.timings = [one];
  else timings.push(one);
  to.period = {
    start: finer(start, apart ? undefined : period?.start),
    end:
      (isSeries(one) && !apart ? period?.end : undefined) ?? ownEnd(one) ?? (apart ? undefined : period?.end),
  };
  return true;
}

function begins(to: Schedule): void {
  const first = to.timings.find(({ start, end }) => span(start, end) !== undefined);
  if (first !== undefined) to.period = span(first.start, ownEnd(first));
}

/** More than once, by its pattern or its count. */
function isSeries({ repeat, occurrences }: Timing): boolean {
  if (occurrences !== '' && !/^[01]$/.test(occurrences)) return true;
  return occurrences !== '1' && !/^(ONCE|1X|X1)?([&^]|$)/i.test(repeat);
}

/** No series of days or weeks ends on the day that it begins: there the end is that of the first. */
function ownEnd(one: Timing): ClinicalTime | undefined {
  const { start, end, repeat } = one;
  if (!isSeries(one)) return end;
  const withinDay = /^(Q\d*[SMH]|[BTQX]ID|\d+XD)/i.test(repeat) || repeat === '';
  return !withinDay && start?.value.slice(0, 10) === end?.value.slice(0, 10) ? end : undefined;
}

/** A day and a time on it are not two times. */
function same(one: ClinicalTime, other: ClinicalTime): boolean {
  return one.value.startsWith(other.value) || other.value.startsWith(one.value);
}

function finer(one: ClinicalTime | undefined, other: ClinicalTime | undefined): ClinicalTime | undefined {
  return (other?.value.length ?? 0) > (one?.value.length ?? 0) ? other : one;
}

/**
 * How long it takes, where SCH-9 does not say it: of a series so long each time. TQ-3 is S, M, H or D and how many of
 * them, and some senders write the number of SCH-9 again; TQ1-6 and TQ1-13 are `30^min`.
 */
function lasting(to: Schedule, one: Timing): void {
  if (to.duration !== '') return;
  const sent = isSeries(one) ? one.occurrenceDuration : one.duration || one.occurrenceDuration;
  const [, old = '', counted = ''] = /^([SMHD]?)(\d+)$/.exec(sent) ?? [];
  const [amount = '', unit = ''] = sent.split(/[\^&]/);
  to.duration = unit === '' ? counted : amount;
  if (unit !== '' || old !== '') to.durationUnit = unit || (units[old] ?? '');
}

const units: Record<string, string> = { S: 's', M: 'min', H: 'h', D: 'd' };
