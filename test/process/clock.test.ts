/** One clock for all threads of a process: what one thread saw before another did has the smaller time. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { nowUs, shareClock } from '../../gateway/process/clock.ts';

/** A thread that answers each message with its own time, and says first how far `performance.now()` is there. */
const script = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.module).then(({ adoptClock, nowUs }) => {
  adoptClock(workerData.clock);
  parentPort.on('message', () => parentPort.postMessage(nowUs()));
  parentPort.postMessage(0);
});`;

t.test('clock - the times of a worker lie between those of the thread that asks it', async (t) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = new URL(`../../gateway/process/clock.${extension}`, import.meta.url).href;
  const worker = new Worker(script, { eval: true, workerData: { module, clock: shareClock() } });
  t.teardown(() => worker.terminate());
  await once(worker, 'message');
  let [early, late] = [0, 0];
  for (let n = 0; n < 200; n += 1) {
    const before = nowUs();
    worker.postMessage('');
    const [there] = (await once(worker, 'message')) as [number];
    const after = nowUs();
    // A microsecond of rounding on either side.
    if (there < before - 1) early += 1;
    if (there > after + 1) late += 1;
  }
  t.same({ early, late }, { early: 0, late: 0 });
});

t.test('clock - it never runs backwards and is the wall clock', async (t) => {
  let last = nowUs();
  for (let n = 0; n < 1000; n += 1) {
    const now = nowUs();
    if (now < last) t.fail(`${now} after ${last}`);
    last = now;
  }
  t.ok(Math.abs(nowUs() / 1000 - Date.now()) < 1_000, 'within the step that it follows');
});
