/** The salts of all lives of a store: one for each start, however many there were. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { checkedRow } from '../../gateway/process/checked-value.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { beginSegment } from '../../gateway/process/segments.ts';

const starts = 130_000;
const key = Buffer.alloc(32, 7);

function keyOf(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

t.test('segments - a store opens after any number of starts, and each salt is in both copies', async (t) => {
  const environment = openEnvironment({ directory: t.testdir() });
  t.teardown(() => environment.close());
  const first = await beginSegment(environment, key);
  t.equal(first.segment.number, 1);
  const copies = ['segments', 'segments-copy'].map((name) => environment.table(name));
  const salts = randomBytes(16 * (starts + 1));
  const saltOf = (number: number) => salts.subarray(16 * number, 16 * number + 16);
  await environment.write(() => {
    for (const [at, table] of copies.entries())
      for (let number = 2; number <= starts; number += 1) {
        const row = checkedRow(keyOf(number), saltOf(number));
        // One is damaged in each copy, and each lacks one.
        if (number === 1_000 + at) row[3] = (row[3] ?? 0) ^ 1;
        if (number !== 2_000 + at) void table.put(keyOf(number), row);
      }
  });
  const { segment, salt } = await beginSegment(environment, key);
  t.equal(segment.number, starts + 1);
  for (const number of [1_000, 1_001, 2_000, 2_001, starts]) {
    t.same(salt(number), saltOf(number));
    for (const table of copies)
      t.same(table.get(keyOf(number)), checkedRow(keyOf(number), saltOf(number)), `${number}`);
  }
  t.same(salt(1), first.segment.salt);
  t.same(salt(starts + 1), segment.salt);
});
