/**
 * The journal against real files: what a settled append promises, over restarts, repeats, a full volume and a
 * damaged row. Space is made scarce on a volume of its own in memory.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Class, RecordDraft } from '../../gateway/capture/intake.ts';
import { storedCustody } from '../../gateway/journal/custody.ts';
import type { Journal, JournalOptions, Made } from '../../gateway/journal/journal.ts';
import { recordsTable, tables } from '../../gateway/journal/layout.ts';
import type { TakenRecord, TakenRow } from '../../gateway/journal/records.ts';
import type { OutboxEntry } from '../../gateway/journal/rows.ts';
import { State } from '../../gateway/journal/state.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { LocalDelivery } from '../../proto/gen/hilum/v1/journal.ts';
import { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { batchElement } from '../../proto/wire.ts';
import { damageEvent, damageHead, damageRecord } from '../kit/damage.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';
import { smallVolume } from '../kit/volume.ts';
import { until } from '../kit/wait.ts';

const window15mMs = 900_000;

const open = (directory: string, more: Partial<JournalOptions> = {}, onDeliveries = () => {}) =>
  openJournal(directory, more, { onDeliveries });
const close = closeJournal;

interface DraftOptions {
  atMs?: number;
  guess?: Class;
  windowMs?: number;
  source?: string;
}

function draft(id: string, text: string, options: DraftOptions = {}): RecordDraft {
  const { atMs = 1_700_000_000_000, guess = 'routine', windowMs = window15mMs, source = 'lab' } = options;
  return {
    source,
    protocol: 'mllp',
    raw: Buffer.from(text),
    capturedAtUs: BigInt(atMs) * 1000n,
    classGuess: guess,
    messageControlId: id,
    repeat: {
      key: `mllp\0${source}\0A\0B\0${id}`,
      consult: true,
      window: { ms: windowMs },
      otherBytes: 'conflict',
    },
  };
}

/** What the normalizer would hand back: so many events of each record, in one lane. */
function made(records: readonly TakenRecord[], lane: Class, events: number): Made {
  const entries: OutboxEntry[] = [];
  const plain: Buffer[] = [];
  for (const { sequence: recordSequence, source } of records) {
    for (let index = 1; index <= events; index += 1) {
      const completes = index === events;
      entries.push({
        recordSequence,
        capturedAtUs: 1_700_000_000_000_000,
        index,
        source,
        completes,
        replayed: false,
      });
      plain.push(batchElement(Buffer.from(`${recordSequence}/${index}`)));
    }
  }
  return {
    lanes: [{ lane, entries, plain: Buffer.concat(plain) }],
    rejects: [],
    deliveries: [],
  };
}

function takeRows(journal: Journal, guess: Class = 'routine'): TakenRow[] {
  return journal.take(guess, 1000, 1024 ** 2);
}

function take(journal: Journal, guess: Class = 'routine'): TakenRecord[] {
  return takeRows(journal, guess).flatMap(({ records }) => records);
}

/** Every record that waits becomes one or more events of a lane. */
function finishAll(journal: Journal, lane: Class = 'routine', events = 1): void {
  for (const row of takeRows(journal)) journal.finish([row], [made(row.records, lane, events)]);
}

/** The events of a lane as their envelopes, the way the uplink reads them. */
function sendable(journal: Journal, lane: Class, first = 1, countMax = 10_000): string[] {
  const found: string[] = [];
  for (;;) {
    const parcel = journal.parcel(lane, first + found.length, countMax, 1024 ** 2);
    if (parcel === undefined) return found;
    const batch = Batch.decode(Buffer.concat(parcel.chunks));
    if (batch.envelopes.length !== parcel.count)
      throw new Error(`${batch.envelopes.length} of ${parcel.count}`);
    found.push(...batch.envelopes.map((envelope) => Buffer.from(envelope).toString()));
  }
}

function custodyOf(journal: Journal, source = 'lab') {
  const found = journal.custodyTotals().find((one) => one.source === source)?.counts;
  if (found === undefined) throw new Error(`no counts of ${source}`);
  return found;
}

t.test('journal - a settled append is there after a restart, with its bytes', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  const raw = randomBytes(5000);
  const receipt = await first.journal.append({ ...draft('A', ''), raw });
  t.match(receipt, { outcome: 'journaled', sequence: 1n });
  await close(first);
  const second = await open(directory);
  t.equal(second.journal.epoch, first.journal.epoch, 'the epoch stays');
  const [taken] = take(second.journal);
  const record = recordOf(taken);
  t.ok(raw.equals(Buffer.from(record.raw)));
  t.match(record, { source: 'lab', protocol: 'mllp', messageControlId: 'A' });
  t.match(second.journal.recovered, { records: 1, events: 0 });
  await close(second);
});

t.test('journal - every journal has an epoch of its own', async (t) => {
  const [one, two] = [await open(folderOf(t)), await open(folderOf(t))];
  t.not(one.journal.epoch, two.journal.epoch);
  await close(one);
  await close(two);
});

