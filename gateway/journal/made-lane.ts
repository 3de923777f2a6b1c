/** What one job of the normalizer made for one lane, and the rows of the outbox that it becomes. */
import { batchElementEnd } from '../../proto/wire.ts';
import type { Class } from '../capture/intake.ts';
import { type OutboxEntry, rowEventsMax } from './rows.ts';

export interface MadeLane {
  lane: Class;
  entries: OutboxEntry[];
  /** Their envelopes as they are to be sent: elements of a Batch; see proto/wire.ts. */
  plain: Uint8Array;
}

/** One, if it is not very much. */
export function* rowsOf(made: MadeLane): Generator<MadeLane> {
  const { lane, entries, plain } = made;
  if (entries.length <= rowEventsMax) {
    yield made;
    return;
  }
  for (let at = 0, from = 0; at < entries.length; at += rowEventsMax) {
    const some = entries.slice(at, at + rowEventsMax);
    let end = from;
    for (let left = some.length; left > 0; left -= 1) end = batchElementEnd(plain, end);
    yield { lane, entries: some, plain: plain.subarray(from, end) };
    from = end;
  }
}
