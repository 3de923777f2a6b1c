/** Times in fields: TS, DTM, DT, DR and TQ, with a remark where the sender wrote something else. */
import type { ClinicalTime, Period, Timing } from '../../../proto/gen/hilum/v1/event.ts';
import { readTime } from '../time.ts';
import type { Message, Segment } from './message.ts';
import { oddity } from './odd-years.ts';
import type { Parts } from './parts.ts';
import { priorityIn } from './priority.ts';
import { furtherUnread, type KnownTime, place, remark, type Scope } from './scope.ts';
import { sequenceOf } from './sequence.ts';
import { fresh } from './shapes.ts';

/** Times of the message that are still known: collected, received, reported. */
const timesMax = 4;

export function time(segment: Segment, field: number): ClinicalTime | undefined {
  if (!segment.has(field)) return undefined;
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return timeOf(parts, 1, segment, field);
}

export function times(segment: Segment, field: number): ClinicalTime[] {
  return segment.each(field, (parts) => timeOf(parts, 1, segment, field));
}

/** FHIR date or dateTime text; empty where it is not a time. */
export function dateText(segment: Segment, field: number): string {
  return time(segment, field)?.value ?? '';
}

/** DR: from and to. A single time is a start. */
export function period(segment: Segment, field: number): Period | undefined {
  const parts = segment.parts(field);
  if (parts.empty) return undefined;
  return span(timeOf(parts.sub(1), 1, segment, field), timeOf(parts.sub(2), 1, segment, field));
}

/** Undefined where neither end was said. */
export function span(start: ClinicalTime | undefined, end: ClinicalTime | undefined): Period | undefined {
  return start === undefined && end === undefined ? undefined : { start, end };
}

export function timeOf(
  parts: Parts,
  part: number,
  segment: Segment,
  field: number,
): ClinicalTime | undefined {
  const { message, start, end } = parts;
  const { scope } = message;
  if (part === 1) {
    const { times } = scope;
    for (let at = times.length - 1; at >= 0; at -= 1) {
      const known = times[at] as KnownTime;
      if (message.same(known.start, known.end, start, end)) return known.time;
    }
  }
  const text = parts.text(part);
  if (text === '') return undefined;
  // The degree of precision is the old TS type's second component.
  const degree = part === 1 && parts.has(2) ? parts.text(2) : '';
  const read = readTime(text, scope.context.zone, degree.length === 1 ? degree : '', scope.offset);
  if (read.remark !== '') remark(scope, `${place(segment, field)}: ${read.remark}`);
  const odd = oddity(read.time.value, segment, field);
  if (odd !== '') remark(scope, `${place(segment, field)}: ${odd}`);
  if (read.time.ambiguity !== '')
    remark(scope, `${place(segment, field)}: ${read.time.ambiguity} in ${read.time.assumed}`);
  else if (read.time.precision === 'month' && isShortDate(text, message))
    remark(scope, `${place(segment, field)}: six digits, read as a year and a month`);
  // Digits and nothing else, so that the same bytes say it in whichever parts they stand.
  else if (read.remark === '' && odd === '' && text.length === end - start)
    keep(scope, { start, end, time: read.time });
  return read.time;
}

/** Senders of 2.1 wrote YYMMDD; of a century that is none it can be nothing else. */
function isShortDate(text: string, { segments }: Message): boolean {
  if (!/^\d{6}$/.test(text)) return false;
  return Number(text.slice(0, 4)) > 2199 || segments[0]?.text(12) === '2.1';
}

function keep({ times }: Scope, known: KnownTime): void {
  if (times.length === timesMax) times.shift();
  times.push(known);
}

/**
 * TQ [HL7 2.A.81]: 1 quantity, 2 interval, 3 duration, 4 start, 5 end, 6 priority, 7 condition, 8 text,
 * 9 conjunction, 10 sequence, 11 how long each, 12 how many times.
 */
export function timings(segment: Segment, field: number): Timing[] {
  const found: Timing[] = [];
  for (const parts of segment.repetitions(field)) {
    const timing = fresh.timing();
    timing.quantity = parts.text(1);
    timing.repeat = parts.text(2);
    timing.duration = parts.text(3);
    timing.start = timeOf(parts.sub(4), 1, segment, field);
    timing.end = timeOf(parts.sub(5), 1, segment, field);
    const { most, others } = priorityIn(parts.sub(6), segment, field);
    timing.priority = most;
    if (others.length > 0) timing.priorities = [most, ...others];
    timing.condition = parts.text(7);
    timing.text = parts.text(8);
    timing.conjunction = parts.text(9);
    const sequence = parts.sub(10);
    if (!sequence.empty) timing.sequences.push(sequenceOf(sequence));
    timing.occurrenceDuration = parts.text(11);
    timing.occurrences = parts.text(12);
    found.push(timing);
  }
  return found;
}

/** On the day itself, too. A month or a year that is not over has not ended, and where no day is known nothing has. */
export function hasEnded(end: string, day: string): boolean {
  if (end === '') return false;
  return end.length < 10 ? end < day.slice(0, end.length) : end.slice(0, 10) <= day;
}
