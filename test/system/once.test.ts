/**
 * Once only, in real daemons over a kill of the gateway: the result that two feeds bring, the alarm that a device
 * repeats. Every record is kept, delivered and counted; readers and local destinations get it once.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mqttSession } from '../faults/mqtt-session.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface OnceEvent extends EventLine {
  readonly once?: {
    readonly rule: string;
    readonly role: string;
    readonly links: readonly {
      readonly record: { readonly sequence: string };
      readonly source: string;
      readonly differs?: readonly string[];
    }[];
    readonly heldBack?: readonly string[];
    readonly repeats?: number;
  };
}

const canary = 'CANARYPATIENT';

const result = (id: string, filler: string, value: string) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123100100+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      `PID|1||4711^^^HOSP^MR||${canary}^JANE`,
      `OBR|1||${filler}|GLU7^Glucose^99LAB|||20261123080000+0100|||||||||||||||20261123100000+0100||LAB|F`,
      `OBX|1|NM|GLU7^Glucose^99LAB||${value}|mmol/L|||||F`,
      `SPM|1|^S-${filler}||SER^Serum^HL70487`,
      '',
    ].join('\r'),
  );

async function send(site: Site, listener: string, ...messages: Buffer[]): Promise<void> {
  const client = await MllpClient.connect({ port: await site.port(listener) });
  for (const message of messages) {
    const { code } = await client.send(message);
    if (code !== 'AA') throw new Error(`answered ${code}`);
  }
  await client.close();
}

async function publish(site: Site, ...alarms: object[]): Promise<void> {
  const session = await mqttSession(await site.port('ward'), { clientId: 'monitor' });
  for (const [at, alarm] of alarms.entries()) {
    const payload = Buffer.from(JSON.stringify({ device: 'mon-1', patient: '4711', alarm }));
    const topic = 'devices/icu/alarms';
    const answer = await session.exchange(publishPacket({ topic, payload, qos: 1, packetId: at + 1 }));
    if (answer?.type !== packetType.puback) throw new Error('no PUBACK');
  }
  session.close();
}

t.test('once - two feeds and a device that repeats: one effect, over a kill, and nothing lost', async (t) => {
  const site = await Site.start(t);
  const ehr = await MllpServer.start((message) => [acknowledge(message, 'AA')]);
  t.teardown(() => ehr.close());
  const config = (more: string) => `sources:
  lab: { listener: lab }
  copy: { listener: adt }
  ward: { listener: ward, topics: [devices/#] }
destinations:
  ehr: { type: mllp, address: "127.0.0.1:${ehr.port}" }
routes:
  results: { when: 'event.kind == "observation"', to: ehr }
once:
  results: { twice: { feeds: [lab, copy], authoritative: lab } }
  alarms: { quiet: { window: 1h } }
${more}`;
  const push = async (more: string) => {
    const file = site.write('site.yaml', config(more));
    const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'test');
    t.equal(pushed.code, 0, pushed.stderr);
  };
  await push('');
  const of = async (id: string, ...args: string[]) =>
    ((await site.events('--repeats', ...args)) as OnceEvent[]).find(
      ({ provenance }) => provenance.messageControlId === id,
    );

  await send(site, 'lab', result('LAB1', 'F1', '7.40'));
  await send(site, 'adt', result('COPY2', 'F2', '5.0'), result('COPY3', 'F3', '5.0'));
  const medium = { code: 'spo2-low', priority: 'medium', phase: 'start' };
  await publish(site, medium, medium, { ...medium, code: 'asystole', priority: 'high' });
  await site.drained();

  // What was said before a kill is known after it.
  await site.gateway?.kill();
  await site.startGateway();
  await send(site, 'adt', result('COPY1', 'F1', '7.40'));
  await send(site, 'lab', result('LAB2', 'F2', '5.0'), result('LAB3', 'F3', '5.1'));
  await publish(
    site,
    { ...medium, code: 'asystole', priority: 'high' },
    medium,
    { ...medium, phase: 'end' },
    medium,
    { ...medium, priority: 'low' },
  );
  await site.drained();

  const position = async (id: string) => (await of(id))?.provenance.record.sequence;
  t.match((await of('COPY1'))?.once, {
    rule: 'results.twice',
    role: 'repeat',
    links: [{ record: { sequence: await position('LAB1') }, source: 'lab' }],
    heldBack: ['ehr'],
  });
  t.match((await of('LAB2'))?.once, {
    role: 'effective',
    links: [{ record: { sequence: await position('COPY2') }, source: 'copy' }],
    heldBack: ['ehr'],
  });
  t.match((await of('LAB3'))?.once, { role: 'conflict', links: [{ differs: ['value'] }] });
  t.equal((await of('LAB1'))?.once, undefined);

  const usual = (await site.events('--kind', 'observation')) as OnceEvent[];
  t.same(
    usual.map(({ provenance }) => provenance.messageControlId).sort(),
    ['COPY2', 'COPY3', 'LAB1', 'LAB2', 'LAB3'],
    'readers get the repeat only when they ask',
  );
  await until(async () => (await site.status()).destinations.every(({ pending }) => Number(pending) === 0), {
    what: 'the EHR having all',
    timeoutMs: 60_000,
  });
  t.same(
    ehr.received.map(controlIdOf).sort(),
    ['COPY2', 'COPY3', 'LAB1', 'LAB3'],
    'a local destination gets the same once',
  );

  const alarms = (await site.events('--kind', 'device-alarm', '--repeats')) as OnceEvent[];
  const inOrder = alarms.sort(
    (a, b) => Number(a.provenance.record.sequence) - Number(b.provenance.record.sequence),
  );
  t.same(
    inOrder.map(({ once }) => [once?.role, once?.repeats, once?.links[0]?.differs]),
    [
      [undefined, undefined, undefined],
      ['repeat', undefined, undefined],
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
      ['repeat', undefined, undefined],
      ['linked', 2, ['phase']],
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ],
    'first, high, ended, raised again and changed ones pass',
  );
  t.equal((await site.events('--kind', 'device-alarm')).length, 6);
  t.ok(
    inOrder.every(
      ({ once }) =>
        once?.role !== 'repeat' || once.links[0]?.record.sequence === inOrder[0]?.provenance.record.sequence,
    ),
  );

  for (const [source, accepted] of [
    ['lab', '3'],
    ['copy', '3'],
    ['ward', '8'],
  ] as const) {
    const row = await site.reported(source, { accepted, delivered: accepted });
    t.match(row, { duplicates: '0', missing: '0', doubled: '0' }, `${source}: every record is accounted for`);
  }
  // Since the gateway's start, which was after the kill.
  const { once: counted } = (await site.status()) as unknown as { once: unknown[] };
  t.same(counted, [
    { source: 'copy', rule: 'results.twice', repeats: 1, effective: 0, linked: 0, conflicts: 0 },
    { source: 'lab', rule: 'results.twice', repeats: 0, effective: 1, linked: 0, conflicts: 1 },
    { source: 'ward', rule: 'alarms.quiet', repeats: 1, effective: 0, linked: 1, conflicts: 0 },
  ]);
  const reported = await until(
    async () => {
      const rows = await site.ask<{ source: string; once: Record<string, string>[] }[]>('sources');
      return rows.length === 3 && rows.every(({ once }) => once.length === 1) && rows;
    },
    { what: 'the counts at the centre', timeoutMs: 60_000, everyMs: 200 },
  );
  t.match(
    reported.find(({ source }) => source === 'copy'),
    { once: [{ rule: 'results.twice', repeats: '1', conflicts: '0' }] },
  );
  t.match((await site.ctl('sources')).stdout, /results\.twice 1 repeats/);
  t.match(
    await site.http('/metrics'),
    /hilum_once_events_total\{source="ward",rule="alarms.quiet",what="repeats"\} 1/,
  );

  const repeat = (await of('COPY1'))?.id ?? '';
  t.match(
    (await site.ctl('trace', 'COPY1')).stdout,
    /a repeat of record [0-9a-f]+\.\d+ of lab, and without an effect \(once\.results\.twice\); not sent to ehr, which had it/,
  );
  t.match((await site.ask<{ once: object }>('trace', repeat)).once, { role: 'repeat' });
  t.match(
    (await site.ctl('explain', repeat, '--reason', 'test')).stdout,
    /Beside other events: a repeat of record/,
  );
  const raw = await of('COPY1', '--raw', '--reason', 'test');
  t.ok(Buffer.from(raw?.raw ?? '', 'base64').equals(result('COPY1', 'F1', '7.40')), 'its bytes are kept');

  // What is mapped again stays what it was beside the others.
  await push('codes: { glucose: { from: 99LAB, to: http://loinc.org, map: { GLU7: "2345-7" } } }\n');
  for (const source of ['lab', 'copy']) {
    const replayed = await site.ctl(
      'codes',
      'replay',
      'GLU7',
      '--site',
      site.site,
      '--source',
      source,
      '--reason',
      'x',
    );
    t.equal(replayed.code, 0, replayed.stderr);
  }
  const again = ((await site.events('--repeats', '--kind', 'observation')) as OnceEvent[]).slice(6);
  t.same(Object.fromEntries(again.map(({ provenance, once }) => [provenance.messageControlId, once?.role])), {
    LAB1: undefined,
    LAB2: 'effective',
    LAB3: 'conflict',
    COPY1: 'repeat',
    COPY2: undefined,
    COPY3: undefined,
  });
  t.ok(again.find(({ once }) => once?.role === 'repeat')?.provenance.rules?.includes('memory/once'));
  t.equal((await site.events('--kind', 'observation')).length, 10, 'and the repeat is left out');

  await site.gateway?.kill();
  for (const name of readdirSync(join(site.gatewayData, 'journal'))) {
    const file = readFileSync(join(site.gatewayData, 'journal', name), 'latin1');
    t.notOk(file.includes(canary), name);
  }
  t.notMatch(site.printed(), /CANARY|7\.40/);
});
