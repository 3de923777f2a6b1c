/** What is in quarantine is taken out by what the control plane calls it, and nothing else is. */
import { equal, ok } from 'node:assert/strict';
import t from 'tap';
import type { RecordDraft } from '../../gateway/capture/intake.ts';
import type { Journal } from '../../gateway/journal/journal.ts';
import { quarantineKey, readQuarantineKey } from '../../gateway/journal/quarantine.ts';
import type { TakenRecord } from '../../gateway/journal/records.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { QuarantineReport } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { batchElement } from '../../proto/wire.ts';
import { damageEvent, damageQuarantined } from '../kit/damage.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';

const capturedAtUs = BigInt(Date.now()) * 1000n;

const draft = (id: string): RecordDraft => ({
  source: 'lab',
  protocol: 'mllp',
  raw: Buffer.from(`bytes of ${id}`),
  capturedAtUs,
  classGuess: 'routine',
  messageControlId: id,
});

const hashOf = (record: { sha256: Uint8Array }) => Buffer.from(record.sha256).toString('hex');

/** As the normalizer rejects it, and as the control plane knows it then. */
function rejected(taken: TakenRecord, epoch: bigint, urgent = false) {
  const { sequence, source, capturedS } = taken;
  const record = recordOf(taken);
  const facts = { code: 'not-understood', reason: 'A test.', urgent };
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
  t.equal(journal.reports.quarantineEntries(0, 10).length, 1, 'and nothing is told of what was not taken');
  await closeJournal(opened);

  await damageQuarantined(directory, 1);
  const again = await openJournal(directory);
  t.equal(await again.journal.discard(1, { ...one, epoch: one.epoch ^ 1n }), 'missing', 'unreadable, too');
  t.equal(await again.journal.replay(1, one), 'damaged');
  t.equal(await again.journal.discard(1, one), 'discarded');
  t.match(custodyOf(again.journal), { accepted: 1, quarantined: 0, expired: 1 });
  await closeJournal(again);
});

t.test(
  'quarantine - what is told of it together fits one frame, however long its control IDs are',
  async (t) => {
    const opened = await openJournal(folderOf(t));
    const { journal } = opened;
    const refusedControlIds = Array.from({ length: 100 }, (_, n) => String(n).padStart(4_000, 'x'));
    for (let n = 1; n <= 30; n += 1) await journal.append(draft(`Q${n}`));
    for (const row of journal.take('routine', 1000, 1e6)) {
      const rejects = row.records.map((one) => {
        const made = rejected(one, journal.epoch);
        return { ...made, entry: { ...made.entry, refusedControlIds } };
      });
      journal.finish([row], [{ lanes: [], rejects, deliveries: [] }]);
    }
    await journal.release('nothing');
    const told: number[] = [];
    for (let entries = journal.reports.quarantineEntries(0, 200); entries.length > 0; ) {
      const frame = QuarantineReport.encode({ entries }).finish();
      if (frame.length > wireLimits.reportBytesMax) t.fail(`a frame of ${frame.length} bytes`);
      told.push(...entries.map(({ recordSequence }) => Number(recordSequence)));
      entries = journal.reports.quarantineEntries(Number(entries.at(-1)?.number), 200);
    }
    t.same(
      told,
      Array.from({ length: 30 }, (_, n) => n + 1),
      'each of them once, in their order',
    );
    await closeJournal(opened);
  },
);

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

t.test(
  'quarantine - another control plane is told of all that opens, beside a key that is damaged',
  async (t) => {
    const directory = folderOf(t);
    const first = await openJournal(directory);
    await first.journal.deliverTo(Buffer.alloc(32, 1));
    await quarantine(first.journal, 'A', 'B');
    await first.journal.stop();
    const { quarantine: before } = first.journal.reports.numbers();
    t.equal(before, 2);
    await closeJournal(first);
    const environment = openEnvironment({ directory });
    await environment.write(() => {
      void environment.table('quarantine').put(Buffer.alloc(23, 0xff), Buffer.from('x'));
    });
    await environment.close();
    const second = await openJournal(directory);
    const { epoch } = second.journal;
    await second.journal.deliverTo(Buffer.alloc(32, 2));
    t.not(second.journal.epoch, epoch);
    t.same(
      second.journal.reports
        .quarantineEntries(before, 10)
        .map(({ recordSequence, state }) => [recordSequence, state]),
      [
        [1n, 'open'],
        [2n, 'open'],
      ],
    );
    await closeJournal(second);
  },
);

t.test('quarantine - keys of earlier builds are read: shorter, without an epoch', (t) => {
  const [sequence, source] = [Buffer.from('0000000000000005', 'hex'), Buffer.from('0002', 'hex')];
  const plain = { sequence: 5, source: 2, urgent: false, counted: true, epoch: 0n, capturedS: 0 };
  t.same(readQuarantineKey(Buffer.concat([sequence, source])), plain);
  t.same(readQuarantineKey(Buffer.concat([sequence, source, Buffer.of(1)])), { ...plain, urgent: true });
  const whole = { ...plain, epoch: 0xfedc_ba98_7654_3210n, capturedS: 1_700_000_000 };
  for (const urgent of [true, false])
    for (const counted of [true, false])
      t.same(readQuarantineKey(quarantineKey({ ...whole, urgent, counted })), { ...whole, urgent, counted });
  t.end();
});

