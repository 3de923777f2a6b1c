/** One bit of a stored row turned over: which row it was is told, and what else there is. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { toClinicalEvent } from '../../control-plane/eventlog/clinical.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { indexKey } from '../../control-plane/eventlog/keys.ts';
import { Overtaken } from '../../control-plane/eventlog/overtaken.ts';
import { Persons } from '../../control-plane/persons/persons.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { loadKey } from '../../gateway/process/keys.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { damageRow } from '../kit/damage.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

/** Turns one bit of a row over, as a disk does. */
async function damage(directory: string, table: string, number: bigint | Buffer): Promise<void> {
  const environment = openEnvironment({ directory });
  const key = typeof number === 'bigint' ? indexKey(number) : number;
  const row = Buffer.from(environment.table(table).get(key) as Buffer);
  row[row.length >> 1] = (row[row.length >> 1] ?? 0) ^ 1;
  await environment.write(() => {
    void environment.table(table).put(key, row);
  });
  await environment.close();
}

/** The data of a control plane with ten audit entries and ten events, each in a row of its own. */
async function filled(t: Test) {
  const data = folderOf(t);
  const directory = join(data, 'store');
  const key = loadKey(join(data, 'key'), true);
  const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
  const store = await open();
  const chain = new AuditChain(store, () => 5n);
  const log = new EventLog(store, key, () => 1n);
  for (let n = 1; n <= 10; n += 1) {
    await chain.add({ action: 'config-pushed', subject: `config ${n}`, actor: 'ann' });
    const facts = { recordSequence: BigInt(n), index: 1, count: 1, source: 'lab' };
    const envelopes = [Envelope.encode(Envelope.fromPartial(facts)).finish() as Buffer];
    await log.append(
      'north',
      'north',
      Batch.fromPartial({ epoch: 1n, lane: 'stat', firstSequence: BigInt(n), envelopes }),
    );
  }
  await store.close();
  return { data, directory, open };
}

interface Report {
  readonly events: { readonly count: number; readonly damage: string };
  readonly audit: {
    readonly intact: boolean;
    readonly entries: string;
    readonly firstBad?: string;
    readonly reason?: string;
  };
}

