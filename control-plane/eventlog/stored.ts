/** What is read anew from the events themselves where a row that was made from them does not open. */
import { type Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { EventBlock } from '../../proto/gen/hilum/v1/store.ts';
import { DamagedRow, orDamaged, type Store, walk } from '../store/store.ts';
import { indexKey } from './keys.ts';
import { isMappedAnew } from './mapped-anew.ts';

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

/** The epochs of the journals whose events are stored under this name, in the order of their first events. */
export async function epochsOf(store: Store, gateway: string): Promise<bigint[]> {
  const firsts = new Map<bigint, bigint>();
  const start = Buffer.from(`${gateway}\0`);
  for await (const row of walk(store, 'positions', pageRows, { start, end: behind(start) })) {
    if (row instanceof DamagedRow) continue;
    const [epoch, index] = [row.key.readBigUInt64BE(start.length), row.value.readBigUInt64BE(0)];
    const first = firsts.get(epoch);
    if (first === undefined || index < first) firsts.set(epoch, index);
  }
  const epochs: bigint[] = [];
  for (const [epoch, index] of [...firsts].sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    const block = await orDamaged(store.get('events', indexKey(index)));
    const batch = block instanceof Buffer ? EventBlock.decode(block).batch : undefined;
    const [first] = batch?.envelopes ?? [];
    if (first === undefined || !isMappedAnew(epoch, Envelope.decode(first))) epochs.push(epoch);
  }
  return epochs;
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
