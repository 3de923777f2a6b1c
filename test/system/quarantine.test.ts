/** A second try at a real site, one entry of which the disk has damaged. */
import { join } from 'node:path';
import t from 'tap';
import { damageQuarantined } from '../kit/damage.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Listed {
  readonly id: string;
  readonly messageControlId: string;
  readonly state: string;
}

interface Traced {
  readonly hops: readonly { hop: string; atUs: string }[];
  readonly wasQuarantined: readonly Record<'id' | 'code' | 'reason' | 'atUs' | 'replayedAtUs', string>[];
}

t.test('quarantine - a damaged entry is told as such, and the others are tried again', async (t) => {
  const site = await Site.start(t);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const id of ['Q1', 'Q2', 'Q3'])
    await client.send(Buffer.from(`MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ABC^XYZ|${id}|P|2.5\rZZZ|${id}\r`));
  await client.close();
  const list = () => site.ask<Listed[]>('quarantine', 'list');
  const listed = await until(async () => (await list()).length === 3 && list(), {
    what: 'the entries',
    timeoutMs: 20_000,
    everyMs: 100,
  });
  await site.gateway?.stop();
  await damageQuarantined(join(site.gatewayData, 'journal'), 2);
  await site.startGateway();
  await site.connected();

  const ids = listed.map(({ id }) => id);
  const { code, stdout } = await site.ctl('quarantine', 'replay', ...ids, '--reason', 'tried', '-o', 'json');
  t.equal(code, 1);
  const damaged = listed.find(({ messageControlId }) => messageControlId === 'Q2')?.id;
  t.match(JSON.parse(stdout), { replayed: 2, missing: 0, offline: 0, damaged: 1, unanswered: 0 });
  t.same(
    (JSON.parse(stdout) as { results: { id: string; outcome: string }[] }).results,
    ids.map((id) => ({ id, outcome: id === damaged ? 'damaged' : 'replayed' })),
  );
  const left = (await list()).filter(({ id }) => ids.includes(id));
  t.same(
    left.map(({ messageControlId }) => messageControlId),
    ['Q2'],
    'only it is still listed',
  );
  t.match((await site.ctl('quarantine', 'show', damaged ?? '', '--payload', '--reason', 'x')).code, 1);
  t.equal((await site.status()).uplink.state, 'connected');
  const trail = await until(
    async () => {
      const found = await site.ask<{ subject: string; outcome: string; actor: string; reason: string }[]>(
        'audit',
        'list',
        '--action',
        'replayed',
      );
      return found.length === 6 && found;
    },
    { what: 'both ends noting who replayed', timeoutMs: 20_000, everyMs: 100 },
  );
  for (const { reason } of trail) t.equal(reason, 'tried');
  t.equal(trail.filter(({ subject, outcome }) => subject === damaged && outcome === 'failed').length, 2);

  // What nobody needs goes for good, also what cannot be read.
  const now = await until(async () => (await list()).length === 3 && list(), {
    what: 'the two being listed again',
    timeoutMs: 20_000,
    everyMs: 100,
  });
  const gone = now.map((one) => one.id);
  const no = await site.ctl('quarantine', 'discard', ...gone);
  t.match([no.code, no.stderr], [2, /--reason/], 'not without a reason');
  const discarded = await site.ctl('quarantine', 'discard', ...gone, '--reason', 'a portal that is gone');
  t.match([discarded.code, discarded.stdout], [0, /^3 discarded, 0 not there/], discarded.stderr);
  t.same(await list(), []);
  const again = await site.ctl('quarantine', 'discard', ...gone, '--reason', 'again');
  t.match([again.code, again.stdout], [1, /^0 discarded, 3 not there/]);
  for (const id of gone)
    t.match(again.stdout, new RegExp(`\\n  ${id}  not there: it was discarded before`), `${id} is named`);
  const [lost = ''] = gone;
  t.match(await site.ctl('quarantine', 'show', lost, '--payload', '--reason', 'x'), {
    code: 1,
    stderr: new RegExp(
      `^${lost} was discarded (before|at 20.* UTC): its bytes are not in quarantine any more\\. `,
    ),
  });
  const account = { accepted: 3, quarantined: 0, expired: 3, pending: 0, delivered: 0, missing: 0 };
  t.match(await site.custodyOf('lab'), account);
  await until(async () => (await site.ask<{ expired: string }[]>('custody'))[0]?.expired === '3', {
    what: 'the centre counting them',
    timeoutMs: 20_000,
    everyMs: 100,
  });
  const [told] = await site.ask<{ missing: string; quarantined: string }[]>('custody');
  t.match(told, { missing: '0', quarantined: '0' });
  const { stdout: said } = await runProgram('gateway', ['status', '--data', site.gatewayData]);
  t.match(said, /3 accepted = 0 pending \+ 0 delivered \+ 0 quarantined \+ 3 discarded/);
  t.match((await site.ctl('trace', gone[0] ?? '')).stdout, /was in quarantine: .*[\s\S]* {2}discarded /);
  const noted = await site.ask<{ action: string; reason: string }[]>(
    'audit',
    'list',
    '--action',
    'discarded',
  );
  t.ok(noted.length >= 3 && noted.every(({ reason }) => /portal|again/.test(reason)), 'the trail says why');
  await site.gateway?.stop();
  const verify = await runProgram('gateway', ['journal', 'verify', '--data', site.gatewayData, '-o', 'json']);
  t.equal(verify.code, 0, verify.stdout);
  await site.startGateway();
  t.match(await site.custodyOf('lab'), account, 'after a restart as before');
});

