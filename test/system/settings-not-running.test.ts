/** doctor tests the file; where the gateway that runs has read another one before, it says so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const listeners = 'listeners:\n  lab: { type: mllp, listen: "127.0.0.1:0", connectionsMax: 9 }\n';
const proxy = (at: string) => `uplink: { proxy: "http://site:s3cret@${at}" }\n`;

t.test('doctor - settings that are newer than the running gateway are told', async (t) => {
  const site = new Site(t, { settings: `${listeners}${proxy('127.0.0.1:1')}` });
  await site.startGateway();
  const told = async (...more: string[]) => {
    const { stdout } = await runProgram('gateway', [
      'doctor',
      '--data',
      site.gatewayData,
      '-o',
      'json',
      ...more,
    ]);
    const findings = JSON.parse(stdout) as { state: string; code: string; message: string; todo: string }[];
    return findings.find(({ code }) => code === 'settings-not-running');
  };
  const file = join(site.gatewayData, 'settings.yaml');
  t.equal(await told(), undefined, 'it runs what is there');
  const running = async () => (JSON.parse(await site.http('/status')) as { settings: object }).settings;
  const before = await running();
  t.match(before, { file, digest: /^[0-9a-f]{32}$/ });

  writeFileSync(
    file,
    `# looked at by j.doe\n${proxy('127.0.0.1:1')}listeners:\n  lab: { connectionsMax: 9, listen: "127.0.0.1:0", type: mllp, idleTimeout: 24h }\nstatus: { listen: "127.0.0.1:0" }\n`,
  );
  t.equal(await told(), undefined, 'a comment, an order and a default written out are no change');

  site.useSettings(`${listeners}${proxy('127.0.0.1:3128')}`);
  t.match(await told(), { state: 'warn', message: new RegExp(file), todo: /restart the gateway/ });
  t.same(await running(), before);
  await site.gateway?.stop();
  await site.startGateway();
  t.equal(await told(), undefined, 'restarted');

  site.useSettings(
    `${listeners}${proxy('127.0.0.1:3128')}destinations: { ehr: { tls: { serverName: ehr } } }\n`,
  );
  t.match(await told(), { state: 'warn' });
  site.gateway?.signal('SIGHUP');
  await until(async () => (await told()) === undefined, { what: 'what a reload takes up', everyMs: 100 });

  const other = site.write('other.yaml', `${listeners}`);
  t.match(await told('--settings', other), {
    message: new RegExp(`${file}.*${other}`),
    todo: new RegExp(`--settings ${file}`),
  });
  t.notOk(`${JSON.stringify(await running())}${site.printed()}`.includes('s3cret'));
});
