/** Keys of records and events that are not what was written: nothing whole is lost, and no number is made from them. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { outboxTable, recordsTable } from '../../gateway/journal/layout.ts';
import type { TakenRow } from '../../gateway/journal/records.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { Batch } from '../../proto/gen/hilum/v1/session.ts';
import { batchElement } from '../../proto/wire.ts';
import { damageHead, damageKey } from '../kit/damage.ts';
import { closeJournal, type OpenedJournal, openJournal } from '../kit/journal.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf } from '../kit/site.ts';
import { recordOf } from '../kit/taken.ts';

/** Rows of two records each, enough for several pages of a table. */
const rows = 40;
const records = 2 * rows;
const recordKeyBits = 8 * 32;
const eventKeyBits = 8 * 26;

const text = (n: number) => `${n} ${'x'.repeat(800)}`;

const numberIn = (bytes: Uint8Array) =>
  Number(/\b(\d+) x{800}/.exec(Buffer.from(bytes).toString('latin1'))?.[1]);

function append({ journal }: OpenedJournal, n: number, classGuess: 'stat' | 'routine' = 'routine') {
  return journal.append({
    source: n % 2 === 0 ? 'lab' : 'adt',
    protocol: 'mllp',
    raw: Buffer.from(text(n)),
    capturedAtUs: 1_764_000_000_000_000n,
    classGuess,
    messageControlId: String(n),
  });
}

function take({ journal }: OpenedJournal): TakenRow[] {
  return journal.take('routine', 1000, 1024 ** 3);
}

/** Each row of records becomes a row of events. */
function finish({ journal }: OpenedJournal, taken: readonly TakenRow[]): void {
  for (const row of taken) {
    const entries = row.records.map(({ sequence, source, capturedS }) => ({
      recordSequence: sequence,
      capturedAtUs: capturedS * 1e6,
      index: 1,
      source,
      completes: true,
      replayed: false,
    }));
    const plain = Buffer.concat(row.records.map(({ bytes }) => batchElement(bytes)));
    journal.finish([row], [{ lanes: [{ lane: 'routine', entries, plain }], rejects: [], deliveries: [] }]);
  }
}

/** The record that each event was made of, as its number; NaN where there is a blank. */
function sendable({ journal }: OpenedJournal, first = 1): number[] {
  const found: number[] = [];
  for (;;) {
    const parcel = journal.parcel('routine', first + found.length, 500, 1024 ** 2);
    if (parcel === undefined) return found;
    const { envelopes } = Batch.decode(Buffer.concat(parcel.chunks));
    found.push(...envelopes.map((bytes) => numberIn(bytes)));
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

function counts({ journal }: OpenedJournal) {
  const sum = { accepted: 0, pending: 0, delivered: 0, quarantined: 0 };
  for (const { counts: one } of journal.custodyTotals()) {
    sum.accepted += one.accepted;
    sum.pending += one.pending;
    sum.delivered += one.delivered;
    sum.quarantined += one.quarantined;
  }
  return sum;
}

/** A stopped journal with records that wait, or with their events. */
async function filled(t: Parameters<typeof folderOf>[0], state: 'records' | 'events'): Promise<string> {
  const directory = folderOf(t);
  const opened = await openJournal(directory);
  for (let n = 1; n <= records; n += 2) {
    await Promise.all([append(opened, n), append(opened, n + 1)]);
    if (state === 'events') finish(opened, take(opened));
  }
  await closeJournal(opened);
  return directory;
}

async function keysOf(directory: string, table: string): Promise<Buffer[]> {
  const environment = openEnvironment({ directory, readOnly: true });
  const keys = Array.from(environment.table(table).getKeys({}), (key) => Buffer.from(key as Buffer));
  await environment.close();
  return keys;
}

function copyOf(t: Parameters<typeof folderOf>[0], directory: string): string {
  const copy = folderOf(t);
  cpSync(join(directory, 'data.mdb'), join(copy, 'data.mdb'));
  return copy;
}

/** Some bits of the whole key, and those of its numbers that are never left out. */
function bitsOf(random: () => number, keyBits: number): number[] {
  return [
    1,
    9,
    40,
    62,
    63,
    65,
    73,
    126,
    127,
    128,
    160,
    ...numbers(1, 25).map(() => below(random, keyBits)),
  ].filter((bit) => bit < keyBits);
}

t.test('key order - a bit of a key of records costs nothing, whichever it is', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const whole = await filled(t, 'records');
  const keys = await keysOf(whole, recordsTable('routine'));
  t.equal(keys.length, rows);
  for (const bit of bitsOf(random, recordKeyBits)) {
    const at = below(random, rows);
    const name = `bit ${bit} of key ${at}`;
    const directory = copyOf(t, whole);
    damageKey(directory, keys[at] as Buffer, bit);
    let opened = await openJournal(directory);
    const [receipt] = await Promise.all([append(opened, records + 1)]);
    t.equal(receipt.sequence, BigInt(records + 1), `${name}: the next number`);
    const taken = take(opened);
    t.same(
      taken.flatMap((row) => row.records).map((one) => one.damaged || numberIn(recordOf(one).raw)),
      numbers(1, records + 1),
      `${name}: all of them, in order`,
    );
    t.same(
      taken.flatMap((row) => row.records.map(({ sequence }) => sequence)),
      numbers(1, records + 1),
      name,
    );
    finish(opened, taken);
    await opened.journal.stop();
    t.same(new Set(opened.alarms), new Set(['keys-damaged']), name);
    t.match(counts(opened), { accepted: records + 1, pending: records + 1 }, name);
    await closeJournal(opened);
    opened = await openJournal(directory);
    t.match(opened.journal.recovered, { records: 0, events: records + 1 }, `${name}: no row is left behind`);
    t.same(opened.alarms, [], name);
    await closeJournal(opened);
  }
});

t.test('key order - a bit of a key of events costs nothing, whichever it is', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const whole = await filled(t, 'events');
  const keys = await keysOf(whole, outboxTable('routine'));
  t.equal(keys.length, rows);
  for (const bit of bitsOf(random, eventKeyBits)) {
    const at = below(random, rows);
    const name = `bit ${bit} of key ${at}`;
    const directory = copyOf(t, whole);
    damageKey(directory, keys[at] as Buffer, bit);
    let opened = await openJournal(directory);
    await append(opened, records + 1);
    finish(opened, take(opened));
    await opened.journal.stop();
    t.same(sendable(opened), numbers(1, records + 1), `${name}: all of them, in order`);
    t.same(new Set(opened.alarms), new Set(['keys-damaged']), name);
    t.ok(opened.journal.acked('routine', records + 1), name);
    t.match(
      opened.journal.custodyTotals().map(({ counts: { delivered, pending } }) => [delivered, pending]),
      [
        [rows + 1, 0],
        [rows, 0],
      ],
      `${name}: each counts for its source`,
    );
    await closeJournal(opened);
    opened = await openJournal(directory);
    t.match(opened.journal.recovered, { records: 0, events: 0 }, `${name}: no row is left behind`);
    t.same(opened.alarms, [], name);
    await closeJournal(opened);
  }
});