t.test('quarantine - the trace of what was replayed says where it was and why, each time', async (t) => {
  const site = await Site.start(t);
  const limit = async (version: number, fieldBytesMax: number) => {
    const yaml = `sources: { lab: { listener: lab } }\nlimits: { fieldBytesMax: ${fieldBytesMax} }\n`;
    const file = site.write(`config-${version}.yaml`, yaml);
    const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'limits');
    t.equal(pushed.code, 0, pushed.stderr);
  };
  await limit(1, 2_000);
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const lines = [
    'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|R1|P|2.5.1',
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    'OBR|1||F1|2823-3^Potassium^LN',
    'OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F',
    `ZNT|1||${'x'.repeat(3_000)}`,
  ];
  await client.send(Buffer.from(lines.map((line) => `${line}\r`).join('')));
  await client.close();
  const open = () =>
    until(async () => (await site.ask<Listed[]>('quarantine', 'list'))[0], {
      what: 'the entry',
      timeoutMs: 20_000,
      everyMs: 100,
    });
  const first = await open();
  const replay = (id: string) => site.ctl('quarantine', 'replay', id, '--reason', 'tried');
  t.equal((await replay(first.id)).code, 0);
  const second = await open();
  t.not(second.id, first.id, 'the same config, so it is there again');
  await limit(2, 4_000);
  t.equal((await replay(second.id)).code, 0);
  await site.drained();
  const trace = await until(
    async () => {
      const found = await site.ask<Traced>('trace', 'R1');
      return found.hops.some(({ hop }) => hop === 'stored') && found.wasQuarantined.length === 2 && found;
    },
    { what: 'the trace of the event', timeoutMs: 20_000, everyMs: 100 },
  );
  t.match(trace.wasQuarantined, [
    { id: first.id, code: /^[a-z-]+$/, reason: /./ },
    { id: second.id, code: /^[a-z-]+$/, reason: /./ },
  ]);
  const times = trace.wasQuarantined.flatMap(({ atUs, replayedAtUs }) => [atUs, replayedAtUs].map(Number));
  t.same(
    times,
    [...times].sort((a, b) => a - b),
    'one after the other',
  );
  const tried = await replay(second.id);
  t.match(
    [tried.code, tried.stdout],
    [1, new RegExp(`${second.id}  not there: it was replayed before, at 20`)],
  );
  t.match(await site.ctl('quarantine', 'show', second.id, '--payload', '--reason', 'x'), {
    code: 1,
    stderr: / was replayed at 20.* UTC: .*hilumctl trace /,
  });
  const text = (await site.ctl('trace', 'R1')).stdout;
  t.notOk(
    trace.hops.some(({ hop }) => hop === 'journaled'),
    'the replay is not what it was answered out of',
  );
  t.notMatch(text, /over a restart/);
  for (const { id } of [first, second])
    t.match(text, new RegExp(`was in quarantine from .* as ${id}, replayed `));
  const all = (await site.ctl('quarantine', 'list', '--all')).stdout;
  t.match(all, /STATE/);
  t.equal(all.split('\n').filter((line) => / replayed /.test(line)).length, 2);
  t.match((await site.ctl('trace', second.id)).stdout, /was in quarantine: .*[\s\S]* {2}replayed /);
});