t.test('journal - receipts settle in the order of the calls, densely numbered', async (t) => {
  const opened = await open(folderOf(t));
  const order: bigint[] = [];
  await Promise.all(
    Array.from({ length: 500 }, async (_, at) => {
      const guess = (['stat', 'urgent', 'routine', 'bulk'] as const)[at % 4] as Class;
      order.push((await opened.journal.append(draft(`B${at}`, `text ${at}`, { guess }))).sequence);
    }),
  );
  t.same(
    order,
    Array.from({ length: 500 }, (_, at) => BigInt(at + 1)),
  );
  await close(opened);
});

t.test('journal - take hands out each record once, in order', async (t) => {
  const opened = await open(folderOf(t));
  await Promise.all(Array.from({ length: 50 }, (_, at) => opened.journal.append(draft(`C${at}`, `${at}`))));
  const seen: number[] = [];
  for (;;) {
    const taken = opened.journal.take('routine', 7, 1024 ** 2).flatMap(({ records }) => records);
    if (taken.length === 0) break;
    seen.push(...taken.map(({ sequence }) => sequence));
  }
  t.same(
    seen,
    Array.from({ length: 50 }, (_, at) => at + 1),
  );
  t.equal(opened.journal.waiting('routine'), false);
  await close(opened);
});

t.test('journal - positions stay dense in each lane over random restarts', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
  const random = seededRandom(seed);
  const directory = folderOf(t);
  const lanes = ['stat', 'urgent', 'routine', 'bulk'] as const;
  const wanted: Record<Class, string[]> = { stat: [], urgent: [], routine: [], bulk: [] };
  let accepted = 0;
  for (let life = 0; life < 6; life += 1) {
    const opened = await open(directory);
    const { journal } = opened;
    const receipts = await Promise.all(
      Array.from({ length: below(random, 30) }, () => {
        accepted += 1;
        return journal.append(draft(`D${accepted}`, `text ${accepted}`));
      }),
    );
    if (receipts.length > 0 && Number(receipts.at(-1)?.sequence) !== accepted)
      t.fail(`life ${life}: the record sequence is ${receipts.at(-1)?.sequence}, not ${accepted}`);
    const rows = takeRows(journal);
    // Some are left for the next life.
    for (const row of rows.slice(0, below(random, rows.length + 1))) {
      const parts = row.records.map((record) => {
        const lane = lanes[below(random, 4)] as Class;
        const count = 1 + below(random, 3);
        for (let index = 1; index <= count; index += 1) wanted[lane].push(`${record.sequence}/${index}`);
        return made([record], lane, count);
      });
      journal.finish([row], parts);
    }
    await journal.stop();
    await journal.close();
  }
  const last = await open(directory);
  for (const lane of lanes) {
    const state = last.journal.lanes().find((one) => one.lane === lane);
    t.match(state, { first: 1, last: wanted[lane].length }, lane);
    t.same(sendable(last.journal, lane), wanted[lane], `${lane} in the order of writing`);
    t.same(sendable(last.journal, lane, 1, 2), wanted[lane], `${lane} is the same in small parcels`);
  }
  await close(last);
});

t.test('journal - an ack removes events, counts records as delivered, and survives', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  await Promise.all([1, 2, 3].map((n) => first.journal.append(draft(`E${n}`, `${n}`))));
  finishAll(first.journal, 'routine', 2);
  await first.journal.stop();
  t.match(custodyOf(first.journal), { accepted: 3, pending: 3, delivered: 0 });
  t.equal(first.journal.acked('routine', 3), true);
  t.match(custodyOf(first.journal), { pending: 2, delivered: 1 }, 'half a record is not delivered');
  t.equal(first.journal.acked('routine', 7), false, 'a sequence that was never assigned is refused');
  t.match(
    first.journal.lanes().find(({ lane }) => lane === 'routine'),
    { first: 4, last: 6 },
  );
  await close(first);
  const second = await open(directory);
  t.match(custodyOf(second.journal), { accepted: 3, pending: 2, delivered: 1 });
  t.match(
    second.journal.lanes().find(({ lane }) => lane === 'routine'),
    { first: 4, last: 6 },
  );
  second.journal.acked('routine', 6);
  await close(second);
  const third = await open(directory);
  t.match(custodyOf(third.journal), { accepted: 3, pending: 0, delivered: 3 });
  t.match(
    third.journal.lanes().find(({ lane }) => lane === 'routine'),
    { first: 7, last: 6 },
    'no position is used twice',
  );
  t.equal((await third.journal.append(draft('E4', '4'))).sequence, 4n, 'nor a record sequence');
  await close(third);
});

// ── repeats ────────────────────────────────────────────────────────────────────────────────────────

t.test('journal - the same bytes inside the window are a repeat, later a resend', async (t) => {
  const opened = await open(folderOf(t));
  const { journal } = opened;
  const atMs = 1_700_000_000_000;
  await journal.append(draft('F', 'same', { atMs }));
  t.match(await journal.append(draft('F', 'same', { atMs: atMs + 1000 })), {
    outcome: 'repeat',
    sequence: 1n,
  });
  t.match(
    await journal.append(draft('F', 'same', { atMs: atMs + window15mMs })),
    { outcome: 'repeat' },
    'at its edge',
  );
  t.match(
    custodyOf(journal),
    { accepted: 1, duplicates: 2, pending: 1 },
    'repeats count only under duplicates',
  );
  t.same(opened.repeats, [1, 1]);
  const later = await journal.append(draft('F', 'same', { atMs: atMs + window15mMs + 1000 }));
  t.match(later, { outcome: 'journaled', sequence: 2n });
  const record = recordOf(take(journal)[1]);
  t.match(record, { resend: true, resendOf: 1n, conflict: false });
  const after = await journal.append(draft('F', 'same', { atMs: atMs + window15mMs + 2000 }));
  t.match(after, { outcome: 'repeat', sequence: 2n }, 'the window begins anew with the resend');
  await close(opened);
});

