/**
 * The memory against real files, with the normalizer's half of it as it runs in the worker: rows and events are
 * one transaction, the newest value wins however jobs are finished, the old end is carried on or dropped, and
 * nothing readable is on the disk.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal, type JournalOptions, type Made } from '../../gateway/journal/journal.ts';
import { numberKey, outboxTable, tables } from '../../gateway/journal/layout.ts';
import { chunkOf, headOf } from '../../gateway/journal/memory-row.ts';
import { storedBytes } from '../../gateway/journal/space.ts';
import { censusNeed, isCensusLoaded, markCensus } from '../../gateway/normalize/memory/census.ts';
import type { RowKind } from '../../gateway/normalize/memory/memory.ts';
import { createKeyedHash } from '../../gateway/process/keyed-hash.ts';
import { memoryKey } from '../../gateway/process/keys.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { forgetCensus } from '../../gateway/worker-carry.ts';
import { JobMemory, WorkerMemory } from '../../gateway/worker-memory.ts';
import { batchElement } from '../../proto/wire.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf } from '../kit/site.ts';

const key = randomBytes(32);
const startS = Math.floor(Date.now() / 1000);

function kindOf(number: number, lasts: boolean, keepS = 1000): RowKind<string> {
  return {
    number,
    keepS,
    lasts,
    encode: (row) => Buffer.from(row),
    decode: (bytes) => Buffer.from(bytes).toString(),
  };
}

const order = kindOf(7, false);
const person = kindOf(8, true);
const brief = kindOf(9, true, 10);
const lasting = new Set([8, 9]);
type Values = readonly (readonly [RowKind<string>, string, string])[];

async function openJournal(directory: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
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

/** A normalizer as it starts beside this journal: with no cache, knowing what heads say. */
class Normalizer {
  readonly memory: WorkerMemory;
  readonly #journal: Journal;
  nowS = startS;

  constructor(journal: Journal) {
    this.#journal = journal;
    journal.memory.forsaken();
    this.memory = new WorkerMemory({
      keyed: createKeyedHash(memoryKey(key)),
      nextRow: journal.memory.nextRow,
      lasting,
    });
    for (const heads of journal.memory.heads()) this.memory.load(Buffer.from(heads));
  }

  /** What a job that asks for these finds. */
  recall(...asked: readonly (readonly [RowKind<string>, string])[]): (string | undefined)[] {
    const job = this.#job(asked);
    return asked.map(([kind, text]) => job.get(kind, text));
  }

  /** What a job that writes these comes back with; accepted, and to be finished. */
  made(values: Values): Made {
    const job = this.#job(values);
    job.record(() => {
      for (const [kind, text, value] of values) job.set(kind, text, value);
    });
    const row = job.finish();
    const made: Made = { lanes: [], rejects: [], deliveries: [] };
    if (row === undefined) return made;
    this.#journal.memory.accept(row, this.memory.entries);
    made.remembered = row.row;
    return made;
  }

  finish(values: Values): void {
    this.#journal.finish([], [this.made(values)]);
    this.carry();
  }

  carry(): void {
    for (;;) {
      const carry = this.#journal.memory.carry(this.nowS);
      if (carry === undefined) return;
      const into = this.memory.carry(carry.row, carry.bytes, carry.drop, this.nowS);
      this.#journal.memory.carried(carry.row, into, this.memory.entries);
    }
  }

  #job(asked: readonly (readonly [RowKind<string>, string, ...unknown[]])[]): JobMemory {
    const job = new JobMemory(this.memory, this.nowS);
    job.need(asked.map(([kind, text]) => ({ kind, text })));
    const wanted = job.wanted();
    job.have(
      wanted.map(({ row, chunk }) => {
        const sealed = this.#journal.memory.read(row, chunk);
        // The next read may overwrite it.
        return sealed === undefined ? undefined : Buffer.from(sealed);
      }),
    );
    if (job.wanted().length > 0) throw new Error('a chunk that was given is asked for again');
    return job;
  }
}

