/**
 * A result in the unit that a config wants to see, beside the one that was sent.
 *
 * Digits: the converted value has the fewest decimals at which one step of the last digit that was
 * sent still shows. So 7.40 mg/dL is 0.0740 g/L, 100 mg/dL of glucose 5.55 mmol/L, 37.0 Cel 98.6
 * [degF]. The limits of the range and the value get the same decimals: what was above its limit
 * stays above it, and two different values never become one. Halves round away from zero.
 *
 * Only plain decimals are converted, with a comparator before them or none. Titers (1:80), ranges
 * as values, words, `1,5` and repetitions are not. A range that is no range of numbers keeps the
 * value from being converted too: a value beside the limits of another unit would be read as critical.
 */
import {
  add,
  type Decimal,
  digitsOf,
  multiply,
  parseDecimal,
  writeDecimal,
} from '../../proto/units/decimal.ts';
import type { Relation } from '../../proto/units/ucum.ts';

/** More digits than any result has; the relation is not known to more. */
const digitsMax = 10;
const decimalsMax = 12;
const textMax = 128;

export interface Quantity {
  value: string;
  referenceRange: string;
}

/** @param unit as it is sent; a range may repeat it */
export function convertQuantity(sent: Quantity, unit: string, relation: Relation): Quantity | undefined {
  if (sent.value.length > textMax || sent.referenceRange.length > textMax) return undefined;
  const value = split(sent.value.trim(), /^((?:<=|>=|<|>|≤|≥)?\s*)(\S+)$/);
  const range = sent.referenceRange === '' ? [] : splitRange(withoutUnit(sent.referenceRange.trim(), unit));
  if (value === undefined || range === undefined) return undefined;
  const numbers = [...value, ...range].filter((part) => typeof part !== 'string');
  if (numbers.some((number) => digitsOf(number) > digitsMax)) return undefined;
  const decimals = Math.max(...numbers.map((number) => decimalsOf(number, relation)));
  if (decimals > decimalsMax) return undefined;
  const written = (parts: Parts): string =>
    parts
      .map((part) =>
        typeof part === 'string'
          ? part
          : writeDecimal(add(multiply(part, relation.factor), relation.offset), decimals),
      )
      .join('');
  return { value: written(value), referenceRange: written(range) };
}

/** Texts that stay, and numbers that are converted. */
type Parts = (string | Decimal)[];

function splitRange(text: string): Parts | undefined {
  return (
    split(text, /^([+-]?[\d.]+)(\s*(?:-|–|to)\s*)([+-]?[\d.]+)$/) ??
    split(text, /^((?:<=|>=|<|>|≤|≥)\s*)([+-]?[\d.]+)$/)
  );
}

function split(text: string, pattern: RegExp): Parts | undefined {
  const parts: Parts = [];
  for (const part of pattern.exec(text)?.slice(1) ?? []) {
    const number = parseDecimal(part);
    if (number === undefined && /\d/.test(part)) return undefined;
    parts.push(number ?? part);
  }
  return parts.some((part) => typeof part !== 'string') ? parts : undefined;
}

function withoutUnit(range: string, unit: string): string {
  return unit !== '' && range.endsWith(unit) ? range.slice(0, -unit.length).trimEnd() : range;
}

/** The fewest decimals d with 10^-d ≤ the last digit's step × factor. */
function decimalsOf({ scale }: Decimal, { factor }: Relation): number {
  return Math.max(0, scale + factor.scale - digitsOf(factor) + 1);
}
