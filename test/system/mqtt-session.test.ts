/**
 * A session (MQTT, clean session 0) over a kill of the gateway: clients that are told of none drop what they have sent and
 * got no answer for [MQTT-3.2.2-2].
 */
import mqtt from 'mqtt';
import t from 'tap';
import { Site } from '../kit/site.ts';

t.test('mqtt session - is there after a kill of the gateway, for the client that had it', async (t) => {
  const site = await Site.start(t);
  const connected = async (clientId: string, clean = false) => {
    const client = mqtt.connect({
      host: '127.0.0.1',
      port: await site.port('ward'),
      clientId,
      clean,
      reconnectPeriod: 0,
    });
    client.on('error', () => {});
    t.teardown(() => client.end(true));
    const present = await new Promise<boolean>((resolve) => {
      client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
    });
    return { client, present };
  };
  const first = await connected('CANARYPATIENT-bed-4');
  t.equal(first.present, false);
  const reading = JSON.stringify({
    device: 'm1',
    readings: [{ code: 'heartRate', value: 72, unit: '/min' }],
  });
  await first.client.publishAsync('devices/m1', reading, { qos: 1 });
  t.equal((await connected('clean', true)).present, false);
  await site.gateway?.kill();
  await site.startGateway();
  t.equal((await connected('CANARYPATIENT-bed-4')).present, true);
  t.equal((await connected('clean')).present, false);
  t.equal((await connected('other')).present, false);
  await site.drained();
  t.equal((await site.custodyOf('ward')).accepted, 1);
});
