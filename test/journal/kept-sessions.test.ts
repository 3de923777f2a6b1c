/** Sessions that the journal keeps: over restarts, so many, and under keys that tell nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';

t.test('kept sessions - are there after a restart, until they end', async (t) => {
  const directory = folderOf(t);
  const first = await openJournal(directory);
  const { sessions } = first.journal;
  await Promise.all(['CANARYPATIENT-1', 'CANARYPATIENT-2'].map((key) => sessions.keep(key)));
  t.ok(sessions.has('CANARYPATIENT-1'));
  await closeJournal(first);
  t.notOk(readFileSync(join(directory, 'data.mdb')).includes('CANARYPATIENT'));
  const second = await openJournal(directory);
  t.ok(second.journal.sessions.has('CANARYPATIENT-1'));
  t.notOk(second.journal.sessions.has('CANARYPATIENT-3'));
  await second.journal.sessions.end('CANARYPATIENT-1');
  await second.journal.sessions.end('CANARYPATIENT-3');
  t.notOk(second.journal.sessions.has('CANARYPATIENT-1'));
  await closeJournal(second);
  const third = await openJournal(directory);
  t.notOk(third.journal.sessions.has('CANARYPATIENT-1'));
  t.ok(third.journal.sessions.has('CANARYPATIENT-2'));
  await closeJournal(third);
});

t.test('kept sessions - who asks for the same meanwhile waits until it is durable, too', async (t) => {
  const opened = await openJournal(folderOf(t));
  const { sessions } = opened.journal;
  for (const what of ['keep', 'end'] as const) {
    const done: number[] = [];
    await Promise.all([1, 2].map((n) => sessions[what]('one').then(() => done.push(n))));
    t.same(done, [1, 2], what);
  }
  await closeJournal(opened);
});

t.test('kept sessions - have a bound, and the one that connected last is kept longest', async (t) => {
  const opened = await openJournal(folderOf(t));
  const { sessions } = opened.journal;
  await sessions.keep('first');
  const keys = Array.from({ length: 49_999 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key) => sessions.keep(key)));
  t.ok(sessions.has('first'));
  // It connects again.
  await sessions.keep('first');
  await sessions.keep('one more');
  t.ok(sessions.has('first'));
  t.notOk(sessions.has('k0'));
  t.ok(sessions.has('k1'));
  await closeJournal(opened);
});
