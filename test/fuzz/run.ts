/** Runs cases in a thread of their own and watches it: what throws is told by the thread, what hangs or dies is seen here. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { caseMaker } from './case.ts';
import { escaped, minimised } from './minimise.ts';
import type { Finding, FromThread, Slow, ThreadSetup } from './thread.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Whichever is reached first ends the run. */
  readonly cases: number;
  readonly seconds: number;
  readonly first?: number;
  /** Ten times what the gateway gives a record. */
  readonly hangMs?: number;
  readonly rehearsal?: ThreadSetup['rehearsal'];
}

export interface FuzzReport {
  findings: Finding[];
  cases: number;
  outcomes: Record<string, number>;
  slowest: Slow[];
  /** The most bytes that came out of one record. */
  swollen: Slow[];
  /** Heap in use after collections, in the order of the run, bytes. */
  heap: number[];
}

/** As the gateway gives its normalizer. */
const heapMb = 512;
/** A thread reads its inputs and compiles configs before its first case; that is no case that hangs. */
const startMs = 60_000;
/** Each may cost the limit above. */
const triesOfAHang = 24;
/** Tables and caches fill in the beginning; from then on a run holds what it holds. */
const growthMax = 32 * 1024 * 1024;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, cases, seconds, first = 0 } = options;
  const report: FuzzReport = { findings: [], cases: 0, outcomes: {}, slowest: [], swollen: [], heap: [] };
  const startedAtMs = performance.now();
  const end = first + cases;
  let next = first;
  while (next < end && performance.now() - startedAtMs < seconds * 1_000) {
    const left = seconds * 1_000 - (performance.now() - startedAtMs);
    const stopped = await runThread(options, { first: next, end }, left, (message) => {
      if (message.kind === 'finding') report.findings.push(message.finding);
      else gather(report, message);
    });
    if (stopped === undefined) break;
    // This one took its thread with it; the rest goes on in another.
    report.findings.push(await worst(options, stopped.number, stopped.fault));
    report.cases += stopped.number - next + 1;
    next = stopped.number + 1;
    if (report.findings.length >= 5) break;
  }
  const [settled] = report.heap.slice(Math.floor(report.heap.length / 4));
  const last = report.heap.at(-1);
  if (settled !== undefined && last !== undefined && last - settled > growthMax) {
    const grown = `growth: the heap went from ${megabytes(settled)} to ${megabytes(last)} over ${report.cases} cases`;
    report.findings.push(findingOf(seed, next, grown, Buffer.alloc(0)));
  }
  return report;
}

export function findingText({ number, fault, from, reading, bytes, least }: Finding, seed: number): string {
  const text = escaped(least);
  const shown = text.length > 4_000 ? `${text.slice(0, 4_000)}… (${least.length} bytes)` : text;
  return [
    `case ${number} of seed ${seed}: ${fault}`,
    `  made from ${from}; read as ${reading}; ${bytes.length} bytes, the least that fails has ${least.length}:`,
    `  '${shown}'`,
    `  again: npm run fuzz -- --seed ${seed} --first ${number} --cases 1`,
  ].join('\n');
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function gather(report: FuzzReport, done: Extract<FromThread, { kind: 'done' }>): void {
  report.cases += done.cases;
  report.heap = done.heap;
  for (const [outcome, count] of Object.entries(done.outcomes))
    report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + count;
  report.slowest = [...report.slowest, ...done.slowest].sort((a, b) => b.ms - a.ms).slice(0, 5);
  report.swollen = [...report.swollen, ...done.swollen].sort((a, b) => b.bytesOut - a.bytesOut).slice(0, 5);
}

/** Resolves to the case that hung or died, undefined where the thread came to its end. */
function runThread(
  { seed, hangMs = 10_000, rehearsal }: FuzzOptions,
  range: Pick<ThreadSetup, 'first' | 'end' | 'instead'>,
  leftMs: number,
  told: (message: FromThread) => void,
): Promise<{ number: number; fault: string } | undefined> {
  const at = new Int32Array(new SharedArrayBuffer(8));
  at[0] = range.first - 1;
  const worker = new Worker(new URL(`./thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url), {
    workerData: {
      ...range,
      seed,
      untilMs: leftMs,
      at,
      ...(rehearsal && { rehearsal }),
    } satisfies ThreadSetup,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return new Promise((resolve) => {
    let seen = 0;
    let sinceMs = performance.now();
    const watch = setInterval(
      () => {
        const now = Atomics.load(at, 1);
        if (now !== seen) [seen, sinceMs] = [now, performance.now()];
        else if (performance.now() - sinceMs > (seen === 0 ? startMs : hangMs))
          finish(seen === 0 ? 'death: did not start' : `hang: more than ${hangMs} ms`);
      },
      Math.min(250, hangMs / 4),
    );
    const finish = (fault?: string) => {
      clearInterval(watch);
      worker.removeAllListeners();
      // One that is stopped as hanging may yet run out of memory.
      worker.on('error', () => {});
      void worker.terminate();
      resolve(
        fault === undefined ? undefined : { number: Math.max(range.first, Atomics.load(at, 0)), fault },
      );
    };
    worker.on('message', told);
    worker.once('error', (error) => finish(`death: ${error.message}`));
    worker.once('exit', (code) => finish(code === 0 ? undefined : `death: exit ${code}`));
  });
}

async function worst(options: FuzzOptions, number: number, fault: string): Promise<Finding> {
  const { seed } = options;
  const { bytes } = caseMaker(seed)(number);
  const kind = fault.slice(0, 5);
  const fails = async (shorter: Buffer) => {
    const range = { first: number, end: number + 1, instead: shorter };
    return (await runThread(options, range, Number.POSITIVE_INFINITY, () => {}))?.fault.slice(0, 5) === kind;
  };
  return findingOf(seed, number, fault, await minimised(bytes, fails, triesOfAHang));
}

function findingOf(seed: number, number: number, fault: string, least: Uint8Array): Finding {
  const { bytes, from, reading } = caseMaker(seed)(number);
  return { number, fault, from, reading: reading.name, bytes, least };
}
