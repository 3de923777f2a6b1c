/** One approved entry maps a code from then on, and the events anew that came before it; nothing is doubled. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { mqttSession } from '../faults/mqtt-session.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Replayed {
  found: number;
  replayed: number;
  notReplayed: { reason: string; events: number }[];
  replacedBefore: number;
}

type Event = EventLine & {
  provenance: { index: number; replay?: { supersedes: string[]; mappingVersion: string; cause: string } };
  observations: { code: { codings: { code: string; mapped?: boolean }[] } }[];
};

const message = (id: string, ...codes: string[]) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
      ...codes.flatMap((code, n) => [
        `OBR|${n + 1}||F${n}|24321-2^Panel^LN`,
        `OBX|1|NM|${code}^Test^99LAB||7.40|mg/dL|||||F`,
      ]),
      '',
    ].join('\r'),
  );

t.test('codes replay - what came before an approved entry comes anew, once, and says so', async (t) => {
  const site = await Site.start(t);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  t.teardown(() => client.close());
  for (const [id, ...codes] of [
    ['A', 'GLU7'],
    ['B', 'XX1', 'GLU7', 'XX2'],
    ['C', 'XX1'],
    ['D', 'GLU7'],
  ])
    t.equal((await client.send(message(id ?? '', ...codes))).code, 'AA');
  await site.drained();
  const before = (await site.events()) as Event[];
  t.equal(before.length, 6);
  await until(async () => (await site.ask<object[]>('codes', 'list', '--unmapped')).length === 3, {
    what: 'the three codes at the centre',
    timeoutMs: 30_000,
    everyMs: 100,
  });

  const args = ['--site', 'north', '--to', '2345-7', '--display', 'Glucose', '--reason', 'ticket 1'];
  const file = site.write('site.yaml', '# ours\nsite: { zone: Europe/Berlin } # north\n');
  const none = await site.ctl('codes', 'replay', 'GLU7', '--site', 'north', '--reason', 'too early');
  t.match(none, { code: 1, stdout: /^3 found, 0 replayed\.\n {2}3 not replayed: .*does not map the code/ });
  const approved = await site.ctl('codes', 'approve', 'GLU7', ...args, '--config', file, '--replay');
  t.match(approved, {
    code: 0,
    stderr: '',
    stdout: /^Version 1\.\n {2}north {2}applied\n3 found, 3 replayed\.\n$/,
  });
  const kept = readFileSync(file, 'utf8');
  t.match(kept, /^# ours\nsite: \{ zone: Europe\/Berlin \} # north\n/, 'the rest of the file stays');
  t.match(kept, /# lab, observation: Test, 3 times since/);
  t.match(parse(kept), {
    codes: {
      'lab-99lab': { from: 'urn:hilum:lab:99LAB', map: { GLU7: { code: '2345-7', display: 'Glucose' } } },
    },
  });

  const after = (await site.events()) as Event[];
  t.same(after.slice(0, 6), before, 'nothing that was stored has changed');
  const made = after.slice(6);
  t.equal(made.length, 3, 'only the events that carry the code came again');
  const old = before.filter(({ observations }) => observations[0]?.code.codings[0]?.code === 'GLU7');
  for (const [n, event] of made.entries()) {
    t.match(event, {
      patient: old[n]?.patient,
      observations: [
        { value: '7.40', code: { codings: [{ code: 'GLU7' }, { code: '2345-7', mapped: true }] } },
      ],
      provenance: {
        messageControlId: old[n]?.provenance.messageControlId,
        record: old[n]?.provenance.record,
        recordHash: old[n]?.provenance.recordHash,
        index: old[n]?.provenance.index,
        mappingVersion: /config@1$/,
        replay: { supersedes: [old[n]?.id], mappingVersion: /^builtin@\d+$/, cause: 'codes' },
      },
    });
    t.ok(event.provenance.rules?.includes('replay/codes@1'));
    t.not(event.position.epoch, old[n]?.position.epoch, 'under an epoch of its own');
  }
  const [second] = made.filter(({ provenance }) => provenance.messageControlId === 'B');
  const raw = (await site.events('--raw', '--reason', 'a look')).find(({ id }) => id === second?.id)?.raw;
  t.same(
    Buffer.from(raw ?? '', 'base64'),
    message('B', 'XX1', 'GLU7', 'XX2'),
    'the bytes are those that came',
  );
  const fhir = (await site.ctl('events', '--from-start', '-o', 'fhir')).stdout.trim().split('\n')[7] ?? '';
  t.match(
    fhir,
    `"role":"revision","what":{"identifier":{"system":"urn:hilum:event","value":"${second?.provenance.replay?.supersedes[0]}"}}`,
  );

  const again = await site.ask<Replayed>('codes', 'replay', 'GLU7', '--site', 'north', '--reason', 'again');
  t.same(again, { found: 0, replayed: 0, notReplayed: [], replacedBefore: 3 });
  const custody = await site.reported('lab', { accepted: '4', delivered: '4' });
  t.match(custody, { missing: '0', doubled: '0', stored: '4' });

  // A second code of the same record: it is the replayed event that is replaced, and the chain holds.
  t.equal(
    (await site.ctl('codes', 'approve', 'XX1', '--site', 'north', '--to', '1-8', '--reason', 'x', '--replay'))
      .code,
    0,
  );
  const all = (await site.events()) as Event[];
  t.equal(all.length, 11);
  t.equal(new Set(all.map(({ id }) => id)).size, 11);
  const replaced = all.flatMap(({ provenance }) => provenance.replay?.supersedes ?? []);
  t.equal(new Set(replaced).size, 5, 'no event is replaced twice');
  const trail = await site.ask<object[]>('audit', 'list', '--action', 'codes-replayed');
  t.match(trail, [
    { subject: 'observation code of lab', reason: 'too early' },
    {},
    {},
    { outcome: 'success' },
  ]);
  t.match((await site.ctl('audit', 'verify')).code, 0);
  t.notMatch(site.printed(), /CANARY|GLU7/);
});

t.test('codes replay - it waits for the gateway to run the entry, and says what was left', async (t) => {
  const site = await Site.start(t);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  t.equal((await client.send(message('A', 'GLU7'))).code, 'AA');
  await client.close();
  await site.drained();
  await until(async () => (await site.ask<object[]>('codes', 'list')).length === 1, {
    what: 'the code at the centre',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  await site.gateway?.stop();
  const args = ['GLU7', '--site', 'north', '--reason', 'ticket 2'];
  const early = await site.ctl('codes', 'approve', ...args, '--to', '2345-7', '--replay');
  t.match(early, {
    code: 75,
    stdout: /north {2}pending/,
    stderr: /nothing was replayed[\s\S]*codes replay GLU7/,
  });
  t.same(
    (await site.ctl('codes', 'replay', ...args, '-o', 'json')).stdout,
    json({
      found: 1,
      replayed: 0,
      notReplayed: [{ reason: 'config-not-running', events: 1 }],
      replacedBefore: 0,
    }),
  );
  await site.startGateway();
  await site.connected();
  const done = await until(
    async () => {
      const ran = await site.ctl('codes', 'replay', ...args, '-o', 'json');
      return ran.code === 0 && (JSON.parse(ran.stdout) as Replayed);
    },
    { what: 'the gateway running the entry', timeoutMs: 30_000, everyMs: 100 },
  );
  t.same(done, { found: 1, replayed: 1, notReplayed: [], replacedBefore: 0 });
});

t.test('codes replay - units, ordered services and devices come anew as well', async (t) => {
  const site = await Site.start(t);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const text = message('A', 'GLU7')
    .toString()
    .replace('24321-2^Panel^LN', 'PAN^Panel^99ORD')
    .replace('mg/dL', 'G/L');
  t.equal((await client.send(Buffer.from(text))).code, 'AA');
  await client.close();
  const payload = { device: 'mon-1', readings: [{ code: 'drift', value: '3', unit: '%' }] };
  await publish(await site.port('ward'), 'devices/x', JSON.stringify(payload));
  await site.drained();
  const wanted = { 'G/L': '10*9/L', PAN: '24321-2', drift: '1-8' };
  await until(
    async () => {
      const listed = await site.ask<{ code: string }[]>('codes', 'list', '--unmapped');
      return Object.keys(wanted).every((code) => listed.some((one) => one.code === code));
    },
    { what: 'all of them at the centre', timeoutMs: 30_000, everyMs: 100 },
  );
  for (const [code, to] of Object.entries(wanted)) {
    const args = ['--site', 'north', '--to', to, '--reason', 'x', '--replay', '-o', 'json'];
    const ran = await site.ctl('codes', 'approve', code, ...args);
    t.equal(ran.code, 0, ran.stderr);
    t.match(JSON.parse(ran.stdout), {
      push: { valid: true },
      replay: { found: 1, replayed: 1, notReplayed: [] },
    });
  }
  const events = (await site.events()) as Event[];
  const mapped = (from: string) => JSON.stringify(events.filter(({ position }) => position.epoch !== from));
  const of = mapped(events[0]?.position.epoch ?? '');
  for (const to of Object.values(wanted))
    t.match(of, new RegExp(`"code":"${to.replace('*', '.')}"[^}]*"mapped":true`));
  t.equal(events.length, 5, 'two that came and three that replace one each');
});

t.test(
  'codes replay - a mapping that loops on a record costs that record, not the control plane',
  async (t) => {
    const site = await Site.start(t);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    for (const [id, rows] of [
      ['BIG', 400],
      ['SMALL', 1],
    ] as const)
      t.equal((await client.send(big(id, rows))).code, 'AA');
    await client.close();
    await site.drained();
    await until(async () => (await site.ask<object[]>('codes', 'list')).length === 1, {
      what: 'the code at the centre',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    const file = site.write('site.yaml', looping);
    const args = ['--site', 'north', '--to', '2345-7', '--config', file, '--reason', 'x', '--replay'];
    t.match(await site.ctl('codes', 'approve', 'GLU7', ...args), {
      code: 1,
      stdout: /2 found, 1 replayed\.\n {2}1 not replayed: the mapping failed on their messages/,
    });
    t.equal(site.plane?.exit, undefined);
  },
);

async function publish(port: number, topic: string, payload: string): Promise<void> {
  const session = await mqttSession(port, { clientId: 'monitor' });
  const answer = await session.exchange(
    publishPacket({ topic, payload: Buffer.from(payload), qos: 1, packetId: 1 }),
  );
  session.close();
  if (answer?.type !== packetType.puback) throw new Error('no PUBACK');
}

/** A report of so many results. */
function big(id: string, rows: number): Buffer {
  const [msh = '', pid = '', obr = '', obx = ''] = message(id, 'GLU7').toString().split('\r');
  return Buffer.from([msh, pid, obr, ...Array.from({ length: rows }, () => obx), ''].join('\r'));
}

/** Each within its own bounds; all together for minutes where there are many results. */
const looping = `classes:
${Array.from(
  { length: 5_000 },
  (_, n) =>
    `  - { name: r${n}, class: bulk, when: 'event.observations.exists(a, event.observations.exists(b, a.value == "x${n}"))' }`,
).join('\n')}
`;

function json(object: object): string {
  return `${JSON.stringify(object, null, 2)}\n`;
}
