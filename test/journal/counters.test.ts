/** What the journal counts and numbers: damage of a counter, and a clock that goes back. */
import t from 'tap';
import { createCustody } from '../../gateway/journal/custody.ts';
import type { TakenRecord, TakenRow } from '../../gateway/journal/records.ts';
import { State } from '../../gateway/journal/state.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { batchElement } from '../../proto/wire.ts';
import { closeJournal, type OpenedJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';

function append({ journal }: OpenedJournal, ...ids: string[]) {
  return Promise.all(
    ids.map((id) =>
      journal.append({
        source: 'lab',
        protocol: 'mllp',
        raw: Buffer.from(`MSH|${id}`),
        capturedAtUs: 1_764_000_000_000_000n,
        classGuess: 'routine',
        messageControlId: id,
      }),
    ),
  );
}

/** One event of each record that waits, in the lane of routine ones. */
function finish({ journal }: OpenedJournal): void {
  for (const row of journal.take('routine', 100, 1e6) as TakenRow[]) {
    const entries = row.records.map(({ sequence, source, capturedS }: TakenRecord) => ({
      recordSequence: sequence,
      capturedAtUs: capturedS * 1e6,
      index: 1,
      source,
      completes: true,
    }));
    const plain = Buffer.concat(row.records.map(({ sequence }) => batchElement(Buffer.from(`${sequence}`))));
    const lanes = [{ lane: 'routine' as const, entries, plain }];
    journal.finish([row], [{ lanes, rejects: [], deliveries: [] }]);
  }
}

async function flip(directory: string, names: readonly string[]): Promise<void> {
  const environment = openEnvironment({ directory });
  const { table } = new State(environment);
  const rows = names.map((name) => {
    const value = Buffer.from(table.get(Buffer.from(name)) as Buffer);
    value[6] = (value[6] ?? 0) ^ 1;
    return { key: Buffer.from(name), value };
  });
  await environment.write(() => {
    for (const { key, value } of rows) void table.put(key, value);
  });
  await environment.close();
}

t.test(
  'counters - one that is damaged is told, and what hangs from it goes out under another epoch',
  async (t) => {
    for (const name of ['acked.routine', 'assigned.routine', 'sequence']) {
      const directory = folderOf(t);
      let opened = await openJournal(directory);
      await append(opened, '1', '2');
      finish(opened);
      await append(opened, '3');
      finish(opened);
      await append(opened, '4');
      t.ok(opened.journal.acked('routine', 2));
      const { epoch } = opened.journal;
      await closeJournal(opened);
      await flip(directory, [name]);
      opened = await openJournal(directory);
      const { journal, alarms } = opened;
      t.same(alarms, ['counter-damaged'], name);
      t.not(journal.epoch, epoch, `${name}: no number is given twice`);
      t.match(
        journal.lanes().find(({ lane }) => lane === 'routine'),
        { first: 1, last: 1 },
        'the one event that is left is the first of the new epoch',
      );
      const [receipt] = await append(opened, '5');
      t.match(receipt, { outcome: 'journaled' });
      finish(opened);
      await closeJournal(opened);
      opened = await openJournal(directory);
      t.same(opened.alarms, [], 'it was mended');
      t.match(
        opened.journal.lanes().find(({ lane }) => lane === 'routine'),
        { first: 1, last: 3 },
        `${name}: nothing is left out`,
      );
      t.match(opened.journal.custodyTotals(), [{ counts: { accepted: 5, delivered: 2, pending: 3 } }]);
      await closeJournal(opened);
    }
  },
);

t.test(
  'counters - where the rows are from is kept twice; damaged twice the journal is left alone',
  async (t) => {
    const directory = folderOf(t);
    let opened = await openJournal(directory);
    await append(opened, '1');
    const { epoch, origin } = opened.journal;
    await closeJournal(opened);
    await flip(directory, ['epoch', 'origin']);
    opened = await openJournal(directory);
    t.match(opened.journal, { epoch, origin });
    t.equal(opened.journal.take('routine', 9, 1e6)[0]?.records[0]?.damaged, '', 'its record can be read');
    await closeJournal(opened);
    await flip(directory, ['origin.copy']);
    await t.rejects(openJournal(directory), { code: 'journal-damaged', exit: 78 });
  },
);

t.test('counters - what is taken back of an hour that a clock ahead has folded', async (t) => {
  const environment = openEnvironment({ directory: folderOf(t) });
  const round = { put() {}, remove() {} } as unknown as Parameters<
    ReturnType<typeof createCustody>['write']
  >[0];
  const custody = createCustody(new State(environment));
  const nowS = Math.floor(Date.now() / 1000);
  // Of five days ago as the clock then said: folded at once.
  const wrongS = nowS - 5 * 86_400;
  custody.count('accepted', 1, wrongS);
  custody.count('quarantined', 1, wrongS);
  custody.write(round);
  // The replay: counted in its hour again, and taken back from where the first count is.
  custody.count('accepted', 1, nowS);
  custody.count('quarantined', 1, nowS, -1);
  t.doesNotThrow(() => custody.write(round));
  t.match(custody.totals().get(1), { accepted: 2, quarantined: 0 });
  await environment.close();
});