t.test('journal - other bytes are a conflict, whose own repeats are recognized', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  await first.journal.append(draft('G', 'one'));
  t.match(await first.journal.append(draft('G', 'two')), { outcome: 'journaled', sequence: 2n });
  t.match(recordOf(take(first.journal)[1]), {
    conflict: true,
    conflictWith: 1n,
    resend: false,
  });
  t.match(await first.journal.append(draft('G', 'two')), { outcome: 'repeat', sequence: 2n });
  t.match(
    await first.journal.append(draft('G', 'one')),
    { outcome: 'repeat', sequence: 1n },
    'the first is still known',
  );
  t.match(await first.journal.append(draft('G', 'three')), { outcome: 'journaled', sequence: 3n });
  await close(first);
  const second = await open(directory);
  t.match(
    await second.journal.append(draft('G', 'one')),
    { outcome: 'repeat', sequence: 1n },
    'after a restart',
  );
  t.match(
    await second.journal.append(draft('G', 'two')),
    { outcome: 'repeat', sequence: 2n },
    'after a restart',
  );
  t.match(
    await second.journal.append(draft('G', 'three')),
    { outcome: 'repeat', sequence: 3n },
    'after a restart',
  );
  t.match(await second.journal.append(draft('G', 'four')), { outcome: 'journaled', sequence: 4n });
  await close(second);
});

t.test('journal - a repeat is one within its scope alone', async (t) => {
  const opened = await open(folderOf(t));
  await opened.journal.append(draft('H', 'same'));
  t.match(
    await opened.journal.append(draft('H', 'same', { source: 'adt' })),
    { outcome: 'journaled' },
    'another source',
  );
  const without = draft('H', 'same');
  delete without.repeat;
  t.match(await opened.journal.append(without), { outcome: 'journaled' }, 'without a key');
  await close(opened);
});

t.test('journal - a repeat of what is still being flushed settles after it', async (t) => {
  const opened = await open(folderOf(t));
  const order: string[] = [];
  await Promise.all(
    ['first', 'second', 'third'].map(async (name) => {
      const { outcome } = await opened.journal.append(draft('I', 'same'));
      order.push(`${name} ${outcome}`);
    }),
  );
  t.same(order, ['first journaled', 'second repeat', 'third repeat']);
  await close(opened);
});

t.test('journal - a released key is forgotten, durably', async (t) => {
  const directory = folderOf(t);
  const qos2 = (text: string): RecordDraft => ({
    ...draft('J', text),
    repeat: { key: 'mqtt\0c\0' + '7', consult: true, window: 'released', otherBytes: 'replace' },
  });
  const first = await open(directory);
  await first.journal.append(qos2('one'));
  t.match(
    await first.journal.append(qos2('other')),
    { outcome: 'repeat', sequence: 1n },
    'whatever the bytes',
  );
  await first.journal.release('mqtt\0c\0' + '7');
  await close(first);
  const second = await open(directory);
  t.match(await second.journal.append(qos2('one')), { outcome: 'journaled', sequence: 2n });
  await close(second);
});

t.test('journal - what was delivered under each epoch is kept, over restarts', async (t) => {
  const directory = t.testdir();
  const first = await open(directory);
  const underOf = ({ journal }: typeof first) =>
    new Map(journal.custodyTotals()[0]?.deliveredUnder.map(({ epoch, records }) => [epoch, records]));
  for (const id of ['A', 'B', 'C', 'D', 'E']) await first.journal.append(draft(id, id));
  finishAll(first.journal, 'routine', 2);
  await until(() => sendable(first.journal, 'routine').length === 10, { what: 'ten events' });
  const [epochs, { journal }] = [[first.journal.epoch], first];
  // Two records, and half of the third, which is delivered under the epoch that completes it.
  journal.acked('routine', 5);
  await journal.renewEpoch();
  epochs.push(journal.epoch);
  t.same([...underOf(first)], [[epochs[0], 2]], 'nothing yet of the new one');
  journal.acked('routine', 3);
  t.same(underOf(first).get(journal.epoch), 2);
  await journal.renewEpoch();
  // Nothing was delivered under this one.
  await journal.renewEpoch();
  epochs.push(journal.epoch);
  journal.acked('routine', 2);
  const all = new Map(epochs.map((epoch, at) => [epoch, [2, 2, 1][at]]));
  t.same(underOf(first), all);
  t.match(custodyOf(journal), { delivered: 5, pending: 0 });
  await close(first);
  const second = await open(directory);
  t.same(underOf(second), all);
  await close(second);
});

