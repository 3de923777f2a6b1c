/**
 * Where a journal that went back in time parts from its later self: told lane by lane and record by record, while what
 * no lane disputes goes out as ever.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { mqttSession } from '../faults/mqtt-session.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { packetType, publishPacket } from '../kit/mqtt-wire.ts';
import { folderOf, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

/** A result with a critical flag is STAT, one without is routine. */
function result(id: string, flag: 'HH' | 'N'): Buffer {
  const segments = [
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261127030000||ORU^R01^ORU_R01|${id}|P|2.5`,
    `PID|1||${id}^^^HOSP^MR||Test^A`,
    `OBR|1|P${id}|F${id}|K^Potassium^L|||20261127030000`,
    `OBX|1|NM|K^Potassium^L||7.1|mmol/L||${flag}|||F|||20261127030000`,
  ];
  return Buffer.from(`${segments.join('\r')}\r`);
}

/** The gateway's disk as it is now is put back once `later` has been delivered; the gateway is stopped then. */
async function putBack(t: Test, site: Site, later: () => Promise<void>): Promise<void> {
  await site.gateway?.stop();
  const image = join(folderOf(t), 'image');
  cpSync(site.gatewayData, image, { recursive: true });
  await site.startGateway();
  await later();
  await site.drained();
  await site.gateway?.stop();
  rmSync(site.gatewayData, { recursive: true });
  cpSync(image, site.gatewayData, { recursive: true });
}

function sawItself(site: Site): Promise<unknown> {
  return until(async () => (await site.status()).alarms.some(({ code }) => code === 'journal-restored'), {
    what: 'the gateway seeing that it was restored',
    timeoutMs: 20_000,
  });
}

t.test('restored journal - what goes out beside a lane that parts is applied once', async (t) => {
  const site = await Site.start(t);
  const sent: string[] = [];
  const sendResults = async (flags: Record<string, 'HH' | 'N'>) => {
    const client = await MllpClient.connect({ port: await site.port('lab') });
    for (const [id, flag] of Object.entries(flags)) {
      await client.send(result(id, flag));
      sent.push(id);
    }
    await client.close();
  };
  await sendResults({ BASE1: 'N', BASE2: 'N' });
  await site.drained();
  await putBack(t, site, () => sendResults({ LATER1: 'N', LATER2: 'N', LATER3: 'N' }));

  // The centre refuses the routine lane before it has flushed the STAT one, whose ack dies with the session.
  await site.plane?.stop();
  await site.startGateway();
  await sendResults({ NEW1: 'N', NEW2: 'N', CRIT1: 'HH', CRIT2: 'HH' });
  await site.startPlane();
  await site.connected();
  await site.drained();
  await sawItself(site);
  await sendResults({ LAST: 'N' });
  await site.drained();
  const there = (await site.events()).map(({ provenance }) => provenance.messageControlId);
  t.same(there.sort(), [...sent].sort(), 'each of them once');
  t.equal(new Set((await site.events()).map(({ position }) => position.epoch)).size, 2);
});

t.test(
  'restored journal - equal bytes at one position are two records where they were captured twice',
  async (t) => {
    const site = await Site.start(t);
    /** Readings of a device without a clock: equal ones have equal bytes. */
    const measure = async (...heartRates: number[]) => {
      const session = await mqttSession(await site.port('ward'), { clientId: 'pump3' });
      for (const [at, heartRate] of heartRates.entries()) {
        const payload = Buffer.from(JSON.stringify({ device: 'pump3', heartRate }));
        const packet = publishPacket({ topic: 'devices/pump3', payload, qos: 1, packetId: at + 1 });
        const answer = await session.exchange(packet);
        if (answer?.type !== packetType.puback) throw new Error('no PUBACK');
      }
      session.close();
    };
    await measure(50, 51, 52);
    await site.drained();
    await putBack(t, site, () => measure(72, 101, 102, 72));
    await site.plane?.stop();
    await site.startGateway();
    // The first and the fourth stand where its later self has the same bytes.
    await measure(72, 201, 202, 72, 203);
    await site.startPlane();
    await site.connected();
    await site.drained();
    await sawItself(site);
    const events = (await site.events()) as unknown as { observations: { value: string }[] }[];
    const values = events.map(({ observations }) => observations[0]?.value);
    t.same(values, ['50', '51', '52', '72', '101', '102', '72', '72', '201', '202', '72', '203']);
  },
);