/** A record of which these events go out, the last of them completing it unless a part of it was refused. */
async function events(journal: Journal, count: number, refused: 'urgent' | 'routine' | ''): Promise<void> {
  await journal.append(draft('E1'));
  for (const row of journal.take('routine', 1000, 1e6)) {
    const [one] = row.records;
    if (one === undefined) continue;
    const entries = Array.from({ length: count }, (_, at) => ({
      recordSequence: one.sequence,
      capturedAtUs: Number(capturedAtUs),
      index: at + 1,
      source: one.source,
      completes: refused === '' && at + 1 === count,
      replayed: false,
    }));
    const plain = Buffer.concat(entries.map(({ index }) => batchElement(Buffer.from(`event ${index}`))));
    const rejects = refused === '' ? [] : [rejected(one, journal.epoch, refused === 'urgent')];
    journal.finish([row], [{ lanes: [{ lane: 'routine', entries, plain }], rejects, deliveries: [] }]);
  }
}

/** Reads a lane as the uplink does, and has it acknowledged. */
async function deliver(journal: Journal, events: number): Promise<void> {
  equal(journal.parcel('routine', 1, 1000, 1e6)?.count, events);
  await journal.release('nothing');
  ok(journal.acked('routine', events));
  await journal.release('nothing');
}

async function damagedEvents(
  directory: string,
  count: number,
  damaged: number[],
  refused: 'urgent' | 'routine' | '' = '',
): Promise<void> {
  const first = await openJournal(directory);
  await events(first.journal, count, refused);
  await closeJournal(first);
  for (const one of damaged) await damageEvent(directory, 'routine', one);
}

for (const [what, damaged, wanted] of [
  ['one of two events', [1], { delivered: 1, quarantined: 0, expired: 0 }],
  ['the last of two events', [2], { delivered: 0, quarantined: 1, expired: 1 }],
  ['both events', [1, 2], { delivered: 0, quarantined: 1, expired: 1 }],
] as const) {
  t.test(`quarantine - ${what} damaged, and the entry discarded: the record counts once`, async (t) => {
    const directory = folderOf(t);
    await damagedEvents(directory, 2, [...damaged]);
    const opened = await openJournal(directory);
    const { journal } = opened;
    await deliver(journal, 2);
    const { delivered, quarantined, expired } = wanted;
    t.match(custodyOf(journal), { accepted: 1, pending: 0, delivered, quarantined, expired: 0 });
    t.match(journal.quarantined(1), { code: 'damaged' });
    t.equal(await journal.replay(1), 'damaged');
    t.equal(await journal.discard(1, { id: 'x' }), 'discarded');
    t.equal(await journal.discard(1, { id: 'x' }), 'missing', 'it is one entry');
    const after = { accepted: 1, pending: 0, delivered, quarantined: 0, expired };
    t.match(custodyOf(journal), after);
    t.same(
      journal.custodyHours().map(({ hour, counts }) => [hour, counts.quarantined, counts.expired]),
      [[Math.floor(Number(capturedAtUs) / 3_600_000_000), 0, expired]],
      'in the hour of its capture, too',
    );
    await closeJournal(opened);
    const again = await openJournal(directory);
    t.match(custodyOf(again.journal), after, 'after a restart as before');
    await closeJournal(again);
  });
}

for (const refused of ['urgent', 'routine'] as const) {
  t.test(
    `quarantine - an event of a partly refused record is damaged: what was refused stays, ${refused}`,
    async (t) => {
      const directory = folderOf(t);
      await damagedEvents(directory, 2, [1], refused);
      const opened = await openJournal(directory, { gateway: () => 'north' });
      const { journal, alarms } = opened;
      await deliver(journal, 2);
      t.match(journal.quarantined(1), { code: 'not-understood' });
      t.equal(textOf(journal.rawQuarantined(1)), 'bytes of E1');
      t.match(custodyOf(journal), { accepted: 1, pending: 0, delivered: 0, quarantined: 1 });
      t.ok(alarms.includes('event-damaged'));
      const told = journal.reports.auditEntries(0, 10).filter(({ action }) => action === 'event-damaged');
      const id = `north.${journal.epoch.toString(16)}.record.1`;
      t.match(told, [{ subject: id, outcome: 'failed', reason: /^Damaged on disk: / }]);
      t.equal(journal.reports.quarantineEntries(0, 10).length, 1, 'it is one entry, and says what it said');
      t.equal(await journal.replay(1, { id, epoch: journal.epoch }), 'replayed');
      t.match(custodyOf(journal), { accepted: 1, pending: 1, quarantined: 0 });
      await closeJournal(opened);
    },
  );
}
