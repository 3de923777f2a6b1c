/**
 * Times in device payloads: FHIR dateTime and its relatives, and epoch numbers. Digits are kept; a missing offset is
 * taken from the source's zone and marked (../time.ts).
 */
import { Temporal } from 'temporal-polyfill';
import type { ReadTime } from '../time.ts';
import { blank, readTime } from '../time.ts';

const ISO =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** `number`: it was a JSON number, so epoch seconds (10 digits) or milliseconds (13), with or without a fraction. */
export function readDeviceTime(text: string, number: boolean, zone: string): ReadTime {
  if (number || /^\d{10}(\d{3})?$/.test(text)) return epoch(text);
  const match = ISO.exec(text);
  // So many digits count something since 1970, in a unit that nobody said.
  if (/^\d{15,}$/.test(text)) return { time: { ...blank(), original: text }, remark: 'not a time' };
  if (!match) return readTime(text, zone);
  const [, year, month = '', day = '', hour = '', minute = '', second = '', fraction = '', offset = ''] =
    match;
  const digits = `${year}${month}${day}${hour}${minute}${second}${fraction}${offset.replace(':', '')}`;
  const read = readTime(digits, zone);
  // Read from our own spelling of it: what was sent is wanted only where it could not be read.
  return read.remark === '' ? read : { time: { ...read.time, original: text }, remark: read.remark };
}

function epoch(text: string): ReadTime {
  const match = /^(\d{10}|\d{13})(\.\d{1,9})?$/.exec(text);
  if (!match) return { time: { ...blank(), original: text }, remark: 'not a time' };
  const whole = match[1] as string;
  const fraction = match[2] ?? '';
  // Nanoseconds by digits: a float would lose the last of them.
  const nanosecondDigits = whole.length === 13 ? 6 : 9;
  const nanoseconds = BigInt(whole + fraction.slice(1, 1 + nanosecondDigits).padEnd(nanosecondDigits, '0'));
  const value = Temporal.Instant.fromEpochNanoseconds(nanoseconds).toString().replace('Z', '+00:00');
  const precision = value.includes('.') ? 'fraction' : 'second';
  return { time: { ...blank(), value, precision, offset: '+00:00', original: text }, remark: '' };
}
