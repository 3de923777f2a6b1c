/**
 * What runs is what the gateway says it runs: a config that was pushed and refused changes no diff, no list of codes
 * and no budget. And a gateway that is moved to another control plane takes that one's configs.
 */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Code {
  readonly code: string;
  readonly state: string;
}
interface Latency {
  readonly class: string;
  readonly hop: string;
  readonly budgetUs?: string;
}

t.test('config - what was refused does not run, for diff, codes and latency', async (t) => {
  const site = await Site.start(t);
  const push = (of: Site, name: string, yaml: string) =>
    of.ctl('config', 'push', of.write(name, yaml), '--site', site.site, '--reason', 'test');
  const good = 'sources: { lab: { listener: lab } }\nbudgets: { routine: 77s }\n';
  t.equal((await push(site, 'good.yaml', good)).code, 0);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const lines = [
    'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|R1|P|2.5.1',
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    'OBR|1||F1|PAN^Panel^99LAB||||||||||||||||||||||F||^^^^^R',
    'OBX|1|NM|K^Kalium^99LAB||4.1|mmol/L|||||F',
  ];
  await client.send(Buffer.from(lines.map((line) => `${line}\r`).join('')));
  await client.close();
  await site.drained();
  const codes = (...more: string[]) => site.ask<Code[]>('codes', 'list', ...more);
  await until(async () => (await codes()).some(({ code }) => code === 'K'), {
    what: 'the code on the worklist',
    timeoutMs: 60_000,
    everyMs: 200,
  });

  const bad = `sources: { lab: { listener: lab }, x: { listener: nowhere } }
budgets: { routine: 99s }
codes: { local: { from: 99LAB, to: "http://loinc.org", map: { K: "2823-3" } } }
`;
  t.equal((await push(site, 'bad.yaml', bad)).code, 3);
  const file = site.write('bad.yaml', bad);
  const diff = await site.ctl('config', 'diff', file, '--site', site.site);
  t.match(diff.stdout, /^\+ codes:/m);
  t.match(diff.stderr, /Compared with version 1, which runs; version 2 is desired and does not/);
  t.match(await site.ask('config', 'diff', file, '--site', site.site), { running: '1', desired: '2' });
  t.equal((await codes()).find(({ code }) => code === 'K')?.state, 'unmapped');
  t.ok((await codes('--unmapped')).some(({ code }) => code === 'K'));
  for (const where of [[], ['--gateway', 'north'], ['--site', 'north']]) {
    const rows = await until(
      async () => {
        const found = await site.ask<Latency[]>('latency', ...where);
        return found.some(({ hop }) => hop === 'total') && found;
      },
      { what: 'the latency being reported', timeoutMs: 60_000, everyMs: 500 },
    );
    const total = rows.find((row) => row.hop === 'total' && row.class === 'routine');
    t.equal(total?.budgetUs, '77000000', where.join(' '));
  }

  // Its versions begin anew, and the first has the number of the one that runs.
  const other = new Site(t, { site: site.site });
  await other.startPlane();
  const token = await other.ctl('token', 'create', '--site', other.site);
  await site.gateway?.stop();
  const enrolled = await runProgram(
    'gateway',
    ['enroll', '--data', site.gatewayData, '--token', '-', '--replace'],
    { input: token.stdout },
  );
  t.equal(enrolled.code, 0, enrolled.stderr);
  const waiting = await push(
    other,
    'moved.yaml',
    'sources: { lab: { listener: lab } }\nbudgets: { routine: 55s }\n',
  );
  t.match(waiting.stdout, /pending/, waiting.stderr);
  await site.startGateway();
  const status = () =>
    other.ask<{ config: { running?: { outcome: string; hash: string }; desired: { hash: string } } }[]>(
      'config',
      'status',
    );
  await until(
    async () => {
      const [row] = await status();
      return row?.config.running?.hash === row?.config.desired.hash;
    },
    { what: 'the new config running', timeoutMs: 60_000, everyMs: 200 },
  );
  const again = await push(other, 'more.yaml', 'sources: { lab: { listener: lab } }\n');
  t.match(again.stdout, /Version \d+, in place of \d+ \([^)]+\)\.\n {2}north {2}applied/);

  t.equal((await other.ctl('revoke', 'north', '--reason', 'test')).code, 0);
  const nobody = await push(other, 'more.yaml', 'sources: { lab: { listener: lab } }\n');
  t.equal(nobody.code, 1);
  t.match(
    nobody.stderr,
    /Site "north" has no gateway that takes a config: north is revoked\. Enroll one: hilumctl token create/,
  );
});
