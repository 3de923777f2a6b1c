/**
 * Times in device payloads: FHIR dateTime and its relatives, and epoch numbers. Digits are kept; a missing offset is
 * taken from the source's zone and marked (../time.ts).
 */
import { Temporal } from 'temporal-polyfill';
import type { ReadTime } from '../time.ts';
import { blank, readTime } from '../time.ts';

const ISO =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})([.,]\d{1,9})?)?\s?([Zz]|[+-]\d{2}:?\d{2})?(?:\[!?([A-Za-z][\w+/-]*)\])?)?)?)?$/;

/** `number`: it was a JSON number, so it counts since 1970, as a text does whose digits are such a count. */
export function readDeviceTime(sent: string, number: boolean, zone: string): ReadTime {
  const text = sent.trim();
  const counted = epoch(text);
  if (counted !== undefined) return counted;
  // So many digits count something in a unit that nobody said.
  if (number || /^\d{15,}$/.test(text)) return { time: { ...blank(), original: sent }, remark: 'not a time' };
  const match = ISO.exec(text);
  if (!match) return readTime(sent, zone);
  const [, year, month = '', day = '', hour = '', minute = '', second = '', fraction = '', offset = ''] =
    match;
  const at = `${year}${month}${day}${hour}${minute}${second}${fraction.replace(',', '.')}`;
  const digits = `${at}${offset.replace(':', '').toUpperCase()}`;
  const read = inZone(digits, match[9], zone);
  // Read from our own spelling of it: what was sent is wanted only where it could not be read, or says more.
  const whole = read.remark === '' && match[9] === undefined;
  return whole ? read : { time: { ...read.time, original: sent }, remark: read.remark };
}

/** A zone behind the time is the sender's, so nothing is assumed; an offset stands before it [RFC 9557 3.4]. */
function inZone(digits: string, said: string | undefined, zone: string): ReadTime {
  const read = readTime(digits, said ?? zone);
  if (said === undefined || read.remark !== '') return read;
  if (read.time.offset !== '') return { ...read, time: { ...read.time, assumed: '' } };
  return { ...readTime(digits, zone), remark: 'a zone that is not known' };
}

/** 2000 to 2100: within them no count in one unit is one in another. */
const secondsMin = 946_684_800n;
const secondsMax = 4_102_444_800n;

/**
 * Seconds, milli-, micro- or nanoseconds since 1970, with or without a fraction. 10 digits are seconds and 13
 * milliseconds whenever that was; what has more or fewer is told by its size.
 */
function epoch(text: string): ReadTime | undefined {
  const [, whole = '', behind = ''] = /^(\d{9,19})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole === '') return undefined;
  const nanosecondDigits = [9, 6, 3, 0].find((digits) => {
    if (whole.length === 10 || whole.length === 13) return digits === (whole.length === 10 ? 9 : 6);
    const seconds = BigInt(whole) / 10n ** BigInt(9 - digits);
    return seconds >= secondsMin && seconds < secondsMax;
  });
  if (nanosecondDigits === undefined) return undefined;
  // Nanoseconds by digits: a float would lose the last of them.
  const nanoseconds = BigInt(whole + behind.slice(0, nanosecondDigits).padEnd(nanosecondDigits, '0'));
  const value = Temporal.Instant.fromEpochNanoseconds(nanoseconds).toString().replace('Z', '+00:00');
  const precision = value.includes('.') ? 'fraction' : 'second';
  return { time: { ...blank(), value, precision, offset: '+00:00', original: text }, remark: '' };
}
