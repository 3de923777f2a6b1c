/**
 * Once only, in real daemons: a destination is never refused what it has not had, and an alarm that was raised again is
 * heard, whatever came out of quarantine in between.
 */
import t from 'tap';
import { mqttSession } from '../faults/mqtt-session.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface OnceEvent extends EventLine {
  readonly once?: { readonly role: string; readonly heldBack?: readonly string[] };
  readonly supersessions?: readonly { readonly record: { readonly sequence: string } }[];
}

const head = (id: string) => [
  `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123100100+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
  'PID|1||4711^^^HOSP^MR||DOE^JANE',
];

const group = (at: number, filler: string, flag = '', status = 'F') => [
  `OBR|${at}||${filler}|GLU7^Glucose^99LAB|||20261123080000+0100|||||||||||||||20261123100000+0100||LAB|${status}`,
  `OBX|1|NM|GLU7^Glucose^99LAB||5.0|mmol/L||${flag}|||${status}`,
];

const message = (id: string, ...groups: string[][]) =>
  Buffer.from([...head(id), ...groups.flat(), ''].join('\r'));

const template = (device: string) => `
payloads:
  monitor:
    device: ${device}
    alarm: { text: $.says, priority: { from: $.level }, phase: { from: $.phase } }
`;

t.test(
  'once - a destination gets what it has not had, and an alarm that was raised again is heard',
  async (t) => {
    const site = await Site.start(t);
    const [ehr, pager] = [
      await MllpServer.start((received) => [acknowledge(received, 'AA')]),
      await MllpServer.start((received) => [acknowledge(received, 'AA')]),
    ];
    t.teardown(() => Promise.all([ehr.close(), pager.close()]));
    const push = async (device: string) => {
      const file = site.write(
        'site.yaml',
        `sources:
  lab: { listener: lab }
  copy: { listener: adt }
  ward: { listener: ward, topics: [devices/#], payloads: [monitor] }
destinations:
  ehr: { type: mllp, address: "127.0.0.1:${ehr.port}" }
  pager: { type: mllp, address: "127.0.0.1:${pager.port}" }
routes:
  loud: { when: 'event.class == "stat"', to: pager }
  results: { when: 'event.kind == "observation" && event.class != "stat"', to: ehr }
once:
  results: { twice: { feeds: [lab, copy], authoritative: lab } }
  alarms: { quiet: { window: 1h } }
${template(device)}`,
      );
      const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'test');
      t.equal(pushed.code, 0, pushed.stderr);
    };
    const send = async (listener: string, ...messages: Buffer[]) => {
      const client = await MllpClient.connect({ port: await site.port(listener) });
      for (const one of messages) t.equal((await client.send(one)).code, 'AA');
      await client.close();
    };
    let packetId = 0;
    const publish = async (payload: object) => {
      packetId += 1;
      const session = await mqttSession(await site.port('ward'), { clientId: 'monitor' });
      const said = {
        topic: 'devices/icu/x',
        payload: Buffer.from(JSON.stringify(payload)),
        qos: 1,
        packetId,
      } as const;
      t.equal((await session.exchange(publishPacket(said)))?.type, packetType.puback);
      session.close();
    };
    await push('$.device');

    // The routine result stands in a record that is urgent because of another one, so it went to the pager alone.
    await send('lab', message('LAB1', group(1, 'F1'), group(2, 'F2', 'HH')));
    await site.drained();
    await send('adt', message('COPY1', group(1, 'F1')), message('COPY2', group(1, 'F2', 'HH')));
    // A preliminary of the one feed, a final of the other: the first feed's final is all that replaces its preliminary.
    await send('adt', message('COPY3', group(1, 'F3', '', 'P')));
    await site.drained();
    await send('lab', message('LAB4', group(1, 'F3')));
    await site.drained();
    await send('adt', message('COPY4', group(1, 'F3')));

    const alarm = { says: 'SpO2 low', level: 'medium', phase: 'start' };
    await publish({ device: 'mon-1', ...alarm });
    await publish({ unit: 'mon-1', ...alarm });
    await publish({ device: 'mon-1', ...alarm, phase: 'end' });
    // An end that cannot be read, beside one that can.
    await publish({ device: 'mon-2', ...alarm });
    await publish({ unit: 'mon-2', ...alarm, phase: 'end' });
    await publish({ device: 'mon-2', ...alarm });
    await publish({ device: 'mon-2', ...alarm });
    const entries = await until(
      async () => {
        const found = await site.ask<{ id: string; recordSequence: string }[]>('quarantine', 'list');
        return found.length === 2 && found;
      },
      { what: 'the alarms in quarantine', timeoutMs: 60_000 },
    );
    const [entry] = entries.sort((a, b) => Number(a.recordSequence) - Number(b.recordSequence));
    await push('[$.device, $.unit]');
    t.equal((await site.ctl('quarantine', 'replay', entry?.id ?? '', '--reason', 'test')).code, 0);
    const alarms = async () => (await site.events('--kind', 'device-alarm', '--repeats')) as OnceEvent[];
    await until(async () => (await alarms()).length === 6, { what: 'the replayed alarm', timeoutMs: 60_000 });
    await publish({ device: 'mon-1', ...alarm });
    await publish({ device: 'mon-1', ...alarm });
    await until(async () => (await alarms()).length === 8, { what: 'all alarms', timeoutMs: 60_000 });
    t.same(
      (await alarms())
        .sort((a, b) => Number(a.provenance.record.sequence) - Number(b.provenance.record.sequence))
        .map(({ once }) => once?.role ?? 'passed'),
      ['passed', 'passed', 'passed', 'passed', 'repeat', 'passed', 'passed', 'repeat'],
    );

    const of = async (id: string) =>
      ((await site.events('--repeats')) as OnceEvent[]).find(
        ({ provenance }) => provenance.messageControlId === id,
      );
    t.match((await of('COPY1'))?.once, { role: 'repeat' });
    t.notOk((await of('COPY1'))?.once?.heldBack?.length);
    t.match((await of('COPY2'))?.once, { role: 'repeat', heldBack: ['pager'] });
    t.match((await of('COPY4'))?.once, { role: 'linked', links: [{ differs: ['supersedes'] }] });
    t.match((await of('COPY4'))?.supersessions, [
      { record: { sequence: (await of('COPY3'))?.provenance.record.sequence } },
    ]);
    await until(
      async () => (await site.status()).destinations.every(({ pending }) => Number(pending) === 0),
      {
        what: 'the destinations having all',
        timeoutMs: 60_000,
      },
    );
    t.same(ehr.received.map(controlIdOf).sort(), ['COPY1', 'COPY3', 'COPY4', 'LAB4']);
    t.same(pager.received.map(controlIdOf), ['LAB1']);
    t.match(
      (await site.ctl('trace', 'COPY4')).stdout,
      /beside record [0-9a-f]+\.\d+ of lab \(other supersedes\); both stay/,
    );
  },
);
