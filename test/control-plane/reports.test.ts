/** What a gateway reports beside its events: in order, once, and durable before it is acknowledged. */
import t from 'tap';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { auditAcks, auditReport, openCentre } from './hub-kit.ts';

const numbers = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => `entry ${first + at}`);

t.test('reports - a short frame behind a long one waits for it', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('north', 1n);
  say(auditReport(1, 40));
  say(auditReport(41, 1));
  await until(() => auditAcks(said).length === 2, { what: 'both acks' });
  t.same(auditAcks(said), [40, 41], 'an ack is for everything before it');
  t.same(await centre.subjects('listener-plain'), numbers(1, 41), 'the trail has the order in which it came');
  await centre.close();
});

t.test('reports - entries of a frame and what is known of it are one write', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('north', 1n);
  const before = centre.writes.length;
  say(auditReport(1, 5));
  await until(() => auditAcks(said).length === 1, { what: 'the ack' });
  const made = centre.writes.slice(before);
  t.equal(made.length, 1, 'a crash keeps all of it or nothing');
  t.equal(made[0]?.filter(({ table }) => table === 'audit').length, 5);
  say({ $case: 'quarantine', value: { entries: [quarantined(1), quarantined(2)] } });
  await until(() => said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
  const tables = centre.writes.slice(before + 1).map((rows) => rows.map(({ table }) => table));
  t.equal(tables.length, 1);
  for (const table of ['quarantine', 'audit'])
    t.equal(tables[0]?.filter((one) => one === table).length, 2, table);
  await centre.close();
});

t.test('reports - what came again is in the trail once', async (t) => {
  const centre = await openCentre(t.testdir());
  const first = await centre.connect('north', 1n);
  first.say(auditReport(1, 3));
  await until(() => auditAcks(first.said).length === 1, { what: 'the ack' });
  const second = await centre.connect('north', 1n);
  second.say(auditReport(1, 5));
  await until(() => auditAcks(second.said).length === 1, { what: 'the ack' });
  t.same(auditAcks(second.said), [5]);
  t.same(await centre.subjects('listener-plain'), numbers(1, 5));
  await centre.close();
});

t.test(
  'reports - nothing is acknowledged before it is flushed, and batches do not wait for it',
  async (t) => {
    const centre = await openCentre(t.testdir());
    const { say, said } = await centre.connect('north', 1n);
    const release = centre.hold();
    say(auditReport(1, 2));
    say({ $case: 'ping', value: { nonce: 7n, sentAtUs: 1n } });
    await until(() => said.some(({ $case }) => $case === 'pong'), { what: 'the pong' });
    t.same(auditAcks(said), []);
    release();
    await until(() => auditAcks(said).length === 1, { what: 'the ack' });
    await centre.close();
  },
);

function quarantined(number: number): QuarantineEntry {
  return QuarantineEntry.fromPartial({
    number: BigInt(number),
    id: `north.1.record.${number}`,
    recordEpoch: 1n,
    recordSequence: BigInt(number),
    source: 'lab',
    code: 'unreadable',
    atUs: BigInt(number),
    state: 'open',
  });
}
