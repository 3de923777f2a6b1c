/** The repeat index, where its disk has damaged a key of it. */
import t from 'tap';
import { numberKey, tables } from '../../gateway/journal/layout.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { closeJournal, type OpenedJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';

const entriesMax = 20;

function append({ journal }: OpenedJournal, n: number) {
  return journal.append({
    source: 'lab',
    protocol: 'mllp',
    raw: Buffer.from(`text ${n}`),
    capturedAtUs: 1_700_000_000_000_000n,
    classGuess: 'routine',
    messageControlId: `M${n}`,
    repeat: { key: `M${n}`, consult: true, window: { ms: 900_000 }, otherBytes: 'conflict' },
  });
}

for (const [what, number] of [
  ['a later number', 5 + 2 ** 40],
  ['more than there can be', 5 + 2 ** 54],
] as const) {
  t.test(`repeat log - a key that says ${what} stops neither the index nor its clean-up`, async (t) => {
    const directory = folderOf(t);
    let opened = await openJournal(directory, { repeatEntriesMax: entriesMax });
    for (let n = 1; n <= 5; n += 1) await append(opened, n);
    await closeJournal(opened);
    const environment = openEnvironment({ directory });
    const table = environment.table(tables.repeats);
    const value = Buffer.from(table.get(numberKey(5)) as Buffer);
    await environment.write(() => {
      void table.remove(numberKey(5));
      void table.put(numberKey(number), value);
    });
    await environment.close();
    opened = await openJournal(directory, { repeatEntriesMax: entriesMax });
    for (let n = 6; n <= 4 * entriesMax; n += 1) await append(opened, n);
    const { repeats } = opened.journal.stats();
    t.ok(repeats <= entriesMax + 2, `${repeats} entries`);
    await closeJournal(opened);
    opened = await openJournal(directory, { repeatEntriesMax: entriesMax });
    t.match(await append(opened, 4 * entriesMax), { outcome: 'repeat' }, 'the newest was written');
    t.match(await append(opened, 4 * entriesMax - 9), { outcome: 'repeat' }, 'under a number of its own');
    await closeJournal(opened);
    const after = openEnvironment({ directory, readOnly: true });
    const rows = [...after.table(tables.repeats).getKeys({})].length;
    await after.close();
    t.ok(rows <= entriesMax + 2, `${rows} rows`);
  });
}