async function close(journal: Journal): Promise<void> {
  await journal.stop();
  await journal.close();
}

/** Rows on the disk, and the bytes that they take, with their heads in the index. */
async function stored(directory: string): Promise<{ rows: number[]; bytes: number; indexed: number }> {
  const environment = openEnvironment({ directory, readOnly: true });
  const found = [...environment.table(tables.memory).getRange({})];
  const indexed = [...environment.table(tables.memoryIndex).getKeys({})].length;
  await environment.close();
  const rows = found.map(({ key: row }) => Number(Buffer.from(row).readBigUInt64BE(0)));
  const bytesOf = (value: Buffer) => storedBytes(8, value.length + (headOf(value)?.length ?? 0));
  return { rows, bytes: found.reduce((sum, { value }) => sum + bytesOf(value), 0), indexed };
}

t.test('memory - what a job wrote the next one sees, and the next life', async (t) => {
  const directory = folderOf(t);
  const journal = await openJournal(directory);
  const normalizer = new Normalizer(journal);
  t.same(normalizer.recall([order, 'a'], [person, 'a']), [undefined, undefined], 'nothing is known at first');
  normalizer.finish([
    [order, 'a', '1'],
    [person, 'a', 'p'],
  ]);
  t.same(normalizer.recall([order, 'a'], [person, 'a']), ['1', 'p'], 'before its round is flushed');
  t.same(new Normalizer(journal).recall([order, 'a'], [person, 'a']), ['1', 'p'], 'a new normalizer too');
  await journal.stop();
  t.same(new Normalizer(journal).recall([order, 'a'], [person, 'a']), ['1', 'p'], 'and after it');
  const left = journal.memory.stats();
  await journal.close();
  const again = await openJournal(directory);
  t.same(new Normalizer(again).recall([person, 'a'], [order, 'a'], [order, 'b']), ['p', '1', undefined]);
  t.same([again.memory.stats().rows, again.memory.stats().bytes], [left.rows, left.bytes]);
  t.equal(again.stats().liveBytes, left.bytes, 'they count as bytes of the journal');
  await close(again);
});

t.test('memory - a row and the events that were made with it are there together or not at all', async (t) => {
  const directory = folderOf(t);
  const journal = await openJournal(directory);
  const normalizer = new Normalizer(journal);
  const withEvent = (recordSequence: number, made: Made): Made => {
    const entry = { recordSequence, capturedAtUs: 1, index: 1, source: 1, completes: true, replayed: false };
    const plain = batchElement(Buffer.from('event'));
    return { ...made, lanes: [{ lane: 'routine', entries: [entry], plain }] };
  };
  journal.finish([], [withEvent(1, normalizer.made([[order, 'a', 'durable']]))]);
  await journal.stop();
  // Accepted by the journal, seen by the next job, and never finished: the process is gone.
  normalizer.made([
    [order, 'a', 'lost'],
    [order, 'b', 'lost'],
  ]);
  t.same(normalizer.recall([order, 'a'], [order, 'b']), ['lost', 'lost']);
  await journal.close();
  const again = await openJournal(directory);
  t.same(new Normalizer(again).recall([order, 'a'], [order, 'b']), ['durable', undefined]);
  t.equal(again.lanes().find(({ lane }) => lane === 'routine')?.last, 1);
  await close(again);
  const environment = openEnvironment({ directory, readOnly: true });
  t.equal([...environment.table(outboxTable('routine')).getKeys({})].length, 1);
  t.equal([...environment.table(tables.memory).getKeys({})].length, 1);
  await environment.close();
});

t.test('memory - a job that is finished late does not undo what a later job wrote', async (t) => {
  const directory = folderOf(t);
  const journal = await openJournal(directory);
  const normalizer = new Normalizer(journal);
  const early = normalizer.made([[order, 'a', 'early']]);
  normalizer.finish([[order, 'a', 'later']]);
  await journal.stop();
  t.same(new Normalizer(journal).recall([order, 'a']), ['later'], 'while the early one is not written');
  journal.finish([], [early]);
  t.same(normalizer.recall([order, 'a']), ['later']);
  await close(journal);
  const again = await openJournal(directory);
  t.same(new Normalizer(again).recall([order, 'a']), ['later']);
  t.equal(again.memory.nextRow, 3);
  await close(again);
});

