/** A config's rules for critical results in a running gateway: the event's class and mark, and the counts in its status. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';

const report = (id: string, value: string, unit: string) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE||19800101|F',
      `OBR|1||F-${id}|2823-3^Potassium^LN`,
      `OBX|1|NM|2823-3^Potassium^LN||${value}|${unit}|||||F`,
      '',
    ].join('\r'),
  );

t.test(
  'critical - a result that its sender did not flag arrives as stat with its mark, and is counted',
  async (t) => {
    const site = await Site.start(t);
    const config = 'critical:\n  potassium: { code: "2823-3", unit: mmol/L, above: "6.0" }\n';
    const file = site.write('site.yaml', config);
    const pushed = await site.ctl('config', 'push', file, '--site', 'north', '--reason', 'criticals');
    t.equal(pushed.code, 0, pushed.stderr);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.equal((await client.send(report('CRIT1', '7.1', 'mmol/L'))).code, 'AA');
    t.equal((await client.send(report('CRIT2', '4.0', 'mmol/L'))).code, 'AA');
    t.equal((await client.send(report('CRIT3', '28', 'mg/dL'))).code, 'AA');
    await client.close();
    await site.drained();
    const events = await site.events();
    const of = (id: string) => events.find(({ provenance }) => provenance.messageControlId === id);
    t.match(of('CRIT1'), {
      class: 'stat',
      observations: [{ value: '7.1', critical: { rule: 'potassium', why: 'above 6.0 mmol/L' } }],
    });
    t.equal(of('CRIT2')?.class, 'routine');
    t.equal(of('CRIT3')?.class, 'routine', 'another unit is not compared');
    const { critical } = (await site.status()) as unknown as { critical: unknown };
    t.same(critical, [
      { source: 'lab', rule: 'potassium', marked: 1, notApplied: { unit: 1, value: 0, age: 0, sex: 0 } },
    ]);
  },
);
