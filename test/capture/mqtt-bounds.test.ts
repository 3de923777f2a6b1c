/** What one MQTT client, or one address, may take of what all share. Real sockets, an intake in memory. */
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { createMqttSource } from '../../gateway/capture/mqtt/broker.ts';
import type { MqttSourceOptions } from '../../gateway/capture/mqtt/options.ts';
import { hashPassword } from '../../gateway/capture/mqtt/passwords.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import {
  type ConnectOptions,
  connectPacket,
  MqttReader,
  packetType,
  publishPacket,
} from '../kit/mqtt-wire.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

const kib = 1024;

async function start(owner: Owner, more: Partial<MqttSourceOptions>) {
  const intake = new MemoryIntake();
  const logs: { code: string; fields: Record<string, string | number>; level: 'warn' | undefined }[] = [];
  const broker = createMqttSource(
    {
      name: 'mqtt',
      host: '127.0.0.1',
      port: 0,
      users: [],
      anonymous: { publish: ['devices/#'] },
      sourceFor: () => 'mqtt',
      classFor: () => 'routine',
      ...more,
    },
    intake,
    {
      log: (code, fields, level) => logs.push({ code, fields, level }),
      nowUs: () => BigInt(Date.now()) * 1000n,
      elapsedMs: () => performance.now(),
    },
  );
  const { port } = await broker.start();
  owner.teardown(() => broker.stop(1_000));
  /** Sent, and not yet answered. */
  const dial = async (options: ConnectOptions, localAddress = '127.0.0.1') => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    socket.setNoDelay(true);
    const got: { type: number; body: Buffer }[] = [];
    let closed = false;
    const reader = new MqttReader((type, _flags, body) => got.push({ type, body }));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    owner.teardown(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(connectPacket(options));
    /** CONNACK's return code, undefined before it came. */
    const answer = () => got.find(({ type }) => type === packetType.connack)?.body[1];
    const acknowledged = () => got.filter(({ type }) => type === packetType.puback).length;
    return { socket, got, answer, acknowledged, closed: () => closed };
  };
  const connect = async (clientId: string, localAddress?: string) => {
    const dialled = await dial({ clientId }, localAddress);
    await until(() => dialled.answer() === 0, { what: 'CONNACK', everyMs: 1 });
    return dialled;
  };
  return { intake, broker, logs, dial, connect };
}

const reading = (packetId: number, bytes: number) =>
  publishPacket({ topic: 'devices/a', payload: Buffer.alloc(bytes, 'x'), packetId });

t.test(
  'mqtt halves - what incomplete packets hold is bounded in all; who began most is closed, others go on',
  async (t) => {
    const { broker, logs, connect } = await start(t, { limits: { halfPacketBytesTotalMax: 1024 * kib } });
    const whole = reading(1, 250 * kib);
    const honest = await connect('honest');
    // More than any of the others has: it is the address that counts first.
    honest.socket.write(whole.subarray(0, 240 * kib));
    const greedy = await Promise.all(
      Array.from({ length: 10 }, (_, at) => connect(`greedy-${at}`, '127.0.0.2')),
    );
    for (const { socket } of greedy) socket.write(whole.subarray(0, 200 * kib));
    // 240 KiB and three times 200 KiB fit, and what a chunk takes beside its bytes.
    await until(() => (broker.stats().closed['half-packets'] ?? 0) >= 7, { what: 'seven are closed' });
    t.ok(broker.stats().halfPacketBytes <= 1024 * kib, `${broker.stats().halfPacketBytes} bytes`);
    honest.socket.write(whole.subarray(240 * kib));
    await until(() => honest.acknowledged() === 1, { what: 'PUBACK of the honest one' });
    await until(() => greedy.filter(({ closed }) => closed()).length >= 7, { what: 'they see it' });
    t.notOk(honest.closed());
    const [told] = logs.filter(({ fields }) => fields.reason === 'half-packets');
    t.match(told, {
      code: 'mqtt-closed',
      level: 'warn',
      fields: { address: '127.0.0.2', bytesMax: 1024 * kib },
    });
    for (const { socket } of greedy) socket.destroy();
    await until(() => broker.stats().halfPacketBytes === 0, { what: 'nothing is left of them' });
  },
);

t.test('mqtt halves - one whose bytes come one by one and never end is closed after its time', async (t) => {
  const { broker, connect } = await start(t, { limits: { packetTimeoutMs: 200 } });
  const slow = await connect('slow');
  const steady = await connect('steady');
  const whole = reading(1, 1024 * kib - 100);
  let sent = 0;
  let packets = 0;
  // Always in the middle of a packet, each time of the next one.
  const small = reading(7, 100);
  steady.socket.write(small.subarray(0, 50));
  await until(
    () => {
      slow.socket.write(whole.subarray(sent, ++sent));
      steady.socket.write(Buffer.concat([small.subarray(50), small.subarray(0, 50)]));
      packets++;
      return slow.closed();
    },
    { what: 'the close', everyMs: 1 },
  );
  t.same(broker.stats().closed, { 'packet-timeout': 1 });
  steady.socket.write(small.subarray(50));
  await until(() => steady.acknowledged() === packets + 1, { what: 'all PUBACKs' });
});

t.test('mqtt halves - the time of a packet stands still while its connection is not read', async (t) => {
  const { intake, broker, connect } = await start(t, { limits: { packetTimeoutMs: 100, inFlightMax: 1 } });
  intake.manual = true;
  const held = await connect('held');
  const next = reading(2, 100);
  held.socket.write(Buffer.concat([reading(1, 100), next.subarray(0, 50)]));
  await until(() => broker.stats().holds === 1, { what: 'it is held', everyMs: 1 });
  // Others whose time ends meanwhile tell that it passes.
  for (let n = 1; n <= 2; n += 1) {
    const { socket } = await connect(`other-${n}`);
    socket.write(next.subarray(0, 50));
    await until(() => broker.stats().closed['packet-timeout'] === n, { what: 'the close of another' });
  }
  intake.appended[0]?.settle();
  held.socket.write(next.subarray(50));
  await until(() => intake.appended.length === 2, { what: 'the second reading' });
  intake.appended[1]?.settle();
  await until(() => held.acknowledged() === 2, { what: 'both PUBACKs' });
});

t.test('mqtt passwords - one address that tries many locks nobody out', async (t) => {
  const password = await hashPassword('right');
  const { dial } = await start(t, { users: [{ name: 'ward', password, publish: ['devices/#'] }] });
  const wrong = await Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      dial({ clientId: `g${at}`, username: 'ward', password: 'wrong' }, '127.0.0.2'),
    ),
  );
  const ward = await dial({ clientId: 'ward', username: 'ward', password: 'right' });
  await until(() => ward.answer() === 0, { what: 'CONNACK 0', timeoutMs: 60_000, everyMs: 1 });
  const answered = wrong.filter(({ answer }) => answer() !== undefined).length;
  t.ok(answered < 100, `${answered} of 200 were answered before it`);
});