t.test('journal - custody of old hours is folded, and its sums stay exact over restarts', async (t) => {
  const directory = folderOf(t);
  const hourMs = 3_600_000;
  const nowMs = Date.now();
  let opened = await open(directory);
  for (let hours = 0; hours < 250; hours += 5)
    await opened.journal.append(draft(`H${hours}`, 'x', { atMs: nowMs - hours * hourMs }));
  const folded = async (accepted: number) => {
    const kept = opened.journal.custodyHours();
    t.equal(kept.length, 15, 'three days by hour');
    t.equal(
      kept.reduce((sum, { counts }) => sum + counts.accepted, 0),
      15,
    );
    t.match(opened.journal.custodyTotals(), [{ counts: { accepted } }]);
    await close(opened);
    const environment = openEnvironment({ directory });
    const rows = storedCustody(new State(environment));
    t.equal(rows.length, 16, 'and one row for all that is older');
    await environment.close();
    opened = await open(directory);
  };
  await folded(50);
  await opened.journal.append(draft('OLD', 'x', { atMs: nowMs - 150 * hourMs }));
  await folded(51);
  await close(opened);
});

t.test('journal - past its age an identifier is not known any more, and its rows are dropped', async (t) => {
  const directory = folderOf(t);
  const hourMs = 3_600_000;
  const start = 1_700_000_000_000;
  const opened = await open(directory, { repeatAgeMs: 24 * hourMs });
  const at = (id: string, text: string, hours: number) =>
    opened.journal.append(draft(id, text, { atMs: start + hours * hourMs }));
  const releasing = opened.journal.release('mqtt2|mqtt|dev-1|5');
  await Promise.all([releasing, at('A', 'x', 0)]);
  t.match(await at('A', 'x', 0), { outcome: 'repeat' }, 'a release at the head of its row does not age it');
  for (let n = 0; n < 20; n += 1) await at(`K${n}`, 'x', 0);
  t.equal(opened.journal.stats().repeats, 21);
  await at('A', 'other', 25);
  await at('K0', 'x', 25);
  const taken = take(opened.journal).slice(-2);
  t.match(
    taken.map(recordOf),
    [
      { conflict: false, resend: false },
      { conflict: false, resend: false },
    ],
    'reused and sent again after its age they are ordinary',
  );
  for (let n = 0; n < 5; n += 1) await at(`L${n}`, 'x', 25);
  t.equal(opened.journal.stats().repeats, 7, 'what is not aged stays');
  await close(opened);
  const again = await open(directory, { repeatAgeMs: 24 * hourMs });
  t.equal(again.journal.stats().repeats, 7);
  await close(again);
});

t.test(
  'journal - the repeat index keeps to its bound and then takes a repeat for an ordinary event',
  async (t) => {
    const opened = await open(folderOf(t), { repeatEntriesMax: 200 });
    for (let at = 0; at < 2_000; at += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => opened.journal.append(draft(`K${at + n}`, 'x'))),
      );
    }
    t.ok(opened.journal.stats().repeats <= 300, `${opened.journal.stats().repeats} entries`);
    t.match(await opened.journal.append(draft('K1999', 'x')), { outcome: 'repeat' }, 'the newest is known');
    t.match(await opened.journal.append(draft('K0', 'x')), { outcome: 'journaled' }, 'the oldest is not');
    await close(opened);
  },
);

t.test('journal - the repeat index keeps to its bound when many senders follow a lone one', async (t) => {
  const opened = await open(folderOf(t), { repeatEntriesMax: 200 });
  // A row for each of them.
  for (let at = 0; at < 200; at += 1) await opened.journal.append(draft(`A${at}`, 'x'));
  t.equal(opened.journal.stats().repeats, 200);
  for (let at = 0; at < 500; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => opened.journal.append(draft(`B${at + n}`, 'x'))));
    t.ok(opened.journal.stats().repeats <= 300, `${opened.journal.stats().repeats} entries`);
  }
  await close(opened);
});

t.test('journal - a time that is to come tells of no repeat: the clock was ahead', async (t) => {
  const opened = await open(folderOf(t), {});
  const now = draft('C1', 'x');
  const month = 30n * 86_400n * 1_000_000n;
  t.match(await opened.journal.append({ ...now, capturedAtUs: now.capturedAtUs + month }), {
    outcome: 'journaled',
  });
  t.match(await opened.journal.append(now), { outcome: 'journaled' });
  await close(opened);
});

t.test('journal - the repeat index is bounded after a restart too', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory, { repeatEntriesMax: 200 });
  for (let at = 0; at < 1_000; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => first.journal.append(draft(`L${at + n}`, 'x'))));
  }
  await close(first);
  const second = await open(directory, { repeatEntriesMax: 200 });
  t.ok(second.journal.stats().repeats <= 300, `${second.journal.stats().repeats} entries`);
  t.match(await second.journal.append(draft('L999', 'x')), { outcome: 'repeat' });
  await close(second);
});

// ── room ───────────────────────────────────────────────────────────────────────────────────────────

