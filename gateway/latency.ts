/**
 * Latency by class and hop, as HdrHistograms in microseconds that merge exactly at the
 * control plane. A hop is the time from the one before it:
 *   journaled (since captured) normalized queued sent acked, and total = captured to acked.
 */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { LatencyHistogram } from '../proto/gen/hilum/v1/session.ts';
import type { Class } from './capture/intake.ts';
import { steadyUs } from './process/clock.ts';
import { percentileUs } from './process/percentile.ts';

export type HopName = 'journaled' | 'normalized' | 'queued' | 'sent' | 'acked' | 'total';

const highestUs = 7 * 24 * 3_600 * 1e6;

export class Latency {
  readonly #histograms = new Map<string, Histogram>();

  record(lane: Class, hop: HopName, us: number): void {
    // A step of the wall clock between the two readings makes a difference that was never waited.
    if (us < 0 || us > steadyUs()) return;
    const name = `${lane}|${hop}`;
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = build({
        bitBucketSize: 64,
        autoResize: true,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 60 * 1e6,
        numberOfSignificantValueDigits: 3,
        useWebAssembly: false,
      });
      this.#histograms.set(name, histogram);
    }
    histogram.recordValue(Math.min(Math.round(us), highestUs));
  }

  /** How many values each has, and its encoded form, which takes time to make. */
  *all(): Generator<{ name: string; count: number; encode(): LatencyHistogram }> {
    for (const [name, histogram] of this.#histograms) {
      const [lane, hop] = name.split('|') as [string, string];
      yield {
        name,
        count: histogram.totalCount,
        encode: () => ({ class: lane, hop, histogram: encodeIntoCompressedBase64(histogram) }),
      };
    }
  }

  summary(): { class: string; hop: string; count: number; p50Us: number; p99Us: number; maxUs: number }[] {
    return [...this.#histograms].map(([name, histogram]) => {
      const [lane, hop] = name.split('|') as [string, string];
      return {
        class: lane,
        hop,
        count: histogram.totalCount,
        p50Us: percentileUs(histogram, 50),
        p99Us: percentileUs(histogram, 99),
        maxUs: histogram.maxValue,
      };
    });
  }
}
