/** Blocks of the event log that do not open: which events they held is known from the small rows beside them. */
import { HilumError } from '../../gateway/process/errors.ts';
import type { DamagedRow, Store } from '../store/store.ts';

/** Of a message control ID, blinded, in the table control-ids: one for each event of a block. */
export const blindedBytes = 8;

/** The first index behind the block. */
export async function indexBehind(store: Store, { key }: DamagedRow): Promise<bigint> {
  const controlIds = await store.get('control-ids', key);
  return key.readBigUInt64BE(0) + BigInt((controlIds?.length ?? 0) / blindedBytes);
}

/** For whoever reads the events in their order: nothing is left out in silence, and how to go on is said. */
export async function unreadable(store: Store, damaged: DamagedRow): Promise<HilumError> {
  const [first, last] = [damaged.key.readBigUInt64BE(0), (await indexBehind(store, damaged)) - 1n];
  const which =
    first === last ? `Event ${first} of the log is` : `The events ${first} to ${last} of the log are`;
  return new HilumError('events-damaged', `${which} damaged on disk (${damaged.message}).`, {
    hint: `Read on with --after ${last}; "hilum-control-plane verify" looks for more.`,
    cause: damaged,
  });
}
