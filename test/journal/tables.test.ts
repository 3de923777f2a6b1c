/** The tables of repeats and of the memory beside a map, over many times their first size. */
import t from 'tap';
import { locationOf, MemoryIndex, readLocation } from '../../gateway/journal/memory-index.ts';
import { createRepeatIndex } from '../../gateway/journal/repeats.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

const steps = 60_000;
/** Few enough that a key comes again, many enough that every part of a table grows. */
const keys = 30_000;

t.test('tables - repeats are found as a map finds them, also from what was written of them', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const index = createRepeatIndex();
  const known = new Map<number, { sequence: number; hash: number }>();
  const rows: Buffer[] = [];
  for (let step = 1; step <= steps; step += 1) {
    const key = below(random, keys);
    if (below(random, 4) > 0) {
      const hash = below(random, 3);
      index.add(wordsOf(key), wordsOf(hash), step, 7);
      known.set(key, { sequence: step, hash });
    } else {
      index.release(wordsOf(key));
      known.delete(key);
    }
    if (step % 100 === 0) rows.push(index.takeRow() as Buffer);
  }
  const read = createRepeatIndex();
  for (const row of rows) read.load(row);
  for (const [name, one] of [
    ['as it was filled', index],
    ['as it was read', read],
  ] as const) {
    t.equal(one.size(), known.size, name);
    const wrong: number[] = [];
    for (let key = 0; key < keys; key += 1) {
      const { sequence, hash = 0 } = known.get(key) ?? {};
      const [same, other] = [one.find(wordsOf(key), wordsOf(hash)), one.find(wordsOf(key), wordsOf(9))];
      const ok =
        sequence === undefined
          ? same === undefined
          : same?.sequence === sequence && same.sameBytes && same.atS === 7 && other?.sameBytes === false;
      if (!ok) wrong.push(key);
    }
    t.same(wrong, [], name);
  }
  // The rows go in the order in which they came; what was renewed since stays.
  for (const [at, row] of rows.entries()) {
    read.forget(row);
    const through = (at + 1) * 100;
    if (at % 100 === 99)
      t.equal(read.size(), [...known.values()].filter(({ sequence }) => sequence > through).length);
  }
});

t.test('tables - the memory knows where the newest value of each key stands', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const index = new MemoryIndex();
  const known = new Map<number, number>();
  for (let step = 1; step <= steps; step += 1) {
    const key = below(random, keys);
    const [high, low] = halvesOf(key);
    const at = known.get(key) ?? 0;
    if (below(random, 4) > 0) {
      index.set(high, low, locationOf(step, key % 7));
      known.set(key, locationOf(step, key % 7));
    } else if (below(random, 2) > 0) index.remove(high, low, at + 1);
    else {
      index.remove(high, low, at);
      known.delete(key);
    }
  }
  t.equal(index.size, known.size);
  const wrong: number[] = [];
  for (let key = 0; key < keys; key += 1) {
    const [high, low] = halvesOf(key);
    if (index.find(high, low) !== (known.get(key) ?? 0)) wrong.push(key);
  }
  t.same(wrong, []);
  t.same(readLocation(locationOf(12_345_678, 65_535)), { row: 12_345_678, chunk: 65_535 });
});

/** Two halves that differ in all bits, as those of a hash; the first key is all zero. */
function halvesOf(key: number): [number, number] {
  return [Math.imul(key, 0x9e3779b1) >>> 0, Math.imul(key, 0x85ebca6b) >>> 0];
}

function wordsOf(key: number): Buffer {
  const words = Buffer.alloc(8);
  const [high, low] = halvesOf(key);
  words.writeUInt32BE(high, 0);
  words.writeUInt32BE(low, 4);
  return words;
}
