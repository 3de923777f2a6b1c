/** Events of a lane put together for the line, out of rows that are in memory or were opened. */
import { batchElementEnd } from '../../proto/wire.ts';
import type { OutboxEntry } from './rows.ts';

/** Events of one lane in sequence, as they are sent. */
export interface Parcel {
  first: number;
  count: number;
  bytes: number;
  /** Elements of a Batch: envelopes with their tags and lengths. */
  chunks: Uint8Array[];
  queuedAtUs: number[];
  /** 0 of one that was replayed. */
  capturedAtUs: number[];
}

export interface OpenRow {
  first: number;
  entries: readonly OutboxEntry[];
  queuedAtUs: number;
  plain: Uint8Array;
}

/** Adds of the row what the parcel does not have yet; false when the parcel is full. */
export function fill(parcel: Parcel, row: OpenRow, countMax: number, bytesMax: number): boolean {
  let from = parcel.first + parcel.count - row.first;
  let at = 0;
  for (let skipped = 0; skipped < from; skipped += 1) at = batchElementEnd(row.plain, at);
  const start = at;
  let full = false;
  for (; from < row.entries.length; from += 1) {
    const end = batchElementEnd(row.plain, at);
    full = parcel.count > 0 && (parcel.count >= countMax || parcel.bytes + end - at > bytesMax);
    if (full) break;
    parcel.count += 1;
    parcel.bytes += end - at;
    parcel.queuedAtUs.push(row.queuedAtUs);
    const entry = row.entries[from] as OutboxEntry;
    parcel.capturedAtUs.push(entry.replayed ? 0 : entry.capturedAtUs);
    at = end;
  }
  if (at > start) parcel.chunks.push(row.plain.subarray(start, at));
  return !full;
}
