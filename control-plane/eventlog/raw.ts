/** The bytes of an event's record: they travel once, with the first of its events, and a replayed event has none of its own. */
import { asStored } from './clinical.ts';
import type { EventLog, StoredEvent } from './eventlog.ts';

/** Empty where they are not here. */
export async function rawOf(eventLog: EventLog, event: StoredEvent): Promise<Uint8Array> {
  const { index, raw } = event.envelope;
  if (raw.length > 0) return raw;
  const [before] = asStored(event).provenance?.replay?.supersedes ?? [];
  if (before !== undefined) {
    const replaced = await eventLog.byId(before);
    return replaced === undefined ? raw : rawOf(eventLog, replaced);
  }
  if (index <= 1) return raw;
  // The others of a record follow the first in its lane.
  const first = await eventLog.at({ ...event, sequence: event.sequence - BigInt(index - 1) });
  return first?.envelope.raw ?? raw;
}
