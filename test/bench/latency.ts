/**
 * Latency histograms: microseconds inside, milliseconds outside, three significant digits.
 * Invariant: histograms of several runs or processes may be added; percentiles may not.
 */
import { build, type Histogram } from 'hdr-histogram-js';

/** Percentiles in milliseconds. */
export interface Spread {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

export function histogram(): Histogram {
  const highestTrackableValue = 600_000_000;
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue,
    numberOfSignificantValueDigits: 3,
  });
}

export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(600_000_000, Math.max(1, Math.round(ms * 1000))));
}

export function spreadOf(histogram: Histogram): Spread {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  const maxMs = histogram.totalCount === 0 ? 0 : histogram.maxValue / 1000;
  return { p50Ms: at(50), p90Ms: at(90), p99Ms: at(99), p999Ms: at(99.9), maxMs };
}
