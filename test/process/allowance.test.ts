/** The time that a thread is given: neither a machine that stands still nor a loop that is held up is the thread's fault. */
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { Allowance } from '../../gateway/process/allowance.ts';
import { until } from '../kit/wait.ts';

/** Holds up the event loop, as a machine that stands still does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('allowance - time in which nothing runs does not count', async (t) => {
  const allowance = new Allowance();
  let over = 0;
  allowance.give(400, () => {
    over += 1;
  });
  block(1_000);
  for (let turns = 0; turns < 3; turns += 1) await turn();
  t.equal(over, 0, 'of a second only the first step counts');
  await until(() => over === 1, { what: 'the end of the allowance' });
});

t.test('allowance - what the thread has said by then is heard first', async (t) => {
  const allowance = new Allowance();
  const { port1, port2 } = new MessageChannel();
  let over = 0;
  let heard = 0;
  port2.on('message', () => {
    heard += 1;
    allowance.end();
  });
  allowance.give(10, () => {
    over += 1;
  });
  await turn();
  port1.postMessage('done');
  block(50);
  await until(() => heard === 1, { what: 'the message' });
  for (let turns = 0; turns < 3; turns += 1) await turn();
  t.equal(over, 0);
  port1.close();
});

t.test('allowance - a new one forgets what was given before', async (t) => {
  const allowance = new Allowance();
  const ended: string[] = [];
  allowance.give(1, () => ended.push('first'));
  block(20);
  allowance.give(1, () => ended.push('second'));
  await until(() => ended.length > 0, { what: 'an end' });
  await turn();
  t.same(ended, ['second']);
});
