/**
 * What is in the journal when the daemon that owned it is gone: killed, damaged, copied. The gateways here are
 * not enrolled, so nothing leaves, and every count can be compared with the rows.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Journal } from '../../gateway/journal/journal.ts';
import { outboxTable } from '../../gateway/journal/layout.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { damageEvent, damageRecord } from '../kit/damage.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Verified {
  whole: boolean;
  messages: Record<string, number>;
  custody: {
    source: string;
    accepted: number;
    pending: number;
    delivered: number;
    quarantined: number;
    missing: number;
    quarantineRows: number;
  }[];
  damaged: { table: string; sequence: number; reason: string }[];
}

async function verify(data: string): Promise<Verified & { code: number }> {
  const { code, stdout } = await runProgram('gateway', ['journal', 'verify', '--data', data, '-o', 'json']);
  return { ...(JSON.parse(stdout) as Verified), code };
}

/** A copy as an operator makes one of a stopped gateway. */
function copyOf(t: Parameters<typeof folderOf>[0], data: string): string {
  const copy = join(folderOf(t), 'copy');
  // The socket of a killed owner is nothing to copy.
  cpSync(data, copy, { recursive: true, filter: (from) => !from.endsWith('.sock') });
  return copy;
}

t.test(
  'journal of a killed gateway - counts equal rows, and nothing that was answered is missing',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
    const random = seededRandom(seed);
    const site = new Site(t);
    const make = messageMaker({ seed, kind: 'oru' });
    let next = 0;
    let answered = 0;
    for (let kill = 0; kill < 4; kill += 1) {
      await site.startGateway();
      const port = await site.port('lab');
      const goal = answered + 1 + below(random, 120);
      let running = true;
      const senders = Array.from({ length: 4 }, async () => {
        const client = await MllpClient.connect({ port });
        while (running) {
          const n = next;
          next += 1;
          try {
            await client.send(make(n).bytes);
            answered += 1;
          } catch {
            return;
          }
        }
        client.destroy();
      });
      await until(() => answered >= goal, { what: `${goal} answers`, everyMs: 1, timeoutMs: 30_000 });
      await site.gateway?.kill();
      running = false;
      await Promise.all(senders);

      const verified = await verify(copyOf(t, site.gatewayData));
      t.match(verified, { code: 0, whole: true, damaged: [] }, `kill ${kill} after ${answered} answers`);
      const [custody] = verified.custody;
      const rows = Object.values(verified.messages).reduce((sum, count) => sum + count, 0);
      t.equal(custody?.accepted, rows, 'one event a record: as many rows as records were accepted');
      t.equal(custody?.pending, rows, 'all of them pending');
      t.ok((custody?.accepted ?? 0) >= answered, `${custody?.accepted} accepted, ${answered} answered`);
      t.ok((custody?.accepted ?? 0) <= next, 'and never more than were sent');
    }
    await site.startGateway();
    const { custody, ready } = await site.status();
    t.equal(ready, true);
    t.match(custody, [{ source: 'lab', missing: 0, quarantined: 0 }]);
    t.ok((custody[0]?.pending ?? 0) >= answered);
  },
);

