/**
 * Ours and the limit in turns, so that what else the machine does falls on both. The verdict's ratio is that
 * of the medians; the spread is the lowest and the highest ratio of one pair.
 */
export interface Pair {
  readonly figure: number;
  readonly limit: number;
  readonly spread: readonly [number, number];
}

/** limit, ours, limit, ours, … */
export async function alternate<L, O>(
  rounds: number,
  limit: (round: number) => Promise<L>,
  ours: (round: number) => Promise<O>,
): Promise<{ limits: L[]; ours: O[] }> {
  const found = { limits: [] as L[], ours: [] as O[] };
  for (let round = 0; round < rounds; round += 1) {
    found.limits.push(await limit(round));
    found.ours.push(await ours(round));
  }
  return found;
}

export function pairOf(ours: readonly number[], limits: readonly number[]): Pair {
  const ratios = ours.map((one, round) => one / (limits[round] ?? Number.NaN));
  return { figure: median(ours), limit: median(limits), spread: [Math.min(...ratios), Math.max(...ratios)] };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The nearest-rank percentile of single values (for some hundreds of them; histograms are for more). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
