/** What MLLP connections may have in memory: in flight, half frames, answers that nobody reads. Real sockets, an intake in memory. */
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { controlIds } from '../../gateway/capture/mllp/answers.ts';
import { MllpListener } from '../../gateway/capture/mllp/listener.ts';
import type { FlowLimits } from '../../gateway/capture/mllp/options.ts';
import { MemoryIntake } from '../kit/memory-intake.ts';
import { frame } from '../kit/mllp-frame.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

const kib = 1024;

async function start(owner: Owner, flow: Partial<FlowLimits>) {
  const intake = new MemoryIntake();
  const logs: string[] = [];
  const listener = new MllpListener(
    {
      name: 'lab',
      host: '127.0.0.1',
      port: 0,
      allow: () => true,
      onRefused: 'close',
      limits: {
        frameBytesMax: 1024 * kib,
        connectionsMax: 50,
        connectionsPerAddressMax: 50,
        unansweredMax: 256,
        frameTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        handshakeTimeoutMs: 5_000,
        flow,
      },
    },
    intake,
    {
      source: () => ({ name: 'lab', repeatWindowMs: 900_000, refuses: () => '' }),
      urgency: () => 'routine',
      nextControlId: controlIds(Date.now() * 1000),
      nowUs: () => Date.now() * 1000,
      elapsedMs: () => performance.now(),
      log: (_level, code) => logs.push(code),
    },
  );
  const { port } = await listener.start();
  owner.teardown(() => listener.stop(0));
  const connect = async (localAddress = '127.0.0.1') => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    let heard = '';
    let closed = false;
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
    });
    owner.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return { socket, answers: () => heard.split('MSA|AA|').length - 1, closed: () => closed };
  };
  return { intake, listener, logs, connect };
}

const message = (controlId: string, bytes = 0) =>
  Buffer.from(`MSH|^~\\&|LAB|S|H|C|20260301||ORU^R01|${controlId}|P|2.5.1\rNTE|1||${'x'.repeat(bytes)}\r`);

t.test(
  'mllp flow - a sender that does not read its answers is paused, and goes on when it reads',
  async (t) => {
    const { intake, listener, connect } = await start(t, {});
    const { socket, answers } = await connect();
    socket.pause();
    // Answers as large as this fill what the kernel takes for a peer that does not read.
    const long = 'C'.repeat(8 * kib);
    let sent = 0;
    await until(
      () => {
        for (let n = 0; n < 20; n += 1) socket.write(frame(message(`${long}${sent++}`)));
        return listener.counters().holds > 0;
      },
      { what: 'the pause', timeoutMs: 30_000, everyMs: 1 },
    );
    socket.resume();
    await until(() => answers() === sent, { what: `${sent} answers`, timeoutMs: 30_000 });
    t.equal(intake.records.length, sent);
  },
);

t.test('mllp flow - one that never reads them is closed after its time, with one line', async (t) => {
  const { intake, logs, connect } = await start(t, { unreadTimeoutMs: 200 });
  const { socket, closed } = await connect();
  socket.pause();
  const long = 'C'.repeat(8 * kib);
  let sent = 0;
  await until(
    () => {
      if (!closed()) for (let n = 0; n < 20; n += 1) socket.write(frame(message(`${long}${sent++}`)));
      return logs.includes('mllp-answers-unread');
    },
    { what: 'the close', timeoutMs: 30_000, everyMs: 1 },
  );
  socket.resume();
  await until(closed, { what: 'the close' });
  t.same(logs, ['mllp-answers-unread']);
  t.ok(intake.records.length > 0, `${intake.records.length} journaled`);
});

t.test(
  'mllp flow - bytes in flight are bounded for a connection and in all, and nobody stands still',
  async (t) => {
    const { intake, listener, connect } = await start(t, {
      inFlightBytesMax: 256 * kib,
      inFlightBytesTotalMax: 512 * kib,
    });
    intake.manual = true;
    const senders = await Promise.all(Array.from({ length: 8 }, () => connect()));
    for (const [at, { socket }] of senders.entries())
      for (let n = 0; n < 16; n += 1) socket.write(frame(message(`S${at}.${n}`, 60 * kib)));
    await until(() => listener.counters().holds >= 8, { what: 'all of them held' });
    const { inFlightBytes } = listener.counters();
    // Each connection had one chunk, and the message that it ended, before it was seen that there is too much.
    t.ok(inFlightBytes <= (512 + 8 * 128) * kib, `${inFlightBytes} bytes in flight`);
    let settled = 0;
    await until(
      () => {
        while (settled < intake.appended.length) intake.appended[settled++]?.settle();
        return senders.every(({ answers }) => answers() === 16);
      },
      { what: 'all answers', timeoutMs: 30_000, everyMs: 1 },
    );
    t.equal(intake.records.length, 128);
    t.equal(listener.counters().inFlightBytes, 0);
  },
);

t.test('mllp flow - halves of frames are bounded in all, and each frame ends', async (t) => {
  const { intake, listener, connect } = await start(t, { halfFrameBytesTotalMax: 512 * kib });
  const senders = await Promise.all(Array.from({ length: 12 }, () => connect()));
  let most = 0;
  const watched = () => {
    most = Math.max(most, listener.counters().halfFrameBytes);
    return true;
  };
  const whole = senders.map((_, at) => frame(message(`B${at}`, 900 * kib)));
  // So much of each that all of them are in the middle at once, and together over the bound.
  for (const [at, { socket }] of senders.entries())
    socket.write((whole[at] as Buffer).subarray(0, 100 * kib));
  await until(() => watched() && listener.counters().holds > 0, { what: 'some are held', everyMs: 1 });
  for (const [at, { socket }] of senders.entries()) socket.write((whole[at] as Buffer).subarray(100 * kib));
  await until(() => watched() && senders.every(({ answers }) => answers() === 1), {
    what: 'all answers',
    timeoutMs: 30_000,
    everyMs: 1,
  });
  t.equal(intake.records.length, 12);
  // The bound, the one that goes on, and a chunk of each of the others.
  t.ok(most <= (512 + 1024 + 12 * 128) * kib, `${most} bytes in halves`);
  t.equal(listener.counters().halfFrameBytes, 0);
});

t.test('mllp flow - who has little of the halves is read, whatever others began and left', async (t) => {
  const { intake, listener, connect } = await start(t, { halfFrameBytesTotalMax: 2048 * kib });
  const left = await Promise.all(Array.from({ length: 6 }, () => connect('127.0.0.2')));
  for (const { socket } of left) socket.write(frame(message('L', 900 * kib)).subarray(0, 400 * kib));
  await until(() => listener.counters().halfFrameBytes > 2048 * kib, { what: 'too much in halves' });
  const cases: [string, number, string][] = [
    ['127.0.0.1', 900, 'another address, up to the half that is its share'],
    ['127.0.0.2', 250, 'the same address, up to a seventh'],
  ];
  for (const [address, size, what] of cases) {
    const other = await connect(address);
    other.socket.write(frame(message('H', size * kib)));
    await until(() => other.answers() === 1, { what });
  }
  t.equal(intake.records.length, 2);
  t.notOk(left.some(({ closed }) => closed()));
  for (const { socket } of left) socket.destroy();
  await until(() => listener.counters().halfFrameBytes === 0, { what: 'nothing is left of them' });
});
