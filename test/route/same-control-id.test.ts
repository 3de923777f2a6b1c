/** Letters with one MSH-10 (a sender that counts nothing, a result that was corrected): an answer settles its own alone. */
import t from 'tap';
import { Delivery } from '../../gateway/route/delivery.ts';
import { letterQueue } from '../kit/letter-queue.ts';
import { type Answering, acknowledge, MllpServer } from '../kit/mllp-server.ts';
import type { Owner } from '../kit/process.ts';
import { until } from '../kit/wait.ts';

/** All of one control ID, told apart by PID-1. */
const lettersOf = (wants: readonly string[]) =>
  wants.map((conditions, at) => ({
    raw: Buffer.from(`MSH|^~\\&|LAB|A|EHR|B|20261126||ORU^R01|L1|P|2.5|||${conditions}\rPID|${at + 1}\r`),
    messageControlId: 'L1',
  }));
const numberOf = (message: Buffer) => Number(/\rPID\|(\d+)/.exec(message.toString('latin1'))?.[1]);

async function deliver(t: Owner, wants: readonly string[], answering: Answering) {
  const seen = { settled: [] as string[], lines: new Map<number, unknown>(), late: [] as unknown[] };
  const receiver = await MllpServer.start((message, socket) => {
    seen.lines.set(numberOf(message), socket);
    return answering(message, socket);
  });
  t.teardown(() => receiver.close());
  const letters = lettersOf(wants);
  const queue = letterQueue(letters, ({ recordSequence }, word, { answer }) =>
    seen.settled.push(`${recordSequence} ${word} ${answer}`.trim()),
  );
  const { port } = receiver;
  const to = { name: 'ehr', host: '127.0.0.1', port, tls: false, timeoutMs: 30_000, inSourceOrder: true };
  const delivery = new Delivery(
    queue,
    { ...to, tls: false as const },
    {
      random: () => 0,
      log: (_, code, fields) => code === 'delivery-refused-late' && seen.late.push(fields?.answer),
      onAlarm: () => {},
    },
  );
  t.teardown(() => delivery.stop());
  delivery.notify();
  await until(() => seen.settled.length === letters.length, { what: 'all settled', timeoutMs: 60_000 });
  return seen;
}

t.test(
  'delivery - the late answer of an application is never that of the next letter with its control ID',
  async (t) => {
    for (const wants of ['AL|AL', '|AL', 'NE|AL']) {
      let first: { message: Buffer; socket: Parameters<Answering>[1] } | undefined;
      const { settled, lines } = await deliver(t, ['AL|AL', wants], (message, socket) => {
        if (numberOf(message) === 1) {
          first = { message, socket };
          return [acknowledge(message, 'CA')];
        }
        // Only now comes what the first one is still owed, and then the answer to this one.
        if (first !== undefined) first.socket.write(acknowledge(first.message, 'AA'));
        return [acknowledge(message, wants.startsWith('AL') ? 'CR' : 'AR')];
      });
      t.same(settled, ['1 delivered CA', `2 dead ${wants.startsWith('AL') ? 'CR' : 'AR'}`], wants);
      t.not(lines.get(1), lines.get(2), 'it has a line of its own');
    }
  },
);

t.test('delivery - a late objection to a letter that asked for none is not one to the next', async (t) => {
  let first: { message: Buffer; socket: Parameters<Answering>[1] } | undefined;
  const { settled } = await deliver(t, ['NE|ER', '|'], (message, socket) => {
    if (numberOf(message) === 1) {
      first = { message, socket };
      return [];
    }
    if (first !== undefined) first.socket.write(acknowledge(first.message, 'AR'));
    return [acknowledge(message, 'AA')];
  });
  t.same(settled, ['1 delivered', '2 delivered AA']);
});

t.test('delivery - letters of one control ID share a line where nothing is owed any more', async (t) => {
  const { settled, lines } = await deliver(t, ['|', '|', 'AL|NE'], (message) => [
    acknowledge(message, numberOf(message) === 3 ? 'CA' : 'AA'),
  ]);
  t.same(settled, ['1 delivered AA', '2 delivered AA', '3 delivered CA']);
  t.equal(new Set(lines.values()).size, 1);
});
