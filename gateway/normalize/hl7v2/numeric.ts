/** Numbers that have parts: SN, NR, VR and CQ [HL7 2.A]. */
import type { Observation, StructuredNumeric } from '../../../proto/gen/hilum/v1/event.ts';
import { trimmed } from '../text.ts';
import { codeOf, unitText } from './coded.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { place, remark } from './scope.ts';

/** As text; undefined of a type that is none of these. */
export function numericText(parts: Parts, type: string): string | undefined {
  if (type === 'SN') return isUpTo(parts) ? `<=${parts.text(4)}` : sn(parts);
  if (type === 'CQ') return parts.text(1);
  if (type === 'NR' && !isRange(parts)) return trimmed(parts.content());
  if (type === 'NR' && isOpen(parts)) return parts.has(2) ? `<=${parts.text(2)}` : `>=${parts.text(1)}`;
  // From and to [v2-to-FHIR, OBX-5].
  if (type === 'NR' || type === 'VR') return [parts.text(1), parts.text(2)].filter(Boolean).join('-');
  return undefined;
}

const comparators = new Set(['', '<', '>', '<=', '>=', '=', '<>']);

/** SN: comparator, number, separator, number [HL7 2.A.70]. */
export function structured(to: Observation, segment: Segment, field: number): void {
  // The first repetition may be empty: the value is that of the first one that has something.
  const parts = segment.repetitions(field)[0] ?? segment.parts(field);
  if (runsTogether(parts)) {
    const text = 'numbers of an SN that nothing parts, kept as they were sent';
    remark(parts.message.scope, `${place(segment, field)}: ${text}`);
    return;
  }
  const begin = parts.text(1);
  if (!comparators.has(begin)) {
    remark(parts.message.scope, `${place(segment, field)}: an SN that does not begin with a comparator`);
    // With a number there its parts stand in other places than they should: nobody knows which of them is the number.
    if (/\d/.test(begin)) return;
  }
  if (isUpTo(parts))
    remark(
      parts.message.scope,
      `${place(segment, field)}: a range (SN) without its lower number, read as up to the other one`,
    );
  const [comparator, number1, separator, number2] = [1, 2, 3, 4].map((part) => parts.text(part));
  to.structured = {
    comparator: comparator ?? '',
    number1: number1 ?? '',
    separator: separator ?? '',
    number2: number2 ?? '',
  };
}

/** `>^4` in the place of a code, whose text alone would be 4; empty where it is one. */
export function comparedText(parts: Parts): string {
  const [comparator, number] = [parts.text(1), parts.text(2)];
  if (comparator === '' || !comparators.has(comparator) || !startsNumber.test(number)) return '';
  return comparator + number + (parts.has(4) ? parts.text(3) + parts.text(4) : '');
}

/** CQ: a number and its unit in subcomponents; OBX-6, where it has one, stands above it [HL7 2.A.20]. */
export function composite(to: Observation, parts: Parts): void {
  if (!parts.has(2)) return;
  to.unitCode = codeOf(parts.sub(2));
  to.unit = unitText(to.unitCode);
}

/** NR: from 1 to 2; without one of them it is open on that side [HL7 2.A.48]. */
export function numericRange(segment: Segment, field: number): StructuredNumeric | undefined {
  const parts = segment.parts(field);
  if (!isRange(parts)) {
    remark(
      parts.message.scope,
      `${place(segment, field)}: an NR of other than two numbers, kept as it was sent`,
    );
    return undefined;
  }
  if (isOpen(parts)) {
    const below = parts.has(2);
    return {
      comparator: below ? '<=' : '>=',
      number1: parts.text(below ? 2 : 1),
      separator: '',
      number2: '',
    };
  }
  return { comparator: '', number1: parts.text(1), separator: '-', number2: parts.text(2) };
}

/** Two numbers at most, with nothing between them. */
function isRange(parts: Parts): boolean {
  return !parts.has(3) && [1, 2].every((part) => parts.text(part) === '' || aNumber.test(parts.text(part)));
}

const aNumber = /^[+-]?[\d.,]+(?:E[+-]?\d+)?$/i;

/** One of its two limits is left out, though both have their places: a lone number in the first is only that. */
function isOpen(parts: Parts): boolean {
  return parts.text(1) === '' ? parts.text(2) !== '' : parts.text(2) === '' && parts.reaches(2);
}

/** `^^-^5` of an SN, which is not minus five: that is one number, and stands in the second part. */
function isUpTo(parts: Parts): boolean {
  return parts.text(1) + parts.text(2) === '' && parts.text(3) === '-' && parts.text(4) !== '';
}

/** As one text; as it was sent where that would be another number. */
export function sn(parts: Parts): string {
  if (runsTogether(parts)) return trimmed(parts.content());
  return parts.text(1) + parts.text(2) + parts.text(3) + parts.text(4);
}

/** Two numbers without a separator (`^5^^6`), or a sign in the place of the first one (`^-^5`): 56 and -5 nobody said. */
function runsTogether(parts: Parts): boolean {
  const all = [1, 2, 3, 4].map((part) => parts.text(part));
  if (sign.test(all[1] ?? '') && startsNumber.test(all[2] ?? '')) return true;
  const said = all.filter((one) => one !== '');
  return said.some((one, at) => at > 0 && startsNumber.test(one) && endsNumber.test(said[at - 1] ?? ''));
}

const sign = /^[+-]$/;
const startsNumber = /^[.,]?\d/;
const endsNumber = /\d[.,]?$/;