t.test(
  'memory - what a normalizer did that died before it answered is as if it had never been',
  async (t) => {
    const journal = await openJournal(folderOf(t));
    const normalizer = new Normalizer(journal);
    normalizer.finish([[person, 'a', '1']]);
    const job = new JobMemory(normalizer.memory, startS);
    job.need([{ kind: person, text: 'a' }]);
    job.record(() => job.set(person, 'a', 'unanswered'));
    job.finish();
    const next = new Normalizer(journal);
    t.same(next.recall([person, 'a']), ['1']);
    next.finish([[person, 'a', '2']]);
    t.same(new Normalizer(journal).recall([person, 'a']), ['2']);
    await close(journal);
  },
);

t.test('memory - what a rule that throws has set is forgotten', async (t) => {
  const journal = await openJournal(folderOf(t));
  const normalizer = new Normalizer(journal);
  normalizer.finish([[person, 'a', '1']]);
  const job = new JobMemory(normalizer.memory, startS);
  job.need([{ kind: person, text: 'a' }]);
  t.throws(() =>
    job.record(() => {
      job.set(person, 'a', 'half');
      throw new Error('a rule');
    }),
  );
  t.equal(job.get(person, 'a'), '1');
  t.equal(job.finish(), undefined, 'nothing is written for it');
  t.throws(() => job.get(person, 'b'), /did not name/);
  await close(journal);
});

t.test('memory - where people are dropped the census counts no longer', async (t) => {
  const journal = await openJournal(folderOf(t));
  const normalizer = new Normalizer(journal);
  t.equal(forgetCensus(normalizer.memory, startS), undefined, 'there was none');
  const knows = (memory: WorkerMemory) => {
    const job = new JobMemory(memory, startS);
    job.need([censusNeed]);
    const wanted = job.wanted();
    if (wanted.length > 0) job.have(wanted.map(({ row, chunk }) => journal.memory.read(row, chunk)));
    return isCensusLoaded(job);
  };
  const keep = (row: { row: number; bytes: Buffer } | undefined) => {
    if (row === undefined) throw new Error('nothing was written');
    journal.memory.accept(row, normalizer.memory.entries);
    journal.finish([], [{ lanes: [], rejects: [], deliveries: [], remembered: row.row }]);
  };
  const job = new JobMemory(normalizer.memory, startS);
  job.need([censusNeed]);
  const from = { source: 'adt', record: { epoch: 1n, sequence: 1n }, capturedS: startS, saidMs: 0 };
  job.record(() => markCensus(job, from));
  keep(job.finish());
  t.ok(knows(normalizer.memory));
  // One that does not have it at hand.
  const next = new Normalizer(journal);
  keep(forgetCensus(next.memory, startS));
  t.notOk(knows(next.memory));
  t.equal(forgetCensus(next.memory, startS), undefined, 'once is enough');
  await journal.stop();
  t.notOk(knows(new Normalizer(journal).memory));
  await journal.close();
});

t.test('memory - past its time a value is absent, and is not carried on', async (t) => {
  const directory = folderOf(t);
  const journal = await openJournal(directory, { memoryEntriesMax: 10 });
  const normalizer = new Normalizer(journal);
  normalizer.finish([
    [brief, 'a', 'x'],
    [person, 'a', 'p'],
  ]);
  normalizer.nowS += 11;
  t.same(normalizer.recall([brief, 'a'], [person, 'a']), [undefined, 'p']);
  for (let at = 0; at < 9; at += 1) normalizer.finish([[order, `o${at}`, 'x']]);
  await journal.stop();
  t.same(new Normalizer(journal).recall([person, 'a'], [brief, 'a']), ['p', undefined]);
  t.equal(journal.memory.stats().entries, 10);
  await journal.close();
});

