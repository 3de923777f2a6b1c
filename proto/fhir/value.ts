/**
 * An observed value as Observation.value[x]. Text is a number only where it is one: `7.40` is a quantity with
 * these digits, `<0.01` one with a comparator, `1:80` a ratio, `2-4` of an SN or NR a range; `1,5` stays a string.
 */
import { ucumSystem } from '../code-systems.ts';
import type { Code, Observation } from '../gen/hilum/v1/event.ts';
import { code, concept, dateTime, period, quantity, unitOf } from './datatypes.ts';
import { Decimal, type Element, type Json } from './json.ts';

export type Value = Record<string, Json>;

/** The first value; empty where there is none. */
export function firstValue(from: Observation): Value {
  const found = sentValue(from);
  const sent = found.valueQuantity as Element | undefined;
  const other = sent && translation(from);
  return other === undefined ? found : { valueQuantity: { extension: [other], ...sent } };
}

/** The same quantity in the unit that a config asks for, beside the one that was sent. */
function translation(from: Observation): Element | undefined {
  const { value, unit } = from.converted ?? { value: '', unit: '' };
  const [, comparator = '', number = ''] = /^(<=|>=|<|>|)(.+)$/.exec(value) ?? [];
  const amount = quantity(number, unit);
  if (amount === undefined) return undefined;
  return {
    url: 'http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation',
    valueQuantity: { ...amount, comparator, system: ucumSystem, code: code(unit) },
  };
}

/**
 * A waveform, as text with its unit. SampledData wants the interval of the samples, which stands in a row of its own,
 * if anywhere, and is not to be made up; a waveform too long for the event leaves its length.
 */
function sampledOf({ samples, unit, unitCode }: Observation): Value | undefined {
  if (samples === undefined) return undefined;
  const { data, count } = samples;
  if (data !== '') return { valueString: [data, unitOf(unit, unitCode).unit].filter(Boolean).join(' ') };
  return { dataAbsentReason: { text: `${count} samples, more than an event holds` } };
}

function sentValue(from: Observation): Value {
  const { value, valueType, valueCode, valueTime, valuePeriod, structured } = from;
  const sampled = sampledOf(from);
  if (sampled !== undefined) return sampled;
  if (valueCode !== undefined)
    return numberInCode(from, valueCode) ?? { valueCodeableConcept: concept(valueCode) };
  const at = dateTime(valueTime);
  if (at !== undefined) return { valueDateTime: at };
  const span = period(valuePeriod?.start, valuePeriod?.end);
  if (span !== undefined) return { valuePeriod: span };
  if (structures.has(valueType) && structured !== undefined)
    return structuredOf(from) ?? measuredText(from, value);
  const [, hour, minute, second = '00', part = ''] =
    (valueType === 'TM' && /^([01]\d|2[0-3])([0-5]\d)([0-5]\d)?(\.\d{1,4})?$/.exec(value)) || [];
  if (hour !== undefined) return { valueTime: `${hour}:${minute}:${second}${part}` };
  return textValue(from, value);
}

/** A text by its form, for the types that may hold numbers. */
export function textValue(from: Observation, text: string): Value {
  if (!numeric.has(from.valueType))
    return aNumber.test(text) ? measuredText(from, text) : { valueString: text };
  return numberOf(from, text) ?? measuredText(from, text);
}

/** What is no plain number (`5,4`, `12.5 H`) keeps its unit, which has no other place. */
function measuredText(from: Observation, text: string): Value {
  const { unit = '' } = unitOf(from.unit, from.unitCode);
  return { valueString: unit !== '' && /\p{Nd}/u.test(text) ? `${text} ${String(unit)}` : text };
}

/** A text that is a number and nothing else, with a sign before it or none: 6.8, 6,8, >1000, full-width and Arabic too. */
const aNumber = /^(?:<=|>=|<|>|≤|≥|=|~)?\s*[+-]?\p{Nd}+(?:[.,．，٫]\p{Nd}+)?$/u;

