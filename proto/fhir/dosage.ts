/** Dosage: how a drug is to be taken, or was given. */
import type { ClinicalEvent, Coding, Medication, Timing } from '../gen/hilum/v1/event.ts';
import {
  concept,
  concepts,
  dateTime,
  hl7System,
  modified,
  period,
  quantity,
  textOf,
  ucum,
} from './datatypes.ts';
import { Decimal, type Element } from './json.ts';
import { table } from './tables.ts';
import { type Step, stepsOf } from './timings.ts';

/**
 * A dosage for each timing, numbered where the timings say how they follow each other; the timing is bounds and a
 * code, since the repeat patterns of HL7 v2 are open text.
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
  const timing = at?.timing;
  const spoken = [timing?.text ?? '', timing?.condition ?? '', ...(at?.also ?? [])];
  return {
    sequence,
    text: inWords(...instructed(from), ...spoken),
    additionalInstruction: concepts([
      ...from.instructionCodes.filter(({ codings }) => codings.some(isCode)),
      ...from.routing,
    ]),
    timing: timing && when(timing),
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

function when({ start, end, duration, repeat }: Timing): Element {
  const ended = dateTime(end) !== undefined;
  return {
    event: !ended && start ? [dateTime(start)] : undefined,
    repeat: ended
      ? { boundsPeriod: period(start, end) }
      : { boundsDuration: start === undefined ? lasting(duration) : undefined },
    code: pattern(repeat),
  };
}

/** TQ1-2 and TQ-1, `40^mg`: without a unit it is how many of the amount, which is said elsewhere. */
function amountOf(sent: string): Element | undefined {
  const [value = '', unit = ''] = sent.split(/[\^&]/);
  return unit === '' || Decimal.of(value) === undefined ? undefined : quantity(value, unit);
}

/** TQ1-6 `3^d`, TQ-3 `D3` [HL7 4.3.3]. */
function lasting(sent: string): Element | undefined {
  const [, old = '', times = ''] = /^([SMHDWL])(\d+)$/i.exec(sent) ?? [];
  const [value = times, unit = old] = old === '' ? sent.split(/[\^&]/) : [];
  const code = units[unit.toUpperCase()];
  if (code === undefined || Decimal.of(value) === undefined) return undefined;
  return { ...quantity(value, code), system: ucum, code };
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

/** RXE-22 [HL7 4A.4.4.22]: S, M, H, D, W or L (month) and how many of them, H1 where nothing else is said. */
const units = table({ MIN: 'min', DAY: 'd', S: 's', M: 'min', H: 'h', D: 'd', W: 'wk', L: 'mo' });

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

/** TQ1-3: the pattern's code, of HL7 table 0335 where it can be one, and its words. */
function pattern(sent: string): Element | undefined {
  const [code = '', words = ''] = sent.split(/[\^&]/);
  if (code === '') return sent === '' ? undefined : { text: sent };
  const known = /^(ONCE|STAT|BID|TID|QID|QOD|QHS|QAM|QPM|QSHIFT|PRN|XID|Q\d*[SMHDWLJ]\d*)$/i.test(code);
  return { coding: known ? [{ system: hl7System('v2-0335'), code }] : undefined, text: words || code };
}