t.test('journal - over its budget it refuses, and takes again when the centre has the backlog', async (t) => {
  const opened = await open(folderOf(t), { budgetBytes: 200_000 });
  const { journal } = opened;
  let taken = 0;
  const refused = await (async () => {
    for (; taken < 1000; taken += 1) {
      try {
        await journal.append(draft(`M${taken}`, 'x'.repeat(2000)));
      } catch (error) {
        return error;
      }
    }
    return undefined;
  })();
  t.match(refused, { name: 'IntakeRefused', code: 'budget' });
  t.ok(taken > 20 && taken < 100, `${taken} were taken`);
  t.equal(custodyOf(journal).accepted, taken, 'what was refused is not counted as accepted');
  t.equal(journal.stats().refusals, 1);
  t.equal(journal.room().state, 'budget');
  finishAll(journal);
  await until(() => journal.lanes().some(({ lane, last }) => lane === 'routine' && last === taken), {
    what: 'the events being flushed while intake is refused',
  });
  t.equal(journal.acked('routine', taken), true, 'the backlog drains');
  await close(opened);
  t.same(opened.faults, [], 'nothing of this is a fault');
});

t.test('journal - intake opens again after the budget was over, and leaves no hole', async (t) => {
  const opened = await open(folderOf(t), { budgetBytes: 200_000 });
  const { journal } = opened;
  let sequence = 0n;
  let refusals = 0;
  for (let at = 0; at < 300; at += 1) {
    try {
      const receipt = await journal.append(draft(`N${at}`, 'x'.repeat(2000)));
      if (receipt.sequence !== sequence + 1n) t.fail(`${sequence} is followed by ${receipt.sequence}`);
      sequence = receipt.sequence;
    } catch {
      refusals += 1;
      finishAll(journal);
      await until(
        () => (journal.lanes().find(({ lane }) => lane === 'routine')?.last ?? 0) >= Number(sequence),
        {
          what: 'the events being flushed',
        },
      );
      journal.acked('routine', Number(sequence));
    }
  }
  t.ok(refusals > 1, `${refusals} refusals`);
  t.ok(sequence > 200n, `${sequence} taken`);
  await close(opened);
});

t.test('journal - a refused message is taken when it comes again', async (t) => {
  const opened = await open(folderOf(t), { budgetBytes: 150_000 });
  const { journal } = opened;
  await journal.append(draft('O1', 'x'.repeat(45_000)));
  await t.rejects(journal.append(draft('O2', 'y'.repeat(40_000))), { code: 'budget' });
  finishAll(journal);
  await until(() => journal.lanes().some(({ lane, last }) => lane === 'routine' && last === 1), {
    what: 'the flush',
  });
  t.match(
    await journal.append(draft('O2', 'y'.repeat(40_000))),
    { outcome: 'journaled' },
    'not a repeat of the refused one',
  );
  await close(opened);
});

const volume = smallVolume(t);
const reserveTest = { skip: volume === undefined && 'no volume of its own could be mounted' };

t.test(
  'journal - below the reserve it refuses, and takes again when there is room',
  reserveTest,
  async (t) => {
    const directory = volume ?? '';
    const opened = await open(join(directory, 'journal'), { reserveBytes: 16 * 1024 ** 2 });
    t.same(opened.alarms, []);
    t.ok(
      opened.journal.room().heldBytes >= 16 * 1024 ** 2,
      'the blocks of the reserve are the file’s already',
    );
    t.match(await opened.journal.append(draft('P1', 'before')), { outcome: 'journaled' });
    const ballast = join(directory, 'ballast');
    t.throws(
      () => writeFileSync(ballast, Buffer.alloc(64 * 1024 ** 2, 1)),
      { code: 'ENOSPC' },
      'a full volume',
    );
    let filled = 0;
    const refused = await until(
      async () => {
        filled += 1;
        const append = opened.journal.append(draft(`P2-${filled}`, 'fill'));
        return append.then(
          () => undefined,
          (error: unknown) => error as Error,
        );
      },
      { what: 'the reserve being noticed' },
    );
    t.match(refused, { code: 'reserve' });
    t.equal(opened.journal.room().state, 'reserve');
    finishAll(opened.journal);
    await until(
      () => opened.journal.lanes().some(({ lane, last }) => lane === 'routine' && last === filled),
      {
        what: 'what was taken being normalized on the full volume',
      },
    );
    opened.journal.acked('routine', filled);
    rmSync(ballast);
    const taken = () => opened.journal.append(draft('P3', 'after')).then(Boolean, () => false);
    await until(taken, { what: 'intake opening by itself', timeoutMs: 5_000 });
    t.same(opened.faults, []);
    t.equal(custodyOf(opened.journal).accepted, filled + 1, 'what was refused is not counted');
    await close(opened);
  },
);

// ── damage and secrecy ─────────────────────────────────────────────────────────────────────────────

t.test('journal - a damaged record costs itself alone', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  await Promise.all(Array.from({ length: 5 }, (_, n) => first.journal.append(draft(`Q${n}`, `text ${n}`))));
  await close(first);
  await damageRecord(directory, 'routine', 3);
  const second = await open(directory);
  const opened = take(second.journal).map(
    (taken) => taken.damaged || Buffer.from(recordOf(taken).raw).toString(),
  );
  const damaged = 'the row does not match its checksum';
  t.same(opened, ['text 0', 'text 1', damaged, 'text 3', 'text 4']);
  await close(second);
});

