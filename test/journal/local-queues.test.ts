/** Messages for the site's destinations in the journal: settled once, damage costs itself alone, all of it counts as room. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Destinations } from '../../gateway/destinations.ts';
import { tables } from '../../gateway/journal/layout.ts';
import type { Config } from '../../proto/config/schema.ts';
import { LocalDelivery } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { cutRow, damageRow } from '../kit/damage.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { closeJournal, type OpenedJournal, openJournal } from '../kit/journal.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { folderOf, runProgram } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const told = { attempts: 1, answer: 'AA' };

/** Records that became nothing but a message each for `ehr`; the first is of record 1. */
async function withLetters({ journal }: OpenedJournal, count: number, asks = ''): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    const raw = Buffer.from(`MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|L${n}|P|2.5\rPID|1\r`);
    const draft = { source: 'lab', protocol: 'mllp', raw, capturedAtUs: 1n, messageControlId: `L${n}` };
    await journal.append({ ...draft, classGuess: 'routine' } as Parameters<typeof journal.append>[0]);
  }
  const rows = journal.take('routine', 1000, 1024 ** 2);
  const records = rows.flatMap((row) => row.records);
  const letter = (n: number) => {
    const raw = Buffer.from(`MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|L${n}|P|2.5${asks}\rPID|1\r`);
    return LocalDelivery.encode(
      LocalDelivery.fromPartial({ destination: 'ehr', messageControlId: `L${n}`, raw }),
    ).finish();
  };
  const deliveries = records.map(({ sequence }) => ({
    sequence,
    made: [{ destination: 'ehr', delivery: letter(sequence) }],
  }));
  journal.finish(rows, [{ lanes: [], rejects: [], deliveries }]);
  await until(() => journal.local.head('ehr') !== undefined, { what: 'the messages in their queue' });
}

const countsOf = ({ journal }: OpenedJournal) => journal.local.counts()[0]?.counts;

t.test('journal export - what waits for a destination is written too, and counted apart', async (t) => {
  const data = folderOf(t);
  const key = randomBytes(32);
  writeFileSync(join(data, 'key'), `${key.toString('base64')}\n`, { mode: 0o600 });
  const opened = await openJournal(join(data, 'journal'), { key });
  await withLetters(opened, 3);
  await closeJournal(opened);
  await damageRow(join(data, 'journal'), tables.deliveries, 1);
  const to = join(data, 'export');
  const ran = await runProgram('gateway', ['journal', 'export', '--data', data, '--to', to, '-o', 'json']);
  t.equal(ran.code, 1, 'one of them is damaged');
  t.match(JSON.parse(ran.stdout), { written: 0, waiting: 2, damaged: 1 });
  t.same(readdirSync(to).sort(), ['ehr-1.0.msg', 'ehr-3.0.msg']);
  t.equal(controlIdOf(readFileSync(join(to, 'ehr-3.0.msg'))), 'L3');
});

t.test(
  'local queues - one that is damaged on the disk is kept aside, and the next one is sent',
  async (t) => {
    const directory = folderOf(t);
    const first = await openJournal(directory);
    await withLetters(first, 3);
    await closeJournal(first);
    await damageRow(directory, tables.deliveries, 0);

    const second = await openJournal(directory);
    const { local, reports } = second.journal;
    t.equal(local.head('ehr')?.recordSequence, 2);
    t.equal(local.head('ehr')?.recordSequence, 2, 'also before that is flushed');
    t.same(second.alarms, ['delivery-damaged']);
    t.match(countsOf(second), { accepted: 3, pending: 2, delivered: 0, dead: 1 });
    t.match(reports.deliveryEntries(0, 10), [], 'told only once it is durable');
    await until(() => reports.deliveryEntries(0, 10).length === 1, { what: 'what became of it' });
    t.match(reports.deliveryEntries(0, 10), [
      { destination: 'ehr', outcome: 'dead-letter', recordSequence: 1n },
    ]);
    await closeJournal(second);

    const third = await openJournal(directory);
    t.match(countsOf(third), { accepted: 3, pending: 2, delivered: 0, dead: 1 });
    t.equal(third.journal.local.head('ehr')?.recordSequence, 2);
    await closeJournal(third);
  },
);

