/**
 * The journal's memory against real files: rows and events are one transaction, what is staged is seen
 * at once, the bound is kept by a sweep, and nothing readable is on the disk.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal, type JournalOptions, type Made } from '../../gateway/journal/journal.ts';
import { memoryPlace, tables } from '../../gateway/journal/layout.ts';
import type { MemoryRow } from '../../gateway/journal/memory.ts';
import { blindKey, createBlind } from '../../gateway/process/keys.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { createOpener, createSealer } from '../../gateway/process/seal.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf } from '../kit/site.ts';

const key = randomBytes(32);
const nowS = Math.floor(Date.now() / 1000);
const blind = createBlind(blindKey(key));

async function open(directory: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
  const nothing = () => {};
  return Journal.open(
    {
      directory,
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 1000,
      repeatAgeMs: 1e9,
      memoryEntriesMax: 100_000,
      memoryBytesMax: 64 * 1024 ** 2,
      orderKeysOf: () => [],
      ...more,
    },
    {
      onFault: nothing,
      onAlarm: nothing,
      onRecords: nothing,
      onEvents: nothing,
      onDeliveries: nothing,
      onRepeat: nothing,
      onEpoch: nothing,
    },
  );
}

function keyOf(text: string): Buffer {
  return Buffer.concat([Buffer.of(7), blind(text)]);
}

/** As the worker makes it, with the value in the clear where a test does not need the seal. */
function row(text: string, value: string, untilS = nowS + 1000): MemoryRow {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(untilS);
  return { key: keyOf(text), value: Buffer.concat([head, Buffer.from(value)]) };
}

function recall(journal: Journal, ...texts: string[]): (string | undefined)[] {
  const found = journal.memory.recall(Buffer.concat(texts.map(keyOf)), nowS);
  return found.map((value) => value?.subarray(4).toString());
}

function made(...remembered: MemoryRow[]): Made {
  return { lanes: [], rejects: [], deliveries: [], remembered };
}

/** What the pipeline does with a job of the worker. */
function finish(journal: Journal, ...remembered: MemoryRow[]): void {
  journal.memory.stage(remembered);
  journal.finish([], [made(...remembered)]);
}

async function close(journal: Journal): Promise<void> {
  await journal.stop();
  await journal.close();
}

t.test('memory - a staged row is seen at once, a finished one is there after a restart', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  t.same(recall(first, 'a', 'b'), [undefined, undefined], 'nothing is known at first');
  finish(first, row('a', '1'));
  t.same(recall(first, 'a', 'b'), ['1', undefined], 'before its round is flushed');
  await first.stop();
  t.same(recall(first, 'a'), ['1'], 'and after');
  const left = first.memory.stats();
  await first.close();
  const second = await open(directory);
  t.same(recall(second, 'b', 'a'), [undefined, '1']);
  t.same(second.memory.stats(), left, 'the counts are what they were');
  t.equal(left.entries, 1);
  t.equal(second.stats().liveBytes, left.bytes, 'they count as bytes of the journal');
  await close(second);
});

t.test('memory - what was staged and never finished is gone after a restart', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  finish(first, row('a', 'durable'));
  await first.stop();
  first.memory.stage([row('a', 'lost'), row('b', 'lost')]);
  t.same(recall(first, 'a', 'b'), ['lost', 'lost']);
  await first.close();
  const second = await open(directory);
  t.same(recall(second, 'a', 'b'), ['durable', undefined]);
  await close(second);
});

t.test('memory - a job that is finished late does not undo what a later job wrote', async (t) => {
  const directory = folderOf(t);
  const journal = await open(directory);
  const early = row('a', 'early');
  journal.memory.stage([early]);
  finish(journal, row('a', 'later'));
  journal.finish([], [made(early)]);
  t.same(recall(journal, 'a'), ['later']);
  await journal.stop();
  t.same(recall(journal, 'a'), ['later']);
  t.equal(journal.memory.stats().entries, 1);
  await journal.close();
});

