/**
 * What a gateway tells of its quarantine, after its disk was lost or went back in time: a number of its reports
 * speaks of the journal that gave it, so nothing of the new one is taken for what the old one had told.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, runProgram, Site, usualListeners } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

/** Sends messages that nobody understands, with these control IDs. */
async function send(site: Site, ...controlIds: string[]): Promise<void> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const id of controlIds)
    await client.send(Buffer.from(`MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123||ABC^XYZ|${id}|P|2.5\rZZZ|${id}\r`));
  await client.close();
}

/** Resolves when the control plane lists messages with these control IDs. */
function listed(site: Site, ...controlIds: string[]): Promise<unknown> {
  return until(
    async () => {
      const rows = await site.ask<{ messageControlId: string }[]>('quarantine', 'list');
      const there = new Set(rows.map(({ messageControlId }) => messageControlId));
      return controlIds.every((id) => there.has(id));
    },
    { what: `${controlIds.join(', ')} in the list`, timeoutMs: 20_000, everyMs: 200 },
  );
}

t.test('reports - the same gateway on an empty disk tells what is in quarantine there', async (t) => {
  const site = await Site.start(t);
  await send(site, 'OLD1', 'OLD2', 'OLD3');
  await listed(site, 'OLD1', 'OLD2', 'OLD3');
  await site.gateway?.stop();
  rmSync(site.gatewayData, { recursive: true });
  mkdirSync(site.gatewayData, { mode: 0o700 });
  site.useSettings(usualListeners);
  const token = await site.ctl('token', 'create', '--site', 'north', '--gateway', 'north');
  const enrolled = await runProgram('gateway', ['enroll', '--data', site.gatewayData, '--token', '-'], {
    input: token.stdout,
  });
  t.equal(enrolled.code, 0);
  await site.startGateway();
  await site.connected();
  await send(site, 'NEW1');
  await listed(site, 'OLD1', 'OLD2', 'OLD3', 'NEW1');
  await site.gateway?.stop();
  await site.startGateway();
  await site.connected();
  await send(site, 'NEW2');
  await listed(site, 'NEW1', 'NEW2');
  const quarantined = await site.ask<{ subject: string }[]>('audit', 'list', '--action', 'quarantined');
  t.equal(quarantined.length, 5, 'each is in the trail once');
});

t.test('reports - a restored disk tells what went to quarantine after it was restored', async (t) => {
  const site = await Site.start(t);
  await send(site, 'BOTH1');
  await listed(site, 'BOTH1');
  await site.gateway?.stop();
  const image = join(folderOf(t), 'image');
  cpSync(site.gatewayData, image, { recursive: true });
  await site.startGateway();
  await site.connected();
  await send(site, 'LATER1', 'LATER2', 'LATER3', 'LATER4');
  await listed(site, 'LATER1', 'LATER2', 'LATER3', 'LATER4');
  await site.gateway?.stop();
  rmSync(site.gatewayData, { recursive: true });
  cpSync(image, site.gatewayData, { recursive: true });

  await site.plane?.stop();
  await site.startGateway();
  await send(site, 'RESTORED1', 'RESTORED2');
  await site.startPlane();
  await site.connected();
  await send(site, 'RESTORED3');
  await listed(site, 'RESTORED1', 'RESTORED2', 'RESTORED3');
  t.pass('none was taken for one of its later self');
});
