/**
 * SIGHUP to a running gateway: each TLS listener presents its new certificate to whoever connects from now
 * on, connections that stand go on, and the log says for each listener what it presents.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { connectPacket, MqttReader, packetType, publishPacket } from '../kit/mqtt-wire.ts';
import type { Owner } from '../kit/process.ts';
import { Site } from '../kit/site.ts';
import { createTestCa, type TestCa, type TestIdentity } from '../kit/tls.ts';
import { until } from '../kit/wait.ts';

const settings = `listeners:
  lab: { type: mllp, listen: "127.0.0.1:0", tls: { mode: optional, certFile: cert.pem, keyFile: key.pem, caFile: ca.pem } }
  ward: { type: mqtt, listen: "127.0.0.1:0", anonymous: { publish: ["devices/#"] }, tls: { mode: optional, certFile: cert.pem, keyFile: key.pem, caFile: ca.pem } }
  plain: { type: mllp, listen: "127.0.0.1:0" }
`;

interface Device {
  readonly serial: string;
  /** Resolves with the type of the next packet from the broker. */
  next(): Promise<number>;
  send(packet: Buffer): void;
}

/** An MQTT client over TLS, connected; tells whose certificate it was shown. */
async function device(owner: Owner, port: number, ca: string, clientId: string): Promise<Device> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost' });
  owner.teardown(() => socket.destroy());
  const types: number[] = [];
  const reader = new MqttReader((type: number) => types.push(type));
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  await once(socket, 'secureConnect');
  const next = () => until(() => types.shift(), { what: 'a packet of the broker' });
  socket.write(connectPacket({ clientId }));
  if ((await next()) !== packetType.connack) throw new Error('no CONNACK');
  const serial = socket.getPeerCertificate().serialNumber.toLowerCase();
  return { serial, next, send: (packet) => socket.write(packet) };
}

function lab(port: number, ca: string): Promise<MllpClient> {
  return MllpClient.connect({ port, tls: { ca, servername: 'localhost' } });
}

const shown = (client: MllpClient) =>
  (client.socket as tls.TLSSocket).getPeerCertificate().serialNumber.toLowerCase();

const reading = (packetId: number) =>
  publishPacket({
    topic: 'devices/m1',
    payload: Buffer.from(`{"device":"m1","time":"2026-11-23T08:00:0${packetId}Z","heartRate":72}`),
    qos: 1,
    packetId,
  });

t.test('gateway - SIGHUP renews the certificates of every TLS listener', async (t) => {
  const site = new Site(t, { settings });
  const put = (ca: TestCa, identity: TestIdentity) => {
    writeFileSync(join(site.gatewayData, 'ca.pem'), ca.certPem);
    writeFileSync(join(site.gatewayData, 'cert.pem'), identity.certPem);
    writeFileSync(join(site.gatewayData, 'key.pem'), identity.keyPem, { mode: 0o600 });
  };
  const lines = (code: string) =>
    (site.gateway?.stderr ?? '')
      .split('\n')
      .filter((line) => line.includes(`"code":"${code}"`))
      .map((line) => JSON.parse(line) as Record<string, string>);
  const [oldCa, newCa] = [await createTestCa('Old CA'), await createTestCa('New CA')];
  const [first, second] = [
    await oldCa.issue({ commonName: 'gateway' }),
    await newCa.issue({ commonName: 'gateway' }),
  ];
  put(oldCa, first);
  await site.startGateway();
  const [labPort, wardPort] = [await site.port('lab'), await site.port('ward')];
  const make = messageMaker({ seed: 5, kind: 'oru' });

  const oldLab = await lab(labPort, oldCa.certPem);
  t.teardown(() => oldLab.destroy());
  const oldDevice = await device(t, wardPort, oldCa.certPem, 'old');
  t.equal(shown(oldLab), first.serial);
  t.equal(oldDevice.serial, first.serial);

  put(newCa, second);
  site.gateway?.signal('SIGHUP');
  await site.gateway?.waitForLine(/"code":"reloaded"/, { from: 'stderr' });
  t.same(
    lines('listener-certificate-reloaded').map(({ listener, serial }) => [listener, serial?.toLowerCase()]),
    [
      ['lab', second.serial],
      ['ward', second.serial],
    ],
  );
  t.same(
    lines('listener-without-certificate').map(({ listener }) => listener),
    ['plain'],
  );

  const newLab = await lab(labPort, newCa.certPem);
  t.teardown(() => newLab.destroy());
  const newDevice = await device(t, wardPort, newCa.certPem, 'new');
  t.equal(shown(newLab), second.serial, 'a new sender sees the new certificate');
  t.equal(newDevice.serial, second.serial, 'and so does a new device');
  t.equal((await oldLab.send(make(1).bytes)).code, 'AA', 'the old connection of the sender lives on');
  oldDevice.send(reading(1));
  t.equal(await oldDevice.next(), packetType.puback, 'and that of the device');
  t.equal((await newLab.send(make(2).bytes)).code, 'AA');
  newDevice.send(reading(2));
  t.equal(await newDevice.next(), packetType.puback);
  await t.rejects(lab(labPort, oldCa.certPem), 'who trusts only the old authority is not served');

  const levels = () => lines('listener-certificate-reloaded').map(({ level }) => level);
  put(newCa, await newCa.issue({ commonName: 'gateway', notBefore: new Date(0), notAfter: new Date(1000) }));
  site.gateway?.signal('SIGHUP');
  await until(() => levels().length === 4, { what: 'the certificates being read again' });
  t.same(levels(), ['info', 'info', 'warn', 'warn'], 'one that is over is told as what it is');
});

t.test('gateway - a certificate that cannot be used leaves the old one in place, and is said', async (t) => {
  const site = new Site(t, { settings });
  const ca = await createTestCa();
  const [first, other] = [await ca.issue({ commonName: 'g' }), await ca.issue({ commonName: 'g' })];
  for (const [file, text] of [
    ['ca.pem', ca.certPem],
    ['cert.pem', first.certPem],
    ['key.pem', first.keyPem],
  ] as const)
    writeFileSync(join(site.gatewayData, file), text, { mode: 0o600 });
  await site.startGateway();
  // Half of a renewal: the certificate is there, its key is not yet.
  writeFileSync(join(site.gatewayData, 'cert.pem'), other.certPem);
  site.gateway?.signal('SIGHUP');
  await site.gateway?.waitForLine(/"code":"reloaded"/, { from: 'stderr' });
  const failed = [...(site.gateway?.stderr ?? '').matchAll(/"listener-reload-failed","listener":"(\w+)"/g)];
  t.same(
    failed.map(([, listener]) => listener),
    ['lab', 'ward'],
  );
  const sender = await lab(await site.port('lab'), ca.certPem);
  t.teardown(() => sender.destroy());
  t.equal(shown(sender), first.serial);
  t.equal((await device(t, await site.port('ward'), ca.certPem, 'd')).serial, first.serial);
});
