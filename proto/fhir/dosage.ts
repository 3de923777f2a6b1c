/** Dosage: how a drug is to be taken, or was given. */
import type { Coding, Medication, Timing } from '../gen/hilum/v1/event.ts';
import { concept, concepts, dateTime, hl7System, period, quantity, textOf, ucum } from './datatypes.ts';
import { Decimal, type Element } from './json.ts';
import { table } from './tables.ts';

/** One dosage; its timings are bounds and a code, since the repeat patterns of HL7 v2 are open text. */
export function dosage(from: Medication, ordered: readonly Timing[]): Element[] {
  const timings = from.timing.length > 0 ? from.timing : ordered;
  const spoken = timings.flatMap((one) => [one.text, one.condition]).filter((text) => text !== '');
  const timing = timings.find((one) => one.repeat !== '' || one.start !== undefined || one.end !== undefined);
  return [
    {
      text: [...instructed(from), ...spoken].join('; '),
      additionalInstruction: concepts(from.instructionCodes.filter(({ codings }) => codings.some(isCode))),
      timing: timing && {
        event: dateTime(timing.end) === undefined && timing.start ? [dateTime(timing.start)] : undefined,
        repeat:
          dateTime(timing.end) === undefined ? undefined : { boundsPeriod: period(timing.start, timing.end) },
        code: pattern(timing.repeat),
      },
      site: concept(from.sites[0]),
      route: concept(from.routes[0]),
      method: concept(from.methods[0]),
      doseAndRate: [{ ...(perTime(from) ?? dose(from)), ...rate(from) }],
    },
  ];
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
    site: concept(from.sites[0]),
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
const units = table({ S: 's', M: 'min', H: 'h', D: 'd', W: 'wk', L: 'mo' });

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
