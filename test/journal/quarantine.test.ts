/** What is in quarantine is taken out by what the control plane calls it, and nothing else is. */
import t from 'tap';
import type { RecordDraft } from '../../gateway/capture/intake.ts';
import type { Journal } from '../../gateway/journal/journal.ts';
import { quarantineKey, readQuarantineKey } from '../../gateway/journal/quarantine.ts';
import type { TakenRecord } from '../../gateway/journal/records.ts';
import { QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/session.ts';
import { damageQuarantined } from '../kit/damage.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';

const draft = (id: string): RecordDraft => ({
  source: 'lab',
  protocol: 'mllp',
  raw: Buffer.from(`bytes of ${id}`),
  capturedAtUs: 1_700_000_000_000_000n,
  classGuess: 'routine',
  messageControlId: id,
});

const hashOf = (record: { sha256: Uint8Array }) => Buffer.from(record.sha256).toString('hex');

/** As the normalizer rejects it, and as the control plane knows it then. */
function rejected(taken: TakenRecord, epoch: bigint) {
  const { sequence, source, capturedS } = taken;
  const record = recordOf(taken);
  const facts = { code: 'not-understood', reason: 'A test.' };
  return {
    sequence,
    source,
    capturedS,
    record: QuarantinedRecord.encode(QuarantinedRecord.fromPartial({ record, ...facts })).finish(),
    entry: QuarantineEntry.fromPartial({
      source: 'lab',
      recordHash: hashOf(record),
      recordEpoch: epoch,
      recordSequence: BigInt(sequence),
      ...facts,
    }),
  };
}

/** Each goes to quarantine; what it is known by. */
async function quarantine(journal: Journal, ...ids: string[]): Promise<{ hash: string; epoch: bigint }[]> {
  for (const id of ids) await journal.append(draft(id));
  const { epoch } = journal;
  const known: { hash: string; epoch: bigint }[] = [];
  for (const row of journal.take('routine', 1000, 1e6)) {
    known.push(...row.records.map((one) => ({ hash: hashOf(recordOf(one)), epoch })));
    const rejects = row.records.map((one) => rejected(one, epoch));
    journal.finish([row], [{ lanes: [], rejects, deliveries: [] }]);
  }
  // What is finished settles with the next flush.
  await journal.release('nothing');
  return known;
}

const custodyOf = (journal: Journal) =>
  journal.custodyTotals().find(({ source }) => source === 'lab')?.counts ?? {};

const textOf = (raw: Uint8Array | undefined) => raw && Buffer.from(raw).toString();

t.test('quarantine - another record under the same sequence is neither told nor taken', async (t) => {
  const directory = folderOf(t);
  const opened = await openJournal(directory);
  const { journal } = opened;
  const [one] = await quarantine(journal, 'Q1');
  if (one === undefined) throw new Error('nothing in quarantine');
  const others = [
    { ...one, hash: 'ab'.repeat(32) },
    // The same bytes in a journal that is gone.
    { ...one, epoch: one.epoch ^ 1n },
    { hash: '', epoch: one.epoch ^ 1n },
  ];
  for (const other of others) {
    t.equal(journal.rawQuarantined(1, other), undefined);
    t.equal(await journal.replay(1, { id: 'x', ...other }), 'missing');
    t.equal(await journal.discard(1, { id: 'x', ...other }), 'missing');
  }
  await journal.renewEpoch();
  t.equal(textOf(journal.rawQuarantined(1, one)), 'bytes of Q1', 'it keeps the epoch that it came under');
  t.equal(await journal.discard(1, { ...one, epoch: journal.epoch }), 'missing');
  t.match(custodyOf(journal), { accepted: 1, quarantined: 1, expired: 0 });
  t.equal(journal.reports.quarantineEntries(10).length, 1, 'and nothing is told of what was not taken');
  await closeJournal(opened);

  await damageQuarantined(directory, 1);
  const again = await openJournal(directory);
  t.equal(await again.journal.discard(1, { ...one, epoch: one.epoch ^ 1n }), 'missing', 'unreadable, too');
  t.equal(await again.journal.replay(1, one), 'damaged');
  t.equal(await again.journal.discard(1, one), 'discarded');
  t.match(custodyOf(again.journal), { accepted: 1, quarantined: 0, expired: 1 });
  await closeJournal(again);
});

t.test('quarantine - what is not known of it is not compared', async (t) => {
  const opened = await openJournal(folderOf(t));
  const { journal } = opened;
  const [, , third] = await quarantine(journal, 'Q1', 'Q2', 'Q3');
  t.equal(textOf(journal.rawQuarantined(1)), 'bytes of Q1');
  t.equal(await journal.replay(1), 'replayed');
  t.equal(await journal.discard(2, { hash: '', epoch: 0n }), 'discarded');
  t.equal(await journal.replay(3, third), 'replayed');
  await closeJournal(opened);
});

t.test('quarantine - keys of earlier builds are read: shorter, without an epoch', (t) => {
  const [sequence, source] = [Buffer.from('0000000000000005', 'hex'), Buffer.from('0002', 'hex')];
  const plain = { sequence: 5, source: 2, urgent: false, epoch: 0n };
  t.same(readQuarantineKey(Buffer.concat([sequence, source])), plain);
  t.same(readQuarantineKey(Buffer.concat([sequence, source, Buffer.of(1)])), { ...plain, urgent: true });
  const whole = { ...plain, urgent: true, epoch: 0xfedc_ba98_7654_3210n };
  t.same(readQuarantineKey(quarantineKey(whole)), whole);
  t.end();
});
