/**
 * The doctor and the daemon agree: whatever keeps `run` from starting, `doctor` names beforehand with the same
 * code, and what a running gateway suffers from, `doctor` tells with what to do.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { folderOf, runProgram, Site, usualListeners } from '../kit/site.ts';
import { selfSigned } from '../kit/tls.ts';
import { smallVolume } from '../kit/volume.ts';
import { until } from '../kit/wait.ts';

interface Finding {
  check: string;
  state: 'ok' | 'warn' | 'fail';
  code: string;
  message: string;
  todo: string;
}

async function doctor(data: string, ...more: string[]): Promise<{ code: number; findings: Finding[] }> {
  const { code, stdout } = await runProgram('gateway', ['doctor', '--data', data, '-o', 'json', ...more]);
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

/** The finding once it is there; what a gateway learns from the other side takes a moment. */
function finding(site: Site, code: string): Promise<Finding & { exit: number }> {
  return until(
    async () => {
      const seen = await doctor(site.gatewayData);
      const found = seen.findings.find((one) => one.code === code);
      return found !== undefined && { ...found, exit: seen.code };
    },
    { what: `the finding ${code}`, timeoutMs: 60_000, everyMs: 100 },
  );
}

const idle = 'status: { listen: "127.0.0.1:0" }\n';
const tlsListener = (cert: string, key: string) =>
  `${idle}listeners:\n  lab: { type: mllp, listen: "127.0.0.1:0", tls: { mode: optional, certFile: ${cert}, keyFile: ${key} } }\n`;

t.test(
  'doctor - what keeps a gateway from starting is said before, with the code that run ends with',
  async (t) => {
    const stopped = new Site(t, { settings: 'listeners: {}\n' });
    await stopped.startGateway();
    await stopped.gateway?.stop();
    const data = stopped.gatewayData;
    const key = join(data, 'key');
    const settings = (text: string) => writeFileSync(join(data, 'settings.yaml'), text);
    const good = await runProgram('gateway', ['journal', 'verify', '--data', data]);
    t.equal(good.code, 0, good.stderr);
    const ward = createServer().listen(0, '127.0.0.1');
    t.teardown(() => ward.close());
    await until(() => ward.listening, { what: 'the port being taken' });
    const taken = (ward.address() as { port: number }).port;
    const [one, two] = [await selfSigned({ commonName: 'one' }), await selfSigned({ commonName: 'two' })];
    for (const [name, text] of [
      ['one.pem', one.certPem],
      ['two.key', two.keyPem],
      ['garbage.pem', 'garbage'],
    ] as const)
      writeFileSync(join(data, name), text, { mode: 0o600 });

    const table: {
      state: string;
      make(): void;
      code: string;
      todo: RegExp;
      message?: RegExp;
      exit?: number;
    }[] = [
      {
        state: 'a listener’s certificate is not there',
        make: () => settings(tlsListener('nowhere.pem', 'two.key')),
        code: 'tls-file',
        todo: /Check the path/,
      },
      {
        state: 'a listener’s certificate is garbage',
        make: () => settings(tlsListener('garbage.pem', 'two.key')),
        code: 'tls-unusable',
        message: /"lab" cannot be used: certFile holds no certificate\.$/,
        todo: /PEM/,
      },
      {
        state: 'a listener’s key is not its certificate’s',
        make: () => settings(tlsListener('one.pem', 'two.key')),
        code: 'tls-unusable',
        todo: /belong together/,
      },
      {
        state: 'a listener’s address is taken',
        make: () => settings(`${idle}listeners:\n  lab: { type: mllp, listen: "127.0.0.1:${taken}" }\n`),
        code: 'listener-failed',
        todo: /ss -ltnp/,
        exit: 75,
      },
      {
        state: 'no interface has a listener’s address',
        make: () =>
          settings(
            `${idle}listeners:\n  lab: { type: mllp, listen: "192.0.2.1:2575" }\n`.replace(
              'mllp,',
              'mllp, tls: { mode: none, range: ["192.0.2.0/24"], reason: r, owner: o },',
            ),
          ),
        code: 'listener-failed',
        todo: /No interface of this host has 192\.0\.2\.1 .*listeners\.lab\.listen/,
        exit: 75,
      },
      {
        state: 'a setting is misspelt',
        make: () => settings(`${idle}listenrs: {}\n`),
        code: 'settings-bad',
        todo: /Correct/,
      },
      {
        state: 'others can read the key',
        make: () => {
          settings(`${idle}listeners: {}\n`);
          chmodSync(key, 0o644);
        },
        code: 'key-exposed',
        todo: /chmod 600/,
      },
      {
        state: 'the key is another one’s',
        make: () => {
          writeFileSync(key, `${randomBytes(32).toString('base64')}\n`);
          chmodSync(key, 0o600);
        },
        code: 'key-wrong',
        todo: /Put back the key file/,
      },
      {
        state: 'the key is garbage',
        make: () => {
          writeFileSync(key, 'garbage\n');
          chmodSync(key, 0o600);
        },
        code: 'key-unreadable',
        todo: /backup/,
      },
      {
        state: 'the key is gone and a journal needs it',
        make: () => rmSync(key),
        code: 'key-missing',
        todo: /backup/,
      },
    ];
    for (const { state, make, code, todo, message = /./, exit = 78 } of table) {
      make();
      const told = await doctor(data);
      const found = told.findings.find((one) => one.code === code);
      t.match(found, { state: 'fail', todo, message }, state);
      t.equal(told.code, 1, `${state}: doctor`);
      const run = await runProgram('gateway', ['run', '--data', data]);
      t.equal(run.code, exit, `${state}: run`);
      if (found !== undefined) t.ok(run.stderr.includes(found.message), `${state}: in the same words`);
      if (code.startsWith('tls') || code.startsWith('settings')) {
        t.equal((await runProgram('gateway', ['check', '--data', data])).code, 78, `${state}: check`);
      }
    }
  },
);

