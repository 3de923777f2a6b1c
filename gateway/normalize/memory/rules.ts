/** The rules of the memory, in the order in which they run. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import type { About, MemoryRule, Need, Recall } from './memory.ts';
import { status } from './status.ts';

const rules: readonly MemoryRule[] = [status];

/** What is to be looked up before the record's events can be completed; mostly nothing. */
export function needsOf(events: readonly ClinicalEvent[], about: About): Need[] {
  return rules.flatMap((rule) => events.flatMap((event) => rule.needs(event, about)));
}

/** Completes the events of one record, in order, and changes the rows. */
export function remember(events: readonly ClinicalEvent[], about: About, recall: Recall): void {
  for (const rule of rules) for (const event of events) rule.apply(event, about, recall);
}
