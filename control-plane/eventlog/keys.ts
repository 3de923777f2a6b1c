/**
 * Keys of the event log. Names are ended by a zero byte, numbers are big-endian, lanes are
 * one byte, so that a gateway's lane is one contiguous range.
 */
import { wireLimits } from '../../proto/limits.ts';

const laneCodes: ReadonlyMap<string, number> = new Map([
  ['stat', 1],
  ['urgent', 2],
  ['routine', 3],
  ['bulk', 4],
]);

export function isLane(lane: string): boolean {
  return laneCodes.has(lane);
}

/** Whether a gateway's name for something can stand in a key. */
export function fitsKey(name: string): boolean {
  return Buffer.byteLength(name) <= wireLimits.nameBytesMax && !name.includes('\0');
}

export function indexKey(index: bigint): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(index);
  return key;
}

export function laneKey(gateway: string, epoch: bigint, lane: string): Buffer {
  const tail = Buffer.alloc(9);
  tail.writeBigUInt64BE(epoch);
  tail[8] = laneCodes.get(lane) ?? 0;
  return Buffer.concat([Buffer.from(`${gateway}\0`), tail]);
}

/** What the keys of every lane of a gateway's epoch begin with. */
export function epochPrefix(gateway: string, epoch: bigint): Buffer {
  return Buffer.concat([Buffer.from(`${gateway}\0`), indexKey(epoch)]);
}

export function positionKey(gateway: string, epoch: bigint, lane: string, sequence: bigint): Buffer {
  return Buffer.concat([laneKey(gateway, epoch, lane), indexKey(sequence)]);
}

/** One bitmap of 4,096 record sequences. */
export const recordsPerChunk = 4096;

export function chunkKey(gateway: string, epoch: bigint, chunk: number): Buffer {
  const tail = Buffer.alloc(12);
  tail.writeBigUInt64BE(epoch);
  tail.writeUInt32BE(chunk, 8);
  return Buffer.concat([Buffer.from(`${gateway}\0`), tail]);
}

/** The event's name outside: <gateway>.<epoch in hex>.<lane>.<sequence>. */
export function eventId(gateway: string, epoch: bigint, lane: string, sequence: bigint): string {
  return `${gateway}.${epoch.toString(16)}.${lane}.${sequence}`;
}

/** The epoch of the journal that a record's id names; undefined where it is none. */
export function epochOfRecord(id: string): bigint | undefined {
  const epoch = /\.([0-9a-f]{1,16})\.record\.\d+$/.exec(id)?.[1];
  return epoch === undefined ? undefined : BigInt(`0x${epoch}`);
}

/** A record's name where it is in quarantine: <gateway>.<epoch in hex>.record.<sequence>. */
export function recordId(gateway: string, epoch: bigint, sequence: bigint): string {
  return `${gateway}.${epoch.toString(16)}.record.${sequence}`;
}

export interface EventPosition {
  gateway: string;
  epoch: bigint;
  lane: string;
  sequence: bigint;
}

export function parseEventId(id: string): EventPosition | undefined {
  const [, gateway, epoch, lane, sequence] =
    /^([A-Za-z0-9][A-Za-z0-9_-]*)\.([0-9a-f]{1,16})\.(stat|urgent|routine|bulk)\.(\d{1,19})$/.exec(id) ?? [];
  if (gateway === undefined || epoch === undefined || lane === undefined || sequence === undefined)
    return undefined;
  return { gateway, epoch: BigInt(`0x${epoch}`), lane, sequence: BigInt(sequence) };
}
