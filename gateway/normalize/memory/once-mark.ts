/** What both parts of `once` say on an event, and how they know the event in hand again. */
import { hash } from 'node:crypto';
import { type Class, classes } from '../../../proto/config/event-words.ts';
import type { ClinicalEvent, Once, OnceLink, RecordPosition } from '../../../proto/gen/hilum/v1/event.ts';
import type { About } from './memory.ts';

/** An event of a record. */
export interface Place {
  record: RecordPosition | undefined;
  index: number;
}

export function placeOf(event: ClinicalEvent, { epoch, sequence }: About): Place {
  return { record: { epoch, sequence }, index: event.provenance?.index ?? 1 };
}

export function samePlace(one: Place, other: Place): boolean {
  return one.index === other.index && sameRecord(one, other);
}

export function sameRecord({ record: one }: Place, { record: other }: Place): boolean {
  return one?.sequence === other?.sequence && one?.epoch === other?.epoch;
}

export function mark(rule: string, role: string, links: OnceLink[], more: Partial<Once> = {}): Once {
  return { rule, role, links, heldBack: [], repeats: 0, ...more };
}

export function link(
  { record, index, source }: Place & { source: string },
  differs: string[] = [],
): OnceLink {
  return { record, index, source, differs };
}

/** Would the event be put off if only the other one had an effect? */
export function isMoreUrgent(own: string, other: string): boolean {
  return classes.indexOf(own as Class) < classes.indexOf(other as Class);
}

export function both(one: readonly string[], other: readonly string[]): string[] {
  return one.filter((text) => other.includes(text));
}

export function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])];
}

const textMax = 64;

/** To be compared, in a row that is bounded whatever stands in a message. */
export function short(text: string): string {
  return text.length <= textMax ? text : hash('sha256', text, 'base64');
}
