/** How urgent it is: one priority of a field that may say it in several codings and in words [HL7 2.A.13, tables 0485, 0027]. */
import { upper } from '../text.ts';
import { isKnownPriority, tellPriority } from './known-words.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';

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
  const all = words.map((part) => parts.sub(part).text(1)).filter((one) => one !== '');
  const [first = '', ...further] = all;
  const most = mostUrgent(all);
  tellPriority(most, segment, field);
  if (!isKnownPriority(most)) return { most, others: [...new Set(further)].filter((one) => one !== most) };
  return { most, others: most === first ? [] : [first] };
}

/** The first of the most urgent ones; empty where there is none. */
export function mostUrgent(all: readonly string[]): string {
  const [first = '', ...others] = all;
  return others.reduce((most, one) => (urgency(one) > urgency(most) ? one : most), first);
}

const ranks = [/^(A|ASAP|P|U|URG|URGENT|TH\d*)$/, /^(S|ST|STAT|CITO|T|T[SM]\d*)$/];

/** 2 at once, 1 soon, 0 by routine, -1 a word that nobody knows. */
export function urgency(priority: string): number {
  const at = ranks.findIndex((rank) => rank.test(upper(priority)));
  return at < 0 ? (isKnownPriority(priority) ? 0 : -1) : at + 1;
}
