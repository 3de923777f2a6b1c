/** The load generators and bare limits: what is counted is true, and what is answered is on the disk. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from 'lmdb';
import t from 'tap';
import { owning, runLoadTool, startBare } from '../bench/limits.ts';
import { type LoadOptions, runLoad } from '../bench/load.ts';
import { judge, table, tableJson } from '../bench/table.ts';
import { checkDelivery } from './delivery.ts';
import { readLedger, sha256 } from './ledger.ts';
import { acknowledge, MllpServer } from './mllp-server.ts';
import { connectPacket, MqttReader, packetType, publishPacket, readPublish } from './mqtt-wire.ts';

const folder = t.testdir();
const options: LoadOptions = {
  connections: 1,
  window: 1,
  seconds: 0.4,
  warmupSeconds: 0.1,
  drainSeconds: 0.2,
  first: 100,
};

/** The values that a bare server's store holds, read after its death. */
function storedValues(store: string): Buffer[] {
  const db = open<Buffer, Buffer>({
    path: store,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const values = [...db.getRange({})].map(({ value }) => Buffer.from(value));
  void db.close();
  return values;
}

for (const name of ['bare-lmdb-mllp', 'bare-puback'] as const) {
  t.test(`${name} - what it answered is on the disk after kill -9`, async (t) => {
    const place = join(folder, name);
    const ledger = join(folder, `${name}.ledger`);
    const loader = name === 'bare-puback' ? 'load-mqtt' : 'load-mllp';
    await owning(async (owner) => {
      const { process, port } = await startBare(owner, name, place);
      const flags = { connections: 8, window: 4, seconds: 0.5, warmup: 0.1, ledger };
      const load = await runLoadTool(loader, port, flags);
      await process.kill();
      t.match(load, { errors: 0, refused: 0, notAnswered: 0 });
      t.ok(load.answered > 50, `${load.answered} answered`);
      const store = readdirSync(place).find((entry) => entry.startsWith(`${name}-`) && !entry.includes('.'))!;
      const received = storedValues(join(place, store)).map((value) => ({ sha256: sha256(value) }));
      const report = checkDelivery(readLedger(ledger), received);
      t.match(report, { sent: load.sent, answered: load.answered, lost: [], doubled: [], unknown: 0 });
      t.strictSame(report.orderBreaks, []);
    });
  });
}

t.test('load-mllp - a refusal is no success', async (t) => {
  const server = await MllpServer.start((message) => [acknowledge(message, 'AE')]);
  t.teardown(() => server.close());
  const load = await runLoadTool('load-mllp', server.port, { seconds: 0.2, warmup: 0, kind: 'mixed' });
  t.equal(load.answered, 0);
  t.ok(load.refused > 0 && load.errors === load.refused);
});

t.test('load - an open loop shows a stall in every message that it delayed', async (t) => {
  let stalledUntil = 0;
  const load = await runLoad({ ...options, rate: 1_000 }, async (_index, events) => ({
    send: (n) => {
      const now = performance.now();
      if (n === 250) stalledUntil = now + 200;
      if (now >= stalledUntil) events.answered(n, true);
      else void delay(stalledUntil - now).then(() => events.answered(n, true));
    },
    close: () => {},
  }));
  t.equal(load.offeredRate, 1_000);
  t.ok(load.p90Ms > 100, `p90 ${load.p90Ms} ms: a closed loop would show one slow message`);
  t.ok(load.maxMs >= 190, `max ${load.maxMs} ms`);
});

t.test('load - strays and silence are counted, never answers', async (t) => {
  const load = await runLoad({ ...options, window: 3 }, async (_index, events) => ({
    send: (n) => {
      if (n % 10 === 0) return;
      setImmediate(() => {
        events.answered(n, true);
        if (n === 101) events.answered(n, true);
        if (n === 102) events.answered(7, true);
      });
    },
    close: () => {},
  }));
  t.equal(load.notAnswered, 3, 'each slot ends in a message that is never answered');
  t.equal(load.errors, 2, 'one answer twice, one to nobody');
  t.same(load.errorKinds, { 'stray answer': 2 });
  t.equal(load.answered, load.sent - 3);
  t.equal(load.next, 100 + load.sent);
});

t.test('mqtt wire - any chunking gives the same packets', async (t) => {
  const payload = Buffer.alloc(300, 7);
  const sent = publishPacket({ topic: 'devices/a/é', payload, packetId: 65_535, qos: 2, dup: true });
  const wire = Buffer.concat([connectPacket({ clientId: 'a', username: 'u', password: 'p' }), sent]);
  for (const step of [1, 7, wire.length]) {
    const got: [number, number, Buffer][] = [];
    const reader = new MqttReader((type, flags, body) => got.push([type, flags, Buffer.from(body)]));
    for (let at = 0; at < wire.length; at += step) reader.push(wire.subarray(at, at + step));
    const [connect, publish] = got;
    t.equal(connect![0], packetType.connect);
    t.equal(connect![2].toString('hex'), '00044d51545404c20000000161000175000170');
    const read = readPublish(publish![1], publish![2]);
    t.match(read, { topic: 'devices/a/é', qos: 2, packetId: 65_535 });
    t.ok(read.payload.equals(payload));
  }
  t.throws(() => new MqttReader(() => {}).push(Buffer.alloc(9, 0xff)), /over four bytes/);
});

t.test('bench table - verdicts come from ratios, and a row without a figure never passes', async (t) => {
  const row = { goal: 'P1', unit: 'msg/s', firstAim: 0.5, moonshot: 0.85 };
  const verdictOf = (figure: number | undefined, limit?: number) => judge({ ...row, figure, limit }).verdict;
  t.equal(verdictOf(90, 100), 'moonshot');
  t.equal(verdictOf(50, 100), 'reached');
  t.equal(verdictOf(49, 100), 'missed');
  t.equal(verdictOf(undefined, 100), 'skipped');
  t.equal(verdictOf(0, 0), 'missed');
  const memory = { goal: 'P9', unit: 'MB', firstAim: 512, moonshot: 256, smallerIsBetter: true };
  t.equal(judge({ ...memory, figure: 300 }).verdict, 'reached');
  t.equal(judge({ goal: 'P12', unit: 'bytes', figure: 3, limit: 2 }).verdict, 'stated');
  const rows = [
    { ...row, figure: 20_000, limit: 40_000 },
    { ...memory, figure: undefined, skipped: 'no daemon' },
  ];
  const lines = table(rows).split('\n');
  t.match(lines[2], /^P1 +msg\/s +20 000 +40 000 +0\.50 +>= 0\.50 +>= 0\.85 +reached$/);
  t.match(lines[3], /skipped: no daemon$/);
  t.equal((JSON.parse(tableJson(rows)) as { rows: { ratio?: number }[] }).rows[0]!.ratio, 0.5);
});