/** A number with a unit in the place of a code: `^>1000`. What is named, or said in a system, is a code. */
function numberInCode(from: Observation, { text, codings }: Code): Value | undefined {
  const [first, ...further] = codings;
  const said = text || (first?.code ?? '');
  if (from.unit === '' || further.length > 0 || !aNumber.test(said)) return undefined;
  return first === undefined || (first.code === said && first.name === '')
    ? measuredText(from, said)
    : undefined;
}

/** NM and CQ are numbers; ST, and what has no type, may be one. An ST without unit may be a name: `0042`. */
const measured = new Set(['NM', 'CQ', 'SN']);
const numeric = new Set(['NM', 'CQ', 'ST', '']);

function numberOf(from: Observation, text: string): Value | undefined {
  const [, comparator, number = ''] = /^(<=|>=|<|>)\s*(\S+)$/.exec(text) ?? [];
  if (comparator !== undefined) return compared(from, comparator, number);
  const [, numerator = '', denominator = ''] = /^(\d+)\s*:\s*(\d+)$/.exec(text) ?? [];
  // 1:80 is a titer; 12:30 is a time of day, and other texts with a colon are anything.
  if (numerator === '1') return ratio('', numerator, denominator);
  if (from.valueType !== 'NM' && from.valueType !== 'CQ' && from.unit === '') return undefined;
  return plain(from, text);
}

function plain(from: Observation, number: string): Value | undefined {
  const found = quantity(number, from.unit, from.unitCode);
  return found && { valueQuantity: found };
}

function compared(from: Observation, comparator: string, number: string): Value | undefined {
  const value = Decimal.of(number);
  return value && { valueQuantity: { value, comparator, ...unitOf(from.unit, from.unitCode) } };
}

function ratio(comparator: string, numerator: string, denominator: string): Value | undefined {
  const [above, below] = [Decimal.of(numerator), Decimal.of(denominator)];
  if (above === undefined || below === undefined) return undefined;
  return { valueRatio: { numerator: { value: above, comparator }, denominator: { value: below } } };
}

/** A number with a sign or a range, and a range alone. */
const structures = new Set(['SN', 'NR']);

/** SN [HL7 2.A.70], and NR as one: comparator, number, separator, number. */
function structuredOf(from: Observation): Value | undefined {
  const { comparator, number1, separator, number2 } = from.structured ?? {};
  if (number1 === undefined || comparator === undefined) return undefined;
  const sign = comparator === '=' ? '' : comparator;
  if (!['', '<', '<=', '>', '>='].includes(sign)) return undefined; // <> has no counterpart
  if (number2 === '' && separator === '') {
    return sign === '' ? plain(from, number1) : compared(from, sign, number1);
  }
  // Of two amounts (2/38 ug/mL) each has the unit, of a titer (1:80) neither.
  if (separator === ':' || (separator === '/' && from.unit === ''))
    return ratio(sign, number1, number2 ?? '');
  if (separator === '-' && sign === '') return range(from, number1, number2 ?? '');
  return undefined;
}

function range(from: Observation, number1: string, number2: string): Value | undefined {
  const low = quantity(number1, from.unit, from.unitCode);
  const high = quantity(number2, from.unit, from.unitCode);
  if (low === undefined || high === undefined || Number(number1) > Number(number2)) return undefined;
  return { valueRange: { low, high } };
}

/**
 * OBX-7: always as text; `3.5-5.0` of a number also as its bounds. Some systems send the bounds behind the text, as
 * components: `3.5-5.0^3.5^5.0`.
 */
export function referenceRange(from: Observation): Element[] {
  const sent = from.referenceRange.trim();
  if (sent === '') return [];
  const [, said = '', from1 = '', to1 = ''] = /^([^^]*)\^([+-]?[\d.]+)\^([+-]?[\d.]+)$/.exec(sent) ?? [];
  const text = from1 === '' ? from.referenceRange : said || `${from1}-${to1}`;
  const [, low = from1, high = to1] = /^([+-]?[\d.]+)\s*-\s*([+-]?[\d.]+)$/.exec(text.trim()) ?? [];
  const bounds = measured.has(from.valueType) ? range(from, low, high) : undefined;
  return [{ ...(bounds?.valueRange as Element | undefined), text }];
}