t.test('local queues - settled twice at a time, counted once, and not the head again', async (t) => {
  const opened = await openJournal(folderOf(t));
  await withLetters(opened, 2);
  const { local } = opened.journal;
  const head = local.head('ehr');
  if (head === undefined) throw new Error('no head');
  const both = [local.settle(head, 'delivered', told), local.settle(head, 'delivered', told)];
  t.equal(local.head('ehr')?.recordSequence, 2, 'while its removal is not flushed');
  await Promise.all(both);
  await local.settle(head, 'delivered', told);
  t.match(countsOf(opened), { accepted: 2, pending: 1, delivered: 1, dead: 0 });
  await closeJournal(opened);
});

t.test('local queues - what waits and what is dead counts as what the journal holds', async (t) => {
  const directory = folderOf(t);
  const first = await openJournal(directory);
  const empty = first.journal.room().liveBytes;
  await withLetters(first, 3);
  const full = first.journal.room().liveBytes;
  t.ok(full > empty, `${empty} to ${full}`);
  await closeJournal(first);
  const second = await openJournal(directory);
  const { local, reports } = second.journal;
  const [dead, delivered] = ['dead', 'delivered'] as const;
  for (const outcome of [delivered, dead, delivered] as const) {
    const head = local.head('ehr');
    if (head !== undefined) await local.settle(head, outcome, told);
  }
  const told3 = second.journal.room().liveBytes;
  reports.deliveriesTold(3);
  await until(() => second.journal.room().liveBytes < told3, { what: 'the reports being removed' });
  const withDead = second.journal.room().liveBytes;
  await closeJournal(second);
  const third = await openJournal(directory);
  t.equal(third.journal.room().liveBytes, withDead, 'the same after a restart');
  t.ok(withDead > 0, 'the dead letter is there');
  await closeJournal(third);
});

t.test('reports - one that is damaged on the disk is alarmed once, and the others are told', async (t) => {
  const directory = folderOf(t);
  const first = await openJournal(directory);
  for (let n = 1; n <= 2; n += 1) {
    const raw = Buffer.from(`text ${n}`);
    const draft = { source: 'lab', protocol: 'mllp', raw, capturedAtUs: 1n, messageControlId: `Q${n}` };
    await first.journal.append({ ...draft, classGuess: 'routine' } as Parameters<
      typeof first.journal.append
    >[0]);
  }
  const rows = first.journal.take('routine', 1000, 1024 ** 2);
  const rejects = rows
    .flatMap((row) => row.records)
    .map(({ sequence, source }) => {
      const entry = QuarantineEntry.fromPartial({
        source: 'lab',
        code: 'no-msh',
        recordSequence: BigInt(sequence),
      });
      return { sequence, source, capturedS: 0, record: Buffer.from([]), entry };
    });
  first.journal.finish(rows, [{ lanes: [], rejects, deliveries: [] }]);
  await until(() => first.journal.reports.quarantineEntries(0, 10).length === 2, { what: 'both reports' });
  await closeJournal(first);
  await damageRow(directory, tables.quarantineReport, 0);

  const second = await openJournal(directory);
  t.match(second.journal.reports.quarantineEntries(0, 1), [{ number: 2n }]);
  t.match(second.journal.reports.quarantineEntries(0, 10), [{ number: 2n }]);
  t.same(second.alarms, ['report-damaged']);
  await closeJournal(second);
});

t.test('reports - one that is not sealed and cannot be decoded costs itself alone, too', async (t) => {
  const directory = folderOf(t);
  const first = await openJournal(directory);
  await withLetters(first, 2);
  for (let n = 0; n < 2; n += 1) {
    const head = first.journal.local.head('ehr');
    if (head !== undefined) await first.journal.local.settle(head, 'delivered', told);
  }
  await first.journal.reports.audit({ action: 'viewed', subject: 'record 1' });
  await closeJournal(first);
  await cutRow(directory, tables.deliveryReport, 0);
  await cutRow(directory, tables.auditReport, 0);

  const second = await openJournal(directory);
  const { reports } = second.journal;
  t.match(reports.deliveryEntries(0, 10), [{ number: 2n }]);
  t.same(reports.auditEntries(0, 10), []);
  t.same(second.alarms, ['report-damaged', 'report-damaged']);
  await closeJournal(second);
});

