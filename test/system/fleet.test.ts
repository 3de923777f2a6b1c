/** The central team's verbs against real daemons: names and replacements, rollback, traces, shapes, a control plane that goes away. */
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { startProcess } from '../kit/process.ts';
import { programPath, runProgram, Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const site = await Site.start(t);

async function send(...messages: string[]): Promise<void> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const message of messages) await client.send(Buffer.from(message));
  await client.close();
}

const adt = (id: string, name = 'A') =>
  `MSH|^~\\&|L|H|E|H|20261123||ADT^A01|${id}|P|2.5\rPID|1||1||${name}\rPV1|1|I\r`;

async function token(): Promise<string> {
  return (await site.ctl('token', 'create', '--site', 'north')).stdout;
}

function enroll(input: string, ...more: string[]): ReturnType<typeof runProgram> {
  return runProgram('gateway', ['enroll', '--data', site.gatewayData, '--token', '-', ...more], { input });
}

const push = (yaml: string) =>
  site.ctl('config', 'push', site.write('pushed.yaml', yaml), '--site', 'north', '--reason', 'test');
const rollback = () => site.ctl('config', 'rollback', '--site', 'north', '--reason', 'test');
const zone = (name: string) => `sources:\n  lab: { listener: lab, zone: ${name} }\n`;

interface Version {
  version: string;
  rollbackOf?: string;
  outcomes: { gateway: string; outcome: string }[];
}

t.test('lists - a site or gateway that is not there is told, and is not an empty list', async (t) => {
  for (const verb of [
    'events',
    'codes list',
    'config history',
    'config status',
    'quarantine list',
    'custody',
    'latency',
  ]) {
    const { code, stderr, stdout } = await site.ctl(...verb.split(' '), '--site', 'nroth');
    t.equal(code, 1, verb);
    t.equal(stdout, '', verb);
    t.match(stderr, /^There is no site "nroth" with a gateway\.\n"hilumctl gateways" shows them\./, verb);
  }
  t.match((await site.ctl('sources', '--site', 'nroth')).stderr, /There is no site "nroth"/);
  const rolled = await site.ctl('config', 'rollback', '--site', 'nroth', '--reason', 'test');
  t.match(rolled.stderr, /There is no site "nroth"/);
  const config = site.write('any.yaml', '{}\n');
  t.match((await site.ctl('config', 'diff', config, '--site', 'nroth')).stderr, /There is no site "nroth"/);
  const none = await site.ctl('events', '--site', 'north', '--kind', 'merge');
  t.equal(none.code, 0);
  t.equal(none.stderr, 'No event fits.\n');
  t.match((await site.ctl('events', '--gateway', 'nroth')).stderr, /There is no gateway "nroth"/);
  const audit = await site.ctl('audit', 'list', '--gateway', 'nroth');
  t.match(audit, { code: 1, stdout: '', stderr: /^There is no gateway "nroth"/ });
  const source = await site.ctl('events', '--source', 'labb');
  t.equal(source.code, 1);
  t.equal(source.stderr, 'No gateway tells of a source "labb".\n"hilumctl sources" shows them.\n');
  t.equal((await site.ctl('events', '--site', 'north', '--kind', 'merge', '-o', 'json')).stdout, '[]\n');
});