t.test('memory - a row past its age goes, with what lasts carried on', async (t) => {
  const directory = folderOf(t);
  const journal = await openJournal(directory);
  const old = new Normalizer(journal);
  const long = { ...person, keepS: 1e9 };
  old.finish([
    [long, 'a', 'p'],
    [order, 'a', 'o'],
  ]);
  await journal.stop();
  old.nowS += 91 * 86_400;
  old.finish([[order, 'b', 'o']]);
  await journal.stop();
  t.same(old.recall([long, 'a'], [order, 'a']), ['p', undefined]);
  await journal.close();
  t.same((await stored(directory)).rows, [2, 3]);
});

t.test('memory - whatever is written and however it goes on, the newest or nothing is found', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const directory = folderOf(t);
  const bounds = { memoryBytesMax: 1024 * 1024 };
  const newest = new Map<string, string>();
  let journal = await openJournal(directory, bounds);
  let normalizer = new Normalizer(journal);
  const waiting: Made[] = [];
  const check = (texts: readonly string[]) => {
    for (const text of texts) {
      const [kind, found] = text.startsWith('p') ? [person, 'p'] : [order, ''];
      const [value] = normalizer.recall([kind, text]);
      if (value === undefined && found === '') continue;
      if (value !== newest.get(text))
        t.fail(`${text}: ${value?.slice(0, 5)} instead of ${newest.get(text)?.slice(0, 5)}`);
    }
  };
  for (let round = 0; round < 3000; round += 1) {
    const values = Array.from({ length: 1 + below(random, 20) }, () => {
      const isPerson = below(random, 4) === 0;
      const text = isPerson ? `p${below(random, 200)}` : `o${below(random, 20_000)}`;
      return [isPerson ? person : order, text, `${round} ${'x'.repeat(below(random, 200))}`] as const;
    });
    const distinct = [...new Map(values.map((value) => [value[1], value])).values()];
    const made = normalizer.made(distinct);
    for (const [, text, value] of distinct) newest.set(text, value);
    if (below(random, 5) === 0) waiting.push(made);
    else journal.finish([], [made]);
    if (waiting.length > 2 || below(random, 8) === 0)
      for (const late of waiting.splice(0)) journal.finish([], [late]);
    normalizer.carry();
    const chance = below(random, 200);
    if (chance === 0) {
      for (const late of waiting.splice(0)) journal.finish([], [late]);
      await close(journal);
      journal = await openJournal(directory, bounds);
      normalizer = new Normalizer(journal);
      check([...newest.keys()].filter((text) => text.startsWith('p')));
    } else if (chance < 4) normalizer = new Normalizer(journal);
    else if (chance < 30) await journal.stop();
    else if (chance < 60) await new Promise(setImmediate);
    check(distinct.map(([, text]) => text));
    check([`p${below(random, 200)}`, `o${below(random, 20_000)}`].filter((text) => newest.has(text)));
  }
  for (const late of waiting.splice(0)) journal.finish([], [late]);
  await journal.stop();
  normalizer = new Normalizer(journal);
  check([...newest.keys()]);
  const { rows, bytes } = journal.memory.stats();
  t.ok(bytes <= bounds.memoryBytesMax * 1.15, `${bytes} bytes are bounded`);
  t.equal(journal.stats().liveBytes, bytes);
  await journal.close();
  const disk = await stored(directory);
  t.same([disk.rows.length, disk.bytes], [rows, bytes], 'the counts are those of the table');
  t.ok(
    disk.indexed <= disk.rows.length / 32 + 2,
    `${disk.indexed} rows of the index for ${disk.rows.length}`,
  );
  t.equal(normalizer.memory.damaged, 0);
});

