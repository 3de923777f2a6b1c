/** The MLLP sender against a receiver double. */
import t from 'tap';
import { readAcknowledgment } from './hl7-peek.ts';
import { messageMaker } from './messages.ts';
import { MllpClient, NoAnswer, sendOnce } from './mllp-client.ts';
import { Deframer, frame } from './mllp-frame.ts';
import { type Answering, acknowledge, MllpServer } from './mllp-server.ts';
import type { Owner } from './process.ts';
import { below, seededRandom, seedOfThisRun } from './random.ts';
import { createTestCa } from './tls.ts';
import { until } from './wait.ts';

const seed = seedOfThisRun();
t.comment(`seed ${seed}`);
const make = messageMaker({ seed, kind: 'oru' });

async function pair(
  test: Owner,
  answering?: Answering,
  options: { window?: number; answerTimeoutMs?: number } = {},
) {
  const server = await MllpServer.start(answering);
  const client = await MllpClient.connect({ port: server.port, ...options });
  test.teardown(async () => {
    client.destroy();
    await server.close();
  });
  return { server, client };
}

t.test('mllp deframer - any chunking gives the same messages', async (t) => {
  const random = seededRandom(seed);
  const messages = Array.from({ length: 40 }, (_, n) => make(n).bytes);
  // 0x1C inside is data unless 0x0D follows.
  messages.push(Buffer.from('MSH|^~\\&|\x1cA\x1c'), Buffer.from(''));
  const wire = Buffer.concat(messages.map(frame));
  for (let round = 0; round < 20; round += 1) {
    const got: Buffer[] = [];
    const deframer = new Deframer((message) => got.push(Buffer.from(message)));
    for (let at = 0; at < wire.length; ) {
      const to = at + 1 + below(random, round === 0 ? 1 : 3_000);
      deframer.push(wire.subarray(at, to));
      at = to;
    }
    if (!got.every((message, index) => message.equals(messages[index]!)) || got.length !== messages.length) {
      t.fail(`round ${round} differs`);
    }
    t.equal(deframer.heldBytes, 0);
  }
});

t.test('mllp deframer - bytes outside a block and endless blocks are errors', async (t) => {
  t.throws(() => new Deframer(() => {}).push(Buffer.from('MSH|')), /must start/);
  t.throws(() => new Deframer(() => {}, 10).push(Buffer.from(`\x0b${'x'.repeat(20)}`)), /over 10 bytes/);
});

t.test('mllp client - an answer carries its code, its latency and its bytes', async (t) => {
  const { client, server } = await pair(t);
  const answer = await client.send(make(1).bytes);
  t.match(answer, { code: 'AA', controlId: make(1).controlId });
  t.ok(answer.latencyMs > 0);
  t.ok(server.received[0]!.equals(make(1).bytes));
});

t.test('mllp client - answers out of order find their messages by MSA-2', async (t) => {
  const held: Buffer[] = [];
  const reversed: Answering = (message) => {
    held.push(acknowledge(message));
    return held.length === 8 ? held.splice(0).reverse() : [];
  };
  const { client } = await pair(t, reversed, { window: 8 });
  const messages = Array.from({ length: 8 }, (_, n) => make(n));
  const answers = await Promise.all(messages.map(({ bytes }) => client.send(bytes)));
  t.strictSame(
    answers.map(({ controlId }) => controlId),
    messages.map(({ controlId }) => controlId),
  );
});

t.test('mllp client - no more than the window waits', async (t) => {
  let most = 0;
  const { client } = await pair(
    t,
    (message) => {
      most = Math.max(most, client.waiting);
      return [acknowledge(message)];
    },
    { window: 3 },
  );
  await Promise.all(Array.from({ length: 30 }, (_, n) => client.send(make(n).bytes)));
  t.equal(most, 3);
});

