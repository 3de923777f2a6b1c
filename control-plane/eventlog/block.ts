/** A block of the event log: one batch as it came, and the events in it. */
import { type Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import type { EventBlock } from '../../proto/gen/hilum/v1/store.ts';
import { blindedBytes } from './damaged.ts';
import type { EventPosition } from './keys.ts';

export interface StoredEvent extends EventPosition {
  index: bigint;
  site: string;
  envelope: Envelope;
  queuedAtUs: bigint;
  sentAtUs: bigint;
  storedAtUs: bigint;
}

export function unpack(block: EventBlock): StoredEvent[] {
  const batch = block.batch as Batch;
  return batch.envelopes.map((bytes, at) => ({
    index: block.firstIndex + BigInt(at),
    gateway: block.gateway,
    site: block.site,
    epoch: batch.epoch,
    lane: batch.lane,
    sequence: batch.firstSequence + BigInt(at),
    envelope: Envelope.decode(bytes),
    queuedAtUs: batch.queuedAtUs[at] ?? 0n,
    sentAtUs: batch.sentAtUs,
    storedAtUs: block.storedAtUs,
  }));
}

/** Without its first events. */
export function without(batch: Batch, leading: number): Batch {
  return {
    ...batch,
    firstSequence: batch.firstSequence + BigInt(leading),
    envelopes: batch.envelopes.slice(leading),
    queuedAtUs: batch.queuedAtUs.slice(leading),
  };
}

/** How often is this among control IDs that are packed one behind the other? */
export function occurrences(packed: Buffer, wanted: Buffer): number {
  let count = 0;
  for (let at = 0; at < packed.length; at += blindedBytes) {
    if (packed.compare(wanted, 0, blindedBytes, at, at + blindedBytes) === 0) count += 1;
  }
  return count;
}
