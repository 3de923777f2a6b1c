/**
 * What goes by one number is not always one matter. One row holds them all, because which it is is known only from it:
 * each has its name, empty while nobody gave one, and its patient.
 *
 *   observation   the placer's number: one accession may hold two sets of blood cultures
 *   order         the service, as one number may stand over several OBR; a cancellation that names none is of all
 *   schedule      which one of a series
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { idText } from './identity-steps.ts';
import type { OrderMemory } from './order-codec.ts';
import { codeTexts } from './result-keys.ts';

/** Of one number, beside the first; those that were heard of longest ago are forgotten. A request is a few bytes. */
const othersMax = 8;
const furtherRequestsMax = 32;

/** What it may be named by, the first as it is remembered; none where it says nothing, or goes by that number itself. */
export function namesOf({ kind, order, schedule }: ClinicalEvent): readonly string[] {
  if (kind === 'observation')
    return order?.filler === undefined || order.placer === undefined ? none : [idText(order.placer)];
  if (kind === 'order') return order?.service === undefined ? none : codeTexts(order.service);
  const occurrence = schedule?.occurrenceNumber ?? '';
  return occurrence === '' ? none : [occurrence];
}

const none: readonly string[] = [];

/** As far as both are named. Whose number or code it is may be left out. */
export function isNamed(known: string, names: readonly string[]): boolean {
  if (known === '' || names.length === 0) return true;
  return names.some((name) => name === known || codeOf(name) === codeOf(known));
}

function codeOf(text: string): string {
  return text.slice(text.indexOf('|') + 1);
}

/** All that is remembered under the number, the first one first. */
export function ordersOf(row: OrderMemory | undefined): readonly OrderMemory[] {
  return row === undefined ? [] : [row, ...row.others];
}

export function tellPlacer({ kind, provenance }: ClinicalEvent): void {
  if (kind === 'observation')
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
  const max = now.observations.length === 0 ? furtherRequestsMax : othersMax;
  return { ...row, others: [now, ...others].slice(0, max) };
}