t.test('key order - what a lane misses goes out as blanks, and what comes behind it as ever', async (t) => {
  for (const gone of [[0], [5, 6], [rows - 1]]) {
    const directory = await filled(t, 'events');
    const keys = await keysOf(directory, outboxTable('routine'));
    const environment = openEnvironment({ directory });
    await environment.write(() => {
      for (const at of gone) void environment.table(outboxTable('routine')).remove(keys[at] as Buffer);
    });
    await environment.close();
    let opened = await openJournal(directory);
    t.same(opened.alarms, ['keys-damaged'], 'it is told');
    await append(opened, records + 1);
    finish(opened, take(opened));
    await opened.journal.stop();
    const lost = new Set(gone.flatMap((at) => [2 * at + 1, 2 * at + 2]));
    t.same(
      sendable(opened),
      numbers(1, records + 1).map((n) => (lost.has(n) ? Number.NaN : n)),
      `without ${[...lost]}`,
    );
    t.ok(opened.journal.acked('routine', records + 1));
    t.match(counts(opened), { accepted: records + 1, pending: 0, delivered: records + 1 - lost.size });
    await closeJournal(opened);
    opened = await openJournal(directory);
    t.same(opened.alarms, [], 'once');
    await closeJournal(opened);
  }
});

t.test('key order - where the key of a row can be right and is not, its head stands above it', async (t) => {
  const directory = folderOf(t);
  let opened = await openJournal(directory);
  const append2 = (n: number, classGuess: 'stat' | 'routine') =>
    Promise.all([append(opened, n, classGuess), append(opened, n + 1, classGuess)]);
  await append2(1, 'routine');
  await append2(3, 'stat');
  await append2(5, 'routine');
  await closeJournal(opened);
  const key = (await keysOf(directory, recordsTable('routine')))[1] as Buffer;
  // The last bit of its first sequence: 4, which is free among the routine ones.
  damageKey(directory, key, 63);
  opened = await openJournal(directory);
  const taken = take(opened);
  t.same(
    taken.flatMap((row) => row.records.map(({ sequence, damaged }) => [sequence, damaged])),
    [1, 2, 5, 6].map((sequence) => [sequence, '']),
  );
  t.same(opened.alarms, ['keys-damaged'], 'it is told');
  finish(opened, taken);
  await closeJournal(opened);
  opened = await openJournal(directory);
  t.match(opened.journal.recovered, { records: 2, events: 4 });
  t.match(counts(opened), { accepted: 6, pending: 6 });
  await closeJournal(opened);
});

t.test(
  'key order - of a row whose head is damaged, too, each record is counted, under a number of its own',
  async (t) => {
    const directory = await filled(t, 'records');
    const keys = await keysOf(directory, recordsTable('routine'));
    await damageHead(directory, 'routine', 11, 'records');
    damageKey(directory, keys[5] as Buffer, 9);
    const opened = await openJournal(directory);
    const taken = take(opened).flatMap((row) => row.records);
    t.same(
      taken.map(({ sequence, damaged }) => (damaged === '' ? sequence : `lost ${sequence}`)),
      [...numbers(1, 10), ...numbers(13, records), `lost ${records + 1}`, `lost ${records + 2}`],
    );
    t.match(await append(opened, 1), { sequence: BigInt(records + 3) });
    await closeJournal(opened);
  },
);
