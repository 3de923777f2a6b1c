/** A second try at a real site, one entry of which the disk has damaged. */
import { join } from 'node:path';
import t from 'tap';
import { damageQuarantined } from '../kit/damage.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Listed {
  readonly id: string;
  readonly messageControlId: string;
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
});