t.test('journal - a damaged event costs itself alone: what follows it can still be sent', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  for (let n = 0; n < 5; n += 1) await first.journal.append(draft(`R${n}`, `text ${n}`));
  finishAll(first.journal);
  await close(first);
  await damageEvent(directory, 'routine', 3);
  const second = await open(directory);
  const found: string[] = [];
  t.doesNotThrow(() => {
    found.push(...sendable(second.journal, 'routine'));
  }, 'reading a lane with a damaged row in it does not throw at the uplink');
  for (const whole of ['1/1', '2/1', '4/1', '5/1']) t.ok(found.includes(whole), `${whole} can be sent`);
  await close(second);
});

t.test(
  'journal - an ack that is quicker than the flush of a mended row counts it once, and leaves no row',
  async (t) => {
    const directory = folderOf(t);
    const first = await open(directory);
    await Promise.all(Array.from({ length: 5 }, (_, n) => first.journal.append(draft(`M${n}`, `text ${n}`))));
    finishAll(first.journal);
    await close(first);
    await damageEvent(directory, 'routine', 3);
    const second = await open(directory);
    t.equal(sendable(second.journal, 'routine').length, 5);
    // Sent again after a break of the line, before the mended row is flushed.
    t.equal(sendable(second.journal, 'routine').length, 5);
    t.ok(second.journal.acked('routine', 5));
    for (let n = 0; n < 8; n += 1) await second.journal.append(draft(`N${n}`, `text ${n}`));
    finishAll(second.journal);
    await close(second);
    const third = await open(directory);
    const lane = third.journal.lanes().find((one) => one.lane === 'routine');
    t.same(lane, { lane: 'routine', first: 6, last: 13 });
    t.match(third.journal.custodyTotals()[0]?.counts, {
      accepted: 13,
      delivered: 4,
      quarantined: 1,
      pending: 8,
    });
    t.ok(third.journal.acked('routine', 13));
    await close(third);
    const fourth = await open(directory);
    t.match(fourth.journal.custodyTotals()[0]?.counts, {
      accepted: 13,
      delivered: 12,
      quarantined: 1,
      pending: 0,
    });
    await close(fourth);
  },
);

t.test(
  'journal - what went to quarantine before the enrollment is reported under the gateway’s name',
  async (t) => {
    const directory = folderOf(t);
    const first = await open(directory);
    await first.journal.append(draft('N1', 'text'));
    finishAll(first.journal);
    await close(first);
    await damageEvent(directory, 'routine', 1);
    const unnamed = await open(directory);
    sendable(unnamed.journal, 'routine');
    await unnamed.journal.stop();
    const epoch = unnamed.journal.epoch.toString(16);
    t.same(
      unnamed.journal.reports.quarantineEntries(0, 10).map(({ id, gateway }) => ({ id, gateway })),
      [{ id: `.${epoch}.record.1`, gateway: '' }],
    );
    await close(unnamed);
    const enrolled = await open(directory, { gateway: () => 'north-1' });
    t.same(
      enrolled.journal.reports.quarantineEntries(0, 10).map(({ id, gateway }) => ({ id, gateway })),
      [{ id: `north-1.${epoch}.record.1`, gateway: 'north-1' }],
    );
    await close(enrolled);
  },
);

t.test(
  'journal - a row whose head is damaged goes to quarantine as a whole, and the lane stays dense',
  async (t) => {
    const directory = folderOf(t);
    const first = await open(directory);
    const append = (n: number) => first.journal.append(draft(`RH${n}`, `text ${n}`));
    for (let n = 0; n < 3; n += 1) {
      await Promise.all([append(n * 2), append(n * 2 + 1)]);
      finishAll(first.journal);
    }
    await close(first);
    await damageHead(directory, 'routine', 3);
    const second = await open(directory);
    t.equal(second.journal.lastQuarantined(1), 0);
    const found = sendable(second.journal, 'routine');
    t.equal(found.length, 6, 'as many events as the lane has sequences');
    t.same(
      [found[0], found[1], found[4], found[5]],
      ['1/1', '2/1', '5/1', '6/1'],
      'the other rows are whole',
    );
    await second.journal.stop();
    t.match(custodyOf(second.journal), { accepted: 6, pending: 4, quarantined: 2 });
    t.same(new Set(second.alarms), new Set(['event-damaged']));
    second.journal.acked('routine', 6);
    t.match(custodyOf(second.journal), { accepted: 6, pending: 0, quarantined: 2, delivered: 4 });
    t.equal(second.journal.lastQuarantined(1), 8, 'under numbers of their own, after the six');
    t.equal(second.journal.lastQuarantined(2), 0, 'and of no other source');
    await close(second);
    const third = await open(directory);
    t.equal(third.journal.lastQuarantined(1), 8, 'also over a restart');
    t.equal(third.journal.lastQuarantined(2), 0);
    await close(third);
  },
);