t.test('memory - over an eighth beyond the bound everything old goes, also what lasts', async (t) => {
  const journal = await openJournal(folderOf(t), { budgetBytes: 4 * 1024 ** 2 });
  const normalizer = new Normalizer(journal);
  for (let at = 0; at < 3000; at += 1) {
    normalizer.finish([[person, `k${at}`, 'x'.repeat(1000)]]);
    if (at % 50 === 49) await journal.stop();
  }
  await journal.stop();
  const { bytes, entries } = journal.memory.stats();
  t.ok(bytes <= 1.3 * 1024 ** 2 && bytes > 0.5 * 1024 ** 2, `${bytes} bytes, of a quarter of the budget`);
  t.equal(entries, normalizer.memory.entries);
  t.same(new Normalizer(journal).recall([person, 'k2999'], [person, 'k0']), ['x'.repeat(1000), undefined]);
  await journal.close();
});

t.test(
  'memory - damage costs what it hits: an index row is read anew, a head its row, a chunk its entries',
  async (t) => {
    const directory = folderOf(t);
    const journal = await openJournal(directory);
    const normalizer = new Normalizer(journal);
    for (let at = 0; at < 70; at += 1) normalizer.finish([[order, `k${at}`, `v${at}`]]);
    await close(journal);
    const environment = openEnvironment({ directory });
    const index = environment.table(tables.memoryIndex);
    const [found] = [...index.getRange({})];
    const hurt = (value: Buffer, at: number) => {
      const copy = Buffer.from(value);
      copy[at] = (copy[at] ?? 0) ^ 0xff;
      return copy;
    };
    const memory = environment.table(tables.memory);
    const rowOf = (row: number) => memory.get(numberKey(row)) as Buffer;
    await environment.write(() => {
      void index.put(Buffer.from(found?.key as Buffer), hurt(found?.value as Buffer, 40));
      void memory.put(numberKey(10), hurt(rowOf(10), 6));
      void memory.put(numberKey(20), hurt(rowOf(20), rowOf(20).length - 30));
    });
    await environment.close();
    const again = await openJournal(directory);
    const next = new Normalizer(again);
    t.ok(again.memory.takeDamaged() > 0);
    const all = Array.from({ length: 70 }, (_, at) => [order, `k${at}`] as const);
    const lost = next.recall(...all).flatMap((value, at) => (value === `v${at}` ? [] : [[at, value]]));
    t.same(lost, [
      [9, undefined],
      [19, undefined],
    ]);
    t.equal(again.memory.takeDamaged(), 1);
    t.same(next.recall([order, 'k19']), [undefined]);
    t.equal(again.memory.takeDamaged(), 0, 'told once');
    t.equal(next.memory.entries, 68, 'and nothing points at it');
    await close(again);
  },
);

t.test(
  'memory - nothing of a value or a key can be read on the disk, and a chunk cannot be moved',
  async (t) => {
    const directory = folderOf(t);
    const journal = await openJournal(directory);
    const normalizer = new Normalizer(journal);
    normalizer.finish([[order, 'order|CANARYFILLER|CANARYMRN', 'CANARYVALUE']]);
    normalizer.finish([[order, 'other', 'other']]);
    await journal.stop();
    t.ok(journal.memory.read(1, 0)?.includes('CANARYVALUE'));
    t.equal(journal.memory.read(1, 1), undefined);
    t.equal(journal.memory.read(9, 0), undefined);
    t.equal(chunkOf(Buffer.alloc(3), 0), undefined);
    await journal.close();
    const environment = openEnvironment({ directory });
    const memory = environment.table(tables.memory);
    const moved = Buffer.from(memory.get(numberKey(1)) as Buffer);
    await environment.write(() => {
      void memory.put(numberKey(2), moved);
    });
    await environment.close();
    const again = await openJournal(directory);
    t.equal(again.memory.read(2, 0), undefined, 'what stands in another place does not open');
    t.equal(again.memory.takeDamaged(), 1);
    await close(again);
    const file = readFileSync(join(directory, 'data.mdb'), 'latin1');
    for (const word of ['CANARYFILLER', 'CANARYMRN', 'CANARYVALUE']) t.notOk(file.includes(word), word);
  },
);