t.test('destinations - a config taken while a message is being settled sends nothing twice', async (t) => {
  const opened = await openJournal(folderOf(t));
  await withLetters(opened, 40);
  const { local } = opened.journal;
  const ehr = await MllpServer.start();
  t.teardown(() => ehr.close());
  const destinations = new Destinations(local, {
    log: () => {},
    onAlarm: () => {},
    normalizedThrough: () => Number.POSITIVE_INFINITY,
  });
  const config = (timeout: string) => {
    const destination = {
      type: 'mllp',
      address: `127.0.0.1:${ehr.port}`,
      tls: false,
      timeout,
      order: 'source',
    };
    return { destinations: { ehr: destination } } as unknown as Config;
  };
  // The receiver's answer is on its way, or what it settled on its way to the disk, when another config comes.
  let pushes = 0;
  const settle = local.settle.bind(local);
  local.settle = (...args) => {
    const flushed = settle(...args);
    pushes += 1;
    destinations.use(config(pushes % 3 === 0 ? '20s' : `${10 + pushes}s`));
    return flushed;
  };
  destinations.use(config('10s'));
  await until(() => countsOf(opened)?.pending === 0, { what: 'all of them delivered', timeoutMs: 60_000 });
  t.match(countsOf(opened), { accepted: 40, pending: 0, delivered: 40, dead: 0 });
  t.same(
    ehr.received.map(controlIdOf),
    Array.from({ length: 40 }, (_, n) => `L${n + 1}`),
  );
  await destinations.stop();
  await closeJournal(opened);
});

t.test('destinations - a config taken while many may still be objected to sends nothing twice', async (t) => {
  const opened = await openJournal(folderOf(t));
  await withLetters(opened, 300, '|||NE|NE');
  const ehr = await MllpServer.start(() => []);
  t.teardown(() => ehr.close());
  const destinations = new Destinations(opened.journal.local, {
    log: () => {},
    onAlarm: () => {},
    normalizedThrough: () => Number.POSITIVE_INFINITY,
  });
  const config = (timeout: string, order: string) => {
    const destination = { type: 'mllp', address: `127.0.0.1:${ehr.port}`, tls: false, timeout, order };
    return { destinations: { ehr: destination } } as unknown as Config;
  };
  destinations.use(config('10s', 'none'));
  await until(() => ehr.received.length > 20, { what: 'some at the receiver' });
  destinations.use(config('10s', 'source'));
  await until(() => countsOf(opened)?.pending === 0, { what: 'all of them delivered', timeoutMs: 60_000 });
  t.match(countsOf(opened), { accepted: 300, pending: 0, delivered: 300, dead: 0 });
  t.same(
    [...new Set(ehr.received.map(controlIdOf))],
    Array.from({ length: 300 }, (_, n) => `L${n + 1}`),
  );
  // But one that was being handed over to the operating system.
  t.ok(ehr.received.length <= 301, `${ehr.received.length} sent`);
  await destinations.stop();
  await closeJournal(opened);
});

t.test('destinations - one that is as it was goes on under another config', async (t) => {
  const opened = await openJournal(folderOf(t));
  await withLetters(opened, 1);
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const ehr = await MllpServer.start(async (message) => {
    await answered;
    return [acknowledge(message)];
  });
  t.teardown(() => ehr.close());
  const destinations = new Destinations(opened.journal.local, {
    log: () => {},
    onAlarm: () => {},
    normalizedThrough: () => Number.POSITIVE_INFINITY,
  });
  const destination = {
    type: 'mllp',
    address: `127.0.0.1:${ehr.port}`,
    tls: false,
    timeout: '30s',
    order: 'source',
  };
  const config = (more: object) => ({ destinations: { ehr: destination, ...more } }) as unknown as Config;
  destinations.use(config({}));
  await until(() => ehr.received.length === 1, { what: 'the message at the receiver' });
  destinations.use(config({ other: { ...destination, address: '127.0.0.1:1' } }));
  answer();
  await until(() => countsOf(opened)?.pending === 0, { what: 'it delivered' });
  t.equal(ehr.received.length, 1, 'sent once');
  await destinations.stop();
  await closeJournal(opened);
});
