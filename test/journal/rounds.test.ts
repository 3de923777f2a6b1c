/**
 * The seam between two rounds: what belongs together goes into one, also where a round is full just then. The
 * gateway is cut off after every round in turn, as a kill would, and what the disk says then must be whole.
 */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import type { RecordDraft } from '../../gateway/capture/intake.ts';
import { Journal, type JournalHooks } from '../../gateway/journal/journal.ts';
import type { TakenRecord } from '../../gateway/journal/records.ts';
import { type Environment, openEnvironment } from '../../gateway/process/lmdb.ts';
import { QuarantinedRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { closeJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';
import { until } from '../kit/wait.ts';

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

/** Lets so many more transactions through and no other: what comes later never reaches the disk. */
interface Cut {
  environment: Environment;
  after(rounds: number): void;
  /** Nothing moves any more: all that may be committed is, and somebody waits behind it. */
  reached(): boolean;
  committed(): number;
}

function cutting(directory: string): Cut {
  const real = openEnvironment({ directory });
  let left = Number.POSITIVE_INFINITY;
  let [inFlight, held, committed] = [0, 0, 0];
  return {
    environment: {
      ...real,
      async write(work) {
        if (left <= 0) {
          held += 1;
          return new Promise<void>(() => {});
        }
        left -= 1;
        inFlight += 1;
        await real.write(work);
        inFlight -= 1;
        committed += 1;
      },
    },
    after(rounds) {
      left = rounds;
      committed = 0;
    },
    reached: () => inFlight === 0 && held > 0,
    committed: () => committed,
  };
}

function open(directory: string, roundBytesMax?: number, environment?: Environment): Promise<Journal> {
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
    roundBytesMax,
  };
  return Journal.open(options, hooks, environment);
}

const id = (n: number) => `M${n}`;

function draft(n: number): RecordDraft {
  return {
    source: 'lab',
    protocol: 'mllp',
    // Of many sizes, so that rounds are full at every place of the way.
    raw: Buffer.from(`${id(n)} ${'x'.repeat((n * 137) % 900)}`),
    capturedAtUs: BigInt(Date.now()) * 1000n,
    classGuess: 'routine',
    messageControlId: id(n),
    repeat: {
      key: `mllp\0lab\0A\0B\0${id(n)}`,
      consult: true,
      window: { ms: 900_000 },
      otherBytes: 'conflict',
    },
  };
}

function countsOf(journal: Journal) {
  const {
    accepted = 0,
    quarantined = 0,
    pending = 0,
  } = journal.custodyTotals().find(({ source }) => source === 'lab')?.counts ?? {};
  return { accepted: Number(accepted), quarantined: Number(quarantined), pending: Number(pending) };
}

function taken(journal: Journal): TakenRecord[] {
  return journal.take('routine', 10_000, 1024 ** 3).flatMap(({ records }) => records);
}

/** Runs `work` cut off after 0, 1, 2 … rounds until it needs no more of them; returns how many it took. */
async function cutAfterEvery(
  directoryOf: () => string,
  prepare: (journal: Journal) => Promise<void>,
  work: (journal: Journal) => Promise<unknown>,
  look: (journal: Journal, where: string) => Promise<void>,
): Promise<number> {
  for (let rounds = 0; ; rounds += 1) {
    const directory = directoryOf();
    const cut = cutting(directory);
    // Full with the first row in it: the seam is at every place where it can be.
    const journal = await open(directory, 1, cut.environment);
    await prepare(journal);
    cut.after(rounds);
    let done = false;
    void work(journal).then(() => {
      done = true;
    });
    await until(() => done || cut.reached(), { what: `the cut after round ${rounds}` });
    await journal.close();
    const again = await open(directory);
    await look(again, `cut after ${rounds} rounds`);
    await again.stop();
    await again.close();
    if (done) return cut.committed();
  }
}

t.test(
  'rounds - a record, its repeat entry and its counts are in one, also where a round is full',
  async (t) => {
    const messages = 40;
    const rounds = await cutAfterEvery(
      () => folderOf(t),
      async () => {},
      async (journal) => {
        const receipts: Promise<unknown>[] = [];
        for (let n = 0; n < messages; n += 1) {
          receipts.push(journal.append(draft(n)));
          // Rounds are opened by appending, by a turn that ends, and by earlier ones settling.
          if (n % 8 === 7) await receipts[n - 4];
          else if (n % 8 === 3) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(receipts);
      },
      async (journal, where) => {
        const kept = new Map(taken(journal).map((one) => [BigInt(one.sequence), recordOf(one)]));
        const { accepted, pending } = countsOf(journal);
        t.equal(accepted, kept.size, `${where}: what is counted is there`);
        t.equal(pending, kept.size, `${where}: and waits`);
        const wrong: string[] = [];
        for (let n = 0; n < messages; n += 1) {
          const { outcome, sequence } = await journal.append(draft(n));
          const record = kept.get(sequence);
          if (outcome === 'repeat' && record?.messageControlId !== id(n)) wrong.push(`${id(n)} is lost`);
          const there = [...kept.values()].some(({ messageControlId }) => messageControlId === id(n));
          if (outcome === 'journaled' && there) wrong.push(`${id(n)} is doubled`);
        }
        t.same(wrong, [], `${where}: a resend is a repeat exactly where its record is there`);
      },
    );
    t.ok(rounds > 4, `${rounds} rounds`);
  },
);

t.test('rounds - a replay leaves quarantine in the round of its new record and counts', async (t) => {
  const messages = 40;
  const all = Array.from({ length: messages }, (_, n) => n);
  const rounds = await cutAfterEvery(
    () => folderOf(t),
    async (journal) => {
      await Promise.all(all.map((n) => journal.append(draft(n))));
      for (const row of journal.take('routine', 10_000, 1024 ** 3)) {
        const rejects = row.records.map((one) => rejected(one));
        journal.finish([row], [{ lanes: [], rejects, deliveries: [] }]);
      }
      // What is finished settles with the next flush.
      await journal.release('nothing');
    },
    async (journal) => {
      const replays: Promise<unknown>[] = [];
      for (const n of all) {
        replays.push(journal.replay(n + 1));
        if (n % 8 === 7) await replays[n - 4];
      }
      await Promise.all(replays);
    },
    async (journal, where) => {
      const back = taken(journal).map((one) => recordOf(one).messageControlId);
      const aside = all.flatMap((n) => journal.quarantined(n + 1)?.record?.messageControlId ?? []);
      t.same([...back, ...aside].sort(), all.map(id).sort(), `${where}: each is in one place`);
      t.same(
        countsOf(journal),
        { accepted: messages, quarantined: aside.length, pending: back.length },
        `${where}: and counted there`,
      );
    },
  );
  t.ok(rounds > 4, `${rounds} rounds`);
});

for (const [how, done] of [
  ['replay', 'replayed'],
  ['discard', 'discarded'],
] as const) {
  t.test(`rounds - a ${how} and the entry that says who asked for it are one round`, async (t) => {
    const all = [1, 2, 3, 4, 5, 6];
    await cutAfterEvery(
      () => folderOf(t),
      async (journal) => {
        await Promise.all(all.map((n) => journal.append(draft(n))));
        for (const row of journal.take('routine', 10_000, 1024 ** 3))
          journal.finish([row], [{ lanes: [], rejects: row.records.map(rejected), deliveries: [] }]);
        await journal.release('nothing');
      },
      async (journal) => {
        const asked = (n: number) => ({ actor: 'ann', reason: 'test', subject: String(n) });
        await Promise.all(all.map((n) => journal[how](n, { id: id(n), asked: asked(n) })));
      },
      async (journal, where) => {
        const left = all.filter((n) => journal.quarantined(n) === undefined).map(String);
        const told = journal.reports.auditEntries(0, 100).filter(({ action }) => action === done);
        t.same(told.map(({ subject }) => subject).sort(), left, where);
        t.ok(told.every(({ actor, reason }) => actor === 'ann' && reason === 'test'));
      },
    );
  });
}

t.test('rounds - two replays of one entry at once put it back once', async (t) => {
  const opened = await openJournal(folderOf(t));
  const { journal } = opened;
  await journal.append(draft(1));
  for (const row of journal.take('routine', 10_000, 1024 ** 3))
    journal.finish([row], [{ lanes: [], rejects: row.records.map(rejected), deliveries: [] }]);
  await journal.release('nothing');
  t.same(await Promise.all([journal.replay(1), journal.replay(1)]), ['replayed', 'missing']);
  t.equal(await journal.replay(1), 'missing');
  t.equal(taken(journal).length, 1);
  t.same(countsOf(journal), { accepted: 1, quarantined: 0, pending: 1 });
  await closeJournal(opened);
});

function rejected(taken: TakenRecord) {
  const { sequence, source, capturedS } = taken;
  const record = QuarantinedRecord.encode(
    QuarantinedRecord.fromPartial({
      record: recordOf(taken),
      code: 'not-understood',
      reason: 'A test.',
    }),
  ).finish();
  const entry = QuarantineEntry.fromPartial({ id: String(sequence), source: 'lab' });
  return { sequence, source, capturedS, record, entry };
}
