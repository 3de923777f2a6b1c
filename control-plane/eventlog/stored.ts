/** What is read anew from the events themselves where a row that was made from them does not open. */
import type { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { EventBlock } from '../../proto/gen/hilum/v1/store.ts';
import { DamagedRow, orDamaged, type Store, walk } from '../store/store.ts';

const pageRows = 100;

/** The last sequence of a lane by its positions, which were written with its cursor; 0 where it has none. */
export async function lastPosition(store: Store, lane: Buffer): Promise<bigint> {
  const [newest] = await store.range('positions', {
    start: lane,
    end: behind(lane),
    limit: 1,
    reverse: true,
  });
  if (newest === undefined) return 0n;
  return newest.key.readBigUInt64BE(lane.length) + BigInt(newest.value.readUInt32BE(8)) - 1n;
}

/** Every batch that is stored under a prefix of the positions' keys and can be read. */
export async function* batchesOf(store: Store, prefix: Buffer): AsyncGenerator<Batch> {
  for await (const row of walk(store, 'positions', pageRows, { start: prefix, end: behind(prefix) })) {
    if (row instanceof DamagedRow) continue;
    const block = await orDamaged(store.get('events', row.value.subarray(0, 8)));
    if (block === undefined || block instanceof DamagedRow) continue;
    const { batch } = EventBlock.decode(block);
    if (batch !== undefined) yield batch;
  }
}

/** The first key behind all that begin so. */
function behind(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    end[at] = ((end[at] as number) + 1) & 0xff;
    if (end[at] !== 0) return end;
  }
  return Buffer.alloc(0);
}