t.test('journal - an ack that ends inside a row is counted once, also over a restart', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  await Promise.all(Array.from({ length: 6 }, (_, n) => first.journal.append(draft(`RP${n}`, `text ${n}`))));
  finishAll(first.journal);
  await first.journal.stop();
  for (const [through, delivered] of [
    [2, 2],
    [2, 2],
    [5, 5],
  ] as const) {
    t.equal(first.journal.acked('routine', through), true);
    t.match(custodyOf(first.journal), { delivered, pending: 6 - delivered });
  }
  await close(first);
  const second = await open(directory);
  t.match(custodyOf(second.journal), { accepted: 6, delivered: 5, pending: 1 });
  t.same(sendable(second.journal, 'routine', 6), ['6/1'], 'what is left of the row can be sent');
  second.journal.acked('routine', 6);
  t.match(custodyOf(second.journal), { delivered: 6, pending: 0 });
  await close(second);
  const third = await open(directory);
  t.match(custodyOf(third.journal), { delivered: 6, pending: 0 });
  t.match(third.journal.recovered, { records: 0, events: 0 });
  await close(third);
});

t.test(
  'journal - a message for a destination waits until those before it are flushed, not only finished',
  async (t) => {
    const seen: unknown[] = [];
    const opened = await open(folderOf(t), {}, () => {
      const { local } = opened.journal;
      seen.push([local.head('ehr')?.recordSequence, opened.journal.finishedThrough()]);
    });
    const { journal } = opened;
    await journal.append(draft('R', 'routine'));
    await journal.append(draft('S', 'stat', { guess: 'stat' }));
    const withLetter = (rows: readonly TakenRow[], lane: Class) => {
      const records = rows.flatMap((row) => row.records);
      const delivery = LocalDelivery.encode(LocalDelivery.fromPartial({ destination: 'ehr' })).finish();
      const deliveries = records.map(({ sequence }) => ({
        sequence,
        made: [{ destination: 'ehr', delivery }],
      }));
      journal.finish(rows, [{ ...made(records, lane, 1), deliveries }]);
    };
    const [routine, stat] = [takeRows(journal), takeRows(journal, 'stat')];
    withLetter(stat, 'stat');
    // Its round is on its way to the disk; the next one is for what can wait.
    await new Promise((resolve) => setImmediate(resolve));
    withLetter(routine, 'routine');
    await until(() => seen.length === 2, { what: 'both rounds being flushed', timeoutMs: 30_000 });
    t.same(seen, [
      [2, 0],
      [1, Number.POSITIVE_INFINITY],
    ]);
    await close(opened);
  },
);

t.test(
  'journal - an event of a replayed record says no time of capture for latency, also over a restart',
  async (t) => {
    const directory = folderOf(t);
    const first = await open(directory);
    await first.journal.append(draft('A', 'a'));
    const [row] = takeRows(first.journal) as [TakenRow];
    const one = made(row.records, 'routine', 2);
    for (const { entries } of one.lanes) for (const entry of entries) entry.replayed = entry.index === 2;
    first.journal.finish([row], [one]);
    await first.journal.stop();
    const times = (journal: Journal) => journal.parcel('routine', 1, 10, 1024 ** 2)?.capturedAtUs;
    t.same(times(first.journal), [1_700_000_000_000_000, 0]);
    await close(first);
    const second = await open(directory);
    t.same(times(second.journal), [1_700_000_000_000_000, 0]);
    t.ok(second.journal.acked('routine', 2));
    t.match(custodyOf(second.journal), { delivered: 1, pending: 0 });
    await close(second);
  },
);

t.test('journal - a row moved to another place does not open', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  for (let n = 0; n < 2; n += 1) await first.journal.append(draft(`S${n}`, `text ${n}`));
  await close(first);
  const environment = openEnvironment({ directory });
  const rows = [...environment.table(recordsTable('routine')).getRange({})].map(({ key: rowKey, value }) => ({
    rowKey: Buffer.from(rowKey),
    value: Buffer.from(value),
  }));
  await environment.write(() => {
    void environment.table(recordsTable('routine')).put(rows[0]?.rowKey as Buffer, rows[1]?.value as Buffer);
  });
  await environment.close();
  const second = await open(directory);
  const [taken] = take(second.journal);
  t.match(taken?.damaged, 'not in its place');
  await close(second);
});

t.test('journal - neither keys nor rows hold anything that was in a message', async (t) => {
  const directory = folderOf(t);
  const opened = await open(directory);
  await opened.journal.append(draft('CANARYID', 'PID|1||CANARYMRN||CANARYPATIENT'));
  await opened.journal.append(draft('CANARYID', 'PID|1||CANARYMRN||CANARYPATIENT2'));
  finishAll(opened.journal);
  await close(opened);
  const file = readFileSync(join(directory, 'data.mdb'));
  for (const word of ['CANARYID', 'CANARYMRN', 'CANARYPATIENT']) t.notOk(file.includes(word), word);
  t.ok(file.includes(tables.state), 'this is the file that the rows are in');
});

t.test('journal - another key does not open it, and does not harm it', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  await first.journal.append(draft('T', 'text'));
  await close(first);
  const before = readFileSync(join(directory, 'data.mdb'));
  const wrong = { code: 'key-wrong', exit: 78, hint: /Put back the key file/ };
  await t.rejects(open(directory, { key: randomBytes(32) }), wrong);
  t.ok(before.equals(readFileSync(join(directory, 'data.mdb'))), 'the file is as it was');
  const right = await open(directory);
  const [again] = take(right.journal);
  t.equal(Buffer.from(recordOf(again).raw).toString(), 'text');
  await close(right);
});

