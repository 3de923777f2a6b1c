/** Where the proxy on the way up is not there, or says no, everybody is told that it is the proxy, once, and in the log's own form. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConnectProxy } from '../kit/connect-proxy.ts';
import { runProgram, Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const through = (port: number) =>
  `${usualListeners}uplink: { proxy: "http://site:s3cret@127.0.0.1:${port}" }\n`;

const lines = (site: Site): Record<string, string>[] =>
  (site.gateway?.stderr ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as Record<string, string>;
      } catch {
        return { code: `no JSON: ${line}` };
      }
    });

async function finding(
  site: Site,
  check: string,
): Promise<{ code: string; message: string; todo: string } | undefined> {
  const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
  const findings = JSON.parse(stdout) as { check: string; code: string; message: string; todo: string }[];
  return findings.find((one) => one.check === check);
}

t.test('uplink - a proxy that is not there is named by enroll, log, status and doctor', async (t) => {
  const site = new Site(t);
  await site.startPlane();
  const { stdout: token } = await site.ctl('token', 'create', '--site', 'north');
  site.useSettings(through(1));
  const enrolled = await runProgram('gateway', ['enroll', '--data', site.gatewayData, '--token', '-'], {
    input: token,
  });
  t.equal(enrolled.code, 69);
  t.match(
    enrolled.stderr,
    /^The proxy 127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1\n.*uplink\.proxy/,
  );
  t.notOk(existsSync(join(site.gatewayData, 'identity.json')));

  site.useSettings(usualListeners);
  await site.enroll();
  site.useSettings(through(1));
  await site.startGateway();
  await until(
    async () => {
      const { connects } = (await site.status()).uplink as unknown as { connects: number };
      return connects >= 3;
    },
    { what: 'a third try', timeoutMs: 90_000, everyMs: 100 },
  );
  t.match((await site.status()).uplink, { reason: 'proxy-unreachable', proxy: '127.0.0.1:1' });
  t.same(
    lines(site).filter(({ code = '' }) => !/^[a-z0-9-]+$/.test(code)),
    [],
    'nothing but records in the log',
  );
  t.match(
    lines(site).filter(({ code = '' }) => code.startsWith('uplink')),
    [{ level: 'warn', code: 'uplink-proxy-unreachable', proxy: '127.0.0.1:1', address: site.planeAddress }],
    'said once',
  );
  t.equal(lines(site).filter(({ code = '' }) => code.startsWith('uplink')).length, 1);
  const status = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.match(
    status.stdout,
    /uplink {4}\w+ \(proxy-unreachable\) 127\.0\.0\.1:\d+ through the proxy 127\.0\.0\.1:1\n/,
  );
  t.match(await finding(site, 'uplink'), {
    state: 'warn',
    code: 'proxy-unreachable',
    message: /proxy 127\.0\.0\.1:1 cannot be reached/,
    todo: /uplink\.proxy/,
  });
  t.match(await finding(site, 'control plane'), {
    code: 'blocked',
    message: /^the proxy 127\.0\.0\.1:1 .*ECONNREFUSED/,
  });
  t.notOk(site.printed().includes('s3cret'));
});

t.test('uplink - a proxy that says no is told as that, and what follows once it lets through', async (t) => {
  const proxy = await ConnectProxy.start('allow');
  t.teardown(() => proxy.close());
  const site = new Site(t);
  await site.startPlane();
  site.useSettings(through(proxy.port));
  await site.enroll();
  proxy.mode = 'refuse';
  await site.startGateway();
  await until(async () => (await site.status()).uplink.reason === 'proxy-refused', {
    what: 'the reason',
    timeoutMs: 60_000,
    everyMs: 100,
  });
  t.match(await finding(site, 'uplink'), { code: 'proxy-unreachable', message: /does not let it through/ });
  proxy.mode = 'allow';
  await site.connected();
  t.same(
    lines(site)
      .map(({ code = '' }) => code)
      .filter((code) => /^(uplink|no JSON)/.test(code)),
    ['uplink-proxy-refused', 'uplink-connected'],
  );

  // The proxy says 502 then: it is there, and what is behind it is not.
  await site.plane?.stop();
  const connects = async () => ((await site.status()).uplink as unknown as { connects: number }).connects;
  const before = await connects();
  await until(async () => (await connects()) >= before + 2, {
    what: 'further tries',
    timeoutMs: 90_000,
    everyMs: 100,
  });
  await until(async () => (await site.status()).uplink.reason === 'no-connection', {
    what: 'the reason of a control plane that is down',
    timeoutMs: 60_000,
    everyMs: 50,
  });
  t.equal(
    lines(site).filter(({ code = '' }) => code.startsWith('uplink-proxy')).length,
    1,
    'it is not the proxy',
  );
  t.match(await finding(site, 'control plane'), {
    code: 'blocked',
    message: /answered CONNECT with 502/,
    todo: /The proxy is there .* is the control plane up/,
  });
});