t.test(
  'rollback - it goes to the last version that was applied, and history says what became of each',
  async (t) => {
    const none = await rollback();
    t.equal(none.code, 3, 'nothing was ever applied');
    t.equal((await push(zone('Europe/Berlin'))).code, 0);
    const only = await rollback();
    t.equal(only.code, 3, 'there is no earlier one');
    t.match(only.stderr, /no earlier config that its gateways applied; nothing was changed/);
    const again = await push(zone('Europe/Berlin'));
    t.match(again, {
      code: 0,
      stdout: /^Version 2, in place of 1 \(20[^)]*, admin: test\)\.\n {2}north {2}applied\n$/,
      stderr: 'Version 1, which was desired until now, has the same text.\n',
    });
    t.match(await rollback(), {
      code: 3,
      stderr: /nothing was changed\. The same text as version 2, which is desired, has version 1\./,
    });
    t.equal((await push('sources:\n  x: { listener: nowhere }\n')).code, 3);
    t.equal((await push(zone('Europe/Paris'))).code, 0);
    t.match(
      await rollback(),
      { code: 0, stdout: /^Version \d+, back to \d+ \([^)]*, admin: [^)]+\)\.\n/ },
      'it says to what',
    );
    const history = await site.ask<Version[]>('config', 'history', '--site', 'north');
    t.match(history, [
      { version: '1', outcomes: [{ gateway: 'north', outcome: 'applied' }] },
      { version: '2', outcomes: [{ gateway: 'north', outcome: 'applied' }] },
      { version: '3', outcomes: [{ gateway: 'north', outcome: 'refused' }] },
      { version: '4', outcomes: [{ gateway: 'north', outcome: 'applied' }] },
      { version: '5', rollbackOf: '2', outcomes: [{ gateway: 'north', outcome: 'applied' }] },
    ]);
    t.equal((await rollback()).code, 3, 'a second one does not give back what the first left');
    const full = (await site.ctl('config', 'history', '--full')).stdout;
    t.match(full, `\n# north, version 3\nsources:\n  x: { listener: nowhere }\n\n# north, version 4\n`);
    const bad = site.write('bad.yaml', 'sources:\n  lab: { listenr: lab }\n');
    const diff = await site.ctl('config', 'diff', bad, '--site', 'north');
    t.equal(diff.code, 78, 'a push of it would be refused');
    t.match(diff.stdout, /^\+ {3}lab: \{ listenr: lab \}$/m);
    t.match(diff.stderr, /bad\.yaml:2:10 {2}sources\.lab\.listenr: unknown key; did you mean "listener"/);
    t.match(
      (await site.ctl('config', 'history')).stdout,
      /OUTCOME.*\n1 .*applied.*\n2 .*applied.*\n3 .*refused/,
    );
    t.equal((await push('sources:\n  x: { listener: nowhere }\n')).code, 3);
    t.equal((await rollback()).code, 0);
    const [last] = (await site.ask<Version[]>('config', 'history', '--site', 'north')).reverse();
    t.equal(last?.rollbackOf, '5', 'after a refused one, that is the one that runs');
  },
);

t.test(
  'trace - one object whatever is asked for; a quarantined record says where and why it stopped',
  async (t) => {
    await send(adt('T1'), adt('T2', 'A'), adt('T2', 'B'));
    await send('MSH|^~\\&|L|H|E|H|20261123||ABC^XYZ|Q1|P|2.5\rZZZ|1\r');
    await site.drained();
    interface Trace {
      id: string;
      code?: string;
      reason?: string;
      hops: { hop: string }[];
      more?: Trace[];
    }
    const one = await site.ask<Trace>('trace', 'T1');
    t.match(one, { id: /^north\./, hops: [{ hop: 'captured' }] });
    t.notOk('more' in one);
    const two = await site.ask<Trace>('trace', 'T2');
    t.match(two, { id: /^north\./, hops: [{ hop: 'captured' }], more: [{ id: /^north\./ }] });
    t.equal((await site.ask<Trace>('trace', two.more?.[0]?.id ?? '')).id, two.more?.[0]?.id);
    const stopped = await until(
      async () => {
        const { code, stdout } = await site.ctl('trace', 'Q1', '-o', 'json');
        return code === 0 && (JSON.parse(stdout) as Trace);
      },
      { what: 'the quarantined record', timeoutMs: 30_000 },
    );
    t.match(stopped, { code: 'not-understood', reason: /ABC/ });
    t.same(
      stopped.hops.map(({ hop }) => hop),
      ['captured', 'quarantined'],
    );
    t.equal((await site.ask<Trace>('trace', stopped.id)).id, stopped.id, 'by its own id as well');
    t.match((await site.ctl('trace', 'Q1')).stdout, /in quarantine: not-understood, from lab\n/);
    const shown = (await site.ctl('quarantine', 'show', stopped.id)).stdout;
    t.match(shown, /^atUs +\d{4}-/m);
    t.match(shown, /^capturedAtUs +\d{4}-/m, 'a time, as the one above it');
    const empty = await site.ctl('trace', '');
    t.equal(empty.code, 2);
    t.match(empty.stderr, /A trace wants an event id or a message control ID/);
    const long = await site.ctl('trace', 'x'.repeat(100_000));
    t.equal(long.code, 2);
    t.match(long.stderr, /An id of 100000 characters is not looked for; at most 65536/);
    t.equal((await site.ctl('quarantine', 'show', '')).code, 1);
  },
);

