/**
 * How much of a drug and how fast. Only plain numbers are told as such; `1/2`, `0,125` and `<=20` stand in words, and
 * so does what FHIR's choice of one dose and one rate has no place for: half of an amount would be another amount.
 */
import { ucumSystem } from '../code-systems.ts';
import type { Medication } from '../gen/hilum/v1/event.ts';
import { quantity } from './datatypes.ts';
import { Decimal, type Element } from './json.ts';
import { units } from './timing.ts';
import { plain } from './timings.ts';

export interface Amounts {
  /** dose[x] and rate[x] of Dosage.doseAndRate. */
  readonly told: Element;
  readonly words: readonly string[];
}

/** `asked`: TQ1-2 or TQ-1 of this step; `steps`: how many there are. */
export function amounts(from: Medication, asked: string, steps: number): Amounts {
  const { dose, words } = askedOf(from, asked, steps);
  const { rate, words: further } = speed(from);
  if (rate === undefined || dose?.rateRatio === undefined)
    return { told: { ...dose, ...rate }, words: [...words, ...further] };
  // One rate: how fast it runs stands above how much that makes per time.
  return { told: rate, words: [...words, spoken(from), ...further] };
}

interface Dose {
  readonly dose: Element | undefined;
  readonly words: readonly string[];
}

/** Without a unit the quantity is how often the amount is given at a time, of which neither alone is the dose. */
function askedOf(from: Medication, asked: string, steps: number): Dose {
  const own = give(from);
  const [value = '', unit = ''] = asked.split(/[\^&]/);
  if (value === '' || (unit === '' && Number(value) === 1)) return own;
  const said = spoken(from);
  if (unit === '')
    return { dose: undefined, words: [said === '' ? `quantity ${value}` : `${value} × ${said}`] };
  const amount = quantity(value, unit);
  const given = said === '' ? [] : [`give amount ${said}`];
  if (amount === undefined) return { dose: undefined, words: [plain(asked), ...given] };
  const same = isUnit(from, unit);
  if (own.dose?.rateRatio !== undefined || (steps === 1 && !same && own.dose !== undefined))
    return { dose: own.dose, words: [plain(`${value} ${unit}`), ...own.words] };
  if (steps === 1 && own.dose !== undefined && isWithin(from, Number(value))) return own;
  return { dose: { doseQuantity: amount }, words: steps === 1 || !same ? given : [] };
}

/** What is given each time, or per time. */
export function give(from: Medication): Dose {
  const { amountMinimum, amountMaximum, unit, unitCode, per } = from;
  if (`${amountMinimum}${amountMaximum}${per}` === '') return { dose: undefined, words: [] };
  const inWords: Dose = { dose: undefined, words: [spoken(from)] };
  const [low, high] = limits(amountMinimum, amountMaximum);
  const [least, most] = [quantity(low, unit, unitCode), quantity(high, unit, unitCode)];
  if ((low !== '' && least === undefined) || (high !== '' && most === undefined)) return inWords;
  if (per !== '') {
    const dose = most === undefined ? perTime(per, least) : undefined;
    return dose === undefined ? inWords : { dose, words: [] };
  }
  if (most === undefined) return { dose: { doseQuantity: least }, words: [] };
  if (least !== undefined && Number(low) > Number(high))
    return { dose: { doseQuantity: least }, words: Number(high) === 0 ? [] : [spoken(from)] };
  return { dose: { doseRange: { low: least, high: most } }, words: [] };
}

/** How fast. */
export function speed(from: Medication): { rate: Element | undefined; words: readonly string[] } {
  const { rate, rateUnit, rateUnitCode } = from;
  const [low, high] = limits(rate, '');
  const [least, most] = [quantity(low, rateUnit, rateUnitCode), quantity(high, rateUnit, rateUnitCode)];
  if (least === undefined) return { rate: undefined, words: rate === '' ? [] : [fastOf(from)] };
  if (most === undefined) return { rate: { rateQuantity: least }, words: [] };
  return { rate: { rateRange: { low: least, high: most } }, words: [] };
}

export function fastOf({ rate, rateUnit }: Medication): string {
  return `rate ${rate} ${rateUnit}`.trim();
}

/** All that is said of the amount, as sent. */
export function spoken({ amountMinimum, amountMaximum, unit, per }: Medication): string {
  const more = amountMaximum === '' || amountMaximum === amountMinimum ? '' : amountMaximum;
  const amount =
    amountMinimum === '' ? more && `up to ${more}` : [amountMinimum, more].filter(Boolean).join('-');
  return [amount, amount && unit, per && `per ${per}`].filter((part) => part !== '').join(' ');
}

/** Least and most; both may stand in one field, and what is said twice has no range. */
function limits(least: string, most: string): [low: string, high: string] {
  const [, low = '', high = ''] =
    most === '' ? (/^(\d+(?:\.\d+)?|\.\d+)\s*-\s*(\d+(?:\.\d+)?|\.\d+)$/.exec(least) ?? []) : [];
  if (high !== '' && Number(low) <= Number(high)) return [low, high];
  return [least, most === least ? '' : most];
}

/** The amount per time: a rate. */
function perTime(per: string, numerator: Element | undefined): Element | undefined {
  const [, unit = '', count = ''] = /^([SMHDWL])(\d+)$/i.exec(per) ?? [];
  const code = units[unit.toUpperCase()];
  if (numerator === undefined || code === undefined) return undefined;
  return { rateRatio: { numerator, denominator: { ...quantity(count, code), system: ucumSystem, code } } };
}

function isUnit({ unit, unitCode }: Medication, asked: string): boolean {
  const all = [unit, ...(unitCode?.codings ?? []).flatMap(({ code, display }) => [code, display])];
  return unit === '' || all.some((one) => one.toUpperCase() === asked.toUpperCase());
}

function isWithin({ amountMinimum, amountMaximum }: Medication, value: number): boolean {
  const [low, high] = limits(amountMinimum, amountMaximum);
  if (Decimal.of(low) === undefined) return false;
  return high === '' ? value === Number(low) : value >= Number(low) && value <= Number(high);
}
