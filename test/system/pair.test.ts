/** A control plane and an enrolled gateway, used as a lab, a monitor and the central team would. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mqttSession } from '../faults/mqtt-session.ts';
import { Rig } from '../faults/rig.ts';
import { ConnectProxy } from '../kit/connect-proxy.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { projectRoot } from '../kit/paths.ts';
import { seededRandom } from '../kit/random.ts';
import { runProgram } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const folder = t.testdir();
const rig = new Rig({
  folder,
  dist: join(projectRoot, 'dist'),
  short: true,
  seed: 1,
  random: seededRandom(1),
  teardown: (cleanup) => t.teardown(cleanup),
  progress: () => undefined,
});
await rig.start();
const context = join(folder, 'control-plane', 'admin.json');
const ctl = (...args: string[]) => runProgram('ctl', ['--context', context, ...args]);
const json = async <T>(...args: string[]): Promise<T> =>
  JSON.parse((await ctl(...args, '-o', 'json')).stdout) as T;

const oru = (id: string, value = '7.40', flag = 'HH', priority = 'R') =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      'PID|1||12345^^^HOSP&1.2.3&ISO^MR||CANARYPATIENT^JANE||19800101|F',
      'PV1|1|I|ICU^1^4^HOSP||||||||||||||||V77^^^HOSP^VN',
      'ORC|RE|P1|F1',
      `OBR|1|P1|F1|2823-3^Potassium^LN|||20261123080000+0100|||||||||||||||20261123081000+0100||CH|F||^^^^^${priority}`,
      `OBX|1|NM|2823-3^Potassium^LN||${value}|mmol/L|3.5-5.1|${flag}|||F|||20261123080000+0100`,
      '',
    ].join('\r'),
    'latin1',
  );

interface Event {
  id: string;
  kind: string;
  class: string;
  status: string;
  raw?: string;
  gateway: string;
  site: string;
  position: unknown;
  patient: unknown;
  encounter: unknown;
  observations: Record<string, unknown>[];
  provenance: Record<string, unknown>;
  times: unknown;
}

async function eventsOf(controlId: string, ...more: string[]): Promise<Event[]> {
  return until(
    async () => {
      const { stdout } = await ctl('events', '--from-start', '-o', 'jsonl', ...more);
      const events = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Event);
      const found = events.filter(({ provenance }) => provenance.messageControlId === controlId);
      return found.length > 0 && found;
    },
    { what: `events of ${controlId}`, timeoutMs: 20_000, everyMs: 50 },
  );
}

async function sendOne(message: Buffer): Promise<string> {
  const client = await MllpClient.connect({ port: rig.mllpPort });
  const { code } = await client.send(message);
  await client.close();
  return code;
}

t.test('event - an ORU arrives in the shape of the contract, with its bytes', async (t) => {
  const message = oru('SHAPE1');
  t.equal(await sendOne(message), 'AA');
  const [event] = await eventsOf('SHAPE1', '--raw', '--reason', 'test');
  const hash = createHash('sha256').update(message).digest('hex');
  t.equal(Buffer.from(event?.raw ?? '', 'base64').compare(message), 0, 'the bytes are what was sent');
  t.match(event, {
    id: /^faults\.[0-9a-f]+\.stat\.\d+$/,
    gateway: 'faults',
    site: 'faults',
    position: { epoch: /^\d+$/, lane: 'stat', sequence: /^\d+$/ },
    kind: 'observation',
    class: 'stat',
    status: 'final',
    patient: {
      identifiers: [{ system: 'urn:oid:1.2.3', value: '12345', type: 'MR' }],
      names: [{ family: 'CANARYPATIENT', given: ['JANE'] }],
      birthDate: '1980-01-01',
      gender: 'female',
    },
    encounter: { identifiers: [{ value: 'V77' }], location: { pointOfCare: 'ICU', room: '1', bed: '4' } },
    observations: [
      {
        code: {
          text: 'Potassium',
          codings: [{ system: 'http://loinc.org', code: '2823-3', display: 'Potassium' }],
        },
        value: '7.40',
        unit: 'mmol/L',
        status: 'final',
        interpretation: 'HH',
        effective: { value: '2026-11-23T08:00:00+01:00', precision: 'second', offset: '+01:00' },
      },
    ],
    provenance: {
      source: 'mllp',
      protocol: 'mllp',
      messageControlId: 'SHAPE1',
      recordHash: hash,
      record: { epoch: /^\d+$/, sequence: /^\d+$/ },
      mappingVersion: 'builtin@5',
    },
  });
  t.notOk(
    'assumed' in ((event?.observations[0]?.effective ?? {}) as object),
    'an offset that was given is not assumed',
  );
});

t.test('event - the same as a FHIR bundle, with the digits that were sent', async (t) => {
  const message = oru('FHIR1');
  t.equal(await sendOne(message), 'AA');
  const [event] = await eventsOf('FHIR1');
  const { stdout } = await ctl('events', '--from-start', '-o', 'fhir');
  const line = stdout.split('\n').find((one) => one.includes(`"value":"${event?.id}"`)) ?? '';
  t.match(line, '"valueQuantity":{"value":7.40,"unit":"mmol/L"');
  t.match(JSON.parse(line), { resourceType: 'Bundle', type: 'collection', identifier: { value: event?.id } });
  const refused = await ctl('events', '--raw', '--reason', 'test', '-o', 'fhir');
  t.match(refused, { code: 2 });
});

t.test('trace - by MSH-10 and by id, every hop, in order', async (t) => {
  const [event] = await eventsOf('SHAPE1');
  const wanted = ['captured', 'journaled', 'normalized', 'queued', 'sent', 'stored', 'acked'];
  const trace = await until(
    async () => {
      const found = await json<{ id: string; hops: { hop: string; atUs: string }[] }>('trace', 'SHAPE1');
      return found.hops.length === wanted.length && found;
    },
    { what: 'the last hop', timeoutMs: 20_000 },
  );
  t.same(
    trace.hops.map(({ hop }) => hop),
    wanted,
  );
  const own = trace.hops.filter(({ hop }) => hop !== 'stored').map(({ atUs }) => BigInt(atUs));
  t.same(
    own,
    [...own].sort((a, b) => (a < b ? -1 : 1)),
    'the gateway’s hops never go back',
  );
  t.equal((await json<{ id: string }>('trace', event?.id ?? '')).id, event?.id);
  t.equal((await ctl('trace', 'NOBODY')).code, 1);
});

t.test(
  'repeat - the same bytes are answered again, have one effect, and the trace counts them',
  async (t) => {
    for (let time = 0; time < 3; time += 1) t.equal(await sendOne(oru('REPEAT1')), 'AA');
    t.equal((await eventsOf('REPEAT1')).length, 1);
    const counted = await until(
      async () => {
        const { repeats } = await json<{ repeats?: string }>('trace', 'REPEAT1');
        return repeats !== undefined && repeats;
      },
      { what: 'the count in the trace', timeoutMs: 20_000 },
    );
    t.equal(counted, '2');
  },
);

t.test('MQTT - a reading is answered and becomes an event', async (t) => {
  const session = await mqttSession(rig.mqttPort, { clientId: 'monitor-1' });
  const payload = Buffer.from(
    '{"device":"m1","time":"2026-11-23T08:00:00+01:00","readings":[{"code":"heartRate","value":72.50,"unit":"/min"}]}',
  );
  const answer = await session.exchange(publishPacket({ topic: 'devices/m1', payload, qos: 1, packetId: 3 }));
  t.equal(answer?.type, packetType.puback);
  session.close();
  const found = await until(
    async () => {
      const events = await json<Event[]>('events', '--source', 'mqtt', '--raw', '--reason', 'test');
      return events.length > 0 && events;
    },
    { what: 'the reading', timeoutMs: 20_000 },
  );
  t.match(found[0], {
    kind: 'device-observation',
    observations: [{ value: '72.50' }],
    provenance: { protocol: 'mqtt', topic: 'devices/m1' },
  });
  t.equal(Buffer.from(found[0]?.raw ?? '', 'base64').compare(payload), 0);
});

t.test(
  'quarantine - what is not understood says why, is shown on request, and can be tried again',
  async (t) => {
    const message = Buffer.from(
      'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ABC^XYZ|QUAR1|P|2.5\rZZZ|CANARYPATIENT\r',
    );
    t.equal(await sendOne(message), 'AA');
    const [entry] = await until(
      async () => {
        const found = await json<Record<string, string>[]>('quarantine', 'list');
        return found.length > 0 && found;
      },
      { what: 'the entry', timeoutMs: 20_000 },
    );
    t.match(entry, {
      gateway: 'faults',
      source: 'mllp',
      messageControlId: 'QUAR1',
      code: 'not-understood',
      reason: /ABC/,
      atUs: /^\d+$/,
    });
    t.equal(entry?.recordHash, createHash('sha256').update(message).digest('hex'));
    t.equal(
      (await ctl('quarantine', 'show', entry?.id ?? '', '--payload')).code,
      2,
      'a payload needs a reason',
    );
    t.equal(
      (await ctl('quarantine', 'show', entry?.id ?? '', '--payload', '--reason', 'test')).stdout,
      message.toString(),
    );
    t.equal((await ctl('quarantine', 'replay', entry?.id ?? '', '--reason', 'test')).code, 0);
    await until(async () => (await json<unknown[]>('quarantine', 'list')).length === 1, {
      what: 'it being quarantined again',
      timeoutMs: 20_000,
    });
    const latency = (await rig.status())?.latency ?? [];
    const records = (hop: string) => latency.reduce((sum, one) => sum + (one.hop === hop ? one.count : 0), 0);
    t.equal(
      records('normalized'),
      records('journaled') + 1,
      'what was replayed did not take that long to journal',
    );
    const actions = (await json<{ action: string }[]>('audit', 'list')).map(({ action }) => action);
    for (const action of ['quarantined', 'viewed', 'replayed'])
      t.ok(actions.includes(action), `audited: ${action}`);
  },
);

t.test(
  'audit - whoever reads events is noted, whoever finds none is not; a limit gives the newest',
  async (t) => {
    t.equal(await sendOne(oru('SEEN1')), 'AA');
    await eventsOf('SEEN1');
    type Entry = Record<'action' | 'actor' | 'subject' | 'reason', string>;
    const viewed = (limit: number) =>
      json<Entry[]>('audit', 'list', '--action', 'viewed', '--limit', String(limit));
    await ctl('events', '--source', 'mllp', '--kind', 'observation', '-o', 'jsonl', '--reason', 'ticket 7');
    await ctl('events', '--source', 'nowhere', '-o', 'jsonl');
    await ctl('events', '--class', 'stat', '--limit', '1', '-o', 'fhir');
    t.match(await viewed(2), [
      { actor: /admin/, subject: 'events of source mllp, kind observation', reason: 'ticket 7' },
      { actor: /admin/, subject: 'events of class stat', reason: undefined },
    ]);
    const all = await json<Entry[]>('audit', 'list');
    t.same(await json<Entry[]>('audit', 'list', '--limit', '3'), all.slice(-3));
    t.same(
      await viewed(1000),
      all.filter(({ action }) => action === 'viewed'),
    );
  },
);

const good = (extra = '') => `sources:\n  mllp: { listener: mllp, zone: Europe/Berlin }\n${extra}`;
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

t.test('config - checked here, pushed, refused, rolled back: exit codes and reasons', async (t) => {
  const push = (path: string, ...more: string[]) =>
    ctl('config', 'push', path, '--site', 'faults', '--reason', 'test', ...more);
  const right = file(
    'right.yaml',
    good('codes:\n  local: { from: LN, to: "urn:x", map: { "2823-3": { code: K, display: Kalium } } }\n'),
  );
  const typo = file('typo.yaml', 'sources:\n  mllp: { listner: mllp }\n');
  const cel = file('cel.yaml', good('classes:\n  - { name: a, when: event.knd == "x", class: stat }\n'));
  const listener = file('listener.yaml', 'sources:\n  lab: { listener: nowhere }\n');
  t.equal((await ctl('config', 'check', right)).code, 0);
  const checked = await ctl('config', 'check', typo);
  t.equal(checked.code, 78);
  t.match(
    checked.stderr,
    /typo\.yaml:2:11 {2}sources\.mllp\.listner: unknown key; did you mean "listener"\?/,
  );
  t.equal((await push(cel)).code, 78, 'refused at the centre');
  t.equal((await push(right)).code, 0, 'applied');
  const refused = await push(listener);
  t.equal(refused.code, 3, 'refused by the gateway');
  t.match(refused.stderr, /sources\.lab\.listener/);
  const [facts] = await json<
    { config: Record<'desired' | 'attempted' | 'running', { version: string; outcome: string }> }[]
  >('config', 'status');
  t.equal(facts?.config.desired.version, facts?.config.attempted.version);
  t.equal(facts?.config.attempted.outcome, 'refused');
  t.not(facts?.config.running.version, facts?.config.attempted.version, 'the last good one runs on');
  t.equal((await ctl('config', 'rollback', '--site', 'faults', '--reason', 'test')).code, 0);
  await sendOne(oru('MAPPED1'));
  const [event] = await eventsOf('MAPPED1');
  const { codings } = (event?.observations[0]?.code ?? { codings: [] }) as { codings: unknown[] };
  t.match(
    codings,
    [{ code: '2823-3' }, { system: 'urn:x', code: 'K', display: 'Kalium', mapped: true }],
    'the original stays, the mapped one is added',
  );
  t.match(event?.provenance.mappingVersion, /config@\d+$/);
});

t.test(
  'route - original bytes, in source order, a false answer is never believed, and the centre is not needed',
  async (t) => {
    let lies = 0;
    const server = await MllpServer.start((message) => {
      if (server.received.length === 2 && lies === 0) {
        lies += 1;
        return [acknowledge(message, 'AA', 'ANOTHER')];
      }
      return [acknowledge(message)];
    });
    t.teardown(() => server.close());
    const yaml = good(
      `destinations:\n  ehr: { type: mllp, address: "127.0.0.1:${server.port}", timeout: 5s }\nroutes:\n  results: { when: 'event.kind == "observation"', to: ehr }\n`,
    );
    t.equal(
      (await ctl('config', 'push', file('route.yaml', yaml), '--site', 'faults', '--reason', 'test')).code,
      0,
    );
    await rig.killPlane();
    const sent: Buffer[] = [];
    for (let n = 0; n < 6; n += 1) {
      const message = oru(`ROUTE${n}`, `4.${n}0`, n === 4 ? 'HH' : 'N');
      sent.push(message);
      t.equal(await sendOne(message), 'AA');
    }
    await until(() => server.received.length >= 7, { what: 'all at the destination', timeoutMs: 30_000 });
    const order = server.received.map((message) => message.toString('latin1'));
    t.equal(order[1], order[2], 'the one with a false answer came again');
    t.same(
      [...new Set(order)],
      sent.map((message) => message.toString('latin1')),
      'original bytes, in source order',
    );
    await rig.startPlane();
    await rig.connected();
    await rig.drained();
  },
);

t.test('config - a gateway that is not connected keeps a push pending', async (t) => {
  await rig.gateway?.stop();
  const path = file('pending.yaml', good());
  await until(async () => (await json<{ state: string }[]>('gateways'))[0]?.state === 'offline', {
    what: 'the gateway being offline',
    timeoutMs: 20_000,
  });
  const pushed = await ctl('config', 'push', path, '--site', 'faults', '--reason', 'test');
  t.equal(pushed.code, 0);
  t.match(pushed.stdout, /pending: not connected; it gets this when it connects\n/);
  t.equal((await ctl('config', 'push', path, '--site', 'faults', '--reason', 'test', '--wait')).code, 75);
  await rig.startGateway();
  await until(
    async () =>
      (
        await json<{ config: { running?: { version: string }; desired: { version: string } } }[]>(
          'config',
          'status',
        )
      )[0]?.config.running?.version !== undefined,
    { what: 'the facts', timeoutMs: 20_000 },
  );
  await until(
    async () => {
      const [row] = await json<{ config: Record<'desired' | 'running', { version: string }> }[]>(
        'config',
        'status',
      );
      return row?.config.desired.version === row?.config.running.version;
    },
    { what: 'the pending config running', timeoutMs: 20_000 },
  );
});

t.test('doctor - tells blocked, intercepted, unresolved and refused by the proxy apart', async (t) => {
  const settings = (text: string) =>
    file('doctor.yaml', `status: { listen: "127.0.0.1:0" }\nuplink: { ${text} }\n`);
  const finding = async (text: string) => {
    const { stdout } = await runProgram('gateway', [
      'doctor',
      '--data',
      rig.gatewayData,
      '--settings',
      settings(text),
      '-o',
      'json',
    ]);
    const findings = JSON.parse(stdout) as { check: string; code: string; todo: string }[];
    return findings.find(({ check }) => check === 'control plane');
  };
  const proxies = async (mode: 'allow' | 'refuse' | 'intercept') => {
    const proxy = await ConnectProxy.start(mode);
    t.teardown(() => proxy.close());
    return `proxy: "http://127.0.0.1:${proxy.port}"`;
  };
  t.equal((await finding(await proxies('allow')))?.code, 'reachable');
  t.equal((await finding(await proxies('refuse')))?.code, 'blocked');
  t.equal((await finding(await proxies('intercept')))?.code, 'intercepted');
  t.equal((await finding('address: "127.0.0.1:1"'))?.code, 'blocked');
  t.match(await finding('address: "no-such-name.invalid:7443"'), { code: 'unresolved', todo: /DNS/ });
});

t.test('command line - usage errors are 2, an unreachable control plane is 69', async (t) => {
  t.equal((await ctl('nonsense')).code, 2);
  t.equal((await ctl('config', 'push')).code, 2);
  t.equal((await runProgram('gateway', ['run'])).code, 2);
  t.equal((await runProgram('gateway', ['status', '--data', join(folder, 'nowhere')])).code, 69);
  const typo = file('settings.yaml', 'listeners:\n  lab: { type: mllp, listne: "127.0.0.1:1" }\n');
  const checked = await runProgram('gateway', ['check', '--data', folder, '--settings', typo]);
  t.equal(checked.code, 78);
  t.match(
    checked.stderr,
    /settings\.yaml:2:22 {2}listeners\.lab\.listne: unknown key; did you mean "listen"\?/,
  );
  const plain = file('plain.yaml', 'listeners:\n  lab: { type: mllp, listen: "0.0.0.0:2575" }\n');
  t.match(
    (await runProgram('gateway', ['check', '--data', folder, '--settings', plain])).stderr,
    /needs range, reason, owner/,
  );
});

t.test('custody - everything is accounted for, and nothing of the patient shows', async (t) => {
  await rig.drained();
  const rows = await until(
    async () => {
      const found = await json<Record<string, string>[]>('custody');
      const mllp = found.find(({ source }) => source === 'mllp');
      return mllp?.pending === '0' && Number(mllp?.delivered) > 0 && found;
    },
    { what: 'the report of the gateway', timeoutMs: 20_000 },
  );
  for (const row of rows) t.match(row, { missing: '0', doubled: '0' });
  t.equal((await ctl('audit', 'verify')).code, 0);
  t.same(await rig.leaks(), []);
});
