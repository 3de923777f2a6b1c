/** The memory's old end beside everything else that a round holds: what belongs together stays so, what is gone is known to be. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Journal, type JournalOptions, type Made } from '../../gateway/journal/journal.ts';
import type { RowKind } from '../../gateway/normalize/memory/memory.ts';
import { createKeyedHash } from '../../gateway/process/keyed-hash.ts';
import { memoryKey } from '../../gateway/process/keys.ts';
import { JobMemory, WorkerMemory } from '../../gateway/worker-memory.ts';
import { batchElement } from '../../proto/wire.ts';
import { folderOf } from '../kit/site.ts';

const key = randomBytes(32);
const nowS = Math.floor(Date.now() / 1000);
const kind = (number: number, lasts: boolean): RowKind<string> => ({
  number,
  keepS: 1000,
  lasts,
  encode: (row) => Buffer.from(row),
  decode: (bytes) => Buffer.from(bytes).toString(),
});
const order = kind(7, false);
const person = kind(8, true);

function open(directory: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
  const nothing = () => {};
  return Journal.open(
    {
      directory,
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 1000,
      repeatAgeMs: 1e9,
      memoryEntriesMax: 10,
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

function normalizer(journal: Journal): WorkerMemory {
  journal.memory.forsaken();
  const memory = new WorkerMemory({
    keyed: createKeyedHash(memoryKey(key)),
    nextRow: journal.memory.nextRow,
    lasting: new Set([8]),
  });
  for (const heads of journal.memory.heads()) memory.load(Buffer.from(heads));
  return memory;
}

/** What a job that writes these values comes back with, accepted. */
function made(journal: Journal, memory: WorkerMemory, of: RowKind<string>, texts: readonly string[]): Made {
  const job = new JobMemory(memory, nowS);
  job.need(texts.map((text) => ({ kind: of, text })));
  job.record(() => {
    for (const text of texts) job.set(of, text, text);
  });
  const remembered = job.finish();
  if (remembered === undefined) throw new Error('nothing was written');
  journal.memory.accept(remembered, memory.entries);
  return { lanes: [], rejects: [], deliveries: [], remembered: remembered.row };
}

function recall(
  journal: Journal,
  memory: WorkerMemory,
  of: RowKind<string>,
  text: string,
): string | undefined {
  const job = new JobMemory(memory, nowS);
  job.need([{ kind: of, text }]);
  job.have(job.wanted().map(({ row, chunk }) => journal.memory.read(row, chunk)));
  return job.get(of, text);
}

/** Gives the oldest row to the normalizer and takes what it makes of it. */
function carry(journal: Journal, memory: WorkerMemory): boolean {
  const oldest = journal.memory.carry(nowS);
  if (oldest === undefined) return false;
  const into = memory.carry(oldest.row, oldest.bytes, oldest.drop, nowS);
  journal.memory.carried(oldest.row, into, memory.entries);
  return true;
}

const texts = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}${at}`);

t.test('memory - a carried row does not break up the round of the events that it waited for', async (t) => {
  const directory = folderOf(t);
  // Every round is full with the first row in it.
  const journal = await open(directory, { roundBytesMax: 1 });
  const memory = normalizer(journal);
  journal.finish([], [made(journal, memory, person, texts('p', 10))]);
  await journal.stop();
  const late = made(journal, memory, order, ['late']);
  t.ok(carry(journal, memory), 'the old row is carried on, and waits for the one that is not finished');
  const entry = { recordSequence: 1, capturedAtUs: 1, index: 1, source: 1, completes: true, replayed: false };
  const lanes = [{ lane: 'routine' as const, entries: [entry], plain: batchElement(Buffer.from('event')) }];
  journal.finish([], [{ ...late, lanes }]);
  await journal.stop();
  await journal.close();
  const again = await open(directory);
  t.equal(again.lanes().find(({ lane }) => lane === 'routine')?.last, 1, 'the event is there');
  t.equal(again.recovered.events, 1, 'and can be sent');
  const next = normalizer(again);
  t.same([recall(again, next, person, 'p3'), recall(again, next, order, 'late')], ['p3', 'late']);
  await again.stop();
  await again.close();
});

t.test('memory - a normalizer that starts is not told of a row that is about to go', async (t) => {
  const directory = folderOf(t);
  const journal = await open(directory);
  const first = normalizer(journal);
  journal.finish([], [made(journal, first, order, texts('o', 9))]);
  journal.finish([], [made(journal, first, person, ['p'])]);
  await journal.stop();
  const late = made(journal, first, order, ['late']);
  t.ok(carry(journal, first));
  const next = normalizer(journal);
  journal.finish([], [late]);
  await journal.stop();
  t.same([recall(journal, next, order, 'o3'), recall(journal, next, person, 'p')], [undefined, 'p']);
  t.equal(next.damaged, 0, 'what was dropped is absent, not damaged');
  t.equal(next.entries, 2);
  await journal.close();
});
