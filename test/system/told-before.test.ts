/** What a verb of the gateway can tell before somebody is surprised. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownDirectory } from '../../gateway/process/owner.ts';
import { folderOf, runProgram } from '../kit/site.ts';

t.test('check - a config is warned of with what the settings know', async (t) => {
  const data = folderOf(t);
  writeFileSync(
    join(data, 'settings.yaml'),
    `listeners:
  lab: { type: mllp, listen: "127.0.0.1:0" }
  own: { type: mllp, listen: "0.0.0.0:25999", tls: { mode: none, range: [127.0.0.1], reason: a, owner: b } }
  ward: { type: mqtt, listen: "127.0.0.1:0", anonymous: { publish: ["devices/#"] } }
`,
  );
  const file = join(data, 'site.yaml');
  const check = (text: string) => {
    writeFileSync(file, text);
    return runProgram('gateway', ['check', '--data', data, file]);
  };
  t.match(
    await check(`sources:
  lab: { listener: lab, kind: device, accept: { processingIds: [PROD] } }
  pumps: { listener: ward, topics: ["pumps/#", "+/pumps", "devices"] }
  monitors: { listener: ward, kind: hl7v2, topics: ["devices/icu/+"] }
`),
    {
      code: 0,
      stdout: /site\.yaml: no mistake, 4 warnings:\n$/,
      stderr: `sources.lab.kind: the listener "lab" is MLLP, which brings hl7v2: device has no effect.
sources.monitors.kind: the listener "ward" is MQTT, which brings device: hl7v2 has no effect.
sources.pumps.topics: nobody may publish to pumps/# at the listener "ward"`,
    },
  );
  t.match(
    await check(`destinations:
  loop: { type: mllp, address: "127.0.0.1:25999" }
  ehr: { type: mllp, address: "10.1.2.3:25999" }
routes: { r: { to: [loop, ehr] } }
`),
    {
      stdout: /site\.yaml: no mistake, 1 warning:\n$/,
      stderr: /^destinations\.loop\.address: 127\.0\.0\.1:25999 is the listener "own" of this gateway/,
    },
  );
  const { stderr } = await check(
    'sources: { pumps: { listener: ward, kind: device, topics: ["+/pumps", "devices/#"] } }\n',
  );
  t.equal(stderr, '');
});

t.test('status - a gateway that does not answer yet is told apart from one that does not run', async (t) => {
  const data = folderOf(t);
  const status = () => runProgram('gateway', ['status', '--data', data]);
  t.match(await status(), {
    code: 69,
    stderr: /^No gateway runs on .*\n.* ask again in some seconds\. Else: systemctl start/,
  });
  const release = await ownDirectory(data);
  t.match(await status(), {
    code: 69,
    stderr: /has .* and does not answer: it starts, or hangs\.\nAsk again in some seconds/,
  });
  release();
});