t.test('memory - a row past its time is absent, and the sweep takes it away', async (t) => {
  const directory = folderOf(t);
  const journal = await open(directory);
  for (let at = 0; at < 100; at += 1) finish(journal, row(`old${at}`, 'x', nowS - 1));
  t.same(recall(journal, 'old1'), [undefined]);
  await journal.stop();
  for (let at = 0; at < 200; at += 1) finish(journal, row(`new${at}`, 'x'));
  await journal.stop();
  t.equal(journal.memory.stats().entries, 200);
  await journal.close();
  const environment = openEnvironment({ directory, readOnly: true });
  t.equal([...environment.table(tables.memory).getKeys({})].length, 200, 'as the table has it');
  await environment.close();
});

t.test(
  'memory - whatever is put and however it restarts, the counts are those of the table, and the bound holds',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`seed ${seed}`);
    const random = seededRandom(seed);
    const directory = folderOf(t);
    const entriesMax = 1000;
    const newest = new Map<string, string>();
    let journal = await open(directory, { memoryEntriesMax: entriesMax });
    for (let round = 0; round < 1200; round += 1) {
      const rows = new Map<string, MemoryRow>();
      for (let at = below(random, 6); at >= 0; at -= 1) {
        const text = `k${below(random, 20_000)}`;
        const value = String(round).repeat(1 + below(random, 50));
        rows.set(text, row(text, value, nowS + 10 + round));
        newest.set(text, value);
      }
      finish(journal, ...rows.values());
      if (below(random, 100) === 0) {
        await close(journal);
        journal = await open(directory, { memoryEntriesMax: entriesMax });
      } else if (below(random, 10) === 0) await journal.stop();
      for (const text of rows.keys())
        if (recall(journal, text)[0] !== newest.get(text)) t.fail(`${text} is not what was put last`);
      if (below(random, 10) === 0) await new Promise(setImmediate);
    }
    await journal.stop();
    const { entries, bytes } = journal.memory.stats();
    t.ok(entries <= entriesMax && entries > entriesMax / 2, `${entries} entries`);
    t.equal(journal.stats().liveBytes, bytes);
    await journal.close();
    const environment = openEnvironment({ directory, readOnly: true });
    const found = [...environment.table(tables.memory).getRange({})];
    t.equal(found.length, entries);
    const mean = found.reduce((sum, { value }) => sum + value.readUInt32BE(0) - nowS - 10, 0) / found.length;
    await environment.close();
    // Exact least-recently-written would keep about the last third of the rounds; chance alone gives a mean of the half.
    t.ok(mean > 900, `what stayed is young: round ${Math.round(mean)} of 1200 on average`);
  },
);

t.test('memory - bytes are bounded as well, by a quarter of the journal at most', async (t) => {
  const journal = await open(folderOf(t), { budgetBytes: 4 * 1024 ** 2 });
  for (let at = 0; at < 3000; at += 1) {
    finish(journal, row(`k${at}`, 'x'.repeat(1000)));
    if (at % 50 === 49) await journal.stop();
  }
  await journal.stop();
  const { bytes } = journal.memory.stats();
  t.ok(bytes <= 1024 ** 2 && bytes > 0.5 * 1024 ** 2, `${bytes} bytes`);
  await journal.close();
});

t.test('memory - nothing of a row can be read on the disk, and a row cannot be moved', async (t) => {
  const directory = folderOf(t);
  const journal = await open(directory);
  const sealer = createSealer(key, journal.segment, 900);
  const at = keyOf('order|CANARYFILLER|CANARYMRN');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(nowS + 1000);
  const sealed = sealer.seal(memoryPlace(at), Buffer.from('CANARYVALUE'));
  finish(journal, { key: at, value: Buffer.concat([head, sealed]) });
  await journal.stop();
  const [value] = journal.memory.recall(at, nowS);
  const opener = createOpener(key, (number) => journal.segmentSalt(number));
  t.equal(opener.open(memoryPlace(at), value?.subarray(4) as Buffer).toString(), 'CANARYVALUE');
  t.throws(() => opener.open(memoryPlace(keyOf('other')), value?.subarray(4) as Buffer));
  await journal.close();
  const file = readFileSync(join(directory, 'data.mdb'), 'latin1');
  for (const word of ['CANARYFILLER', 'CANARYMRN', 'CANARYVALUE']) t.notOk(file.includes(word), word);
});
