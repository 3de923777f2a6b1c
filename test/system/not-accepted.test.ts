/** What `accept` of a source refuses is seen: told before a push, counted by source and field, named by doctor. */
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const mistyped =
  'sources: { lab: { listener: lab, accept: { versions: ["251", "2.5.1"], processingIds: [PROD] } } }\n';

t.test('accept - a value that is in no table of HL7 is told, and not refused', async (t) => {
  const { config, problems } = checkConfig(mistyped);
  t.same(problems, undefined);
  const told = config === undefined ? [] : warningsOf(config);
  t.match(told, [
    /^sources\.lab\.accept\.processingIds\[0\]: "PROD" is no MSH-11 of HL7 table 0103 \(it has P, T, D\)/,
    /^sources\.lab\.accept\.versions\[0\]: "251" is no MSH-12 of HL7 table 0104 \(did you mean "2\.5\.1"\?\)/,
  ]);
  t.equal(told.length, 2);
  const right = checkConfig(
    'sources: { lab: { listener: lab, accept: { versions: ["2.3"], processingIds: [P, T] } } }\n',
  );
  t.same(right.config === undefined ? undefined : warningsOf(right.config), []);
});

t.test('accept - a lab that is refused for it is counted, shown and named', async (t) => {
  const site = await Site.start(t);
  const file = site.write('config.yaml', mistyped);
  const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'accept');
  t.match(pushed, { code: 0, stderr: /"PROD" is no MSH-11/ });
  await until(async () => (await site.status()).config.running.version === '1', {
    what: 'the config running',
  });
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const make = messageMaker({ kind: 'oru', seed: 1 });
  for (let n = 0; n < 3; n += 1) t.equal((await client.send(make(n).bytes)).code, 'AR');

  t.match(JSON.parse(await site.http('/status')), {
    notAccepted: [{ source: 'lab', field: 'MSH-11', count: 3, atUs: /^\d+$/ }],
  });
  t.match(await site.http('/metrics'), /^hilum_source_refused_total{source="lab",field="MSH-11"} 3$/m);
  const status = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.match(status.stdout, /^accept {4}lab: REFUSED 3 messages for their MSH-11, as the config says$/m);
  const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
  t.match(
    (JSON.parse(stdout) as { code: string }[]).find(({ code }) => code === 'not-accepted'),
    {
      state: 'warn',
      message: /^lab: 3 messages refused for their MSH-11/,
      todo: /sources\.lab\.accept\.processingIds/,
    },
  );
});
