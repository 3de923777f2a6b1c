/**
 * One timing of an order as FHIR's Timing, and in words what Timing has no place for. The repeat patterns of HL7 v2
 * are open text, so the pattern is a code and no frequency is made of it. Something happens at a moment (`event`) only
 * where it is done once; else the moment is when it begins, and bounds the pattern.
 */
import { ucumSystem } from '../code-systems.ts';
import type { ClinicalTime, OrderSequence, Timing } from '../gen/hilum/v1/event.ts';
import { dateTime, hl7System, period, quantity } from './datatypes.ts';
import { Decimal, type Element, type Json } from './json.ts';
import { table } from './tables.ts';
import { plain } from './timings.ts';

export interface Told {
  readonly timing: Element;
  /** What it does not say. */
  readonly words: readonly string[];
}

/** `single`: of one dose, so that what has no pattern is done once. */
export function when(from: Timing, single: boolean): Told {
  const { code, times, words } = pattern(from.repeat);
  const wanted = [...from.timesOfDay, ...times];
  const timeOfDay = wanted.flatMap((one) => clock(one) ?? []);
  const unread = wanted.filter((one) => clock(one) === undefined).map((one) => `at ${plain(one)}`);
  const only = /^0*1$/.test(from.occurrences);
  const once =
    !spans(from) && wanted.length === 0 && (from.occurrences === '' || only) && isOnce(from, single || only);
  const counted = countOf(from);
  const each = lasting(from.occurrenceDuration);
  const bounded = once ? { bounds: undefined, words: [] } : bounds(from);
  return {
    timing: {
      event: once ? [dateTime(from.start)] : undefined,
      repeat: {
        ...bounded.bounds,
        count: once ? undefined : counted.count,
        duration: each?.value,
        durationUnit: each?.code,
        timeOfDay,
      },
      code,
    },
    words: [
      ...words,
      ...unread,
      ...bounded.words,
      ...counted.words,
      each === undefined && from.occurrenceDuration !== '' ? `each ${plain(from.occurrenceDuration)}` : '',
      from.relative === '' ? '' : `relative time ${plain(from.relative)}`,
      ...from.sequences.map(sequence),
      from.text,
      from.condition,
    ].filter((text) => text !== ''),
  };
}

/** PRN by its pattern, its priority or its condition; what it is needed for stands behind it: `PRN pain`. */
export function asNeeded(all: readonly Timing[]): Record<string, Json> {
  for (const { repeat, condition, priority, priorities } of all) {
    const [, reason] = /^PRN\b[\s:,-]*(?:for\s+)?(.*)$/i.exec(condition.trim()) ?? [];
    if (reason) return { asNeededCodeableConcept: { text: reason } };
    const pattern = repeat.split(/[\^&\s,]+/).some((part) => /^PRN/i.test(part));
    if (reason === '' || pattern || [priority, ...priorities].some((one) => /^PRN$/i.test(one)))
      return { asNeededBoolean: true };
  }
  return {};
}

function spans(from: Timing): boolean {
  return dateTime(from.end) !== undefined || from.duration !== '';
}

function isOnce({ repeat, start }: Timing, single: boolean): boolean {
  if (dateTime(start) === undefined) return false;
  const [code = ''] = repeat.split(/[\^&]/);
  return code === '' ? single : /^(ONCE|STAT|1X|X1)$/i.test(code);
}

interface Bounds {
  readonly bounds: Element | undefined;
  readonly words: readonly string[];
}

function bounds(from: Timing): Bounds {
  const { start, end, duration } = from;
  const long = lasting(duration);
  const told = long === undefined ? '' : `${(long.value as Decimal).text} ${long.code as string}`;
  const worked = long && endOf(start, long);
  if (dateTime(start) === undefined && dateTime(end) === undefined)
    return { bounds: long && { boundsDuration: long }, words: unread(duration) };
  const boundsPeriod = period(start, end) as Element;
  // An end before the start is none.
  const words = dateTime(end) !== undefined && boundsPeriod.end === undefined ? [`until ${end?.value}`] : [];
  if (end === undefined && worked !== undefined)
    return { bounds: { boundsPeriod: { ...boundsPeriod, end: worked } }, words };
  const agrees = worked !== undefined && worked === dateTime(end);
  return {
    bounds: { boundsPeriod },
    words: [...words, ...(told === '' || agrees ? unread(duration) : [`for ${told}`])],
  };
}

/** A duration that is none, and no number of times [HL7 2.A.81 TQ-3: X3, INDEF]. */
function unread(duration: string): string[] {
  const read = duration === '' || lasting(duration) !== undefined || /^X\d+$/i.test(duration);
  return read ? [] : [`duration ${plain(duration)}`];
}

function countOf({ occurrences, duration }: Timing): { count: number | undefined; words: string[] } {
  const [, times = ''] = /^X(\d+)$/i.exec(duration) ?? [];
  const [said, other] = occurrences === '' ? [times, ''] : [occurrences, times];
  const count = /^0*[1-9]\d{0,5}$/.test(said) ? Number(said) : undefined;
  const unsaid = [count === undefined ? said : '', other].filter((one) => one !== '');
  return { count, words: unsaid.map((one) => `${plain(one)} times`) };
}

