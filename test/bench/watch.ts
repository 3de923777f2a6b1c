/**
 * Looks at both daemons at intervals while something else runs: counts from /status, memory from the kernel.
 * Twice a second is enough for slopes and too little to be felt.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Usage, usageOf } from '../kit/proc.ts';
import { type Stack, type Totals, totalsOf } from './stack.ts';

export interface Sample {
  readonly atMs: number;
  readonly totals: Totals;
  readonly gateway: Usage | undefined;
  readonly plane: Usage | undefined;
}

export interface Watched<T> {
  readonly result: T;
  readonly samples: readonly Sample[];
  /** Samples of a span of wall clock. */
  during(fromMs: number, toMs: number): Sample[];
}

export async function watch<T>(stack: Stack, during: () => Promise<T>, everyMs = 500): Promise<Watched<T>> {
  const samples: Sample[] = [];
  let on = true;
  const watching = (async () => {
    while (on) {
      samples.push(await sample(stack));
      await delay(everyMs);
    }
  })();
  try {
    const result = await during();
    return {
      result,
      samples,
      during: (fromMs, toMs) => samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs),
    };
  } finally {
    on = false;
    await watching;
  }
}

export async function sample(stack: Stack): Promise<Sample> {
  const status = await stack.status();
  return {
    atMs: performance.timeOrigin + performance.now(),
    totals: totalsOf(status),
    gateway: usageOf(stack.gatewayPid),
    plane: stack.planePid === undefined ? undefined : usageOf(stack.planePid),
  };
}

/** How much a count grew a second over the samples. */
export function rateOf(samples: readonly Sample[], name: keyof Totals): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  return ((last.totals[name] - first.totals[name]) / (last.atMs - first.atMs)) * 1000;
}

/** Least squares: how much a value changes from the first sample to the last. */
export function growthOf(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return Number.NaN;
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [meanAt, meanValue] = [mean(({ atMs }) => atMs), mean(value)];
  let [up, down] = [0, 0];
  for (const one of samples) {
    up += (one.atMs - meanAt) * (value(one) - meanValue);
    down += (one.atMs - meanAt) ** 2;
  }
  return (up / down) * (last.atMs - first.atMs);
}
