/** Dosage: how a drug is to be taken, or was given. */
import type { Medication, Timing } from '../gen/hilum/v1/event.ts';
import { concept, dateTime, period, quantity } from './datatypes.ts';
import { Decimal, type Element } from './json.ts';

/** One dosage; its timings are bounds and a code, since the repeat patterns of HL7 v2 are open text. */
export function dosage(from: Medication, ordered: readonly Timing[]): Element[] {
  const timings = from.timing.length > 0 ? from.timing : ordered;
  const spoken = timings.flatMap((one) => [one.text, one.condition]).filter((text) => text !== '');
  const timing = timings.find((one) => one.repeat !== '' || one.start !== undefined || one.end !== undefined);
  return [
    {
      text: [...from.instructions, ...spoken].join('; '),
      timing: timing && {
        event: dateTime(timing.end) === undefined && timing.start ? [dateTime(timing.start)] : undefined,
        repeat:
          dateTime(timing.end) === undefined ? undefined : { boundsPeriod: period(timing.start, timing.end) },
        code: timing.repeat === '' ? undefined : { text: timing.repeat },
      },
      site: concept(from.sites[0]),
      route: concept(from.routes[0]),
      method: concept(from.methods[0]),
      doseAndRate: [{ ...dose(from), ...rate(from) }],
    },
  ];
}

/** Of an administration; without an amount and a rate its text, site and route have no dosage [mad-1]. */
export function given(from: Medication): Element | undefined {
  const amount = quantity(from.amountMinimum, from.unit);
  const speed = rate(from);
  if (amount === undefined && speed === undefined) return undefined;
  return {
    text: from.instructions.join('; '),
    site: concept(from.sites[0]),
    route: concept(from.routes[0]),
    method: concept(from.methods[0]),
    dose: amount,
    ...speed,
  };
}

function dose(from: Medication): Element | undefined {
  const { amountMinimum, amountMaximum, unit } = from;
  const low = quantity(amountMinimum, unit);
  const high = quantity(amountMaximum, unit);
  if (low === undefined) return undefined;
  if (high === undefined || amountMaximum === amountMinimum) return { doseQuantity: low };
  return Number(amountMinimum) > Number(amountMaximum) ? { doseQuantity: low } : { doseRange: { low, high } };
}

function rate(from: Medication): Element | undefined {
  const found = Decimal.of(from.rate) && quantity(from.rate, from.rateUnit);
  return found && { rateQuantity: found };
}
