/** An urgent message in quarantine is told of for as long as it is there: over a restart, and not beyond its replay. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Finding {
  readonly code: string;
  readonly state: string;
  readonly message: string;
}

t.test('doctor - an urgent message in quarantine, over a restart and until it is replayed', async (t) => {
  const site = await Site.start(t);
  const limit = async (version: number, fieldBytesMax: number) => {
    const yaml = `sources: { lab: { listener: lab } }\nlimits: { fieldBytesMax: ${fieldBytesMax} }\n`;
    const file = site.write(`config-${version}.yaml`, yaml);
    const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'limits');
    t.equal(pushed.code, 0, pushed.stderr);
  };
  const quarantine = async (): Promise<Finding | undefined> => {
    const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
    return (JSON.parse(stdout) as (Finding & { check: string })[]).find(
      ({ check }) => check === 'quarantine',
    );
  };
  await limit(1, 2_000);
  const urgent = [
    'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|U1|P|2.5.1',
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    'OBR|1||F1|2823-3^Potassium^LN|||||||||||||||||||||||^^^^^S',
    'OBX|1|NM|2823-3^Potassium^LN||7.1|mmol/L|||||F',
    `ZNT|1||${'x'.repeat(3_000)}`,
  ];
  const client = await MllpClient.connect({ port: await site.port('lab') });
  await client.send(Buffer.from(urgent.map((line) => `${line}\r`).join('')));
  await client.send(Buffer.from('MSH|^~\\&|L|H|E|H|20261123||QBP^Q11^QBP_Q11|Q1|P|2.5\rQPD|Q11\r'));
  await client.close();
  const listed = () => site.ask<{ id: string; messageControlId: string }[]>('quarantine', 'list');
  const both = await until(async () => (await listed()).length === 2 && listed(), {
    what: 'both in quarantine',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  const told = { code: 'urgent-quarantined', state: 'fail', message: /lab 2, of them urgent 1/ };
  t.match(await quarantine(), told);
  await site.gateway?.kill();
  await site.startGateway();
  await site.connected();
  t.match(await quarantine(), told, 'also after a restart');

  await limit(2, 4_000);
  const id = both.find(({ messageControlId }) => messageControlId === 'U1')?.id ?? '';
  t.equal((await site.ctl('quarantine', 'replay', id, '--reason', 'limits')).code, 0);
  await site.drained();
  t.match(
    await quarantine(),
    { code: 'quarantined', state: 'warn', message: /lab 1\)/ },
    'the other one can wait',
  );
});