t.test(
  'custody and status - 64-bit counts are strings, every term is there, destinations stand apart',
  async (t) => {
    const rows = await until(
      async () => {
        const found = await site.ask<Record<string, string>[]>('custody');
        return found.some(({ source, quarantined }) => source === 'lab' && quarantined === '1') && found;
      },
      { what: 'the report of the gateway', timeoutMs: 30_000 },
    );
    const terms = ['accepted', 'pending', 'delivered', 'quarantined', 'expired', 'duplicates', 'missing'];
    for (const row of rows) {
      t.not(row.source, '', 'a row is a source');
      for (const term of [...terms, 'doubled', 'stored']) t.match(row[term], /^\d+$/, term);
    }
    t.same(await site.ask('custody', '--destinations'), []);
    const hours = (await site.ctl('custody', '--by-hour')).stdout;
    t.match(hours, /^GATEWAY +SOURCE +HOUR +ACCEPTED .* AS OF\n/);
    t.match(hours, /^north +lab +all .* 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/m, 'when it was counted');
    t.match(hours, /^north +lab +all +\d/m, 'the total is told from its hours');
    t.match(hours, /^north +lab +\d{4}-\d\d-\d\d \d\d:00 +\d/m);
    const status = JSON.parse(await site.http('/status')) as Record<
      'custody' | 'shares',
      Record<string, unknown>[]
    >;
    for (const term of terms) t.type(status.custody[0]?.[term], 'string', term);
    t.type(status.shares[0]?.records, 'string');
  },
);

t.test('latency - no percentile is above the largest value', async (t) => {
  const rows = await until(
    async () => {
      const found = await site.ask<Record<string, string>[]>('latency');
      return found.length > 0 && found;
    },
    { what: 'the report of the gateway', timeoutMs: 30_000 },
  );
  for (const { p50Us, p99Us, maxUs } of rows) {
    t.ok(Number(p50Us) <= Number(maxUs) && Number(p99Us) <= Number(maxUs), `${p50Us} ${p99Us} ${maxUs}`);
  }
});

t.test('events --raw - it needs a reason, and a form that can show bytes', async (t) => {
  const bare = await site.ctl('events', '--raw', '-o', 'jsonl');
  t.equal(bare.code, 2);
  t.match(bare.stderr, /--reason/);
  const table = await site.ctl('events', '--raw', '--reason', 'test');
  t.equal(table.code, 2);
  t.match(table.stderr, /-o jsonl/);
  t.ok((await site.events('--raw', '--reason', 'test')).every(({ raw }) => (raw ?? '') !== ''));
});

t.test('events - a follower outlives the control plane, and none is lost or twice', async (t) => {
  const follower = startProcess(t, {
    name: 'follower',
    args: [
      programPath('ctl'),
      '--context',
      site.context,
      'events',
      '--follow',
      '--from-start',
      '-o',
      'jsonl',
    ],
    folder: join(site.folder, 'logs'),
  });
  await follower.waitForLine(/"T1"/, { timeoutMs: 60_000 });
  await site.plane?.stop();
  await follower.waitForLine(/cannot be reached.*trying again/, { from: 'stderr', timeoutMs: 60_000 });
  await site.startPlane();
  await site.connected();
  await send(adt('F1'));
  await follower.waitForLine(/"F1"/, { timeoutMs: 60_000 });
  const ids = follower.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  t.equal(new Set(ids).size, ids.length);
  t.same(
    ids,
    (await site.events()).map(({ id }) => id),
  );
  await follower.kill();
});

