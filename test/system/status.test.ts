/** What is remembered of orders, in real daemons: over kills without warning, and where urgency overtakes. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Class } from '../../gateway/capture/intake.ts';
import { Journal } from '../../gateway/journal/journal.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface StatusEvent extends EventLine {
  readonly superseded?: boolean;
  readonly supersessions?: readonly {
    readonly what: string;
    readonly record: { readonly sequence: string };
    readonly status: string;
    readonly thisIsSuperseded?: boolean;
  }[];
  readonly observations: readonly {
    readonly value: string;
    readonly superseded?: boolean;
    readonly previous?: readonly { readonly value: string; readonly status: string }[];
  }[];
}

const canaryWords = ['CANARYPATIENT', 'CANARYMRN', 'CANARYFILLER'];

function oru(id: string, order: number, issued: string, status: string, value: string, flag = ''): Buffer {
  return Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123${issued}30+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      `PID|1||CANARYMRN${order}^^^HOSP^MR||CANARYPATIENT^JANE||19800101|F`,
      `OBR|1|P${order}|CANARYFILLER${order}|2823-3^Potassium^LN|||20261123080000+0100|||||||||||||||20261123${issued}00+0100||CH|${status}`,
      `OBX|1|NM|2823-3^Potassium^LN||${value}|mmol/L|3.5-5.1|${flag}|||${status}|||20261123080000+0100`,
      '',
    ].join('\r'),
    'latin1',
  );
}

async function eventsById(site: Site): Promise<Map<string, StatusEvent>> {
  const events = (await site.events()) as StatusEvent[];
  const byId = new Map(events.map((event) => [event.provenance.messageControlId, event]));
  if (byId.size !== events.length) throw new Error(`${events.length} events of ${byId.size} messages`);
  return byId;
}

function sequenceOf(event: StatusEvent | undefined): string | undefined {
  return event?.provenance.record.sequence;
}

t.test(
  'status - what was remembered survives kill -9, and a late preliminary stays superseded',
  async (t) => {
    const site = await Site.start(t);
    const orders = 20;
    const step = async (name: string, issued: string, status: string, value: string) => {
      const client = await MllpClient.connect({ port: await site.port('lab') });
      for (let order = 1; order <= orders; order += 1) {
        const { code } = await client.send(oru(`${name}${order}`, order, issued, status, value));
        if (code !== 'AA') throw new Error(`${name}${order}: ${code}`);
      }
      // Some of what was answered is normalized by now, some is not.
      await site.gateway?.kill();
      await client.close();
      await site.startGateway();
    };
    await step('PRELIM', '0900', 'P', '3.9');
    await step('FINAL', '1000', 'F', '4.1');
    await step('LATE', '0930', 'P', '4.0');
    await site.connected();
    await site.drained();
    const events = await eventsById(site);
    t.equal(events.size, orders * 3);
    for (let order = 1; order <= orders; order += 1) {
      const [prelim, final, late] = ['PRELIM', 'FINAL', 'LATE'].map((name) => events.get(`${name}${order}`));
      t.same(
        [prelim?.supersessions, prelim?.superseded],
        [undefined, undefined],
        'the first replaces nothing',
      );
      const replaced = {
        status: 'preliminary',
        record: { sequence: sequenceOf(prelim) },
        statusFlag: undefined,
      };
      t.match(final?.supersessions, [
        { what: 'order', ...replaced },
        { what: 'observations[0]', ...replaced },
      ]);
      t.equal(final?.superseded, undefined);
      t.match(final?.observations, [{ value: '4.1', previous: [{ value: '3.9', status: 'preliminary' }] }]);
      const by = { status: 'final', record: { sequence: sequenceOf(final) }, thisIsSuperseded: true };
      t.match(late, { superseded: true, observations: [{ superseded: true }], supersessions: [by, by] });
    }
    await site.gateway?.kill();
    const folder = join(site.gatewayData, 'journal');
    for (const name of readdirSync(folder)) {
      const file = readFileSync(join(folder, name), 'latin1');
      for (const word of canaryWords) t.notOk(file.includes(word), `${word} in ${name}`);
    }
    for (const word of canaryWords) t.notOk(site.printed().includes(word), `${word} in what was printed`);
  },
);

t.test('status - a final that an urgent correction has overtaken comes out superseded', async (t) => {
  const site = new Site(t);
  await site.startPlane();
  await site.enroll();
  const key = randomBytes(32);
  writeFileSync(join(site.gatewayData, 'key'), `${key.toString('base64')}\n`, { mode: 0o600 });
  const nothing = () => {};
  const journal = await Journal.open(
    {
      directory: join(site.gatewayData, 'journal'),
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 1000,
      repeatAgeMs: 1e9,
      memoryEntriesMax: 1000,
      memoryBytesMax: 1024 ** 2,
      orderKeysOf: () => [],
    },
    {
      onFault: nothing,
      onAlarm: nothing,
      onRecords: nothing,
      onEvents: nothing,
      onEpoch: nothing,
      onDeliveries: nothing,
      onRepeat: nothing,
    },
  );
  // As capture leaves them when the gateway stops before it has normalized anything.
  const captured: [string, Buffer, Class][] = [
    ['FINAL', oru('FINAL', 1, '1000', 'F', '4.1'), 'routine'],
    ['CORRECTED', oru('CORRECTED', 1, '1100', 'C', '7.1', 'HH'), 'stat'],
  ];
  for (const [messageControlId, raw, classGuess] of captured) {
    const capturedAtUs = BigInt(Date.now()) * 1000n;
    await journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw,
      capturedAtUs,
      classGuess,
      messageControlId,
    });
  }
  await journal.stop();
  await journal.close();
  await site.startGateway();
  await site.connected();
  await until(async () => (await site.custodyOf('lab')).delivered === 2, { what: 'both being delivered' });
  const events = await eventsById(site);
  const corrected = events.get('CORRECTED');
  t.match(corrected, { class: 'stat', superseded: undefined, supersessions: undefined });
  t.match(events.get('FINAL'), {
    class: 'routine',
    superseded: true,
    observations: [{ value: '4.1', superseded: true }],
    supersessions: [
      { status: 'corrected', record: { sequence: sequenceOf(corrected) }, thisIsSuperseded: true },
      {},
    ],
  });
});
