/** What a destination is asked for by MSH-15 and MSH-16, and what its answers are taken for. */
import t from 'tap';
import { Delivery } from '../../gateway/route/delivery.ts';
import { answersDue } from '../../gateway/route/line.ts';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { type Answering, acknowledge, MllpServer } from '../kit/mllp-server.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

const header = (id: string, accept: string, application: string) =>
  `MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|${id}|P|2.5|||${accept}|${application}\rPID|1\r`;

/** Delivers letters that ask for these answers, to a receiver that answers so. */
async function deliver(t: Owner, accept: string, application: string, answering: Answering, count = 5) {
  const receiver = await MllpServer.start(answering);
  t.teardown(() => receiver.close());
  const settled: string[] = [];
  const logged: string[] = [];
  const alarms: string[] = [];
  const letters = Array.from({ length: count }, (_, n) => ({
    raw: Buffer.from(header(`L${n + 1}`, accept, application)),
    messageControlId: `L${n + 1}`,
  }));
  const delivery = new Delivery(
    letterQueue(letters, ({ messageControlId }, word, { answer }) =>
      settled.push(`${messageControlId} ${word} ${answer}`.trim()),
    ),
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
      log: (_, code) => logged.push(code),
      onAlarm: (code, { destination }) => alarms.push(`${code} ${destination}`),
    },
  );
  t.teardown(() => delivery.stop());
  delivery.notify();
  await until(() => settled.length === count, { what: 'all of them settled', timeoutMs: 60_000 });
  return { settled, logged, alarms, received: receiver.received.map(controlIdOf) };
}

const all = (count: number, text = '') => Array.from({ length: count }, (_, n) => `L${n + 1}${text}`);

t.test('line - what MSH-15 and MSH-16 ask for', async (t) => {
  for (const [accept, application, due] of [
    ['', '', 'one'],
    ['AL', 'NE', 'one'],
    ['NE', 'AL', 'one'],
    ['AL', 'AL', 'one'],
    ['SU', 'NE', 'one'],
    ['NE', 'NE', 'none'],
    ['NE', '', 'none'],
    ['ER', 'NE', 'none'],
    ['""', '""', 'one'],
    ['er', ' ne ', 'none'],
  ] as const)
    t.equal(answersDue(Buffer.from(header('1', accept, application))), due, `${accept}, ${application}`);
  t.equal(
    answersDue(Buffer.from(`FHS|^~\\&|\rBHS|^~\\&|\r${header('1', 'NE', 'NE')}`)),
    'none',
    'the first MSH',
  );
  const token = 'T'.repeat(10_000);
  const long = header('1', 'NE', 'NE').split('|');
  long[7] = token;
  t.equal(answersDue(Buffer.from(long.join('|'))), 'none', 'behind a security token (MSH-8) of any length');
  t.equal(
    answersDue(Buffer.from(`ZZZ|MSH\r${header('1', 'NE', 'NE')}`)),
    'none',
    'a word in a line is no header',
  );
  t.equal(answersDue(Buffer.from('no header')), 'one');
});

t.test('line - a receiver that owes no answer and gives none has each message once', async (t) => {
  const { settled, received } = await deliver(t, 'NE', 'NE', () => []);
  t.same(settled, all(5, ' delivered'));
  t.same(received, all(5));
});

t.test('line - a refusal counts, also where only errors are to be answered', async (t) => {
  const { settled } = await deliver(t, 'ER', 'NE', (message) =>
    controlIdOf(message) === 'L2' ? [acknowledge(message, 'CR')] : [],
  );
  t.same(settled, ['L1 delivered', 'L2 dead CR', 'L3 delivered', 'L4 delivered', 'L5 delivered']);
});

t.test(
  "line - the application's answer after the accept one is not taken for the next message's",
  async (t) => {
    let before: Buffer | undefined;
    const { settled, received, logged } = await deliver(t, 'AL', 'AL', (message) => {
      const late =
        before === undefined ? [] : [acknowledge(before, controlIdOf(before) === 'L3' ? 'AE' : 'AA')];
      before = message;
      return [...late, acknowledge(message, 'CA')];
    });
    t.same(settled, all(5, ' delivered CA'));
    t.same(received, all(5), 'each sent once');
    t.same(logged, ['delivery-refused-late'], 'a refusal by the application is told');
  },
);

t.test('line - both answers in pieces of any length', async (t) => {
  const { received } = await deliver(t, 'AL', 'AL', async (message, socket) => {
    const both = Buffer.concat([acknowledge(message, 'CA'), acknowledge(message, 'AA')]);
    const cut = 20 + Number(controlIdOf(message).slice(1)) * 31;
    socket.write(both.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    return [both.subarray(cut)];
  });
  t.same(received, all(5));
});

t.test(
  'line - a refusal without an MSA-2, or with a shortened one, is of the letter that is out',
  async (t) => {
    const { settled, alarms } = await deliver(t, '', '', (message) => {
      const id = controlIdOf(message);
      if (id === 'L1') return [acknowledge(message, 'AR', '')];
      if (id === 'L2') return [acknowledge(message, 'AE', '')];
      if (id === 'L3') return [acknowledge(message, 'AR', 'L')];
      return [acknowledge(message)];
    });
    t.same(settled, ['L1 dead AR', 'L2 dead AE', 'L3 dead AR', 'L4 delivered AA', 'L5 delivered AA']);
    t.same(alarms, []);
  },
);

t.test('line - an accept refusal without an MSA-2 counts where the accept answer is due', async (t) => {
  const { settled, received } = await deliver(t, 'AL', 'AL', (message) =>
    controlIdOf(message) === 'L2' ? [acknowledge(message, 'CR', '')] : [acknowledge(message, 'CA')],
  );
  t.same(settled, ['L1 delivered CA', 'L2 dead CR', ...all(5, ' delivered CA').slice(2)]);
  t.same(received, all(5), 'each sent once');
});

t.test(
  'line - a positive answer without an MSA-2 is never taken; after a few the site is told, once',
  async (t) => {
    let sends = 0;
    const { settled, received, alarms } = await deliver(
      t,
      '',
      '',
      (message) => {
        sends += 1;
        return [acknowledge(message, 'AA', sends > 6 ? controlIdOf(message) : '')];
      },
      2,
    );
    t.same(settled, all(2, ' delivered AA'));
    t.same(received, [...Array(7).fill('L1'), 'L2']);
    t.same(alarms, ['destination-mismatched ehr']);
  },
);

t.test('line - a refusal that may be of an earlier letter is not taken for this one', async (t) => {
  let before: Buffer | undefined;
  let told = false;
  const { settled, received } = await deliver(t, 'AL', 'AL', (message) => {
    // The application's refusal of L1, without its number, while L2 waits for its accept answer.
    const late = before !== undefined && !told ? [acknowledge(before, 'AR', '')] : [];
    told = before !== undefined;
    before = message;
    return [...late, acknowledge(message, 'CA')];
  });
  t.same(settled, all(5, ' delivered CA'));
  t.same(received, ['L1', 'L2', 'L2', 'L3', 'L4', 'L5']);
});

t.test('line - a refusal that is said twice is not taken for the next letter', async (t) => {
  const { settled } = await deliver(
    t,
    '',
    '',
    (message) => {
      const id = controlIdOf(message);
      return id === 'L1' ? [acknowledge(message, 'AR'), acknowledge(message, 'AR')] : [acknowledge(message)];
    },
    12,
  );
  t.same(settled, ['L1 dead AR', ...all(12, ' delivered AA').slice(1)]);
});
