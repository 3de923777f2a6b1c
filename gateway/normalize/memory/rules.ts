/** The rules of the memory, in the order in which they run. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { bedRow } from './bed.ts';
import { censusNeed } from './census.ts';
import { context } from './context.ts';
import { identity } from './identity.ts';
import { historyRow } from './identity-history.ts';
import type { About, MemoryRule, Need, Recall } from './memory.ts';
import { occupancy } from './occupancy.ts';
import { once } from './once.ts';
import { orderRow } from './order-rows.ts';
import { personRow } from './person.ts';
import { series, seriesRow } from './series.ts';
import { status } from './status.ts';

/** Who it is before what it replaces: an order of a merged patient is still that order. `once` compares finished events. */
const rules: readonly MemoryRule[] = [identity, status, series, context, occupancy, once];

/** What is to be looked up before the record's events can be completed; mostly nothing. */
export function needsOf(events: readonly ClinicalEvent[], about: About): Need[] {
  const needs: Need[] = [];
  for (const rule of rules)
    for (const event of events) for (const need of rule.needs(event, about)) needs.push(need);
  return needs;
}

/** Whether what was found for the record can lead to further rows; mostly it cannot, and need not be asked. */
export function mayLead(events: readonly ClinicalEvent[], needs: readonly Need[], recall: Recall): boolean {
  const moves = events.some(({ kind }) => kind === 'admission' || kind === 'merge');
  return needs.some(
    ({ kind, text }) =>
      (moves || kind !== personRow) &&
      kind !== seriesRow &&
      kind !== censusNeed.kind &&
      recall.get(kind, text) !== undefined,
  );
}

/** What is to be looked up because of what was found; those that were named before are among them. */
export function furtherNeedsOf(events: readonly ClinicalEvent[], about: About, recall: Recall): Need[] {
  const needs: Need[] = [];
  for (const rule of rules) {
    if (rule.follow === undefined) continue;
    for (const event of events) needs.push(...rule.follow(event, about, recall));
  }
  return needs;
}

/** Completes the events of one record, in order, and changes the rows. */
export function remember(events: readonly ClinicalEvent[], about: About, recall: Recall): void {
  for (const rule of rules) for (const event of events) rule.apply(event, about, recall);
}

/** Kinds of rows that outlive the room that they were written to. */
export const lasting: ReadonlySet<number> = new Set(
  [orderRow, historyRow, personRow, bedRow, censusNeed.kind, seriesRow]
    .filter(({ lasts }) => lasts)
    .map(({ number }) => number),
);
