/**
 * The rows of orders: one for what goes by a number, and one that leads there from its other number. A placer knows its
 * own number and a filler its own; whoever names both says that they are one order.
 *
 *   filler's  ──►  placer's   an order that was filled: the placer's row holds it
 *   placer's  ──►  filler's   results that were told under the placer's number alone, before there was a filler's
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import type { About, Recall, RowKind } from './memory.ts';
import { decodeOrder, encodeOrder, type OrderMemory } from './order-codec.ts';
import { orderTexts, otherTexts } from './order-texts.ts';
import { ordersOf, withOrder } from './which-order.ts';
import { isOther, patientOf } from './whose-order.ts';

const daysKept = 90;

export const orderRow: RowKind<OrderMemory> = {
  number: 1,
  keepS: daysKept * 86_400,
  lasts: false,
  encode: encodeOrder,
  decode(bytes) {
    try {
      return decodeOrder(bytes);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  },
};

/** All that it may be known by. */
export function textsOf(event: ClinicalEvent, about: About): readonly string[] {
  const [own, other] = [orderTexts(event, about), otherTexts(event, about)];
  return other.length === 0 ? own : [...own, ...other];
}

/** A row without a state says where its order stands: `placer` is the text of that row. */
export function isElsewhere({ states }: OrderMemory): boolean {
  return states.length === 0;
}

export interface Recalled {
  /** Where its row is to stand. */
  text: string;
  row: OrderMemory | undefined;
  /** It stood under its other number, or some of it did: who spoke of it knew no other. */
  isElsewhere: boolean;
}

/**
 * A sender that swaps the codings of OBR-4 means the same order: of those that it may be known by it is the first that
 * is known, else the first. Where nothing is known by its own number, who spoke of it may have known only the other.
 */
export function recalled(event: ClinicalEvent, about: About, recall: Recall): Recalled | undefined {
  const own = orderTexts(event, about);
  const [first] = own;
  if (first === undefined) return undefined;
  for (const text of own) {
    const row = recall.find(orderRow, text);
    if (row === undefined) continue;
    if (!isElsewhere(row)) return joined({ text, row }, event, about, recall);
    return { text: row.placer, row: recall.find(orderRow, row.placer), isElsewhere: false };
  }
  for (const text of otherTexts(event, about)) {
    const row = recall.find(orderRow, text);
    if (row !== undefined && !isElsewhere(row)) return { text: first, row, isElsewhere: true };
  }
  return { text: first, row: undefined, isElsewhere: false };
}

/**
 * With what was told under the other number alone: the message in hand is the first that names both, and says that they
 * are one order. What another patient has there is not this one.
 */
function joined(
  { text, row }: { text: string; row: OrderMemory },
  event: ClinicalEvent,
  about: About,
  recall: Recall,
): Recalled {
  const found = { text, row, isElsewhere: false };
  if (event.kind === 'observation') return found;
  const patient = patientOf(event);
  for (const other of otherTexts(event, about)) {
    const orders = ordersOf(recall.find(orderRow, other));
    if (!orders.some((one) => one.states.length > 0 && !isOther(one.patient, patient, about))) continue;
    const all = orders.reduceRight<OrderMemory>(
      (known, one) => withOrder(known, undefined, { ...one, others: [] }),
      row,
    );
    return { text, row: all, isElsewhere: true };
  }
  return found;
}

/**
 * Whoever names only the other number means this order. Of results a placer's number may stand over several, and is
 * none of theirs unless one was told by it alone.
 */
export function tellElsewhere(
  event: ClinicalEvent,
  about: About,
  recall: Recall,
  { text, isElsewhere: moved }: Recalled,
): void {
  if (!moved && (event.kind === 'observation' || event.superseded)) return;
  for (const other of otherTexts(event, about)) {
    const known = recall.find(orderRow, other);
    const isKnown =
      known !== undefined && (moved ? isElsewhere(known) : !isElsewhere(known) || known.placer === text);
    if (isKnown || (moved && known === undefined)) continue;
    const { epoch } = about;
    recall.set(orderRow, other, {
      epoch,
      patient: [],
      states: [],
      observations: [],
      placer: text,
      others: [],
    });
  }
}
