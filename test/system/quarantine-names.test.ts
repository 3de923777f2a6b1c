/** Entries of a gateway that is not what it was: whatever is asked for by an id reaches that record, or none. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Listed {
  readonly id: string;
  readonly messageControlId: string;
  readonly state: string;
}

const patience = { timeoutMs: 30_000, everyMs: 100 };

/** A message that nobody understands; its entry at the centre. */
async function quarantined(site: Site, controlId: string): Promise<Listed> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  await client.send(
    Buffer.from(`MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ABC^XYZ|${controlId}|P|2.5\rZZZ|${controlId}\r`),
  );
  await client.close();
  return until(() => entryOf(site, controlId), { what: `the entry of ${controlId}`, ...patience });
}

async function entryOf(site: Site, controlId: string): Promise<Listed | undefined> {
  const all = await site.ask<Listed[]>('quarantine', 'list', '--all');
  return all.find(({ messageControlId }) => messageControlId === controlId);
}

async function enroll(site: Site, token: readonly string[], ...args: string[]): Promise<void> {
  const { stdout } = await site.ctl('token', 'create', '--site', site.site, ...token);
  const enrolled = await runProgram(
    'gateway',
    ['enroll', '--data', site.gatewayData, '--token', '-', ...args],
    { input: stdout },
  );
  if (enrolled.code !== 0) throw new Error(`enroll: ${enrolled.stderr}`);
  await site.startGateway();
  await site.connected();
}

t.test('quarantine - an id of a journal that is lost reaches no record of the one after it', async (t) => {
  const site = await Site.start(t);
  const old = await quarantined(site, 'OLD');
  await site.gateway?.stop();
  for (const lost of ['journal', 'identity.json'])
    rmSync(join(site.gatewayData, lost), { recursive: true, force: true });
  await enroll(site, ['--gateway', 'north']);
  const fresh = await quarantined(site, 'NEW');
  t.same(
    [old.id, fresh.id].map((id) => id.replace(/\.[0-9a-f]+\./, '.*.')),
    ['north.*.record.1', 'north.*.record.1'],
    'the name and the sequence are the same',
  );
  const seen = await site.ctl('quarantine', 'show', old.id, '--payload', '--reason', 'x');
  t.equal(seen.code, 1);
  t.notMatch(seen.stdout + seen.stderr, /ZZZ/);
  for (const how of ['discard', 'replay']) {
    const { code, stdout } = await site.ctl('quarantine', how, old.id, '--reason', 'x');
    t.match([code, stdout], [1, /, 1 not there/]);
  }
  t.match(await site.custodyOf('lab'), { accepted: 1, quarantined: 1, expired: 0 });
  t.match(await entryOf(site, 'OLD'), { state: 'open' });
  t.match((await site.ctl('quarantine', 'show', fresh.id, '--payload', '--reason', 'x')).stdout, /ZZZ\|NEW/);
  const both = await site.ctl('quarantine', 'discard', old.id, fresh.id, '--reason', 'x', '-o', 'json');
  t.match(JSON.parse(both.stdout), {
    results: [
      { id: old.id, outcome: 'missing' },
      { id: fresh.id, outcome: 'discarded' },
    ],
  });
  t.match(
    [await entryOf(site, 'OLD'), await entryOf(site, 'NEW')],
    [{ state: 'open' }, { state: 'discarded' }],
  );
});

t.test(
  'quarantine - enrolled anew under another name, a gateway still has what is in its journal',
  async (t) => {
    const site = await Site.start(t);
    const entries = [await quarantined(site, 'E1'), await quarantined(site, 'E2')];
    const [first, second] = entries.map(({ id }) => id);
    await site.gateway?.stop();
    await enroll(site, [], '--replace');
    t.equal((await site.status()).gateway, 'north-2');
    const seen = await site.ctl('quarantine', 'show', first ?? '', '--payload', '--reason', 'x');
    t.match(seen.stdout, /ZZZ\|E1/, seen.stderr);
    const replayed = await site.ctl('quarantine', 'replay', first ?? '', '--reason', 'x');
    t.equal(replayed.code, 0, replayed.stderr);
    const discarded = await site.ctl('quarantine', 'discard', second ?? '', '--reason', 'x');
    t.equal(discarded.code, 0, discarded.stderr);
    await until(
      async () => {
        const all = await site.ask<Listed[]>('quarantine', 'list', '--all');
        return (
          all.filter(({ id }) => id === first).every(({ state }) => state === 'replayed') && all.length === 3
        );
      },
      { what: 'the replayed one being there again, under the new name', ...patience },
    );
    t.match(await entryOf(site, 'E2'), { state: 'discarded' });
    t.match(await site.custodyOf('lab'), { accepted: 2, quarantined: 1, expired: 1, missing: 0 });
  },
);
