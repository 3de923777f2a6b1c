/** A rule of the config whose condition cannot be evaluated: not met, and nobody can overlook it. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';

const message = (type: string, id: string, ...segments: string[]) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||${type}|${id}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE||19800101|F',
      ...segments,
      '',
    ].join('\r'),
  );

const config = `
classes:
  rules:
    - { name: first-potassium, when: 'event.observations[0].code.codings[0].code == "2823-3"', class: urgent }
`;

t.test('rules - one that fails does not match; the event, status, doctor and metrics say so', async (t) => {
  const site = await Site.start(t);
  const file = site.write('site.yaml', config);
  const pushed = await site.ctl('config', 'push', file, '--site', 'north', '--reason', 'potassium first');
  t.equal(pushed.code, 0, pushed.stderr);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const result = ['OBR|1||F1|2823-3^Potassium^LN', 'OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F'];
  t.equal((await client.send(message('ORU^R01', 'RULE1', ...result))).code, 'AA');
  t.equal((await client.send(message('ADT^A01', 'RULE2', 'EVN|A01', 'PV1|1|I|W^1^2'))).code, 'AA');
  await client.close();
  await site.drained();
  const events = await site.events();
  const of = (id: string) => events.find(({ provenance }) => provenance.messageControlId === id);
  t.equal(of('RULE1')?.class, 'urgent');
  t.same(of('RULE1')?.provenance.remarks ?? [], []);
  t.equal(of('RULE2')?.class, 'routine', 'an admission has no first observation');
  t.same(of('RULE2')?.provenance.remarks, [
    'the condition of class rule first-potassium could not be evaluated, and counts as not met',
  ]);
  const status = (await site.status()) as unknown as { failedRules: unknown; alarms: { code: string }[] };
  t.same(status.failedRules, [{ source: 'lab', rule: 'class rule first-potassium', records: 1 }]);
  t.ok(status.alarms.some(({ code }) => code === 'config-rule-failed'));
  const text = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.match(text.stdout, /rule +lab: the condition of class rule first-potassium FAILED on 1 records/);
  const doctor = await runProgram('gateway', ['doctor', '--data', site.gatewayData]);
  t.match(doctor.stdout, /config-rule-failed/);
});
