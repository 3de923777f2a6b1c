/** Letters that ask for no answer: they follow each other while an objection may still come, and none is lost or overtaken. */
import t from 'tap';
import { Delivery, type Letter } from '../../gateway/route/delivery.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { type Answering, acknowledge, MllpServer } from '../kit/mllp-server.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

const quiet = 'NE|NE';
const asking = '|';

/** Letters [control ID, MSH-15 and MSH-16], told apart by PID-1. */
const lettersOf = (count: number, of: (n: number) => [string, string] = (n) => [`L${n}`, quiet]) =>
  Array.from({ length: count }, (_, at) => {
    const [messageControlId, wants] = of(at + 1);
    const text = `MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|${messageControlId}|P|2.5|||${wants}\rPID|${at + 1}\r`;
    return { raw: Buffer.from(text), messageControlId };
  });

interface Seen {
  settled: string[];
  /** PID-1 of what the receiver got. */
  received: number[];
  /** The most that the receiver had of those that were not settled. */
  most: number;
  alarms: string[];
  delivery: Delivery<Letter>;
}

/** @param answering is also given what was seen until then */
async function start(
  t: Owner,
  letters: ReturnType<typeof lettersOf>,
  answering: (
    message: Buffer,
    seen: Seen,
    ...rest: Parameters<Answering> extends [unknown, ...infer R] ? R : never
  ) => ReturnType<Answering> = () => [],
): Promise<Seen> {
  const seen = { settled: [], received: [], most: 0, alarms: [] } as unknown as Seen;
  const receiver = await MllpServer.start((message, socket) => {
    seen.received.push(Number(/\rPID\|(\d+)/.exec(message.toString('latin1'))?.[1]));
    seen.most = Math.max(seen.most, new Set(seen.received).size - seen.settled.length);
    return answering(message, seen, socket);
  });
  t.teardown(() => receiver.close());
  const queue = letterQueue(letters, ({ recordSequence }, word, { answer, attempts }) =>
    seen.settled.push(
      `${recordSequence} ${word} ${answer}`.trim() + (attempts === 1 ? '' : ` (${attempts})`),
    ),
  );
  seen.delivery = new Delivery(
    queue,
    {
      name: 'ehr',
      host: '127.0.0.1',
      port: receiver.port,
      tls: false,
      timeoutMs: 30_000,
      inSourceOrder: true,
    },
    { random: () => 0, log: () => {}, onAlarm: (code) => seen.alarms.push(code) },
  );
  t.teardown(() => seen.delivery.stop());
  seen.delivery.notify();
  return seen;
}

async function deliver(...[t, letters, answering]: Parameters<typeof start>): Promise<Seen> {
  const seen = await start(t, letters, answering);
  await until(() => seen.settled.length === letters.length, {
    what: 'all of them settled',
    timeoutMs: 60_000,
  });
  return seen;
}

const all = (count: number, text = '') =>
  Array.from({ length: count }, (_, n) => `${n + 1} delivered${text}`);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

t.test('window - many are out at a time, a bounded number, each once and in order', async (t) => {
  const { settled, received, most } = await deliver(t, lettersOf(600));
  t.same(settled, all(600));
  t.same(received, numbers(1, 600));
  t.ok(most > 1 && most <= 256, `${most} at most`);
});

t.test('window - a refusal is of the letter that it names, also when others have followed it', async (t) => {
  const { settled, received } = await deliver(t, lettersOf(5), (message) =>
    controlIdOf(message) === 'L4' ? [acknowledge(message, 'AR', 'L2')] : [],
  );
  t.same(settled, ['1 delivered', '2 dead AR', '3 delivered', '4 delivered', '5 delivered']);
  t.same(received, numbers(1, 5));
});

t.test(
  'window - where one is to be tried again, those that followed it are sent again behind it',
  async (t) => {
    let refused = false;
    const { settled, received } = await deliver(t, lettersOf(5), (message) => {
      if (refused || controlIdOf(message) !== 'L4') return [];
      refused = true;
      return [acknowledge(message, 'AE', 'L2')];
    });
    t.same(settled.slice(0, 2), ['1 delivered', '2 delivered (2)']);
    t.same(
      settled.map((text) => Number.parseInt(text, 10)),
      numbers(1, 5),
    );
    t.same(received.slice(0, 4), numbers(1, 4));
    t.same(received.slice(received.lastIndexOf(2)), numbers(2, 5), 'the last of each in order');
    t.same(
      received.filter((n) => n === 1),
      [1],
      'what stood before it is not sent again',
    );
  },
);

t.test('window - a line that breaks has what was not settled sent again, in order', async (t) => {
  let before: string[] | undefined;
  const { settled, received } = await deliver(t, lettersOf(40), (_message, seen, socket) => {
    if (before !== undefined || seen.received.length < 20) return [];
    before = [...seen.settled];
    socket.destroy();
    return [];
  });
  t.same(
    settled.map((text) => Number.parseInt(text, 10)),
    numbers(1, 40),
    'each settled once',
  );
  const again = received.lastIndexOf((before?.length ?? 0) + 1);
  t.same(received.slice(again), numbers((before?.length ?? 0) + 1, 40), 'all of them from the first one on');
});

t.test('window - of two with one control ID the second waits', async (t) => {
  const { settled } = await deliver(
    t,
    lettersOf(3, () => ['L1', quiet]),
    (message) => (message.includes('PID|2') ? [acknowledge(message, 'AR')] : []),
  );
  t.same(settled, ['1 delivered', '2 dead AR', '3 delivered']);
});

t.test('window - a refusal without a number of several that are out is taken for none of them', async (t) => {
  let refused = false;
  const { settled, received } = await deliver(t, lettersOf(4), (message) => {
    if (refused || controlIdOf(message) !== 'L3') return [];
    refused = true;
    return [acknowledge(message, 'AR', '')];
  });
  t.same(
    settled.map((text) => text.split(' ', 2).join(' ')),
    all(4),
  );
  t.same(received.slice(received.lastIndexOf(1)), numbers(1, 4), 'sent again, in order');
});

t.test(
  'window - letters that ask for an answer have it before the next one, among those that ask for none',
  async (t) => {
    const letters = lettersOf(60, (n) => [`L${n}`, n % 2 === 0 ? asking : quiet]);
    let unanswered = 0;
    const overtaken: string[] = [];
    const { settled, received, most } = await deliver(t, letters, async (message) => {
      if (unanswered > 0) overtaken.push(controlIdOf(message));
      if (Number(controlIdOf(message).slice(1)) % 2 === 1) return [];
      unanswered += 1;
      await new Promise((resolve) => setImmediate(resolve));
      unanswered -= 1;
      return [acknowledge(message)];
    });
    t.same(
      settled,
      all(60).map((text, at) => (at % 2 === 1 ? `${text} AA` : text)),
    );
    t.same(received, numbers(1, 60));
    t.same(overtaken, []);
    t.ok(most > 2, `${most} at most`);
  },
);

t.test('window - a stop waits for what is out, and sends nothing more', async (t) => {
  const seen = await start(t, lettersOf(2_000));
  await until(() => seen.received.length > 0, { what: 'the first ones' });
  await seen.delivery.stop();
  t.same(seen.settled, all(seen.settled.length));
  t.same(seen.received, numbers(1, seen.received.length));
  t.ok(seen.received.length - seen.settled.length <= 1, 'but one that was being handed over');
});
