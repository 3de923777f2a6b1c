/** What the control plane is told beside the events, where its disk has damaged some of it: each entry once. */
import t from 'tap';
import { numberKey, tables } from '../../gateway/journal/layout.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { Reporting } from '../../gateway/uplink/reports.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';

const noted = (n: number) => ({ action: 'viewed', subject: `record ${n}` });

for (const [what, bit] of [
  ['higher', 0x40],
  ['lower', 0x02],
] as const) {
  t.test(
    `reports - an entry whose own number has become ${what} is told once, and those behind it`,
    async (t) => {
      const directory = folderOf(t);
      const before = await openJournal(directory);
      for (const n of [1, 2, 3]) await before.journal.reports.audit(noted(n));
      await closeJournal(before);
      const environment = openEnvironment({ directory });
      const table = environment.table(tables.auditReport);
      const value = Buffer.from(table.get(numberKey(3)) as Buffer);
      // Behind its tag.
      value[1] = (value[1] ?? 0) ^ bit;
      await environment.write(() => {
        void table.put(numberKey(3), value);
      });
      await environment.close();

      const { journal } = await openJournal(directory);
      const told: string[] = [];
      const hooks = { telemetry: () => ({}) as never, details: () => [], takeRepeats: () => [] };
      const reporting = new Reporting(journal.reports, hooks, (frame) => {
        if (frame.$case !== 'audit') return;
        told.push(...frame.value.entries.map(({ number, subject }) => `${number} ${subject}`));
        reporting.auditAcked(frame.value.entries.at(-1)?.number ?? 0n);
      });
      reporting.resume({ takesPartialReports: true });
      for (let n = 4; n <= 6; n += 1) {
        reporting.sendEntries();
        await journal.reports.audit(noted(n));
      }
      reporting.sendEntries();
      // The next session.
      reporting.resume({ takesPartialReports: true });
      reporting.sendEntries();
      t.same(
        told,
        [1, 2, 3, 4, 5, 6].map((n) => `${n} record ${n}`),
      );
      t.match(journal.reports.told(), { audit: 6 });
      await journal.stop();
      t.same(journal.reports.auditEntries(0, 10), [], 'no row is left');
      await journal.close();
    },
  );
}

t.test('reports - a key that says more than there can be makes no number', async (t) => {
  const directory = folderOf(t);
  const before = await openJournal(directory);
  for (const n of [1, 2]) await before.journal.reports.audit(noted(n));
  await closeJournal(before);
  const environment = openEnvironment({ directory });
  const table = environment.table(tables.auditReport);
  const [key, value] = [numberKey(2), Buffer.from(table.get(numberKey(2)) as Buffer)];
  await environment.write(() => {
    void table.remove(key);
    void table.put(numberKey(2 + 2 ** 54), value);
  });
  await environment.close();
  const { journal, alarms } = await openJournal(directory);
  t.same(alarms, ['report-damaged']);
  for (const n of [3, 4]) await journal.reports.audit(noted(n));
  t.match(journal.reports.auditEntries(0, 10), [noted(1), noted(3), noted(4)]);
  t.match(journal.reports.numbers(), { audit: 3 });
  await journal.stop();
  await journal.close();
});
