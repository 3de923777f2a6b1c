/**
 * Once only: what is said twice has one effect. Off unless a config's `once` speaks of the source. The event stays
 * an event: it is delivered and counted as every other, and says in `once` what it is beside the others.
 *
 *   repeat      said before; the one that it names has the effect. Readers leave it out, and no local destination
 *               gets what it had before
 *   effective   said before by a feed that is not authoritative for it: it stands in place of that one
 *   linked      something of it is not the same: both stay
 *   conflict    as linked, and only what was found is not the same
 *
 * It runs after all other rules, because a repeat must never be more urgent than the one that it repeats: the
 * class of both is compared as the whole of the event gives it [once-results.ts, once-alarms.ts].
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import type { MemoryRule, Need } from './memory.ts';
import { alarmRow, alarmTexts, onceAlarm } from './once-alarms.ts';
import { feedsRow, feedsText, onceResult } from './once-results.ts';

const none: readonly Need[] = [];

export const once: MemoryRule = {
  name: 'once',
  needs(event, { once: rules }): readonly Need[] {
    if (rules === undefined) return none;
    const result = feedsText(event, rules);
    if (result !== undefined) return [{ kind: feedsRow, text: result }];
    const alarm = alarmTexts(event, rules);
    if (alarm === undefined) return none;
    const { own, ofDevice } = alarm;
    const needs = [{ kind: alarmRow, text: ofDevice }];
    if (own !== undefined) needs.push({ kind: alarmRow, text: own });
    return needs;
  },
  apply(event, about, recall) {
    const { once: rules } = about;
    if (rules === undefined) return;
    const found = onceResult(event, about, rules, recall) ?? onceAlarm(event, about, rules, recall);
    if (found === undefined) return;
    event.once = found;
    event.provenance?.rules.push('memory/once');
    if (found.role === 'conflict')
      event.provenance?.remarks.push('another feed says something else of the same result');
  },
};

/** What a rule did, for the figures; undefined where it found nothing. */
export function onceCounts(events: readonly ClinicalEvent[]): OnceCount[] | undefined {
  let counts: OnceCount[] | undefined;
  for (const { once: found } of events) {
    if (found === undefined) continue;
    counts ??= [];
    counts.push({ rule: found.rule, role: found.role as OnceRole });
  }
  return counts;
}

export type OnceRole = 'repeat' | 'effective' | 'linked' | 'conflict';

export interface OnceCount {
  rule: string;
  role: OnceRole;
}
