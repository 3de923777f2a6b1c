/** A record that its disk has damaged, from the journal to quarantine and out of it: nobody takes it for one that can be read. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { damageRecord } from '../kit/damage.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { messageMaker } from '../kit/messages.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { openPipeline } from './open-pipeline.ts';

for (const guess of ['routine', 'urgent'] as const) {
  t.test(
    `damaged - a record that cannot be read is told as its source's, and no replay makes one of it, ${guess}`,
    async (t) => {
      const [directory, key] = [folderOf(t), randomBytes(32)];
      const make = messageMaker({ seed: 6, kind: 'oru' });
      const before = await openJournal(directory, { key });
      for (const n of [1, 2, 3]) {
        await before.journal.append({
          source: 'lab',
          protocol: 'mllp',
          raw: make(n).bytes,
          capturedAtUs: BigInt(Date.now()) * 1000n,
          classGuess: guess,
          messageControlId: make(n).controlId,
        });
      }
      await closeJournal(before);
      await damageRecord(directory, guess, 2);
      const { journal, pipeline } = await openPipeline(t, { directory, key });
      const totals = () => journal.custodyTotals();
      const told = () => journal.reports.quarantineEntries(0, 10);
      pipeline.start();
      await until(() => journal.lanes().reduce((sum, { first, last }) => sum + last + 1 - first, 0) === 2, {
        what: 'the other two',
        timeoutMs: 60_000,
      });
      await until(() => told().length === 1, { what: 'it in quarantine', timeoutMs: 60_000 });
      const id = `g.${journal.epoch.toString(16)}.record.2`;
      t.match(told(), [
        { id, source: 'lab', code: 'damaged', reason: /checksum/, urgent: guess === 'urgent' },
      ]);
      t.ok((told()[0]?.capturedAtUs ?? 0n) > 0n, 'when it was captured is known');
      t.equal(journal.rawQuarantined(2), undefined, 'nothing is shown of it');
      t.equal(await journal.replay(2, { id }), 'damaged');
      const stays = { accepted: 3, pending: 2, quarantined: 1, expired: 0 };
      t.match(totals(), [{ source: 'lab', counts: stays, urgentQuarantined: guess === 'urgent' ? 1 : 0 }]);
      t.equal(totals().length, 1, 'and of no other source there is anything');
      t.equal(told().length, 1);
      t.equal(await journal.discard(2, { id, epoch: journal.epoch }), 'discarded');
      t.match(totals(), [{ counts: { ...stays, quarantined: 0, expired: 1 } }]);
    },
  );
}
