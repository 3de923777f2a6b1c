/**
 * Clinical times as they were said: the digits are kept, and only the UTC offset is worked out
 * where the sender left it to us. A time that a clock change makes doubtful is marked, never moved.
 */
import { Temporal } from 'temporal-polyfill';
import type { ClinicalTime } from '../../proto/gen/hilum/v1/event.ts';
import { lookup } from './lookup.ts';
import { unitAt } from './text.ts';

export interface ReadTime {
  time: ClinicalTime;
  /** Why it could not be read as it should have been sent; content is left out. */
  remark: string;
}

export interface Offset {
  /** +01:00; empty where the zone is not known. */
  offset: string;
  /** gap | fold | empty */
  ambiguity: string;
}

const precisions = { 4: 'year', 6: 'month', 8: 'day', 10: 'hour', 12: 'minute', 14: 'second' } as const;
/** The second component of the old TS type [HL7 2.A.77]: how many digits count. */
const degrees: Record<string, number> = lookup({ Y: 4, L: 6, D: 8, H: 10, M: 12, S: 14 });

/** `ClinicalTime.assumed` where the offset is the message's own default. */
const fromMessage = 'MSH-7';

/**
 * YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ] [HL7 2.A.22] in FHIR's form.
 * Its own offset, else the message's default (+01:00 from MSH-7; empty where it has none)
 * [HL7 2.14.9.7], else that of the zone.
 */
export function readTime(text: string, zone: string, degree = '', messageOffset = ''): ReadTime {
  const strict = parts(text);
  if (strict !== undefined)
    return { time: build(strict, zone, messageOffset, degrees[degree] ?? 14), remark: '' };
  const loose = loosely(text);
  if (loose === undefined) return { time: { ...blank(), original: text }, remark: 'not a time' };
  const { parts: found, remark } = loose;
  return { time: { ...build(found, zone, messageOffset, 14), original: text }, remark };
}

/** The offset that a time was sent with, +01:00; empty where it has none or is not a time. */
export function offsetOfTime(text: string): string {
  return (parts(text) ?? loosely(text)?.parts)?.offset ?? '';
}

