/** The rules of the memory, in the order in which they run. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { context } from './context.ts';
import { identity } from './identity.ts';
import type { About, MemoryRule, Need, Recall } from './memory.ts';
import { occupancy } from './occupancy.ts';
import { status } from './status.ts';

/** Who it is before what it replaces: an order of a merged patient is still that order. */
const rules: readonly MemoryRule[] = [identity, status, context, occupancy];

/** What is to be looked up before the record's events can be completed; mostly nothing. */
export function needsOf(events: readonly ClinicalEvent[], about: About): Need[] {
  return rules.flatMap((rule) => events.flatMap((event) => rule.needs(event, about)));
}

/** What is to be looked up because of what was found; those that were named before are among them. */
export function furtherNeedsOf(events: readonly ClinicalEvent[], about: About, recall: Recall): Need[] {
  return rules.flatMap((rule) => events.flatMap((event) => rule.follow?.(event, about, recall) ?? []));
}

/** Completes the events of one record, in order, and changes the rows. */
export function remember(events: readonly ClinicalEvent[], about: About, recall: Recall): void {
  for (const rule of rules) for (const event of events) rule.apply(event, about, recall);
}