/** The last day, or the moment, that a length of time reaches to; undefined where that cannot be said. */
function endOf(start: ClinicalTime | undefined, long: Element): string | undefined {
  const from = dateTime(start) ?? '';
  const count = Number((long.value as Decimal).text);
  const unit = long.code as string;
  const [, day = '', clock = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(.*))?$/.exec(from) ?? [];
  if (day === '' || !Number.isInteger(count) || count < 1 || count > 100_000) return undefined;
  const at = new Date(`${day}T${clock || '00:00:00'}Z`);
  const seconds = ({ s: 1, min: 60, h: 3600 } as Record<string, number>)[unit];
  if (seconds !== undefined) {
    if (clock === '') return undefined;
    at.setTime(at.getTime() + count * seconds * 1000);
  } else if (unit === 'mo' || unit === 'a') addMonths(at, unit === 'a' ? count * 12 : count);
  else at.setUTCDate(at.getUTCDate() + count * (unit === 'wk' ? 7 : 1));
  // The last day is in the period [FHIR R4 Period.end]; a day whose clock has no zone has a clock all the same.
  if (clock === '' && !start?.value.includes('T')) at.setUTCDate(at.getUTCDate() - 1);
  const [ended = '', hour = ''] = at.getUTCFullYear() > 9999 ? [] : at.toISOString().slice(0, 19).split('T');
  if (ended === '') return undefined;
  return clock === '' ? ended : `${ended}T${hour}${zone}`;
}

/** The same day of a later month; where it has none, the first behind it. */
function addMonths(at: Date, count: number): void {
  const day = at.getUTCDate();
  at.setUTCMonth(at.getUTCMonth() + count);
  if (at.getUTCDate() !== day) at.setUTCDate(1);
}

/** TQ1-6 `3^d`, TQ-3 `D3` [HL7 4.3.3]. */
export function lasting(sent: string): Element | undefined {
  const [, old = '', times = ''] = /^([SMHDWL])(\d+)$/i.exec(sent.replace(/(?<![\^&])[\^&]+$/, '')) ?? [];
  const [value = times, unit = old] = old === '' ? sent.split(/[\^&]/) : [];
  const code = units[unit.toUpperCase()];
  if (code === undefined || Decimal.of(value) === undefined) return undefined;
  return { ...quantity(value, code), system: ucumSystem, code };
}

/** RXE-22 [HL7 4A.4.4.22]: S, M, H, D, W or L (month) and how many of them; of TQ1-6 UCUM and words. */
export const units = table({
  S: 's',
  SEC: 's',
  M: 'min',
  MIN: 'min',
  MINUTES: 'min',
  H: 'h',
  HR: 'h',
  HOUR: 'h',
  HOURS: 'h',
  D: 'd',
  DAY: 'd',
  DAYS: 'd',
  W: 'wk',
  WK: 'wk',
  WEEK: 'wk',
  WEEKS: 'wk',
  L: 'mo',
  MO: 'mo',
  MONTH: 'mo',
  MONTHS: 'mo',
  A: 'a',
  YEAR: 'a',
  YEARS: 'a',
});

interface Pattern {
  readonly code: Element | undefined;
  readonly times: readonly string[];
  readonly words: readonly string[];
}

const known = /^(ONCE|STAT|BID|TID|QID|QOD|QHS|QAM|QPM|QSHIFT|PRN|XID|Q\d*[SMHDWLJ]\d*)$/i;

/** TQ1-3, TQ-2: the pattern's code, of HL7 table 0335 where it can be one, its words, and times of the day. */
function pattern(sent: string): Pattern {
  const [code = '', ...others] = sent.split(/[\^&]/);
  if (code === '') return { code: { text: sent }, times: [], words: [] };
  const listed = others.filter((one) => /^\d{4}(,\d{4})*$/.test(one));
  const [text = '', system = '', ...more] = others.filter((one) => !listed.includes(one));
  const all = /^PRN\b/i.test(text) ? `${code} ${text}` : text || code;
  return {
    code: { coding: known.test(code) ? [{ system: hl7System('v2-0335'), code }] : undefined, text: all },
    times: listed.flatMap((one) => one.split(',')),
    // What is behind a text and its system is of the pattern, and has no place of its own.
    words: more.some((one) => one !== '') || (text === '' && system !== '') ? [`pattern ${plain(sent)}`] : [],
  };
}

/** 0800, 140030. */
function clock(sent: string): string | undefined {
  const [, hour, minute, second = '00'] = /^([01]\d|2[0-3])([0-5]\d)([0-5]\d)?$/.exec(sent) ?? [];
  return hour === undefined ? undefined : `${hour}:${minute}:${second}`;
}

/** Of TQ2 in words, each with what it is. */
function sequence(from: OrderSequence): string {
  const { type, placer, filler, group, condition, cyclic, interval, repeats, relationship } = from;
  const said = [
    ['type', type],
    ['placer', placer?.value ?? ''],
    ['filler', filler?.value ?? ''],
    ['group', group?.value ?? ''],
    ['condition', condition],
    ['cyclic', cyclic],
    ['interval', plain(interval)],
    ['repeats', repeats],
    ['relationship', relationship],
  ].filter(([, value]) => value !== '');
  return said.length === 0 ? '' : `sequence: ${said.map((one) => one.join(' ')).join(', ')}`;
}
