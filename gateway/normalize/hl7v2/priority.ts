/** How urgent it is: one priority of a field that may say it in several codings and in words [HL7 2.A.13, tables 0485, 0027]. */
import type { Order, Timing } from '../../../proto/gen/hilum/v1/event.ts';
import { isStat, isUrgent } from '../../../proto/priority-words.ts';
import { upper } from '../text.ts';
import { isKnownPriority, tellPriority } from './known-words.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { remark } from './scope.ts';

/** The codes of a CWE and its texts; the original text is the last one. */
const words = [1, 4, 10, 2, 5, 11, 9];

export interface Priority {
  /** The most urgent that it says, as sent: its first code where nothing says more. */
  most: string;
  /** What else it says where its code is not that: the code, or words beside a code that nobody knows. */
  others: string[];
}

/** @param parts the CWE, by its components or subcomponents */
export function priorityIn(parts: Parts, segment: Segment, field: number): Priority {
  const all: string[] = [];
  for (const part of words) {
    const one = parts.sub(part).text(1);
    if (one !== '') all.push(one);
  }
  const [first = '', ...further] = all;
  const most = mostUrgent(all);
  tellPriority(most, segment, field);
  if (!isKnownPriority(most)) return { most, others: [...new Set(further)].filter((one) => one !== most) };
  return { most, others: most === first ? [] : [first] };
}

/** The first of the most urgent ones; empty where there is none. */
export function mostUrgent(all: readonly string[]): string {
  let most = all[0] ?? '';
  for (let at = 1; at < all.length; at += 1) {
    const one = all[at] as string;
    if (urgency(one) > urgency(most)) most = one;
  }
  return most;
}

/** Of a dose now and the others by routine, that of the one that cannot wait. */
export function priorityOf(all: readonly Timing[]): string {
  return mostUrgent(all.map(({ priority }) => priority).filter((one) => one !== ''));
}

/** Several fields may say the priority of one order (ORC-7, TQ1-9, OBR-27, OBR-5, RXE-1): the most urgent counts. */
export function urge(order: Order, said: string, segment: Segment, field: number): void {
  const { priority } = order;
  if (said === '') return;
  if (priority !== '' && !isAlike(said, priority)) {
    const text = 'another priority than its order had before, the more urgent stands';
    remark(segment.message.scope, `${segment.name}-${field}: ${text}`);
  }
  order.priority = mostUrgent(priority === '' ? [said] : [priority, said]);
}

/** S and STAT, TS and TS30. */
export function isAlike(one: string, other: string): boolean {
  const [a, b] = [upper(one), upper(other)];
  return (a.startsWith(b) || b.startsWith(a)) && urgency(a) === urgency(b);
}

/** 2 at once, 1 soon, 0 by routine, -1 a word that nobody knows. */
export function urgency(priority: string): number {
  const word = upper(priority);
  if (isUrgent.test(word)) return 1;
  if (isStat.test(word)) return 2;
  return isKnownPriority(priority) ? 0 : -1;
}
