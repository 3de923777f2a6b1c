/**
 * The way up when the line is not what it should be: a proxy with its moods, a control plane that is away or is
 * killed, a backlog with a STAT behind it. Truth is what was sent, compared with the raw bytes at the centre.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConnectProxy } from '../kit/connect-proxy.ts';
import { type MessageKind, messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function send(
  site: Site,
  kind: MessageKind,
  seed: number,
  count: number,
  window = 16,
): Promise<string[]> {
  const client = await MllpClient.connect({ port: await site.port('lab'), window });
  const make = messageMaker({ seed, kind });
  const messages = Array.from({ length: count }, (_, n) => make(n));
  await Promise.all(messages.map(({ bytes }) => client.send(bytes)));
  await client.close();
  return messages.map(({ bytes }) => hash(bytes));
}

t.test('uplink - enrollment and session go through a CONNECT proxy, with its password', async (t) => {
  const proxy = await ConnectProxy.start('allow', 'site:s3cret');
  t.teardown(() => proxy.close());
  const site = new Site(t);
  await site.startPlane();
  const settings = (credentials: string) =>
    `${usualListeners}uplink: { proxy: "http://${credentials}127.0.0.1:${proxy.port}" }\n`;
  const doctor = async (): Promise<{ code: string; message: string; todo: string } | undefined> => {
    const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
    const findings = JSON.parse(stdout) as { check: string; code: string; message: string; todo: string }[];
    return findings.find(({ check }) => check === 'control plane');
  };

  site.useSettings(settings(''));
  await t.rejects(site.enroll(), /407/, 'without the password the proxy’s word is told');
  site.useSettings(settings('site:s3cret@'));
  await site.enroll();
  t.ok(proxy.asked.includes(site.planeAddress), 'the proxy was asked for the control plane');
  t.match(await doctor(), { code: 'reachable', message: /through the proxy/ });

  const before = proxy.asked.length;
  await site.startGateway();
  await site.connected();
  t.ok(proxy.asked.length > before, 'the session goes through it as well');
  const sent = await send(site, 'oru', 1, 20);
  await site.drained();
  const events = await site.events('--raw', '--reason', 'test');
  t.same(
    events.map(({ raw }) => hash(Buffer.from(raw ?? '', 'base64'))).sort(),
    [...sent].sort(),
    'every message is there, byte for byte',
  );

  site.useSettings(settings(''));
  t.match(await doctor(), { code: 'blocked', message: /407/, todo: /user:password/ }, '407 and what to do');
  site.useSettings(settings('site:s3cret@'));
  proxy.mode = 'refuse';
  t.match(await doctor(), { code: 'blocked', message: /403/, todo: /CONNECT/ }, '403 and whom to ask');
  proxy.mode = 'intercept';
  const intercepted = await doctor();
  t.match(intercepted, {
    code: 'intercepted',
    todo: /inspection.* another control plane, .*enroll --replace/,
  });
  t.notOk(site.printed().includes('s3cret'), 'the password is in no log');
});

t.test('uplink - an intercepting proxy never gets a secret, and enrollment says what it is', async (t) => {
  const proxy = await ConnectProxy.start('intercept');
  t.teardown(() => proxy.close());
  const site = new Site(t);
  await site.startPlane();
  const { stdout: token } = await site.ctl('token', 'create', '--site', 'north');
  site.useSettings(`${usualListeners}uplink: { proxy: "http://127.0.0.1:${proxy.port}" }\n`);
  const enrolled = await runProgram('gateway', ['enroll', '--data', site.gatewayData, '--token', '-'], {
    input: token,
  });
  t.equal(enrolled.code, 3);
  t.match(enrolled.stderr, /does not have the CA that the token names/);
  t.match(enrolled.stderr, /intercept.*doctor/s);
  t.equal(proxy.interceptedBytes, 0, 'not one byte was said to it');
  const found = await runProgram('gateway', [
    'doctor',
    '--data',
    site.gatewayData,
    '--token',
    token.trim(),
    '-o',
    'json',
  ]);
  const findings = JSON.parse(found.stdout) as { check: string; code: string }[];
  t.match(
    findings.find(({ check }) => check === 'control plane'),
    { code: 'intercepted' },
  );
  // The token is still good: nobody used it.
  site.useSettings(usualListeners);
  const direct = await runProgram('gateway', ['enroll', '--data', site.gatewayData, '--token', '-'], {
    input: token,
  });
  t.equal(direct.code, 0, direct.stderr);
});

t.test('uplink - a proxy that closes without an answer is named, and no token is spent on it', async (t) => {
  const proxy = await ConnectProxy.start('close');
  t.teardown(() => proxy.close());
  const site = new Site(t);
  await site.startPlane();
  const { stdout: token } = await site.ctl('token', 'create', '--site', 'north');
  const at = ['--data', site.gatewayData, '--token', '-'];
  const enroll = () => runProgram('gateway', ['enroll', ...at], { input: token });
  site.useSettings(`${usualListeners}uplink: { proxy: "http://127.0.0.1:${proxy.port}" }\n`);
  const enrolled = await enroll();
  t.equal(enrolled.code, 69);
  t.match(enrolled.stderr, /the proxy 127\.0\.0\.1:\d+ closed the connection without an answer to CONNECT/);
  t.notOk(existsSync(join(site.gatewayData, 'identity.json')));
  const found = await runProgram('gateway', ['doctor', ...at, '-o', 'json'], { input: token });
  t.equal(found.code, 1);
  const findings = JSON.parse(found.stdout) as { check: string }[];
  t.match(
    findings.find(({ check }) => check === 'control plane'),
    {
      state: 'fail',
      code: 'blocked',
      message: /closed the connection/,
      todo: /is 127\.0\.0\.1:\d+ the HTTP proxy/i,
    },
  );
  site.useSettings(usualListeners);
  t.equal((await enroll()).code, 0, 'the token is still good');
});

t.test(
  'uplink - what came while the control plane was away arrives afterwards, once, byte for byte, in order',
  async (t) => {
    const site = await Site.start(t);
    const sent = await send(site, 'oru', 2, 30, 1);
    await site.drained();
    await site.plane?.stop();
    await until(async () => (await site.status()).uplink.state !== 'connected', {
      what: 'the gateway noticing',
    });
    sent.push(...(await send(site, 'oru', 3, 60, 1)));
    t.ok(Number((await site.status()).journal.oldestPendingAtUs) > 0, 'status tells how old the oldest is');
    await site.startPlane();
    await site.drained();
    await site.plane?.kill();
    sent.push(...(await send(site, 'oru', 4, 30, 1)));
    await site.startPlane();
    await site.drained();
    await site.gateway?.kill();
    await site.startGateway();
    sent.push(...(await send(site, 'oru', 5, 10, 1)));
    await site.drained();
    const events = await site.events('--raw', '--reason', 'test');
    t.same(
      events.map(({ raw }) => hash(Buffer.from(raw ?? '', 'base64'))),
      sent,
      'one sender that waits for each answer: the order at the centre is its own',
    );
    t.same(
      events.map(({ position }) => Number(position.sequence)),
      sent.map((_, at) => at + 1),
      'positions are dense over every restart',
    );
    const custody = await until(
      async () => {
        const rows = await site.ask<Record<string, string>[]>('custody');
        return rows[0]?.delivered === String(sent.length) && rows;
      },
      { what: 'the report', timeoutMs: 20_000 },
    );
    t.match(custody, [
      {
        source: 'lab',
        accepted: '130',
        pending: '0',
        missing: '0',
        doubled: '0',
        quarantined: '0',
        expired: '0',
      },
    ]);
    t.equal((await site.ask<{ intact: boolean }>('audit', 'verify')).intact, true);
  },
);

t.test('uplink - a STAT behind a backlog arrives before it', async (t) => {
  const site = await Site.start(t);
  await site.plane?.stop();
  const backlog = await send(site, 'oru', 6, 3000, 64);
  const stat = await send(site, 'oruStat', 7, 3);
  await until(
    async () =>
      (await site.status()).journal.lanes.reduce((sum, { queued }) => sum + queued, 0) === backlog.length + 3,
    { what: 'everything being normalized', timeoutMs: 30_000 },
  );
  await site.startPlane();
  await site.drained();
  const events = await site.events('--raw', '--reason', 'test');
  const order = events.map(({ raw }) => hash(Buffer.from(raw ?? '', 'base64')));
  const places = stat.map((one) => order.indexOf(one));
  t.comment(`places of the three: ${places.join(', ')} of ${order.length}`);
  t.ok(
    places.every((place) => place >= 0 && place < 1000),
    'all three in the first third',
  );
  t.same(
    events.filter(({ class: word }) => word === 'stat').map(({ provenance }) => provenance.recordHash),
    stat,
  );
  t.same(new Set(order), new Set([...backlog, ...stat]), 'and the backlog is all there');
  t.equal(order.length, backlog.length + 3);
});

t.test('uplink - an address that accepts and says nothing is left, and status says so', async (t) => {
  const { createServer } = await import('node:net');
  const sink = createServer(() => undefined);
  const address = await new Promise<string>((resolve) => {
    sink.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(sink.address() as { port: number }).port}`));
  });
  t.teardown(() => sink.close());
  const site = await Site.start(t);
  await site.gateway?.stop();
  site.useSettings(`${usualListeners}uplink: { address: "${address}" }\n`);
  await site.startGateway();
  const connects = async () => ((await site.status()).uplink as unknown as { connects: number }).connects;
  await until(async () => (await connects()) >= 2, {
    what: 'a second channel',
    timeoutMs: 45_000,
    everyMs: 100,
  });
  t.match((await site.status()).uplink, { reason: 'no-connection' });
  t.match(await site.status(), { ready: true, enrolled: true }, 'intake goes on meanwhile');
  await send(site, 'oru', 8, 5);
  t.match(await site.custodyOf('lab'), { accepted: 5, pending: 5 });
});

t.test(
  'doctor - a name that is not resolved, a port that is closed, a gateway that is not there',
  async (t) => {
    const data = folderOf(t);
    const findings = async (settings: string) => {
      const file = join(data, 'settings.yaml');
      writeFileSync(file, settings);
      const { stdout, code } = await runProgram('gateway', ['doctor', '--data', data, '-o', 'json']);
      return {
        code,
        found: JSON.parse(stdout) as { check: string; state: string; code: string; todo: string }[],
      };
    };
    const of = (found: { check: string }[], check: string) => found.find((one) => one.check === check);
    const unresolved = await findings('uplink: { address: "no-such-host.invalid:7443" }\n');
    t.match(of(unresolved.found, 'control plane'), { state: 'fail', code: 'unresolved', todo: /DNS/ });
    t.equal(unresolved.code, 1);
    const closed = await findings('uplink: { address: "127.0.0.1:1" }\n');
    t.match(of(closed.found, 'control plane'), { code: 'blocked', todo: /127\.0\.0\.1:1.*firewall/ });
    t.match(of(closed.found, 'gateway'), { state: 'fail', code: 'not-running', todo: /.+/ });
    t.match(of(closed.found, 'identity'), { code: 'not-enrolled', todo: /enroll/ });
    const proxyGone = await findings('uplink: { address: "127.0.0.1:2", proxy: "http://127.0.0.1:1" }\n');
    t.match(of(proxyGone.found, 'control plane'), { code: 'blocked' });
    const typo = await findings('uplnk: {}\n');
    t.match(
      of(typo.found, 'settings'),
      { state: 'fail', code: 'settings-bad' },
      'bad settings are one finding of many',
    );
  },
);
