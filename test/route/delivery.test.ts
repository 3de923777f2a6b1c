/** Delivery to a receiver that refuses: what is tried again, when, and what is kept aside. */
import t, { type Test } from 'tap';
import { DeadLetterLog } from '../../gateway/route/dead-letter-log.ts';
import { Delivery } from '../../gateway/route/delivery.ts';
import type { Outgoing } from '../../gateway/route/line.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { messageMaker } from '../kit/messages.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { until } from '../kit/wait.ts';

t.test(
  'delivery - a receiver that answers AE to all is given ever more time, until it accepts one',
  async (t) => {
    const make = messageMaker({ seed: 4, kind: 'oru' });
    const letters = Array.from({ length: 4 }, (_, n) => {
      const { bytes, controlId } = make(n);
      return { raw: bytes, messageControlId: controlId };
    });
    const accepted = letters[2]?.messageControlId;
    const receiver = await MllpServer.start((message) => [
      acknowledge(message, controlIdOf(message) === accepted ? 'AA' : 'AE'),
    ]);
    t.teardown(() => receiver.close());
    const settled: (readonly [number, string, number])[] = [];
    const queue = letterQueue(letters, ({ recordSequence }, word, { attempts }) =>
      settled.push([recordSequence, word, attempts]),
    );
    const pauses: unknown[] = [];
    const delivery = new Delivery(
      queue,
      {
        name: 'ehr',
        host: '127.0.0.1',
        port: receiver.port,
        tls: false,
        timeoutMs: 30_000,
        inSourceOrder: false,
      },
      {
        random: () => 0.004,
        onAlarm: () => {},
        log: (_, code, fields) => {
          if (code === 'delivery-failed') pauses.push(fields?.againMs);
        },
      },
    );
    t.teardown(() => delivery.stop());
    delivery.notify();
    await until(() => settled.length === letters.length, { what: 'all of them settled', timeoutMs: 120_000 });
    t.same(settled, [
      [1, 'dead', 3],
      [2, 'dead', 3],
      [3, 'delivered', 1],
      [4, 'dead', 3],
    ]);
    t.same(
      pauses,
      [1_004, 2_008, 4_016, 8_032, 1_004, 2_008],
      'seconds, growing over the letters, anew after one that was accepted',
    );
  },
);

/** Of letters none of which is refused. */
function unrefused(t: Test, { port }: MllpServer, letters: Outgoing[], timeoutMs: number) {
  const queue = letterQueue(letters, (_, word) => t.equal(word, 'delivered', 'nothing was refused'));
  const delivery = new Delivery(
    queue,
    { name: 'ehr', host: '127.0.0.1', port, tls: false, timeoutMs, inSourceOrder: false },
    { random: () => 0, log: () => {}, onAlarm: () => {} },
  );
  t.teardown(() => delivery.stop());
  return { delivery, waiting: queue.letters };
}

t.test(
  'delivery - a receiver that takes connections and answers nothing is waited for, until it answers',
  async (t) => {
    const { bytes, controlId } = messageMaker({ seed: 5, kind: 'oru' })(0);
    let answers = false;
    let came = 0;
    const receiver = await MllpServer.start((message) => {
      came += 1;
      return answers ? [acknowledge(message, 'AA')] : [];
    });
    t.teardown(() => receiver.close());
    const letter = { raw: bytes, messageControlId: controlId };
    const { delivery, waiting } = unrefused(t, receiver, [letter], 300);
    const states = new Set<string>();
    delivery.notify();
    await until(() => delivery.counts.state === 'waiting', { what: 'the first silence being noticed' });
    await until(() => states.add(delivery.counts.state) && came >= 4, {
      what: 'further tries',
      timeoutMs: 30_000,
    });
    t.same([...states], ['waiting'], 'also while one is connected');
    answers = true;
    await until(() => waiting.length === 0, { what: 'the delivery', timeoutMs: 30_000 });
    t.equal(delivery.counts.state, 'connected');
  },
);

t.test('delivery - a long silence is told before the timeout of the destination ends it', async (t) => {
  const { bytes, controlId } = messageMaker({ seed: 6, kind: 'oru' })(0);
  const receiver = await MllpServer.start(() => []);
  t.teardown(() => receiver.close());
  const letter = { raw: bytes, messageControlId: controlId };
  const { delivery } = unrefused(t, receiver, [letter], 600_000);
  delivery.notify();
  await until(() => delivery.counts.state === 'waiting', {
    what: 'the silence being noticed',
    timeoutMs: 60_000,
  });
  t.same(delivery.counts, { delivered: 0, attempts: 1, deadLetters: 0, state: 'waiting' });
});

t.test('delivery - the log says how many were refused, of which route, also of a whole queue', async (t) => {
  const make = messageMaker({ seed: 7, kind: 'oru' });
  const letters = Array.from({ length: 34 }, (_, n) => {
    const { bytes, controlId } = make(n);
    return { raw: bytes, messageControlId: controlId, route: n % 4 === 3 ? 'images' : 'results' };
  });
  const accepted = letters[20]?.messageControlId;
  const receiver = await MllpServer.start((message) => [
    acknowledge(message, controlIdOf(message) === accepted ? 'AA' : 'AR'),
  ]);
  t.teardown(() => receiver.close());
  let settled = 0;
  const lines: Record<string, string | number>[] = [];
  const delivery = new Delivery(
    letterQueue(letters, () => {
      settled += 1;
    }),
    {
      name: 'ehr',
      host: '127.0.0.1',
      port: receiver.port,
      tls: false,
      timeoutMs: 30_000,
      inSourceOrder: true,
    },
    {
      random: () => 0,
      onAlarm: () => {},
      log: (_, code, fields = {}) => {
        if (code === 'delivery-dead-letter') lines.push(fields);
      },
    },
  );
  t.teardown(() => delivery.stop());
  delivery.notify();
  await until(() => settled === letters.length, { what: 'all of them settled', timeoutMs: 60_000 });
  t.same(
    lines[0],
    { destination: 'ehr', route: 'results', reason: 'rejected', count: 1, record: 1 },
    'the first one at once',
  );
  await until(() => lines.length > 1, { what: 'the others, after some seconds', timeoutMs: 60_000 });
  await delivery.stop();
  const count = (route: string) =>
    lines.filter((line) => line.route === route).reduce((sum, line) => sum + Number(line.count), 0);
  t.same([count('results'), count('images')], [25, 8], 'each of them in one line');
  t.ok(lines.length < letters.length / 2, `${lines.length} lines`);
});

t.test('delivery - what was refused since the last line is told when it stops', async (t) => {
  const lines: unknown[] = [];
  const log = new DeadLetterLog('ehr', (_, code, fields) => lines.push(`${code} ${fields.count}`));
  for (const record of [1, 2, 3]) log.note('all', 'rejected', record);
  log.stop();
  log.stop();
  t.same(lines, ['delivery-dead-letter 1', 'delivery-dead-letter 2']);
});