t.test('mllp client - an answer to another message is a stray and answers nothing', async (t) => {
  const { client } = await pair(t, (message) => [acknowledge(message, 'AA', 'FORGED')], {
    answerTimeoutMs: 200,
  });
  const error: NoAnswer = await client.send(make(1).bytes).then(t.fail, (reason) => reason);
  t.match(error, { name: 'NoAnswer', reason: 'timeout', controlId: make(1).controlId });
  t.equal(client.strays[0]!.controlId, 'FORGED');
});

t.test('mllp client - the same control ID twice gets two answers', async (t) => {
  const { client, server } = await pair(t, undefined, { window: 2 });
  const both = await Promise.all([client.send(make(1).bytes), client.send(make(1).bytes)]);
  t.equal(both.length, 2);
  t.equal(server.received.length, 2);
});

t.test('mllp client - enhanced mode waits for CA and then AA', async (t) => {
  const { client } = await pair(t, (message) => [acknowledge(message, 'CA'), acknowledge(message, 'AA')]);
  const answers = await client.sendForAnswers(make(1).bytes, 2);
  t.strictSame(
    answers.map(({ code }) => code),
    ['CA', 'AA'],
  );
});

t.test('mllp client - a connection that ends tells every waiting message', async (t) => {
  const { client } = await pair(
    t,
    (_message, socket) => {
      socket.destroy();
      return [];
    },
    { window: 4 },
  );
  const ends = await Promise.allSettled([1, 2, 3].map((n) => client.send(make(n).bytes)));
  t.ok(ends.every((end) => end.status === 'rejected' && (end.reason as NoAnswer).reason === 'closed'));
  await t.rejects(client.send(make(4).bytes), NoAnswer, 'a later message is told at once');
});

t.test('mllp client - a block split anywhere arrives whole', async (t) => {
  const random = seededRandom(seed);
  const server = await MllpServer.start();
  t.teardown(() => server.close());
  const split = (block: Buffer) => Array.from({ length: 5 }, () => below(random, block.length));
  const client = await MllpClient.connect({ port: server.port, split, window: 4 });
  t.teardown(() => client.close());
  const messages = Array.from({ length: 20 }, (_, n) => make(n).bytes);
  await Promise.all(messages.map((message) => client.send(message)));
  t.ok(server.received.every((message, index) => message.equals(messages[index]!)));
});

t.test('mllp client - a connection per message, and nothing waited for', async (t) => {
  const { client, server } = await pair(t);
  t.equal((await sendOnce({ port: server.port }, make(5).bytes)).code, 'AA');
  await client.post(make(6).bytes);
  await until(() => server.received.length === 2, { what: 'both messages' });
  await until(() => client.strays.length === 1, { what: 'the answer that nobody waits for' });
});

t.test('hl7 peek - delimiters are the message’s own', async (t) => {
  const answer = Buffer.from('MSH*^~\\&*A*B*C*D*2026**ACK*OWN7*P*2.3\rMSA*AE*ID*text\r');
  t.match(readAcknowledgment(answer), { code: 'AE', controlId: 'ID', ownControlId: 'OWN7' });
  t.throws(() => readAcknowledgment(Buffer.from('MSH|^~\\&|A\r')), /without MSA/);
});

t.test('mllp client - TLS with a test authority', async (t) => {
  const ca = await createTestCa();
  const { certPem, keyPem } = await ca.issue({ commonName: 'mllp' });
  const tls = await import('node:tls');
  const server = tls.createServer({ cert: certPem, key: keyPem }, (socket) => {
    const deframer = new Deframer((message) => socket.write(acknowledge(Buffer.from(message), 'CA')));
    socket.on('data', (chunk: Buffer) => deframer.push(chunk)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const answer = await sendOnce({ port, tls: { ca: ca.certPem } }, make(1).bytes);
  t.equal(answer.code, 'CA');
  await t.rejects(sendOnce({ port, tls: {} }, make(1).bytes), /certificate/);
});
