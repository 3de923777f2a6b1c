/** A journal that was made with pages of another size keeps them, and works: gateways are updated in place. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import t from 'tap';
import { Journal, type JournalHooks } from '../../gateway/journal/journal.ts';
import { pageBytes } from '../../gateway/process/lmdb.ts';
import { pageBytesOf } from '../kit/pages.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';

const key = randomBytes(32);
const hooks: JournalHooks = {
  onFault: () => {},
  onAlarm: () => {},
  onRecords: () => {},
  onEvents: () => {},
  onEpoch: () => {},
  onDeliveries: () => {},
  onRepeat: () => {},
};

function open(directory: string): Promise<Journal> {
  const options = {
    directory,
    key,
    budgetBytes: 1024 ** 3,
    reserveBytes: 0,
    repeatEntriesMax: 10_000,
    repeatAgeMs: 7 * 86_400_000,
    orderKeysOf: () => [],
    memoryEntriesMax: 10_000,
    memoryBytesMax: 1024 ** 2,
  };
  return Journal.open(options, hooks);
}

/** From a few bytes to many pages. */
const texts = Array.from({ length: 200 }, (_, n) => `M${n} ${'x'.repeat((n * n * 37) % 90_000)}`);

async function append(journal: Journal, from: number, to: number): Promise<void> {
  await Promise.all(
    texts.slice(from, to).map((text) =>
      journal.append({
        source: 'lab',
        protocol: 'mllp',
        raw: Buffer.from(text),
        capturedAtUs: 1_700_000_000_000_000n,
        classGuess: 'routine',
        messageControlId: text.slice(0, text.indexOf(' ')),
      }),
    ),
  );
}

function textsOf(journal: Journal): string[] {
  return journal
    .take('routine', 10_000, 1024 ** 3)
    .flatMap(({ records }) => records)
    .map((one) => Buffer.from(recordOf(one).raw).toString());
}

for (const bytes of [4096, pageBytes]) {
  t.test(`journal - one with pages of ${bytes} bytes opens, reads and writes`, async (t) => {
    const directory = join(folderOf(t), 'journal');
    // What made it is of no matter: a database of this size of pages, as lmdb makes it.
    const made = openLmdb({
      path: directory,
      noSubdir: false,
      pageSize: bytes,
      encoding: 'binary',
      maxDbs: 48,
    });
    await made.close();
    t.equal(pageBytesOf(join(directory, 'data.mdb')), bytes);
    const first = await open(directory);
    await append(first, 0, 100);
    await first.stop();
    await first.close();
    const second = await open(directory);
    t.equal(second.recovered.records, 100);
    t.same(textsOf(second), texts.slice(0, 100), 'what it held is there');
    await append(second, 100, texts.length);
    await second.stop();
    await second.close();
    const third = await open(directory);
    t.same(textsOf(third), texts, 'and what came later');
    await third.stop();
    await third.close();
    t.equal(pageBytesOf(join(directory, 'data.mdb')), bytes, 'its pages are what they were');
  });
}
