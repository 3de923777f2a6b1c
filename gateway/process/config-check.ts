/**
 * A config is checked in a thread of its own: one with 20,000 codes takes seconds, in which nobody would be answered. One
 * that does not come to an end is refused.
 */
import { Worker } from 'node:worker_threads';
import {
  type CheckOptions,
  type CheckResult,
  checkConfig,
  recalled,
  remember,
} from '../../proto/config/check.ts';

/** So much takes less than the start of a thread. */
const smallCharacters = 4_096;
const timeoutMs = 120_000;
const heapMb = 512;

/** What the thread is given. */
export interface CheckJob {
  text: string;
  options: CheckOptions;
}

/** Who waits for whom: what somebody asks about, over and over perhaps, does not hold up what is to run. */
export type CheckQueue = 'asked' | 'to-run';

/** As `checkConfig`, which knows the result from then on, as it knows its own last one. */
export async function checkApart(
  text: string,
  options: CheckOptions = {},
  queue: CheckQueue = 'to-run',
): Promise<CheckResult> {
  if (text.length <= smallCharacters) return checkConfig(text, options);
  const known = recalled(text, options);
  if (known !== undefined) return known;
  const result = await inTurn({ text, options }, queue);
  // It may have been this machine at that moment.
  if (result !== endless) remember(text, options, result);
  return result;
}

const last: Record<CheckQueue, Promise<unknown>> = {
  asked: Promise.resolve(),
  'to-run': Promise.resolve(),
};

/** One of a queue after the other: each may take `heapMb`. */
function inTurn(job: CheckJob, queue: CheckQueue): Promise<CheckResult> {
  const turn = last[queue].then(() => recalled(job.text, job.options) ?? inThread(job));
  last[queue] = turn;
  return turn;
}

function inThread(job: CheckJob): Promise<CheckResult> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./config-check-thread.${extension}`, import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return new Promise((resolve) => {
    const ended = (result: CheckResult) => {
      clearTimeout(timer);
      resolve(result);
      worker.removeAllListeners();
      worker.on('error', () => {});
      void worker.terminate();
    };
    const timer = setTimeout(() => ended(endless), timeoutMs);
    worker.on('message', ended);
    worker.on('error', () => ended(endless));
    worker.on('exit', () => ended(endless));
  });
}

const endless: CheckResult = {
  problems: [
    {
      path: '',
      line: 0,
      column: 0,
      message: 'checking it takes more time or memory than any config may',
      hint: 'divide long lists, or shorten its predicates',
    },
  ],
};
