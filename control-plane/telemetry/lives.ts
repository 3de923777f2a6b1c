/**
 * The lives of one gateway, each with the newest that it told: the last few by themselves, the latency of those before
 * them summed up. A gateway that ends and starts again all day costs no more than one that runs.
 */
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { type LatencyHistogram, Telemetry } from '../../proto/gen/hilum/v1/session.ts';

/** One is reported on, and what an earlier one told last may still come. */
const livesKept = 8;

export class Lives {
  /** Start of the life → its report; the life that was reported on last is the last. */
  readonly #lives = new Map<bigint, Telemetry>();
  #earlier: Telemetry | undefined;

  get(startedAtUs: bigint): Telemetry | undefined {
    return this.#lives.get(startedAtUs);
  }

  set(telemetry: Telemetry): void {
    this.#lives.delete(telemetry.startedAtUs);
    this.#lives.set(telemetry.startedAtUs, telemetry);
  }

  /** What was summed up before. */
  setEarlier(earlier: Telemetry): void {
    this.#earlier = earlier;
  }

  /** Sums up what is too many; gives the starts of those lives, and the sum with them. */
  sumUp(): { ended: bigint[]; earlier: Telemetry } | undefined {
    const ended = [...this.#lives.keys()].slice(0, -livesKept);
    if (ended.length === 0) return undefined;
    const lives = [this.#earlier, ...ended.map((start) => this.#lives.get(start))];
    const latency = mergedLatency(lives.flatMap((one) => one?.latency ?? []));
    this.#earlier = Telemetry.fromPartial({
      latency: latency.map(({ histogram, ...one }) => {
        return { ...one, histogram: encodeIntoCompressedBase64(histogram) };
      }),
    });
    for (const start of ended) this.#lives.delete(start);
    return { ended, earlier: this.#earlier };
  }

  latency(): LatencyHistogram[] {
    return [
      ...(this.#earlier?.latency ?? []),
      ...[...this.#lives.values()].flatMap(({ latency }) => latency),
    ];
  }
}

export interface LatencyFigures {
  class: string;
  hop: string;
  histogram: Histogram;
}

/** By class and hop. */
export function mergedLatency(latency: readonly LatencyHistogram[]): LatencyFigures[] {
  const found = new Map<string, LatencyFigures>();
  for (const one of latency) {
    const histogram = decoded(one);
    if (histogram === undefined) continue;
    const name = `${one.class}|${one.hop}`;
    const before = found.get(name);
    if (before === undefined) found.set(name, { class: one.class, hop: one.hop, histogram });
    else before.histogram.add(histogram);
  }
  return [...found.values()];
}

/** Undefined for what is none: a figure of a gateway that is not right must not cost its session. */
function decoded({ histogram }: LatencyHistogram): Histogram | undefined {
  try {
    const found = decodeFromCompressedBase64(histogram, 64, false);
    found.autoResize = true;
    return found;
  } catch {
    return undefined;
  }
}
