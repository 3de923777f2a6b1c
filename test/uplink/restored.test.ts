/**
 * A gateway whose disk went back in time: a restored image, a cloned VM. Its positions were used by its later
 * self, so the control plane's acks are for other events than its own: each restore begins a new epoch.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { folderOf, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

/** Sends so many distinct messages, one after the other; answers their control IDs. */
async function send(site: Site, seed: number, count: number): Promise<string[]> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const make = messageMaker({ seed, kind: 'oru' });
  const sent: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { bytes, controlId } = make(n);
    await client.send(bytes);
    sent.push(controlId);
  }
  await client.close();
  return sent;
}

async function arrived(site: Site): Promise<string[]> {
  return (await site.events()).map(({ provenance }) => provenance.messageControlId);
}

const cases = {
  'while the line is up': { offline: 0, online: 7 },
  'fewer messages than its later self, before the line is up': { offline: 3, online: 4 },
  'more messages than its later self, before the line is up': { offline: 12, online: 2 },
};

for (const [when, { offline, online }] of Object.entries(cases)) {
  t.test(`restored journal - it takes ${when}; everything answered arrives`, async (t) => {
    const site = await Site.start(t);
    const sent = await send(site, 1, 20);
    await site.drained();
    await site.gateway?.stop();
    const image = join(folderOf(t), 'image');
    cpSync(site.gatewayData, image, { recursive: true });
    await site.startGateway();
    sent.push(...(await send(site, 2, 5)));
    await site.drained();
    await site.gateway?.stop();
    rmSync(site.gatewayData, { recursive: true });
    cpSync(image, site.gatewayData, { recursive: true });

    if (offline > 0) {
      await site.plane?.stop();
      await site.startGateway();
      sent.push(...(await send(site, 3, offline)));
      await site.startPlane();
    } else await site.startGateway();
    await site.connected();
    sent.push(...(await send(site, 4, online)));
    await site.drained();
    const missing = await until(
      async () => {
        const there = new Set(await arrived(site));
        return sent.every((id) => there.has(id)) && 'none';
      },
      { what: 'every answered message at the centre', timeoutMs: 20_000, everyMs: 200 },
    );
    t.equal(missing, 'none');
    const there = await arrived(site);
    t.equal(there.length, sent.length, 'each of them once');
    t.same(there.slice(-online), sent.slice(-online), 'in order');
    t.ok(
      (await site.status()).alarms.some(({ code }) => code === 'journal-restored'),
      'the gateway says what happened',
    );
    const epochs = new Set((await site.events()).map(({ position }) => position.epoch));
    t.equal(epochs.size, 2, 'what came after the restore has an epoch of its own');
    const custody = await site.reported('lab', { stored: String(sent.length) });
    t.match(custody, { missing: '0', doubled: '0' });
  });
}

type Custody = Record<'delivered' | 'missing' | 'doubled' | 'stored', string>;

/** What the control plane says of custody, once it knows of so many delivered records. */
function custodyAt(site: Site, delivered: number): Promise<Custody> {
  return until(
    async () => {
      const [row] = await site.ask<Custody[]>('custody');
      return row?.delivered === String(delivered) && row;
    },
    { what: `${delivered} records being reported as delivered`, timeoutMs: 20_000, everyMs: 200 },
  );
}

/** Both folders of a daemon are put back as they were copied. */
function restore(image: string, data: string): void {
  rmSync(data, { recursive: true });
  cpSync(image, data, { recursive: true });
}

t.test('restored journal - what its earlier life delivered hides nothing that is lost now', async (t) => {
  const site = await Site.start(t);
  const images = folderOf(t);
  const [gateway, plane] = [join(images, 'gateway'), join(images, 'plane')];
  await send(site, 1, 6);
  await site.drained();
  await site.gateway?.stop();
  cpSync(site.gatewayData, gateway, { recursive: true });
  await site.startGateway();
  await send(site, 2, 9);
  await site.drained();
  await site.gateway?.stop();
  restore(gateway, site.gatewayData);
  await site.startGateway();
  await until(async () => (await site.status()).alarms.some(({ code }) => code === 'journal-restored'), {
    what: 'the gateway seeing that it was restored',
    timeoutMs: 20_000,
  });
  await send(site, 3, 4);
  await site.drained();
  t.match(await custodyAt(site, 10), { stored: '19', missing: '0', doubled: '0' });

  await site.plane?.stop();
  cpSync(site.planeData, plane, { recursive: true });
  await site.startPlane();
  await site.connected();
  await send(site, 4, 5);
  await site.drained();
  t.match(await custodyAt(site, 15), { stored: '24', missing: '0' });
  await site.plane?.stop();
  restore(plane, site.planeData);
  await site.startPlane();
  await site.connected();
  await send(site, 5, 2);
  await site.drained();
  t.match(await custodyAt(site, 17), { stored: '21', missing: '5', doubled: '0' });
  const told = await site.ask<{ subject: string; reason: string; site: string }[]>(
    ...['audit', 'list', '--action', 'events-missing-here'],
  );
  const sum = (counts: string[]) => counts.reduce((total, count) => total + Number(count), 0);
  t.equal(sum(told.map(({ reason }) => reason.split(' ')[0] ?? '')), 5, 'each lane says how many');
  for (const { subject, reason, site: where } of told) {
    const [, count, first, last] = /^(\d+) events: (\d+) to (\d+) of epoch [0-9a-f]+$/.exec(reason) ?? [];
    t.equal(Number(last) - Number(first) + 1, Number(count), `${subject}: ${reason}`);
    t.equal(where, 'north');
  }
  t.match(await site.ask('gateways'), [{ missingEvents: '5' }]);
  t.match((await site.ctl('gateways')).stdout, /EVENTS +MISSING .*\n.* 21 +5 /);

  await site.gateway?.stop();
  await site.startGateway();
  await send(site, 6, 1);
  await site.drained();
  t.match(await custodyAt(site, 18), { missing: '5', doubled: '0' }, 'also after the gateway started again');
});
