/** TQ1 and TQ2: when, how often and how urgently, and after what [HL7 4.5.4, 4.5.5]. */
import type { OrderSequence, Timing } from '../../../proto/gen/hilum/v1/event.ts';
import { time } from './clock.ts';
import { ei } from './identified.ts';
import type { Segment } from './message.ts';
import { mostUrgent, priorityIn } from './priority.ts';
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

/** TQ1-9 repeats: the most urgent one counts. */
function priorities(to: Timing, segment: Segment, field: number): void {
  const said = segment.each(field, (parts) => {
    const one = priorityIn(parts, segment, field);
    return one.most === '' ? undefined : one;
  });
  to.priority = mostUrgent(said.map(({ most }) => most));
  const all = said.flatMap(({ most, others }) => [most, ...others]);
  if (all.length > 1) to.priorities = all;
}
