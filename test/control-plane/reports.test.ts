/** What a gateway reports beside its events: in order, once, and durable before it is acknowledged. */
import t from 'tap';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { CustodyCount, Telemetry } from '../../proto/gen/hilum/v1/session.ts';
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

t.test(
  'reports - numbers begin anew with a new journal, and what is waiting goes on under a new epoch',
  async (t) => {
    const centre = await openCentre(t.testdir());
    const before = await centre.connect('north', 1n);
    before.say(auditReport(1, 4));
    before.say({ $case: 'quarantine', value: { entries: [quarantined(1), quarantined(2)] } });
    await until(() => before.said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
    await centre.state.quarantine.add([{ ...quarantined(1), gateway: 'north', state: 'replayed' }]);
    before.hangUp();

    const rebuilt = await centre.connect('north', 2n);
    rebuilt.say(auditReport(1, 2, 'of the new journal'));
    rebuilt.say({ $case: 'quarantine', value: { entries: [quarantined(1, 2n)] } });
    await until(() => rebuilt.said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
    t.same(auditAcks(rebuilt.said), [2]);
    rebuilt.hangUp();

    const renewed = await centre.connect('north', 3n);
    renewed.say(auditReport(3, 2));
    renewed.say({
      $case: 'quarantine',
      value: { entries: [quarantined(1), quarantined(2), quarantined(3)] },
    });
    await until(() => renewed.said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
    t.same(auditAcks(renewed.said), [4]);
    t.same(
      await centre.subjects('listener-plain'),
      [...numbers(1, 4), 'of the new journal 1', 'of the new journal 2'],
      'none is left out, and none is there twice',
    );
    t.same(await centre.subjects('quarantined'), [
      'north.1.record.1',
      'north.1.record.2',
      'north.2.record.1',
      'north.1.record.3',
    ]);
    t.match(
      await centre.state.quarantine.get('north.1.record.1'),
      { state: 'replayed' },
      'it stays what it is',
    );
    await centre.close();
  },
);

t.test('reports - an old stream and a new one that tell the same at once tell it once', async (t) => {
  const centre = await openCentre(t.testdir());
  const before = await centre.connect('north', 1n);
  const release = centre.hold();
  before.say(auditReport(1, 3));
  before.hangUp();
  const opened = centre.connect('north', 1n);
  release();
  const after = await opened;
  after.say(auditReport(1, 4));
  await until(() => auditAcks(after.said).length === 1, { what: 'the ack' });
  t.same(await centre.subjects('listener-plain'), numbers(1, 4));
  await centre.close();
});

t.test('reports - what a newer session told of the gateway stands, whatever its clock says', async (t) => {
  const directory = t.testdir();
  let centre = await openCentre(directory);
  const pending = () => centre.state.telemetry.newest('north')?.custody[0]?.pending;
  const telemetry = (startedAtUs: bigint, atUs: bigint, left: bigint) => {
    const custody = [CustodyCount.fromPartial({ source: 'lab', pending: left })];
    return { $case: 'telemetry' as const, value: Telemetry.fromPartial({ startedAtUs, atUs, custody }) };
  };
  const before = await centre.connect('north', 1n);
  const release = centre.hold();
  // Still being taken up when the next session comes, which is of a life whose clock is right.
  before.say(telemetry(900n, 901n, 7n));
  before.say(telemetry(900n, 902n, 8n));
  before.hangUp();
  const opened = centre.connect('north', 1n);
  release();
  const after = await opened;
  before.say(telemetry(900n, 903n, 9n));
  after.say(telemetry(100n, 101n, 3n));
  // Set back while it runs.
  after.say(telemetry(100n, 50n, 2n));
  after.say(auditReport(1, 1));
  await until(() => auditAcks(after.said).length === 1, { what: 'the ack of what came behind it' });
  t.equal(pending(), 2n);
  await centre.close();
  centre = await openCentre(directory);
  t.equal(pending(), 2n, 'after a restart of the control plane');
  await centre.close();
});

function quarantined(number: number, epoch = 1n): QuarantineEntry {
  return QuarantineEntry.fromPartial({
    number: BigInt(number),
    id: `north.${epoch}.record.${number}`,
    recordEpoch: epoch,
    recordHash: `${epoch}.${number}`,
    recordSequence: BigInt(number),
    source: 'lab',
    code: 'unreadable',
    atUs: BigInt(number),
    state: 'open',
  });
}
