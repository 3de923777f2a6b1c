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

function deliveryTo(
  t: Owner,
  port: number,
  hooks: Partial<ConstructorParameters<typeof Delivery>[2]> = {},
): Delivery {
  const delivery = new Delivery(
    letterQueue([{ raw, messageControlId: 'L1' }], () => {}),
    { name: 'ehr', host: '127.0.0.1', port, tls: false, timeoutMs: 200, inSourceOrder: true },
    { random: () => 0, log: () => {}, onAlarm: () => {}, ...hooks },
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
      'answer-late',
      'answer-too-large',
      'no-tls',
    ]);
    const told = [...reasons].map((reason) => {
      const { what, todo } = waitText({
        destination: 'ehr',
        reason,
        waitingSinceUs: '1790000000000000',
        timeoutMs: 3_000,
        answeredAfterMs: 6_010,
      });
      t.match(what, `(${reason}, since 2026-09-21 14:13:20.000)`);
      if (/config|settings/.test(todo)) t.match(todo, /destinations\.ehr\.|destinations\.ehr /, reason);
      return { what: what.replace(/ \(.*$/, ''), todo };
    });
    t.equal(new Set(told.map(({ what }) => what)).size, reasons.size);
    t.equal(new Set(told.map(({ todo }) => todo)).size, reasons.size);
    t.ok(told.some(({ what }) => /after 6\.1 s, where each try waits 3 s/.test(what)));
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

t.test(
  'waiting - a receiver that answers after its timeout is told with the seconds, once in the log',
  async (t) => {
    const failures: unknown[] = [];
    const late: Record<string, string | number>[] = [];
    // Answers each message when it was given up.
    const receiver: MllpServer = await MllpServer.start(async (message) => {
      const nth = receiver.received.length;
      await until(() => failures.length >= nth, { what: 'the end of the try', timeoutMs: 60_000 });
      return [acknowledge(message)];
    });
    t.teardown(() => receiver.close());
    const delivery = deliveryTo(t, receiver.port, {
      random: () => 0.99,
      log: (_, code, fields = {}) => {
        if (code === 'delivery-failed') failures.push(fields.reason);
        if (code === 'delivery-answered-late') late.push(fields);
      },
    });
    await until(() => late.length > 0, { what: 'the late answer', timeoutMs: 60_000 });
    const { wait } = delivery;
    t.match(wait, { reason: 'answer-late', answeredAfterMs: late[0]?.answeredAfterMs });
    t.match(late, [{ destination: 'ehr', timeoutMs: 200, hint: /destinations\.ehr\.timeout/ }]);
    t.equal(failures[0], 'no-answer', 'what was known then');
    const before = failures.length;
    await until(() => failures.length >= before + 2, { what: 'further tries', timeoutMs: 60_000 });
    t.same([...new Set(failures.slice(before))], ['answer-late'], 'from then on');
    t.equal(late.length, 1);
    t.equal(delivery.wait?.sinceUs, wait?.sinceUs);
    receiver.answering = () => [];
    await until(() => delivery.wait?.reason === 'no-answer', {
      what: 'the silence of one that was late once',
      timeoutMs: 60_000,
    });
    t.equal(delivery.wait?.answeredAfterMs, 0);
    receiver.answering = (message) => [acknowledge(message)];
    await until(() => delivery.counts.delivered === 1, { what: 'an answer in time', timeoutMs: 60_000 });
    t.equal(delivery.wait, undefined);
  },
);

t.test(
  'waiting - an answer that comes late is told only where it is certainly of the message that was given up',
  async (t) => {
    const failures: unknown[] = [];
    const answers = ['X', '', 'L'];
    const receiver: MllpServer = await MllpServer.start(async (message) => {
      const nth = receiver.received.length;
      await until(() => failures.length >= nth, { what: 'the end of the try', timeoutMs: 60_000 });
      return [acknowledge(message, 'AR', answers[nth % 3])];
    });
    t.teardown(() => receiver.close());
    const delivery = deliveryTo(t, receiver.port, {
      random: () => 0.5,
      log: (_, code, fields) => failures.push(code === 'delivery-failed' ? fields?.reason : code),
    });
    await until(() => failures.length >= 5, { what: 'five tries', timeoutMs: 60_000 });
    t.same([...new Set(failures)], ['no-answer']);
    t.equal(delivery.counts.deadLetters, 0);
  },
);
