/**
 * Times that are well formed and hardly meant: the year of another calendar (Hijri 1448, Buddhist 2569, Minguo 0115),
 * of YYMMDDHHMM as 2.1 had it (8805), of an empty date (0001), and slips of a digit. The value stays as it was sent;
 * somebody has to know that it was.
 */
import { unitAt } from '../text.ts';
import { dateOfTime } from '../time.ts';
import type { Segment } from './message.ts';
import type { Scope } from './scope.ts';

/** Nobody alive was born before, and no time in a message is older. */
const yearMin = 1850;
/** Plans, cards and drugs expire, and appointments are made, within these years. */
const aheadMax = 100;
/** Words for never. */
const never = new Set([2999, 9999]);
/** What has happened is told within the years of a patient's life, and not before. */
const happenedAheadMax = 2;
const happenedBehindMax = 70;
const happened = new Set(
  'EVN-2 EVN-6 PV1-44 PV1-45 OBR-7 OBR-8 OBR-14 OBR-22 OBX-14 OBX-19 SPM-18 MSH-7'.split(' '),
);
const birthDates = new Set(['PID-7', 'NK1-16', 'GT1-8', 'IN1-18']);
/** A gateway whose clock stands before is one without a set clock, and measures nothing. */
const clockMin = 2020;
const dayMs = 86_400_000;

/**
 * The day of the message, YYYY-MM-DD, which its times are held against: that of MSH-7, unless it lies so far ahead of
 * the capture that it is odd itself; else that of the capture.
 */
export function dayOf(sent: string, { context }: Scope): string {
  const captured = dayAt(Number(context.capturedAtUs));
  const day = dateOfTime(sent);
  if (captured.year < clockMin) return day;
  const year = day === '' ? 0 : yearOf(day);
  return year < yearMin || year > captured.year + happenedAheadMax ? captured.text : day;
}

/** Its first four digits. */
function yearOf(text: string): number {
  let year = 0;
  for (let at = 0; at < 4; at++) year = year * 10 + unitAt(text, at) - 48;
  return year;
}

let last = { day: 0, text: '1970-01-01', year: 1970 };

/** YYYY-MM-DD in UTC; of one day nearly all that comes is. */
function dayAt(us: number): { text: string; year: number } {
  const day = Math.floor(us / (dayMs * 1_000));
  if (day !== last.day) {
    const text = new Date(day * dayMs).toISOString().slice(0, 10);
    last = { day, text, year: yearOf(text) };
  }
  return last;
}

/** True of a birth date that is nobody's: six digits of YYMMDD make the year 6503. @param day as in `oddity` */
export function isOfNobody(value: string, day: string): boolean {
  if (value === '') return false;
  const year = yearOf(value);
  return year < yearMin || year > (day === '' ? 2199 : yearOf(day) + aheadMax);
}

/** What is odd about a time, empty where nothing is; never its content. */
export function oddity(value: string, segment: Segment, field: number): string {
  const { day } = segment.message.scope;
  if (day === '' || value === '') return '';
  const year = yearOf(value);
  const ahead = year - yearOf(day);
  // Nearly every time of a message; of these fields a birth date alone may be odd by a day.
  if (ahead <= 0 && ahead >= -1 && (field !== 7 || segment.name !== 'PID')) return '';
  if (year < yearMin) return `a year before ${yearMin}, kept as it was sent`;
  if (ahead > aheadMax && !never.has(year)) return 'a year of another century, kept as it was sent';
  if (ahead > happenedAheadMax || ahead < -happenedBehindMax) {
    if (happened.has(`${segment.name}-${field}`))
      return `years ${ahead > 0 ? 'after' : 'before'} the message, kept as it was sent`;
  }
  if (ahead < 0 || !birthDates.has(`${segment.name}-${field}`)) return '';
  // A day of grace for other zones.
  const { capturedAtUs } = segment.message.scope.context;
  const latest = Math.max(Date.parse(day), Number(capturedAtUs / 1_000n)) + dayMs;
  return Date.parse(value.slice(0, 10)) > latest ? 'a birth date that is to come, kept as it was sent' : '';
}