async function verify(data: string): Promise<{ code: number; report: Report }> {
  const { code, stdout, stderr } = await runProgram('plane', ['verify', '--data', data, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

t.test('audit - an entry that cannot be opened is the first bad one', async (t) => {
  const { directory, open } = await filled(t);
  await damage(directory, 'audit', 4n);
  const store = await open();
  const chain = new AuditChain(store, () => 5n);
  await chain.open();
  t.match(await chain.verify(), { intact: false, firstBad: 4n, entries: 10n, reason: /checksum/ });
  await store.close();
});

t.test('verify - a damaged audit entry is named, and the events are still walked', async (t) => {
  const { data, directory } = await filled(t);
  await damage(directory, 'audit', 7n);
  const { code, report } = await verify(data);
  t.equal(code, 1);
  t.match(report, {
    events: { count: 10, damage: '' },
    audit: { intact: false, firstBad: '7', entries: '10', reason: /cannot be read/ },
  });
});

for (const number of [3n, 10n]) {
  t.test(
    `verify - event ${number} is named where it is damaged, and the others are still walked`,
    async (t) => {
      const { data, directory } = await filled(t);
      await damage(directory, 'events', number);
      const { code, report } = await verify(data);
      t.equal(code, 1);
      t.match(report, {
        events: { count: 9, damage: new RegExp(`^event ${number}: .*row ${number} of events`) },
        audit: { intact: true, entries: '10' },
      });
    },
  );
}

for (const table of ['positions', 'seen', 'certificates']) {
  t.test(`verify - a damaged row of ${table} is named`, async (t) => {
    const { data, directory, open } = await filled(t);
    const store = await open();
    await store.write([{ table: 'certificates', key: Buffer.from('0a'), value: Buffer.from('row') }]);
    await store.close();
    await damageRow(directory, table, 0);
    const { code, report } = await verify(data);
    t.equal(code, 1);
    t.match(report, {
      events: { count: 10, damage: new RegExp(`^row [0-9a-f]+ of ${table}: .*checksum`) },
      audit: { intact: true },
    });
  });
}

t.test('start - a damaged newest row keeps nothing from going on behind it, and is named', async (t) => {
  const { data, directory, open } = await filled(t);
  await damage(directory, 'audit', 10n);
  await damage(directory, 'events', 10n);
  const store = await open();
  const chain = new AuditChain(store, () => 6n);
  await chain.open();
  const log = new EventLog(store, loadKey(join(data, 'key'), false), () => 1n);
  await log.open();
  t.equal(log.last(), 10n);
  await chain.add({ action: 'config-pushed', subject: 'config 11', actor: 'ann' });
  const envelopes = [
    Envelope.encode(Envelope.fromPartial({ recordSequence: 11n, index: 1, count: 1 })).finish(),
  ];
  const batch = { epoch: 1n, lane: 'stat', firstSequence: 11n, envelopes };
  t.match(await log.append('north', 'north', Batch.fromPartial(batch)), { outcome: 'applied', through: 11n });
  t.match(
    (await log.read(10n, 100)).map(({ index, sequence }) => [index, sequence]),
    [[11n, 11n]],
  );
  t.match(await log.read(8n, 100), [{ index: 9n }], 'what stands before the damage is given first');
  await t.rejects(log.read(9n, 100), {
    code: 'events-damaged',
    message: /^Event 10 of the log is damaged on disk/,
    hint: /--after 10;/,
  });
  await store.close();
  const { report } = await verify(data);
  t.match(report, {
    audit: { intact: false, firstBad: '10', entries: '11' },
    events: { damage: /^event 10:/ },
  });
});

t.test('events - what replaced an event is damaged: the event itself can still be read', async (t) => {
  const { data, directory, open } = await filled(t);
  const [key, earlierNames] = [loadKey(join(data, 'key'), false), () => []];
  const openLog = async () => {
    const store = await open();
    const overtaken = new Overtaken(store, earlierNames);
    const eventLog = new EventLog(store, key, () => 1n, [overtaken]);
    await eventLog.open();
    return { store, completes: { persons: new Persons(store, key), overtaken, eventLog } };
  };
  const order = { filler: { value: 'F1' }, service: { text: 'K' } };
  const send = async (log: EventLog, lane: string, sequence: bigint, said: object, replaces: boolean) => {
    const facts = { kind: 'observation', order, provenance: { source: 'lab' }, ...said };
    const event = ClinicalEvent.encode(ClinicalEvent.fromPartial(facts)).finish() as Buffer;
    const place = { recordEpoch: 1n, recordSequence: sequence, index: 1, count: 1, source: 'lab' };
    const envelope = Envelope.fromPartial({ ...place, kind: 'observation', event, replaces });
    const envelopes = [Envelope.encode(envelope).finish() as Buffer];
    await log.append('north', 'north', Batch.fromPartial({ epoch: 1n, lane, firstSequence: 1n, envelopes }));
  };
  const first = await openLog();
  const supersessions = [{ what: 'order', record: { epoch: 1n, sequence: 20n }, decidedBy: 'issued' }];
  await send(first.completes.eventLog, 'urgent', 21n, { status: 'corrected', supersessions }, true);
  await send(first.completes.eventLog, 'routine', 20n, { status: 'final' }, false);
  const late = async ({ completes }: typeof first) => {
    const [stored] = await completes.eventLog.read(11n, 10);
    return stored === undefined ? undefined : toClinicalEvent(stored, completes);
  };
  t.match(await late(first), { status: 'final', superseded: true });
  await first.store.close();
  await damage(directory, 'events', 11n);
  const second = await openLog();
  t.match(await late(second), { status: 'final', superseded: false });
  await second.store.close();
});

t.test('start - a damaged head of the trail is written anew from the newest entry', async (t) => {
  const { data, directory, open } = await filled(t);
  await damage(directory, 'audit-head', Buffer.from('head'));
  const store = await open();
  const chain = new AuditChain(store, () => 6n);
  await chain.open();
  await chain.add({ action: 'config-pushed', subject: 'config 11', actor: 'ann' });
  await store.close();
  t.match((await verify(data)).report.audit, { intact: true, entries: '11' });
});

t.test('events - reading from the start stops at damage, says where, and goes on behind it', async (t) => {
  const site = await Site.start(t);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const stored = async () => (await site.ask<unknown[]>('events', '--from-start')).length;
  for (const id of ['E1', 'E2', 'E3']) {
    await client.send(Buffer.from(oru(id)));
    await until(async () => (await stored()) === Number(id[1]), {
      what: id,
      timeoutMs: 20_000,
      everyMs: 100,
    });
  }
  await client.close();
  await site.plane?.stop();
  await damage(join(site.planeData, 'store'), 'events', 2n);
  await site.startPlane();
  const read = async (...more: string[]) => {
    const { code, stdout, stderr } = await site.ctl('events', ...more, '-o', 'jsonl');
    const ids = stdout.split('\n').filter((one) => one !== '');
    return { code, stderr, ids: ids.map((one) => (JSON.parse(one) as Event).provenance.messageControlId) };
  };
  const first = await read('--from-start');
  t.same(first.ids, ['E1']);
  t.equal(first.code, 1);
  t.match(first.stderr, /Event 2 of the log is damaged on disk.*--after 2;/);
  t.match(await read('--after', '2'), { code: 0, ids: ['E3'] });
});

interface Event {
  readonly provenance: { readonly messageControlId: string };
}

function oru(id: string): string {
  return `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ORU^R01|${id}|P|2.5\rPID|||A1\rOBR|1||${id}|X\rOBX|1|NM|K||4.1|mmol/L\r`;
}