t.test('doctor - a certificate that is over, and issuers that are none, are found', async (t) => {
  const data = folderOf(t);
  const over = await selfSigned({
    commonName: 'over',
    notBefore: new Date('2025-01-01'),
    notAfter: new Date('2026-01-01'),
  });
  const files = { 'over.pem': over.certPem, 'over.key': over.keyPem };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data, name), text, { mode: 0o600 });
  const check = () => runProgram('gateway', ['check', '--data', data]);
  const settings = (text: string) => writeFileSync(join(data, 'settings.yaml'), text);
  settings(tlsListener('over.pem', 'over.key'));
  const found = (await doctor(data)).findings.find(({ check }) => check === 'listener');
  t.match(found, { state: 'fail', code: 'listener-certificate-expired', message: /lab.*2026/ });
  t.match(await check(), { code: 78, stderr: /listener "lab" ended at Jan {2}1 .*2026/ });
  const early = await selfSigned({
    commonName: 'early',
    notBefore: new Date('2126-01-01'),
    notAfter: new Date('2126-02-01'),
  });
  const der = Buffer.from(early.certPem.replace(/-----.*?-----|\s/g, ''), 'base64');
  writeFileSync(join(data, 'der.pem'), der);
  writeFileSync(join(data, 'early.pem'), early.certPem);
  writeFileSync(join(data, 'early.key'), early.keyPem, { mode: 0o600 });
  settings(tlsListener('early.pem', 'early.key'));
  t.match(await check(), { code: 78, stderr: /listener "lab" begins at Jan {2}1 .*2126/ });
  settings(tlsListener('der.pem', 'early.key'));
  t.match(await check(), { code: 78, stderr: /certFile holds no certificate/ }, 'DER');
  settings(tlsListener('over.pem', 'over.key').replace('mode: optional', 'mode: required, caFile: over.key'));
  t.match(
    (await doctor(data)).findings.find(({ check }) => check === 'listener'),
    {
      state: 'fail',
      code: 'tls-unusable',
      message: /caFile .*"lab" has no certificate/,
    },
  );
  t.match(await check(), { code: 78, stderr: /caFile/ });
  t.match(await runProgram('gateway', ['run', '--data', data]), { code: 78, stderr: /caFile/ });
});

t.test(
  'doctor - a listener that may be without TLS is shown, and what is no directory is told',
  async (t) => {
    const data = folderOf(t);
    const tls = 'tls: { mode: none, range: [10.1.9.0/24], reason: "analyzer has no TLS", owner: j.doe }';
    const settings = `${idle}listeners:\n  lab: { type: mllp, listen: "0.0.0.0:0", ${tls} }\n`;
    writeFileSync(join(data, 'settings.yaml'), settings);
    t.match((await doctor(data)).findings, [
      { code: 'settings-ok' },
      { code: 'disk-ok' },
      {},
      { code: 'listener-plain', state: 'warn', message: /"analyzer has no TLS"/, todo: /j\.doe/ },
    ]);
    const file = await doctor(join(data, 'settings.yaml'), '--settings', join(data, 'settings.yaml'));
    t.equal(file.code, 1);
    t.match(file.findings[1], { code: 'data-no-directory', state: 'fail', todo: /--data/ });
  },
);

