/**
 * What a sealed store knows of its keys: whether the master key is its own, and the salt of each life, from which
 * and the master key that life's data key is made (seal.ts). Without its salt all that a life wrote is lost, so each
 * stands twice, in two tables, with a checksum.
 *
 *   segments, segments-copy   number(4) = salt(16) crc32(4)       from 1 on
 *                             0(4)      = key check(16) crc32(4)
 *
 * A store is never opened for writing with another key than its own: what that key cannot read would be taken for
 * damaged, and the damaged is taken out of the way.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { checkedRow, valueIn } from './checked-value.ts';
import { exitCode, HilumError } from './errors.ts';
import type { Environment, Table } from './lmdb.ts';
import { createOpener, type Opener, type Segment } from './seal.ts';

const tableNames = ['segments', 'segments-copy'] as const;
const valueBytes = 16;
const checkNumber = 0;

export interface Segments {
  /** Answers undefined where neither copy is as it was written. */
  salt(number: number): Buffer | undefined;
  readonly opener: Opener;
}

/**
 * Writes nothing. Both tables are opened here and not when a salt is asked for, which may be in the middle of a range:
 * a reader's lmdb ends the transaction of it (SIGSEGV: seen). Throws `key-wrong` where another key has sealed the store.
 */
export function readSegments(environment: Environment, masterKey: Uint8Array): Segments {
  const copies = tableNames.flatMap((name) => (environment.has(name) ? [environment.table(name)] : []));
  const salt = (number: number) => read(copies, number);
  const check = salt(checkNumber);
  if (check !== undefined && !check.equals(keyCheck(masterKey))) {
    throw new HilumError(
      'key-wrong',
      'The key is not the one that the data in this directory is sealed with.',
      {
        hint: 'Put back the key file that belongs to it (keyFile in the settings names its place). Nothing was changed.',
        exit: exitCode.badConfig,
      },
    );
  }
  return { salt, opener: createOpener(masterKey, salt) };
}

/** Begins the segment of this life: it is on disk when the promise resolves. What one copy has lost the other gives back. */
export async function beginSegment(
  environment: Environment,
  masterKey: Uint8Array,
): Promise<Segments & { segment: Segment }> {
  const known = readSegments(environment, masterKey);
  const copies = tableNames.map((name) => environment.table(name));
  const segment = { number: Math.max(...copies.map(lastNumber)) + 1, salt: randomBytes(valueBytes) };
  const lacking = new Set(copies.flatMap((table) => [...differing(table, copies)]));
  await environment.write(() => {
    const put = (number: number, value: Uint8Array) => {
      for (const table of copies) void table.put(keyOf(number), checkedRow(keyOf(number), value));
    };
    for (const number of lacking) {
      const value = known.salt(number);
      if (value !== undefined) put(number, value);
    }
    put(checkNumber, keyCheck(masterKey));
    put(segment.number, segment.salt);
  });
  return { ...known, segment };
}

function lastNumber(table: Table): number {
  const [last] = table.getKeys({ reverse: true, limit: 1 });
  return last === undefined ? 0 : numberOf(last);
}

/** Of which a copy is not as it was written. A store has as many as it had starts, so they are walked and none is kept. */
function* differing(table: Table, copies: readonly Table[]): Generator<number> {
  for (const { key, value } of table.getRange({})) {
    const row = checkedRow(key, value.subarray(0, valueBytes));
    if (!copies.every((copy) => copy.get(key)?.equals(row))) yield numberOf(key);
  }
}

function keyCheck(masterKey: Uint8Array): Buffer {
  return createHmac('sha256', masterKey).update('hilum key check').digest().subarray(0, valueBytes);
}

function read(copies: readonly Table[], number: number): Buffer | undefined {
  for (const table of copies) {
    const key = keyOf(number);
    const value = valueIn(table.get(key), key, valueBytes);
    if (value !== undefined) return value;
  }
  return undefined;
}

function keyOf(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(number);
  return key;
}

function numberOf(key: unknown): number {
  return (key as Buffer).readUInt32BE(0);
}