t.test(
  'journal verify - refuses a running gateway, verifies a copy of it, names a damaged row',
  async (t) => {
    const site = new Site(t);
    await site.startGateway();
    const client = await MllpClient.connect({ port: await site.port('lab') });
    const make = messageMaker({ seed: 3, kind: 'oru' });
    for (let n = 0; n < 5; n += 1) await client.send(make(n).bytes);
    await client.send(Buffer.from('MSH|^~\\&|A|B|C|D|2026||ABC^XYZ|QV|P|2.5\rZZZ|x\r'));
    await client.close();
    await until(async () => (await site.custodyOf('lab')).quarantined === 1, {
      what: 'the sixth in quarantine',
    });
    const refused = await runProgram('gateway', ['journal', 'verify', '--data', site.gatewayData]);
    t.equal(refused.code, 3);
    t.match(refused.stderr, /in use by process \d+\.\n.*[Ss]top that one/);
    const stopped = await site.gateway?.stop();
    t.equal(stopped?.code, 0, 'SIGTERM drains and exits 0');

    const copy = copyOf(t, site.gatewayData);
    const verified = await verify(copy);
    t.match(verified, { code: 0, whole: true, messages: { 'outbox.routine': 5, quarantine: 1 } });
    t.match(verified.custody, [
      { source: 'lab', accepted: 6, pending: 5, quarantined: 1, quarantineRows: 1, missing: 0 },
    ]);
    const table = await runProgram('gateway', ['journal', 'verify', '--data', copy]);
    t.match(
      table.stdout,
      /lab: 6 accepted = 5 pending \+ 0 delivered \+ 1 quarantined, missing 0\nAll there\.\n$/,
    );

    await damageEvent(join(copy, 'journal'), 'routine', 2);
    const broken = await verify(copy);
    t.match(broken, {
      code: 1,
      whole: false,
      damaged: [{ table: 'outbox.routine', sequence: 2, reason: /checksum/ }],
    });
    t.equal(broken.damaged.length, 1, 'that row and no other');

    const listed = await runProgram('gateway', ['journal', 'quarantine', '--data', copy, '-o', 'json']);
    t.match(JSON.parse(listed.stdout), [
      { source: 'lab', messageControlId: 'QV', code: 'not-understood', reason: /.+/, atUs: /^\d+$/ },
    ]);
    const out = join(folderOf(t), 'export');
    const exported = await runProgram('gateway', [
      'journal',
      'export',
      '--data',
      site.gatewayData,
      '--to',
      out,
    ]);
    t.equal(exported.code, 0);
    const bytes = readdirSync(out)
      .sort()
      .map((name) => readFileSync(join(out, name)));
    t.equal(bytes.length, 6);
    for (let n = 0; n < 5; n += 1) t.ok(bytes[n]?.equals(make(n).bytes), `message ${n} byte for byte`);
    t.ok(
      readdirSync(out).every((name) => (statSync(join(out, name)).mode & 0o077) === 0),
      'for their owner only',
    );

    const some = join(folderOf(t), 'export');
    const rest = await runProgram('gateway', [
      'journal',
      'export',
      '--data',
      copy,
      '--to',
      some,
      '-o',
      'json',
    ]);
    t.equal(rest.code, 1, rest.stderr);
    t.match(JSON.parse(rest.stdout), { written: 5, damaged: 1 });
    t.equal(readdirSync(some).length, 5, 'what is damaged costs itself alone');

    const compacted = await runProgram('gateway', ['journal', 'compact', '--data', site.gatewayData]);
    t.equal(compacted.code, 0);
    t.match(await verify(site.gatewayData), {
      code: 0,
      whole: true,
      messages: { 'outbox.routine': 5, quarantine: 1 },
    });
  },
);

t.test('journal - a record damaged on the disk goes to quarantine, the others are normalized', async (t) => {
  const site = new Site(t);
  const key = randomBytes(32);
  writeFileSync(join(site.gatewayData, 'key'), `${key.toString('base64')}\n`, { mode: 0o600 });
  const journal = await Journal.open(
    {
      directory: join(site.gatewayData, 'journal'),
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 1000,
      repeatAgeMs: 1e9,
      orderKeysOf: () => [],
      memoryEntriesMax: 1000,
      memoryBytesMax: 1024 ** 2,
    },
    {
      onFault: () => {},
      onAlarm: () => {},
      onRecords: () => {},
      onEvents: () => {},
      onEpoch: () => {},
      onDeliveries: () => {},
      onRepeat: () => {},
    },
  );
  const make = messageMaker({ seed: 4, kind: 'oru' });
  for (let n = 0; n < 5; n += 1) {
    const { bytes, controlId } = make(n);
    await journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw: bytes,
      capturedAtUs: BigInt(Date.now()) * 1000n,
      classGuess: 'routine',
      messageControlId: controlId,
    });
  }
  await journal.stop();
  await journal.close();
  await damageRecord(join(site.gatewayData, 'journal'), 'routine', 3);
  await site.startGateway();
  await until(async () => (await site.custodyOf('lab')).quarantined === 1, {
    what: 'the damaged one in quarantine',
  });
  await until(
    async () =>
      (await site.status()).journal.lanes.some(({ lane, queued }) => lane === 'routine' && queued === 4),
    { what: 'the four others in the outbox' },
  );
  t.match(await site.custodyOf('lab'), { accepted: 5, pending: 4, quarantined: 1, missing: 0 });
  t.equal(site.gateway?.exit, undefined, 'the daemon runs on');
});