t.test('doctor - a status page that others reach is noted', async (t) => {
  const data = folderOf(t);
  for (const [listen, seen] of [
    ['0.0.0.0:9480', true],
    ['127.0.0.1:9480', false],
  ] as const) {
    writeFileSync(join(data, 'settings.yaml'), `status: { listen: "${listen}" }\nlisteners: {}\n`);
    const found = (await doctor(data)).findings.filter(({ code }) => code === 'status-open');
    t.match(found, seen ? [{ state: 'warn', message: /0\.0\.0\.0:9480 need no login/ }] : []);
    t.equal(found.length, seen ? 1 : 0);
  }
});

t.test('doctor - a volume that is mounted read-only is told from one of another user', async (t) => {
  const data = smallVolume(t, 1);
  if (data === undefined || spawnSync('mount', ['-o', 'remount,ro', data]).status !== 0) {
    t.pass('no volume can be mounted here');
    return;
  }
  t.match(
    (await doctor(data)).findings.find(({ check }) => check === 'data'),
    { code: 'data-not-writable', message: /mounted read-only$/, todo: /Mount it for writing/ },
  );
});

t.test('doctor - the data directory can be named by HILUM_DATA', async (t) => {
  const data = folderOf(t);
  const { stderr } = await runProgram('gateway', ['status'], { env: { HILUM_DATA: data } });
  t.equal(
    stderr,
    `No gateway runs on ${data}.\nWhere it was started just now, ask again in some seconds. Else: systemctl start hilum-gateway, or as its user: hilum-gateway run --data ${data}\n`,
  );
});

t.test('doctor - where no gateway runs it fails and says how to start one', async (t) => {
  const data = folderOf(t);
  const told = await doctor(data);
  t.equal(told.code, 1);
  t.match(
    told.findings.find(({ check }) => check === 'gateway'),
    { state: 'fail', code: 'not-running', todo: /hilum-gateway run --data/ },
  );
  const garbage = await runProgram('gateway', ['doctor', '--data', data, '--token', 'garbage']);
  t.equal(garbage.code, 2, 'a token that is none is a usage error, as for enroll');
  t.match(garbage.stderr, /not an enrollment token/);
});

const site = new Site(t);
await site.startPlane();
await site.startGateway();
const push = (name: string, yaml: string) =>
  site.ctl('config', 'push', site.write(name, yaml), '--site', site.site, '--reason', 'test');

t.test('enroll - a gateway that runs meanwhile takes its identity up by itself', async (t) => {
  t.match(await site.status(), { enrolled: false, gateway: '' });
  await site.enroll();
  await site.connected();
  t.match(await site.status(), { enrolled: true, gateway: 'north' });
  const told = await doctor(site.gatewayData);
  t.equal(told.code, 0, JSON.stringify(told.findings.filter(({ state }) => state !== 'ok')));
});

t.test('doctor - a refused config is named with its reason', async (t) => {
  t.equal((await push('bad.yaml', 'sources:\n  x: { listener: nowhere }\n')).code, 3);
  t.match(await finding(site, 'config-refused'), { state: 'fail', exit: 1, message: /sources\.x\.listener/ });
  const { config } = JSON.parse(await site.http('/status')) as {
    config: { attempted: { problems: object[] } };
  };
  t.same(Object.keys(config.attempted.problems[0] ?? {}), ['path', 'line', 'column', 'message', 'hint']);
});

const dead = (to: string) =>
  `destinations:\n  ${to}: { type: mllp, address: "127.0.0.1:1", timeout: 1s }\nroutes:\n  all: { to: ${to} }\n`;

