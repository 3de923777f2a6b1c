/**
 * The salts of this store's lives. All that a life sealed can be opened with its salt alone, so each stands twice, once
 * with a checksum:
 *
 *   segments         number(4)   salt(16)
 *   segment-copies   number(4)   salt(16) crc32(4)
 *
 * The copy counts where its checksum fits, else the first. A store of an earlier build has no copies and gets them when
 * it is opened to be written; an earlier build opens a store that has them.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Environment } from '../../gateway/process/lmdb.ts';
import type { Segment } from '../../gateway/process/seal.ts';

const table = 'segments';
const copies = 'segment-copies';
const saltBytes = 16;

/**
 * Of earlier lives, by their numbers. Both tables are opened here and not when a salt is asked for, which may be in the
 * middle of a range: a reader's lmdb ends the transaction of it (SIGSEGV: seen).
 */
export function saltsOf(environment: Environment): (number: number) => Buffer | undefined {
  const segments = environment.has(table) ? environment.table(table) : undefined;
  const second = environment.has(copies) ? environment.table(copies) : undefined;
  return (number) => checked(second?.get(keyOf(number))) ?? segments?.get(keyOf(number));
}

/** A segment of this life's own, and for those before it what is missing or damaged of the two places. */
export async function beginSegment(environment: Environment): Promise<Segment> {
  const [segments, second] = [environment.table(table), environment.table(copies)];
  const saltOf = saltsOf(environment);
  const keys = new Set<string>();
  for (const one of [segments, second]) for (const key of one.getKeys({})) keys.add(hex(key));
  const numbers = [...keys].map((key) => Buffer.from(key, 'hex').readUInt32BE(0));
  const number = numbers.reduce((most, one) => Math.max(most, one), 0) + 1;
  const salt = randomBytes(saltBytes);
  const amiss = numbers.flatMap((one) => {
    const stored = saltOf(one);
    const key = keyOf(one);
    const whole = checked(second.get(key)) !== undefined && segments.get(key)?.equals(stored ?? salt);
    return stored === undefined || whole ? [] : [{ key, salt: stored }];
  });
  await environment.write(() => {
    for (const one of [...amiss, { key: keyOf(number), salt }]) {
      void segments.put(one.key, one.salt);
      void second.put(one.key, withChecksum(one.salt));
    }
  });
  return { number, salt };
}

function checked(copy: Buffer | undefined): Buffer | undefined {
  if (copy?.length !== saltBytes + 4) return undefined;
  const salt = copy.subarray(0, saltBytes);
  return crc32(salt) === copy.readUInt32BE(saltBytes) ? salt : undefined;
}

function withChecksum(salt: Buffer): Buffer {
  const copy = Buffer.alloc(saltBytes + 4);
  salt.copy(copy);
  copy.writeUInt32BE(crc32(salt), saltBytes);
  return copy;
}

function keyOf(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(number);
  return key;
}

function hex(key: unknown): string {
  return (key as Buffer).toString('hex');
}