t.test('journal - what it finds damaged while it is opened is told', async (t) => {
  const site = new Site(t);
  await site.startGateway();
  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const n of [1, 2, 3]) await client.send(messageMaker({ seed: 6, kind: 'oru' })(n).bytes);
  await client.close();
  const queued = async () =>
    (await site.status()).journal.lanes.some((one) => one.lane === 'routine' && one.queued === 3);
  await until(queued, { what: 'three events in the outbox' });
  await site.gateway?.stop();
  const environment = openEnvironment({ directory: join(site.gatewayData, 'journal') });
  const table = environment.table(outboxTable('routine'));
  const [key] = Array.from(table.getKeys({ limit: 1 }), (one) => Buffer.from(one as Buffer));
  await environment.write(() => void table.remove(key as Buffer));
  await environment.close();
  await site.startGateway();
  t.match((await site.status()).alarms, [{ code: 'keys-damaged' }]);
  t.ok(await queued(), 'with blanks');
});

t.test(
  'journal - an event damaged on the disk costs itself alone: the others reach the centre',
  async (t) => {
    const site = new Site(t);
    await site.startPlane();
    await site.enroll();
    await site.startGateway();
    await site.connected();
    // The centre goes away, so that the events stay in the outbox.
    await site.plane?.stop();
    const client = await MllpClient.connect({ port: await site.port('lab') });
    const make = messageMaker({ seed: 5, kind: 'oru' });
    for (let n = 0; n < 5; n += 1) await client.send(make(n).bytes);
    await client.close();
    await until(
      async () =>
        (await site.status()).journal.lanes.some(({ lane, queued }) => lane === 'routine' && queued === 5),
      { what: 'five events in the outbox' },
    );
    await site.gateway?.stop();
    await damageEvent(join(site.gatewayData, 'journal'), 'routine', 3);
    await site.startPlane();
    await site.startGateway();
    const wanted = [0, 1, 3, 4].map((n) => make(n).controlId);
    const arrived = async () => (await site.events()).map(({ provenance }) => provenance.messageControlId);
    await t.resolves(
      until(
        async () => {
          if (site.gateway?.exit !== undefined)
            throw new Error(`the gateway ended: exit ${site.gateway.exit.code}`);
          const there = await arrived();
          return wanted.every((id) => there.includes(id));
        },
        { what: 'the four whole events at the centre', timeoutMs: 15_000, everyMs: 200 },
      ),
      'four of five arrive',
    );
    t.equal(site.gateway?.exit, undefined, 'the daemon runs on');
  },
);

t.test('journal key - made on the first start for its owner only, and never replaced silently', async (t) => {
  const site = new Site(t);
  await site.startGateway();
  const key = join(site.gatewayData, 'key');
  t.equal(statSync(key).mode & 0o777, 0o600);
  t.equal(Buffer.from(readFileSync(key, 'latin1').trim(), 'base64').length, 32);
  await site.gateway?.stop();
  const data = copyOf(t, site.gatewayData);
  writeFileSync(join(data, 'settings.yaml'), 'keyFile: elsewhere/key\nstatus: { listen: "127.0.0.1:0" }\n');
  const lost = await runProgram('gateway', ['run', '--data', data]);
  t.equal(lost.code, 78, 'a journal without its key does not start');
  t.match(lost.stderr, /The key file .*elsewhere\/key is missing, and the data needs it\.\n.*backup/);
  mkdirSync(join(data, 'elsewhere'));
  writeFileSync(join(data, 'elsewhere', 'key'), readFileSync(key), { mode: 0o644 });
  const exposed = await runProgram('gateway', ['run', '--data', data]);
  t.equal(exposed.code, 78);
  t.match(exposed.stderr, /can be read by others.*\nchmod 600/);
});