t.test('doctor - a destination that does not answer, and one that no config names any more', async (t) => {
  t.equal((await push('dead.yaml', dead('ehr'))).code, 0);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  await client.send(Buffer.from('MSH|^~\\&|L|H|E|H|20261123||ADT^A01|D1|P|2.5\rPID|1||1\r'));
  t.match(await finding(site, 'destination-waiting'), {
    state: 'fail',
    exit: 1,
    message: /^ehr is not reached.* \(no-connection, since 20\d\d-.*\); 1 wait/,
    todo: /destinations\.ehr\.address/,
  });
  const { destinations } = JSON.parse(await site.http('/status')) as { destinations: object[] };
  t.match(destinations, [{ state: 'waiting', reason: 'no-connection', waitingSinceUs: /^[1-9]\d+$/ }]);
  const printed = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.match(printed.stdout, /route {5}ehr: .*, waiting since 20\d\d-\S+ \S+ \(no-connection\)/);
  await until(
    async () => {
      const rows = await site.ask<{ destination: string; pending: string }[]>('custody', '--destinations');
      return rows.some(({ destination, pending }) => destination === 'ehr' && pending === '1');
    },
    { what: 'the report of the gateway', timeoutMs: 30_000 },
  );
  const removed = await push('gone.yaml', 'sources:\n  lab: { listener: lab }\n');
  t.equal(removed.code, 0, removed.stderr);
  t.match(removed.stderr, /holds 1 message for the destination "ehr"/, 'the push says what it leaves behind');
  t.match(await finding(site, 'destination-unused'), { state: 'fail', exit: 1, message: /ehr/ });
  await client.close();
});

t.test(
  'doctor - the destination that names another message is told by its name, in one finding',
  async (t) => {
    const receiver = await MllpServer.start((message) => [acknowledge(message, 'AA', 'X')]);
    t.teardown(() => receiver.close());
    const to = `destinations:\n  archive: { type: mllp, address: "127.0.0.1:${receiver.port}" }\nroutes:\n  all: { to: archive }\n`;
    t.equal((await push('mismatched.yaml', to)).code, 0);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    await client.send(Buffer.from('MSH|^~\\&|L|H|E|H|20261123||ADT^A01|D2|P|2.5\rPID|1||1\r'));
    await until(
      async () => (await site.status()).alarms.some(({ code }) => code === 'destination-mismatched'),
      {
        what: 'the alarm',
        timeoutMs: 30_000,
      },
    );
    const { findings } = await doctor(site.gatewayData);
    t.match(
      findings.filter(({ code }) => code.startsWith('destination-m') || code === 'destination-waiting'),
      [
        {
          code: 'destination-waiting',
          message: /^archive names another message/,
          todo: /MSA-2 has to be the MSH-10/,
        },
      ],
    );
    receiver.answering = (message) => [acknowledge(message)];
    await until(async () => (await site.status()).destinations.some(({ delivered }) => delivered === 1), {
      what: 'the delivery',
      timeoutMs: 60_000,
    });
    t.notOk((await doctor(site.gatewayData)).findings.some(({ code }) => code.startsWith('destination-m')));
    await client.close();
  },
);

t.test('doctor - an urgent message in quarantine', async (t) => {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const message = 'MSH|^~\\&|L|H|E|H|20261123||ABC^XYZ|U1|P|2.5\rOBR|1||||||||||||||||||||||||||^^^^^S\r';
  await client.send(Buffer.from(message));
  t.match(await finding(site, 'urgent-quarantined'), { state: 'fail', exit: 1, todo: /quarantine list/ });
  await client.close();
});

t.test('doctor - a gateway that was revoked', async (t) => {
  t.equal((await site.ctl('revoke', 'north', '--reason', 'test')).code, 0);
  t.match(await finding(site, 'not-authenticated'), {
    state: 'fail',
    exit: 1,
    message: /copy older than the enrollment/,
    todo: /enroll --replace/,
  });
});

t.test('doctor - a stopped gateway’s address that another one uses is not taken for it', async (t) => {
  const other = new Site(t, { settings: usualListeners });
  await other.startGateway();
  const run = JSON.parse(await other.http('/status')) as { pid: number };
  t.equal(run.pid, other.gateway?.pid);
  writeFileSync(
    join(site.gatewayData, 'run.json'),
    JSON.stringify({ pid: 1, status: (await statusAddress(other)).status }),
  );
  const told = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.equal(told.code, 69);
});

async function statusAddress(of: Site): Promise<{ status: string }> {
  const { readFileSync } = await import('node:fs');
  return JSON.parse(readFileSync(join(of.gatewayData, 'run.json'), 'utf8')) as { status: string };
}
