/** A percentile that is never above the largest value seen: a histogram answers with the upper end of its bucket. */
import type { Histogram } from 'hdr-histogram-js';

export function percentileUs(histogram: Histogram, percentile: number): number {
  return Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue);
}
