/** The volume of the control plane is full: nothing ends, nothing is acknowledged, and it goes on by itself. */
import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unacknowledgedS } from '../../gateway/doctor-running.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';
import { smallVolume, takeAll } from '../kit/volume.ts';
import { until } from '../kit/wait.ts';

const volume = smallVolume(t, 96);
const make = messageMaker({ kind: 'oru', seed: 1 });
const skip = volume === undefined ? 'mounting a small tmpfs needs root' : false;

t.test('full store - what gateways bring waits with them, and goes on by itself', { skip }, async (t) => {
  const directory = join(volume as string, 'control-plane');
  const site = await Site.start(t, { planeData: directory });
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const send = async (first: number, count: number) => {
    for (let n = first; n < first + count; n += 1) t.equal((await client.send(make(n).bytes)).code, 'AA');
  };
  const health = async () => {
    const response = await fetch(`http://${site.planeHttp}/healthz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  await send(0, 5);
  await site.drained();
  t.equal(await health(), '200 ready');

  const foreign = takeAll(volume as string);
  t.equal(statfsSync(volume as string).bavail, 0);
  // The volume is looked at four times a second: what comes in between may still find room.
  let sent = 5;
  const isFull = async () => (await health()) === '503 not ready: store-full';
  const oneMore = async () => {
    await send(sent, 1);
    sent += 1;
    return isFull();
  };
  await until(oneMore, { what: 'the store being full', timeoutMs: 30_000 });
  await send(sent, 40);
  sent += 40;
  const { pending } = await site.custodyOf('lab');
  t.ok(pending >= 40, `of ${sent} nothing that came then is acknowledged, ${pending} wait`);
  t.equal((await site.status()).uplink.state, 'connected', 'the line stays');
  const { journal, uplink } = await site.status();
  const later = (value: string) => String(Number(value) - 3_600_000_000);
  const anHourAgo = {
    journal: { ...journal, oldestPendingAtUs: later(journal.oldestPendingAtUs) },
    uplink: { ...uplink, lastAckAtUs: later(uplink.lastAckAtUs) },
  } as never;
  t.ok(unacknowledgedS(anHourAgo) >= 3_600, 'doctor tells where that goes on');
  t.equal(unacknowledgedS({ journal, uplink } as never), 0, 'and not of what has just come');
  const gateways = await site.ask<{ gateway: string; state: string }[]>('gateways');
  t.match(gateways, [{ state: 'online' }], 'questions are answered');
  const config = site.write('one.yaml', 'enrichment: { previous: false }\n');
  const pushed = await site.ctl('config', 'push', config, '--site', site.site, '--reason', 'a full disk');
  t.equal(pushed.code, 0, `${pushed.stdout}${pushed.stderr}`);

  await site.plane?.kill();
  await site.startPlane();
  await site.connected();
  await until(isFull, { what: 'it being full again', timeoutMs: 30_000 });
  t.equal((await site.custodyOf('lab')).pending, pending, 'after a restart as before');

  rmSync(foreign);
  await site.drained();
  t.equal(await health(), '200 ready');
  const custody = () => site.ask<{ delivered: string; missing: string; doubled: string }[]>('custody');
  const [line] = await until(
    async () => {
      const lines = await custody();
      return lines[0]?.delivered === String(sent) && lines;
    },
    { what: 'custody telling of all', timeoutMs: 20_000, everyMs: 100 },
  );
  t.match(line, { accepted: String(sent), missing: '0', doubled: '0' });
  const audit = await site.ask<{ action: string }[]>('audit', 'list');
  const told = audit.map(({ action }) => action).filter((action) => action.startsWith('store-'));
  t.same(told, ['store-full', 'store-full', 'store-room-again'], 'the trail says so');
});
