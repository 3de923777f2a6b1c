/** TQ1 and TQ2: when, how often and how urgently, and after what [HL7 4.5.4, 4.5.5]. */
import type { OrderSequence, Timing } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { time } from './clock.ts';
import { ei } from './identified.ts';
import { tellPriority } from './known-words.ts';
import type { Segment } from './message.ts';
import { asSent, type Table, word, words } from './table.ts';

export const tq1: Table<Timing> = [
  [2, 'quantity', asSent],
  [3, 'repeat', asSent],
  [4, 'timesOfDay', words],
  [5, 'relative', asSent],
  [6, 'duration', asSent],
  [7, 'start', time],
  [8, 'end', time],
  [9, priorities],
  [10, 'condition', word],
  [11, 'text', word],
  [12, 'conjunction', word],
  [13, 'occurrenceDuration', asSent],
  [14, 'occurrences', word],
];

export const tq2: Table<OrderSequence> = [
  [2, 'type', word],
  [3, 'placer', ei('PLAC')],
  [4, 'filler', ei('FILL')],
  [5, 'group', ei('GROUP')],
  [6, 'condition', word],
  [7, 'cyclic', word],
  [8, 'interval', asSent],
  [9, 'repeats', word],
  [10, 'relationship', word],
];

/** TQ1-9 repeats: the most urgent one counts [HL7 tables 0485, 0027, and words that are sent]. */
function priorities(to: Timing, segment: Segment, field: number): void {
  const all = words(segment, field);
  for (const one of all) tellPriority(one, segment, field);
  const [first = '', ...others] = all;
  to.priority = others.reduce((most, one) => (urgency(one) > urgency(most) ? one : most), first);
  if (others.length > 0) to.priorities = all;
}

const ranks = [/^(A|ASAP|P|U|URG|URGENT|TH\d*)$/, /^(S|ST|STAT|CITO|T|T[SM]\d*)$/];

function urgency(priority: string): number {
  const sent = upper(priority);
  return ranks.findIndex((rank) => rank.test(sent));
}
