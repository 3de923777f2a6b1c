/**
 * Where the cases run: a thread with the heap of the gateway's normalizer, which tells the other side the
 * number of the case that it is at, so that one that never ends or takes the thread with it is known.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { caseMaker } from './case.ts';
import { type Checked, check } from './check.ts';
import type { Reading } from './inputs.ts';
import { minimised } from './minimise.ts';

export interface ThreadSetup {
  readonly seed: number;
  readonly first: number;
  /** No case from this number on, and none after the time is over. */
  readonly end: number;
  readonly untilMs: number;
  /** A single case with other bytes, to see whether they fail alike. */
  readonly instead?: Uint8Array;
  /** For the fuzzer's own test: what the case of this number does, as a mapper could. */
  readonly rehearsal?: { readonly number: number; readonly fault: 'hang' | 'explode' | 'grow' };
  /** [0] the number of the case in hand, [1] counts: the start, then each run */
  readonly at: Int32Array<SharedArrayBuffer>;
}

export interface Finding {
  readonly number: number;
  readonly fault: string;
  readonly from: string;
  readonly reading: string;
  readonly bytes: Uint8Array;
  readonly least: Uint8Array;
}

export interface Slow {
  readonly number: number;
  readonly ms: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly from: string;
}

export type FromThread =
  | { kind: 'finding'; finding: Finding }
  | {
      kind: 'done';
      cases: number;
      outcomes: Record<string, number>;
      slowest: Slow[];
      swollen: Slow[];
      heap: number[];
    };

const minimiseTries = 3_000;
const minimiseMs = 30_000;
const findingsMax = 10;
const slowestKept = 5;
/** The first cases run again at the end, behind everything that the others left in caches. */
const againMax = 200;
const heapEvery = 500;

const { seed, first, end, untilMs, instead, at, rehearsal } = workerData as ThreadSetup;
const make = caseMaker(seed);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What a rehearsal keeps. */
const kept: Uint8Array[] = [];

Atomics.add(at, 1, 1);
if (instead !== undefined) run(first, instead, make(first).reading);
else await runAll();

async function runAll(): Promise<void> {
  const outcomes: Record<string, number> = {};
  let slowest: Slow[] = [];
  let swollen: Slow[] = [];
  const digests: string[] = [];
  const heap: number[] = [];
  let findings = 0;
  let number = first;
  for (; number < end && performance.now() < untilMs && findings < findingsMax; number += 1) {
    Atomics.store(at, 0, number);
    const one = make(number);
    const startedAtMs = performance.now();
    const { fault, outcome, digest, bytesOut } = run(number, one.bytes, one.reading);
    const ms = performance.now() - startedAtMs;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (number - first < againMax) digests.push(digest);
    const { from } = one;
    const slow = { number, ms: Math.round(ms), bytesIn: one.bytes.length, bytesOut, from };
    slowest = [...slowest, slow].sort((a, b) => b.ms - a.ms).slice(0, slowestKept);
    swollen = [...swollen, slow].sort((a, b) => b.bytesOut - a.bytesOut).slice(0, slowestKept);
    if (fault !== '') {
      findings += 1;
      await tell(number, fault);
    }
    if ((number - first) % heapEvery === heapEvery - 1) heap.push(heapBytes());
  }
  for (const [turn, digest] of digests.entries()) {
    const { bytes, reading } = make(first + turn);
    if (run(first + turn, bytes, reading).digest !== digest)
      await tell(first + turn, 'unsteady: after other records the same bytes gave something else');
  }
  heap.push(heapBytes());
  send({ kind: 'done', cases: number - first, outcomes, slowest, swollen, heap });
}

function run(number: number, bytes: Uint8Array, reading: Reading): Checked {
  Atomics.add(at, 1, 1);
  if (rehearsal?.number === number) {
    while (rehearsal.fault === 'hang');
    if (rehearsal.fault === 'grow') kept.push(new Uint8Array(64 * 1024 ** 2));
    for (const hoard: unknown[] = []; rehearsal.fault === 'explode'; )
      hoard.push(new Array(1_000_000).fill(number));
  }
  return check(bytes, reading);
}

async function tell(number: number, fault: string): Promise<void> {
  const { bytes, reading, from } = make(number);
  const kind = kindOf(fault);
  const untilMs = performance.now() + minimiseMs;
  const fails = (shorter: Buffer) =>
    performance.now() < untilMs && kindOf(run(number, shorter, reading).fault) === kind;
  const least = fails(bytes) ? await minimised(bytes, fails, minimiseTries) : bytes;
  send({ kind: 'finding', finding: { number, fault, from, reading: reading.name, bytes, least } });
}

function kindOf(fault: string): string {
  return fault.slice(0, fault.indexOf(':'));
}

function heapBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function send(message: FromThread): void {
  parentPort?.postMessage(message);
}