/** YYYY-MM-DD of what is one to the day at least, else empty. */
export function dateOfTime(text: string): string {
  const { digits = '' } = parts(text) ?? loosely(text)?.parts ?? {};
  return digits.length < 8 ? '' : `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
}

function loosely(text: string): { parts: TimeParts; remark: string } | undefined {
  let digits = '';
  if (text.length >= 8) digits = withoutPunctuation(text);
  // As 19800000: the month is not known.
  else if (/^\d{4}00$/.test(text)) digits = text.slice(0, 4);
  const found = parts(digits);
  if (found !== undefined) return { parts: found, remark: 'a time in another form' };
  const next = parts(afterMidnight(digits));
  return next && { parts: next, remark: '24:00, which is 00:00 of the next day' };
}

/** The end of a day as the beginning of the next one: HL7's hours end with 23, those of ISO 8601 with 24:00 [4.2.3]. */
function afterMidnight(digits: string): string {
  const [, day = '', rest = ''] = /^(\d{8})24(00(?:00(?:\.0+)?)?(?!\d).*)$/.exec(digits) ?? [];
  if (day === '' || !valid(day)) return '';
  const [year, month, date] = [Number(day.slice(0, 4)), number(day, 4), number(day, 6) + 1];
  if (date <= daysIn(year, month)) return `${Number(day) + 1}00${rest}`.padStart(10 + rest.length, '0');
  const [toYear, toMonth] = month === 12 ? [year + 1, 1] : [year, month + 1];
  return `${String(toYear).padStart(4, '0')}${String(toMonth).padStart(2, '0')}0100${rest}`;
}

interface TimeParts {
  digits: string;
  fraction: string;
  offset: string;
}

function parts(text: string): TimeParts | undefined {
  let at = 0;
  while (at < text.length && isDigit(unitAt(text, at))) at++;
  if (at < 4 || at > 14 || at % 2 !== 0) return undefined;
  const digits = at === text.length ? text : text.slice(0, at);
  let fraction = '';
  if (unitAt(text, at) === 46 && at === 14) {
    const from = ++at;
    while (at < text.length && isDigit(unitAt(text, at))) at++;
    fraction = text.slice(from, at);
    if (fraction.length > 9) return undefined;
  }
  let offset = '';
  if (at < text.length) {
    offset = readOffset(text.slice(at));
    if (offset === '') return undefined;
  }
  return valid(digits) ? { digits, fraction, offset } : undefined;
}

function readOffset(text: string): string {
  if (text === 'Z') return '+00:00';
  const sign = unitAt(text, 0);
  if ((sign !== 43 && sign !== 45) || text.length !== 5) return '';
  for (let i = 1; i < 5; i++) if (!isDigit(unitAt(text, i))) return '';
  if (number(text, 1) > 14 || number(text, 3) > 59) return '';
  return `${text.slice(0, 3)}:${text.slice(3)}`;
}

function valid(digits: string): boolean {
  const year = number(digits, 0) * 100 + number(digits, 2);
  if (year === 0) return false;
  if (digits.length < 6) return true;
  const month = number(digits, 4);
  if (month < 1 || month > 12) return false;
  if (digits.length < 8) return true;
  const day = number(digits, 6);
  if (day < 1 || day > daysIn(year, month)) return false;
  if (digits.length < 10) return true;
  if (number(digits, 8) > 23) return false;
  if (digits.length < 12) return true;
  return number(digits, 10) <= 59 && (digits.length < 14 || number(digits, 12) <= 59);
}

function build(from: TimeParts, zone: string, messageOffset: string, keep: number): ClinicalTime {
  const digits = from.digits.length > keep ? from.digits.slice(0, keep) : from.digits;
  const time = blank();
  time.precision = precisions[digits.length as 4];
  if (digits.length === 14 && from.fraction === '') {
    addOffset(time, from, zone, messageOffset, digits);
    time.value = toTheSecond(digits) + time.offset;
    return time;
  }
  time.value = digits.slice(0, 4);
  if (digits.length >= 6) time.value += `-${digits.slice(4, 6)}`;
  if (digits.length >= 8) time.value += `-${digits.slice(6, 8)}`;
  if (digits.length < 10) return time;
  time.value += `T${digits.slice(8, 10)}:${minuteOf(digits)}:${secondOf(digits)}`;
  if (digits.length === 14) {
    time.value += `.${from.fraction}`;
    time.precision = 'fraction';
  }
  addOffset(time, from, zone, messageOffset, digits);
  time.value += time.offset;
  return time;
}

/** Its offset, and where that is from. */
function addOffset(
  time: ClinicalTime,
  from: TimeParts,
  zone: string,
  messageOffset: string,
  digits: string,
): void {
  time.offset = from.offset;
  if (time.offset !== '') return;
  if (messageOffset !== '') {
    time.offset = messageOffset;
    time.assumed = fromMessage;
    return;
  }
  const found = offsetAt(zone, digits.slice(0, 10), minuteOf(digits), secondOf(digits));
  time.offset = found.offset;
  time.ambiguity = found.ambiguity;
  time.assumed = found.offset === '' ? '' : zone;
}

function minuteOf(digits: string): string {
  return digits.length >= 12 ? digits.slice(10, 12) : '00';
}

function secondOf(digits: string): string {
  return digits.length >= 14 ? digits.slice(12, 14) : '00';
}

/** YYYY-MM-DDThh:mm:ss in one piece: a string of many is put together anew by each who reads it. */
function toTheSecond(digits: string): string {
  return String.fromCharCode(
    unitAt(digits, 0),
    unitAt(digits, 1),
    unitAt(digits, 2),
    unitAt(digits, 3),
    dash,
    unitAt(digits, 4),
    unitAt(digits, 5),
    dash,
    unitAt(digits, 6),
    unitAt(digits, 7),
    letterT,
    unitAt(digits, 8),
    unitAt(digits, 9),
    colon,
    unitAt(digits, 10),
    unitAt(digits, 11),
    colon,
    unitAt(digits, 12),
    unitAt(digits, 13),
  );
}

const [dash, colon, letterT] = [0x2d, 0x3a, 0x54];

interface Hour extends Offset {
  zone: string;
  /** YYYYMMDDHH */
  hour: string;
}

/** A hash table without chains: what falls on a taken place takes it. Messages are of these days. */
const hours = new Array<Hour | undefined>(1024).fill(undefined);
const unknown: Offset = { offset: '', ambiguity: '' };

/** `hour` is YYYYMMDDHH. Most hours have one offset from end to end, and those are remembered. */
function offsetAt(zone: string, hour: string, minute: string, second: string): Offset {
  const day = (number(hour, 2) * 12 + number(hour, 4)) * 31 + number(hour, 6);
  const place = (day * 24 + number(hour, 8)) % hours.length;
  const known = hours[place];
  if (known !== undefined && known.hour === hour && known.zone === zone) return known;
  try {
    const exact = offsetOf(zone, hour, minute, second);
    const first = offsetOf(zone, hour, '00', '00');
    const last = offsetOf(zone, hour, '59', '59');
    if (same(first, last) && same(first, exact)) hours[place] = { ...exact, zone, hour };
    return exact;
  } catch {
    return unknown; // a zone that this system does not know
  }
}

function offsetOf(zone: string, hour: string, minute: string, second: string): Offset {
  const day = `${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)}`;
  const local = Temporal.PlainDateTime.from(`${day}T${hour.slice(8, 10)}:${minute}:${second}`);
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  // In a gap `later` is the same instant that the offset before the change gives.
  if (earlier.epochNanoseconds === later.epochNanoseconds)
    return { offset: hhmm(earlier.offset), ambiguity: '' };
  if (earlier.toPlainDateTime().equals(local)) return { offset: hhmm(earlier.offset), ambiguity: 'fold' };
  return { offset: hhmm(earlier.offset), ambiguity: 'gap' };
}

// Before standard time an offset has seconds; FHIR has no place for them.
function hhmm(offset: string): string {
  return offset.slice(0, 6);
}

function same(a: Offset, b: Offset): boolean {
  return a.offset === b.offset && a.ambiguity === b.ambiguity;
}

export function blank(): ClinicalTime {
  return { value: '', precision: '', offset: '', assumed: '', original: '', ambiguity: '' };
}

const offsetForm = String.raw`(Z|[+-]\d{2}(?::?\d{2})?)?`;
/** 2026-11-23T08:15:00+01:00, 2026-11-23 08:15, 2026/11/23. */
const punctuated = new RegExp(
  String.raw`^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?${offsetForm}$`,
);
/** 20261123T081500Z, 20261123 0815; HL7's own digits with an offset in ISO's form, +01:00 or +01. */
const unpunctuated = new RegExp(String.raw`^(\d{8})(?:[T ]?(\d{4}(?:\d\d)?))?(\.\d{1,9})?${offsetForm}$`);
/** 20261123081500123: a fraction without its point, in years that are no count of microseconds since 1970. */
const pointless = new RegExp(String.raw`^((?:19|20|21)\d{12})(\d{1,9})${offsetForm}$`);

/** ISO 8601 and other relatives of HL7's form, as HL7's digits; empty where it is none of them. */
function withoutPunctuation(text: string): string {
  const [, digits, behind, ahead = ''] = pointless.exec(text) ?? [];
  if (digits !== undefined) return `${digits}.${behind}${fourDigits(ahead)}`;
  const [, day, clock = '', part = '', zone = ''] = unpunctuated.exec(text) ?? [];
  if (day !== undefined) return known(`${day}${clock}`, `${part}${fourDigits(zone)}`);
  const match = punctuated.exec(text);
  if (match === null) return '';
  const [, year, month, date, hour = '', minute = '', second = '', fraction = '', offset = ''] = match;
  return known(`${year}${month}${date}${hour}${minute}${second}`, `${fraction}${fourDigits(offset)}`);
}

/** A day or a month 00 is one that nobody knows: 19410000 says 1941, and a time of day says nothing more. */
function known(digits: string, rest: string): string {
  if (!digits.endsWith('00', 8)) return `${digits}${rest}`;
  return digits.endsWith('00', 6) ? digits.slice(0, 4) : digits.slice(0, 6);
}

function fourDigits(offset: string): string {
  if (offset.length === 3) return `${offset}00`;
  return offset.replace(':', '');
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

function number(digits: string, at: number): number {
  return (unitAt(digits, at) - 48) * 10 + unitAt(digits, at + 1) - 48;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