t.test('events - a control plane that hangs is unreachable after a bounded time', async (t) => {
  process.kill(site.plane?.pid ?? 0, 'SIGSTOP');
  t.teardown(() => process.kill(site.plane?.pid ?? 0, 'SIGCONT'));
  const hung = await site.ctl('events', '--from-start', '-o', 'jsonl');
  t.equal(hung.code, 69);
  t.match(hung.stderr, /cannot be reached/);
  process.kill(site.plane?.pid ?? 0, 'SIGCONT');
});

t.test(
  'enroll - an identity is not replaced by accident; replaced on purpose, the old one is retired',
  async (t) => {
    await site.connected();
    for (let unused = 0; unused < 3; unused += 1) await token();
    const refused = await enroll(await token());
    t.equal(refused.code, 3);
    t.match(refused.stderr, /is enrolled as north .*\n.*--replace/);
    const replaced = await enroll(await token(), '--replace');
    t.equal(replaced.code, 0, replaced.stderr);
    t.match(replaced.stdout, /Enrolled as north-2 /, 'tokens that nobody used have no number');
    await until(async () => (await site.status()).gateway === 'north-2', {
      what: 'the new name',
      timeoutMs: 30_000,
    });
    await site.connected();
    const gateways = await site.ask<{ gateway: string; state: string }[]>('gateways');
    t.match(gateways, [
      { gateway: 'north', state: 'replaced' },
      { gateway: 'north-2', state: 'online' },
    ]);
    const pushed = await push(zone('Europe/Rome'));
    t.equal(pushed.code, 0);
    t.notMatch(pushed.stdout, /north {2}/, 'the old one stands in no push');
    await send(adt('R1'));
    await site.drained();
    t.match((await site.events()).at(-1), { gateway: 'north-2', provenance: { messageControlId: 'R1' } });
    interface Row {
      gateway: string;
      source: string;
      delivered: string;
      missing: string;
    }
    const heir = await until(
      async () =>
        (await site.ask<Row[]>('custody')).find((row) => row.gateway === 'north-2' && row.source === 'lab'),
      { what: 'what the new name tells of its journal', timeoutMs: 60_000 },
    );
    t.ok(Number(heir.delivered) > 1, 'its journal counts what it delivered under the first name too');
    t.equal(heir.missing, '0', 'that is stored under the first name, and is not missing');
    const rows = await site.ask<Row[]>('custody');
    t.notOk(
      rows.some(({ gateway }) => gateway === 'north'),
      'in a sum over all rows nothing counts twice',
    );
    t.ok((await site.ask<Row[]>('custody', '--gateway', 'north')).length > 0, 'what it told last is kept');
    t.same(await site.ask('audit', 'list', '--action', 'events-missing-here'), []);
  },
);

t.test('health - a gateway that refuses intake is not ready, and lives', async (t) => {
  const full = new Site(t, { settings: `${usualListeners}journal: { reserve: "1000TiB" }\n` });
  await full.startGateway();
  const { status } = JSON.parse(
    (await import('node:fs')).readFileSync(join(full.gatewayData, 'run.json'), 'utf8'),
  ) as { status: string };
  const answer = async (path: string) => {
    const response = await fetch(`http://${status}${path}`);
    return [response.status, await response.text()];
  };
  t.same(await answer('/healthz'), [503, 'not ready: journal-reserve\n']);
  t.same(await answer('/livez'), [200, 'live\n']);
  t.match(await full.status(), { ready: false, notReady: 'journal-reserve' });
});
