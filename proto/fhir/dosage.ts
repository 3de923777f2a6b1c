/** Dosage: how a drug is to be taken, or was given. */
import type { ClinicalEvent, Coding, Medication } from '../gen/hilum/v1/event.ts';
import { concept, concepts, modified, quantity, textOf, ucum } from './datatypes.ts';
import { Decimal, type Element } from './json.ts';
import { asNeeded, units, when } from './timing.ts';
import { type Step, stepsOf } from './timings.ts';

/**
 * A dosage for each timing, numbered where the timings say how they follow each other. Text says what has no place
 * elsewhere.
 */
export function dosage(event: ClinicalEvent, from: Medication): Element[] {
  const steps = stepsOf(event, from);
  if (steps.length < 2) return [step(from, steps[0], undefined, undefined)];
  const numbered = steps.some(({ timing }) => timing.conjunction !== '');
  let sequence = 1;
  return steps.map((one, at) => {
    // What is done in parallel has the number of what it is parallel to.
    if (at > 0 && !/^[AC]$/i.test(steps[at - 1]?.timing.conjunction ?? '')) sequence++;
    return step(from, one, numbered ? sequence : undefined, amountOf(one.timing.quantity));
  });
}

/** `amount`: of this step alone, as in a taper. */
function step(
  from: Medication,
  at: Step | undefined,
  sequence: number | undefined,
  amount: Element | undefined,
): Element {
  const told = at && when(at.timing, from.act === 'give');
  return {
    sequence,
    text: inWords(...instructed(from), ...(told?.words ?? []), ...(at?.also ?? [])),
    additionalInstruction: concepts([
      ...from.instructionCodes.filter(({ codings }) => codings.some(isCode)),
      ...from.routing,
    ]),
    timing: told?.timing,
    ...asNeeded(at === undefined ? [] : [at.timing]),
    site: modified(from.sites[0], from.siteModifiers),
    route: concept(from.routes[0]),
    method: concept(from.methods[0]),
    doseAndRate: [
      { ...(amount === undefined ? (perTime(from) ?? dose(from)) : { doseQuantity: amount }), ...rate(from) },
    ],
  };
}

/** Each once, in their order. */
function inWords(...said: readonly string[]): string {
  return [...new Set(said)].filter((text) => text !== '').join('; ');
}

/** TQ1-2 and TQ-1, `40^mg`: without a unit it is how many of the amount, which is said elsewhere. */
function amountOf(sent: string): Element | undefined {
  const [value = '', unit = ''] = sent.split(/[\^&]/);
  return unit === '' || Decimal.of(value) === undefined ? undefined : quantity(value, unit);
}

/** Of an administration; without an amount and a rate its text, site and route have no dosage [mad-1]. */
export function given(from: Medication): Element | undefined {
  const speed = rate(from) ?? perTime(from);
  // So much an hour is no dose.
  const amount =
    perTime(from) === undefined ? quantity(from.amountMinimum, from.unit, from.unitCode) : undefined;
  if (amount === undefined && speed === undefined) return undefined;
  return {
    text: instructed(from).join('; '),
    site: modified(from.sites[0], from.siteModifiers),
    route: concept(from.routes[0]),
    method: concept(from.methods[0]),
    dose: amount,
    ...speed,
  };
}

function dose(from: Medication): Element | undefined {
  const { amountMinimum, amountMaximum, unit, unitCode } = from;
  const low = quantity(amountMinimum, unit, unitCode);
  const high = quantity(amountMaximum, unit, unitCode);
  if (low === undefined) return undefined;
  if (high === undefined || amountMaximum === amountMinimum) return { doseQuantity: low };
  return Number(amountMinimum) > Number(amountMaximum) ? { doseQuantity: low } : { doseRange: { low, high } };
}

function rate(from: Medication): Element | undefined {
  const found = Decimal.of(from.rate) && quantity(from.rate, from.rateUnit, from.rateUnitCode);
  return found && { rateQuantity: found };
}

/** The amount per time: a rate. */
function perTime(from: Medication): Element | undefined {
  const [, unit = '', count = ''] = /^([SMHDWL])(\d+)$/i.exec(from.per) ?? [];
  const numerator = quantity(from.amountMinimum, from.unit, from.unitCode);
  const code = units[unit.toUpperCase()];
  if (numerator === undefined || code === undefined) return undefined;
  return { rateRatio: { numerator, denominator: { ...quantity(count, code), system: ucum, code } } };
}

/** In words, without the separators of a coded one. */
function instructed(from: Medication): string[] {
  const said = from.instructionCodes.map(textOf).filter((text) => text !== '');
  const per = from.per !== '' && perTime(from) === undefined ? [`per ${from.per}`] : [];
  return [...(from.instructionCodes.length > 0 ? said : from.instructions), ...per];
}

function isCode({ code }: Coding): boolean {
  return code !== '';
}
