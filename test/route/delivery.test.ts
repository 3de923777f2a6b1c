/** Delivery to a receiver that refuses: what is tried again, when, and what is kept aside. */
import t, { type Test } from 'tap';
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
