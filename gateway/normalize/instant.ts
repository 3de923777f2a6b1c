/**
 * The instant that a clinical time says. As `Date.parse`, which goes into the runtime for each of the several times of
 * each message; what is not of the usual form is left to it.
 */
import { unitAt } from './text.ts';

/** Milliseconds since 1970; NaN where it is no time. @param text 2026-11-23T08:15:00+01:00 or …Z */
export function instantOf(text: string): number {
  const { length } = text;
  const day = number(text, 8);
  const seconds = number(text, 11) * 3600 + number(text, 14) * 60 + number(text, 17);
  // A day that not every month has, and all that is out of its range, is judged by the runtime.
  const usual =
    (length === 20 || length === 25) &&
    unitAt(text, 4) === dash &&
    unitAt(text, 7) === dash &&
    unitAt(text, 10) === letterT &&
    unitAt(text, 13) === colon &&
    unitAt(text, 16) === colon &&
    day >= 1 &&
    day <= 28 &&
    number(text, 11) <= 23 &&
    number(text, 14) <= 59 &&
    number(text, 17) <= 59;
  const month = number(text, 5);
  const year = number(text, 0) * 100 + number(text, 2);
  if (!usual || !(month >= 1 && month <= 12) || Number.isNaN(seconds + year)) return Date.parse(text);
  const ms = (daysBefore(year, month) + day - 1) * 86_400_000 + seconds * 1000;
  if (length === 20) return unitAt(text, 19) === letterZ ? ms : Date.parse(text);
  const sign = unitAt(text, 19);
  const offset = number(text, 20) * 60 + number(text, 23);
  const known = (sign === plus || sign === dash) && unitAt(text, 22) === colon && number(text, 23) <= 59;
  if (!known || !(offset <= 23 * 60)) return Date.parse(text);
  return sign === plus ? ms - offset * 60_000 : ms + offset * 60_000;
}

/** From 1970-01-01 to the first of the month, in the Gregorian calendar: years are counted from March on. */
function daysBefore(year: number, month: number): number {
  const years = month > 2 ? year : year - 1;
  const months = month > 2 ? month - 3 : month + 9;
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return years * 365 + leaps + Math.floor((months * 153 + 2) / 5) - 719_468;
}

/** Two digits; NaN where they are none. */
function number(text: string, at: number): number {
  const [tens, ones] = [unitAt(text, at) - zero, unitAt(text, at + 1) - zero];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const [zero, dash, colon, plus, letterT, letterZ] = [0x30, 0x2d, 0x3a, 0x2b, 0x54, 0x5a];