t.test('journal - what makes the key of a life stands twice, and one copy is enough', async (t) => {
  const copies = ['segments', 'segments-copy'];
  for (const damaged of copies) {
    const directory = folderOf(t);
    const first = await open(directory);
    await first.journal.append(draft('T', 'text'));
    await close(first);
    const environment = openEnvironment({ directory });
    const flipped = [0, 1].map((number) => {
      const key = Buffer.alloc(4);
      key.writeUInt32BE(number);
      const value = Buffer.from(environment.table(damaged).get(key) as Buffer);
      value[3] = (value[3] ?? 0) ^ 1;
      return { key, value };
    });
    await environment.write(() => {
      for (const { key, value } of flipped) void environment.table(damaged).put(key, value);
    });
    await environment.close();
    await t.rejects(open(directory, { key: randomBytes(32) }), { code: 'key-wrong' }, damaged);
    const again = await open(directory);
    t.equal(Buffer.from(recordOf(take(again.journal)[0]).raw).toString(), 'text', damaged);
    await close(again);
    const mended = openEnvironment({ directory });
    for (const { key } of flipped) {
      const [one, other] = copies.map((name) => mended.table(name).get(key));
      t.ok(one !== undefined && other?.equals(one), `both copies of ${damaged} are as they were`);
    }
    await mended.close();
  }
});

t.test('journal - of a row whose head is lost no record takes the number of another', async (t) => {
  const directory = folderOf(t);
  const first = await open(directory);
  const guesses = ['stat', 'routine', 'stat', 'routine', 'stat'] as const;
  await Promise.all(guesses.map((guess, at) => first.journal.append(draft(`${at + 1}`, 'text', { guess }))));
  await close(first);
  await damageHead(directory, 'stat', 1, 'records');
  const second = await open(directory);
  const { journal } = second;
  const lost = take(journal, 'stat');
  t.same(
    lost.map(({ sequence, damaged }) => [sequence === 2 || sequence === 4, damaged !== '']),
    lost.map(() => [false, true]),
  );
  t.equal(new Set(lost.map(({ sequence }) => sequence)).size, 3);
  t.notOk(journal.waiting('stat'), 'and nothing of its class waits that cannot be taken');
  await close(second);
});

t.test(
  'journal - more events than a row can count are several rows, with nothing between them',
  async (t) => {
    const directory = folderOf(t);
    const first = await open(directory);
    await first.journal.append(draft('A', 'text'));
    finishAll(first.journal, 'routine', 40_000);
    await close(first);
    const second = await open(directory);
    t.match(
      second.journal.lanes().find(({ lane }) => lane === 'routine'),
      { first: 1, last: 40_000 },
    );
    const sent = sendable(second.journal, 'routine');
    t.equal(sent.length, 40_000);
    t.ok(sent.every((text, at) => text === `1/${at + 1}`));
    t.ok(second.journal.acked('routine', 40_000));
    t.match(custodyOf(second.journal), { accepted: 1, delivered: 1, pending: 0 });
    await close(second);
  },
);

t.test('journal - a journal of another format is refused before anything is written', async (t) => {
  const directory = folderOf(t);
  const environment = openEnvironment({ directory });
  await environment.write(() => {
    void environment.table(tables.state).put(Buffer.from('format'), Buffer.from('99'));
  });
  await environment.close();
  const before = readFileSync(join(directory, 'data.mdb'));
  await t.rejects(open(directory), { code: 'journal-format', exit: 78 });
  t.ok(before.equals(readFileSync(join(directory, 'data.mdb'))), 'the file is as it was');
});

t.test('journal - stopping refuses what comes and settles what came', async (t) => {
  const opened = await open(folderOf(t));
  const inHand = opened.journal.append(draft('U1', 'in hand'));
  const stopped = opened.journal.stop();
  await t.rejects(opened.journal.append(draft('U2', 'late')), { code: 'draining' });
  t.match(await inHand, { outcome: 'journaled' });
  await stopped;
  await opened.journal.close();
});

t.test('journal - what waited on disk in this life knows when it was flushed', async (t) => {
  const opened = await open(folderOf(t));
  const { journal } = opened;
  const text = 'x'.repeat(1024 ** 2);
  const before = Date.now() * 1000;
  // More than is kept in memory for the normalizer.
  for (let n = 0; n < 12; n += 1) await journal.append(draft(`D${n}`, `${n}${text}`));
  const after = Date.now() * 1000 + 1000;
  const times: number[] = [];
  for (
    let rows = journal.take('routine', 100, 1024 ** 3);
    rows.length > 0;
    rows = journal.take('routine', 100, 1024 ** 3)
  )
    for (const { records } of rows) times.push(...records.map(({ journaledAtUs }) => journaledAtUs));
  t.equal(times.length, 12);
  t.same(
    times.filter((atUs) => atUs < before || atUs > after),
    [],
  );
  t.same(
    [...times].sort((a, b) => a - b),
    times,
  );
  await close(opened);
});
