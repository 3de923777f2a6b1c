/** What the journal counts and numbers: damage of a counter, and a clock that goes back. */
import t from 'tap';
import { createCustody } from '../../gateway/journal/custody.ts';
import type { TakenRecord, TakenRow } from '../../gateway/journal/records.ts';
import { State } from '../../gateway/journal/state.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { batchElement } from '../../proto/wire.ts';
import { damageKey } from '../kit/damage.ts';
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
      replayed: false,
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

/** As a flipped bit in its key leaves it. */
async function rename(directory: string, name: string, as: string): Promise<void> {
  const environment = openEnvironment({ directory });
  const { table } = new State(environment);
  const value = Buffer.from(table.get(Buffer.from(name)) as Buffer);
  await environment.write(() => {
    void table.remove(Buffer.from(name));
    void table.put(Buffer.from(as), value);
  });
  await environment.close();
}

t.test('counters - one whose key is damaged was not never set: no number is given twice', async (t) => {
  for (const [name, as] of [
    ['sequence', 'requence'],
    ['assigned.routine', 'assigned.voutine'],
    ['acked.routine', 'acked.routing'],
  ] as const) {
    const directory = folderOf(t);
    let opened = await openJournal(directory);
    await append(opened, '1', '2');
    finish(opened);
    await opened.journal.stop();
    t.ok(opened.journal.acked('routine', 2));
    const { epoch } = opened.journal;
    await closeJournal(opened);
    await rename(directory, name, as);
    opened = await openJournal(directory);
    t.same(opened.alarms, ['counter-damaged'], name);
    t.not(opened.journal.epoch, epoch, name);
    const [receipt] = await append(opened, '3');
    t.ok((receipt?.sequence ?? 0n) > 2n, `${name}: ${receipt?.sequence}`);
    finish(opened);
    await opened.journal.stop();
    t.match(
      opened.journal.lanes().find(({ lane }) => lane === 'routine'),
      { first: 1, last: 1 },
      `${name}: what was acked does not come again`,
    );
    await closeJournal(opened);
    opened = await openJournal(directory);
    t.same(opened.alarms, [], 'it was mended');
    await closeJournal(opened);
  }
});

t.test('counters - one that is out of the order of its table does not hide the others', async (t) => {
  for (const name of ['acked.urgent', 'assigned.bulk', 'before.stat', 'epoch.copy']) {
    const directory = folderOf(t);
    let opened = await openJournal(directory);
    await append(opened, '1', '2');
    finish(opened);
    await opened.journal.stop();
    t.ok(opened.journal.acked('routine', 1));
    await closeJournal(opened);
    // Its first bit: where it stands it is larger than what follows.
    damageKey(directory, Buffer.from(name), 0);
    opened = await openJournal(directory);
    const isCounter = name !== 'epoch.copy';
    t.same(opened.alarms, isCounter ? ['keys-damaged', 'counter-damaged'] : ['keys-damaged'], name);
    const [receipt] = await append(opened, '3');
    t.equal(receipt?.sequence, 3n, `${name}: the counter of records is what it was`);
    t.match(opened.journal.custodyTotals(), [{ counts: { accepted: 3, delivered: 1, pending: 2 } }], name);
    await closeJournal(opened);
    opened = await openJournal(directory);
    t.same(opened.alarms, [], name);
    t.match(opened.journal.custodyTotals(), [{ counts: { accepted: 3, delivered: 1, pending: 2 } }], name);
    await closeJournal(opened);
  }
});

/** Without what builds before format.copy did not write: it, and the counters that had nothing to count. */
async function asBefore(directory: string, counted: readonly string[]): Promise<void> {
  const environment = openEnvironment({ directory });
  const { table } = new State(environment);
  const names = Array.from(table.getKeys({}), (key) => (key as Buffer).toString('latin1'));
  const gone = names.filter((name) => /^format\.copy|^(sequence|(acked|assigned|before)\..*)$/.test(name));
  await environment.write(() => {
    for (const name of gone) if (!counted.includes(name)) void table.remove(Buffer.from(name, 'latin1'));
  });
  await environment.close();
}

t.test('counters - those that an earlier build never wrote are not taken for damaged', async (t) => {
  const directory = folderOf(t);
  let opened = await openJournal(directory);
  const { epoch } = opened.journal;
  for (const counted of [
    [],
    ['sequence', 'assigned.routine'],
    ['sequence', 'assigned.routine', 'acked.routine'],
  ]) {
    await closeJournal(opened);
    await asBefore(directory, counted);
    opened = await openJournal(directory);
    t.same(opened.alarms, [], `with ${counted}`);
    t.equal(opened.journal.epoch, epoch);
    if (counted.length === 0) {
      await append(opened, '1', '2');
      finish(opened);
    } else if (counted.length === 2) t.ok(opened.journal.acked('routine', 2));
  }
  t.match(
    opened.journal.lanes().find(({ lane }) => lane === 'routine'),
    { first: 3, last: 2 },
  );
  await closeJournal(opened);
  await asBefore(directory, ['assigned.routine', 'acked.routine']);
  opened = await openJournal(directory);
  t.same(opened.alarms, ['counter-damaged'], 'there were records, and so the number of the last one');
  await closeJournal(opened);
});

t.test('counters - a bit of the format is no other format, and makes no new journal', async (t) => {
  for (const name of ['format', 'format.copy', 'format and its key', 'origin and its copy']) {
    const directory = folderOf(t);
    let opened = await openJournal(directory);
    await append(opened, '1');
    const { epoch, origin } = opened.journal;
    await closeJournal(opened);
    if (name === 'format and its key') await rename(directory, 'format', 'gormat');
    else if (name === 'origin and its copy') {
      for (const one of ['origin', 'origin.copy', 'format', 'format.copy'])
        await rename(directory, one, `n${one}`);
      await t.rejects(openJournal(directory), { code: 'journal-damaged', exit: 78 }, name);
      continue;
    } else {
      const environment = openEnvironment({ directory });
      const { table } = new State(environment);
      const value = Buffer.from(table.get(Buffer.from(name)) as Buffer);
      value[0] = (value[0] ?? 0) ^ 1;
      await environment.write(() => void table.put(Buffer.from(name), value));
      await environment.close();
    }
    opened = await openJournal(directory);
    t.match(opened.journal, { epoch, origin }, name);
    t.equal(
      opened.journal.take('routine', 9, 1e6)[0]?.records[0]?.damaged,
      '',
      `${name}: its record can be read`,
    );
    await closeJournal(opened);
    const mended = openEnvironment({ directory });
    t.equal(
      new State(mended).table.get(Buffer.from('format'))?.toString(),
      '3',
      `${name}: as every build reads it`,
    );
    await mended.close();
  }
});

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
