/** Why a destination waits: each thing that a receiver can do instead of taking a message has a code and words of its own. */
import { createServer } from 'node:net';
import t from 'tap';
import { waitText } from '../../gateway/destination-text.ts';
import { Delivery } from '../../gateway/route/delivery.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { frame } from '../kit/mllp-frame.ts';
import { type Answering, acknowledge, MllpServer } from '../kit/mllp-server.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

const raw = Buffer.from('MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|L1|P|2.5\rPID|1\r');

function deliveryTo(t: Owner, port: number): Delivery {
  const delivery = new Delivery(
    letterQueue([{ raw, messageControlId: 'L1' }], () => {}),
    { name: 'ehr', host: '127.0.0.1', port, tls: false, timeoutMs: 200, inSourceOrder: true },
    { random: () => 0, log: () => {}, onAlarm: () => {} },
  );
  t.teardown(() => delivery.stop());
  delivery.notify();
  return delivery;
}

/** A port that nobody has. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await until(() => server.listening, { what: 'a port' });
  const { port } = server.address() as { port: number };
  server.close();
  await until(() => !server.listening, { what: 'its end' });
  return port;
}

const receivers: [what: string, reason: string, answering: Answering][] = [
  ['says nothing', 'no-answer', () => []],
  ['begins an answer and does not end it', 'no-answer', (message) => [acknowledge(message).subarray(0, 20)]],
  ['answers with a block that is no HL7', 'answer-unreadable', () => [frame(Buffer.from('OK'))]],
  ['answers with a code that is none', 'answer-unreadable', (message) => [acknowledge(message, 'OK')]],
  ['answers without a block', 'answer-unreadable', () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n')]],
  [
    'answers without a block, and closes',
    'answer-unreadable',
    (_, socket) => {
      socket.end('220 mail.example.org ready\r\n');
      return [];
    },
  ],
  ['names another message', 'answer-of-another-message', (message) => [acknowledge(message, 'AA', 'X')]],
  [
    'closes the connection',
    'closed',
    (_, socket) => {
      socket.end();
      return [];
    },
  ],
  [
    'closes the connection within its answer',
    'closed',
    (message, socket) => {
      socket.end(acknowledge(message).subarray(0, 20));
      return [];
    },
  ],
  ['answers with an error', 'application-error', (message) => [acknowledge(message, 'AE')]],
];

t.test('waiting - what a receiver does has its code', async (t) => {
  const reasonAt = async (port: number, what: string) => {
    const delivery = deliveryTo(t, port);
    await until(() => delivery.wait !== undefined, { what: `the wait for one that ${what}` });
    const { state } = delivery.counts;
    const reason = delivery.wait?.reason;
    await delivery.stop();
    return `${reason}, ${state}`;
  };
  for (const [what, reason, answering] of receivers) {
    const receiver = await MllpServer.start(answering);
    t.equal(await reasonAt(receiver.port, what), `${reason}, waiting`, what);
    await receiver.close();
  }
  t.equal(await reasonAt(await closedPort(), 'is not there'), 'no-connection, waiting');
});

t.test(
  'waiting - each code has words of its own, which name the destination where something is to be written',
  async (t) => {
    const reasons = new Set([
      ...receivers.map(([, reason]) => reason),
      'no-connection',
      'answer-too-large',
      'no-tls',
    ]);
    const told = [...reasons].map((reason) => {
      const { what, todo } = waitText({
        destination: 'ehr',
        reason,
        waitingSinceUs: '1790000000000000',
        timeoutMs: 3_000,
      });
      t.match(what, `(${reason}, since 2026-09-21 14:13:20.000)`);
      if (/config|settings/.test(todo)) t.match(todo, /destinations\.ehr\.|destinations\.ehr /, reason);
      return { what: what.replace(/ \(.*$/, ''), todo };
    });
    t.equal(new Set(told.map(({ what }) => what)).size, reasons.size);
    t.equal(new Set(told.map(({ todo }) => todo)).size, reasons.size);
    t.match(told[0], { what: /each try waits 3 s/, todo: /raise destinations\.ehr\.timeout/ });
  },
);

t.test('waiting - since the first failure, whatever comes after it, until a message is taken', async (t) => {
  const receiver = await MllpServer.start((_, socket) => {
    socket.end();
    return [];
  });
  t.teardown(() => receiver.close());
  const delivery = deliveryTo(t, receiver.port);
  const waits = (reason: string) =>
    until(() => delivery.wait?.reason === reason && delivery.wait, {
      what: `waiting for ${reason}`,
      timeoutMs: 60_000,
    });
  const first = await waits('closed');
  t.ok(first.sinceUs > 0);
  receiver.answering = () => [frame(Buffer.from('OK'))];
  t.same(await waits('answer-unreadable'), { ...first, reason: 'answer-unreadable' });
  receiver.answering = (message) => [acknowledge(message)];
  await until(() => delivery.counts.delivered === 1, { what: 'the delivery', timeoutMs: 60_000 });
  t.equal(delivery.wait, undefined);
  t.equal(delivery.counts.state, 'connected');
});
