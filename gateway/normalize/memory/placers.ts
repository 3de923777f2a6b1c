/**
 * Reports under one filler's number and service that name different placer's numbers are of different orders: one
 * accession may hold two sets of blood cultures. One row holds them all, because which it is is known only from it.
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { idText } from './identity-steps.ts';
import type { OrderMemory } from './order-codec.ts';

/** Of one filler's number, beside the first; those that were heard of longest ago are forgotten. */
const othersMax = 8;

/** Empty where the event names none, and for what is known by that number itself. */
export function placerOf({ kind, order }: ClinicalEvent): string {
  return kind === 'observation' && order?.filler !== undefined && order.placer !== undefined
    ? idText(order.placer)
    : '';
}

/** Are both the same, as far as both are named? The authority may be left out. */
export function isSamePlacer(one: string, other: string): boolean {
  return one === '' || other === '' || one === other || numberOf(one) === numberOf(other);
}

function numberOf(text: string): string {
  return text.slice(text.indexOf('|') + 1);
}

export function isOfPlacer({ placer: known }: OrderMemory, placer: string): boolean {
  return isSamePlacer(known, placer);
}

/** The order of that placer's number, of those in the row. */
export function ofPlacer(row: OrderMemory | undefined, placer: string): OrderMemory | undefined {
  if (row === undefined || isOfPlacer(row, placer)) return row;
  return row.others.find((one) => isOfPlacer(one, placer));
}

export function tellPlacer({ provenance }: ClinicalEvent): void {
  provenance?.remarks.push('the filler number was used with another placer number: two orders');
}

/** The row with the order as it is now. @param known as it was in the row */
export function withOrder(
  row: OrderMemory | undefined,
  known: OrderMemory | undefined,
  now: OrderMemory,
): OrderMemory {
  if (row === undefined) return now;
  if (known === row) return { ...now, others: row.others };
  const others = row.others.filter((one) => one !== known);
  return { ...row, others: [now, ...others].slice(0, othersMax) };
}
