/** Counts of a gateway's events, made again from the events that can be read. */
import { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { StoredCounts } from '../../proto/gen/hilum/v1/store.ts';
import type { Store } from '../store/store.ts';
import { isMappedAnew } from './mapped-anew.ts';
import { type ChangedChunks, completesRecord, markIn } from './seen.ts';
import { batchesOf } from './stored.ts';

/** By source and epoch. How many positions came again stands in no event: none is counted. */
export async function recounted(store: Store, gateway: string): Promise<StoredCounts[]> {
  const counts = new Map<string, StoredCounts>();
  const complete: ChangedChunks = new Map();
  for await (const { epoch, envelopes } of batchesOf(store, Buffer.from(`${gateway}\0`))) {
    for (const bytes of envelopes) {
      const envelope = Envelope.decode(bytes);
      const { source } = envelope;
      const name = `${source} ${epoch}`;
      const one = counts.get(name) ?? StoredCounts.create({ gateway, source, epoch });
      counts.set(name, one);
      one.events += 1n;
      if (!completesRecord(envelope) || isMappedAnew(epoch, envelope)) continue;
      if (markIn(complete, epoch, envelope.recordSequence)) one.doubled += 1n;
      else one.records += 1n;
    }
  }
  return [...counts.values()];
}
