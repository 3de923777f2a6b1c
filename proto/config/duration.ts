/** `500ms`, `5s`, `15m`, `1h`, `7d` as milliseconds; undefined where it is none of these. */
export function durationMs(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const ms = Number(digits) * unitMs[unit as keyof typeof unitMs];
  return ms > 0 && ms <= dayMs * 3650 ? ms : undefined;
}

/** What a timer takes: it counts milliseconds in 31 bits, and one that is longer fires at once. */
export const timerMsMax = 24 * 86_400_000;

/** A duration, and short enough for a timer. */
export function isTimer(text: string): boolean {
  return (durationMs(text) ?? Number.POSITIVE_INFINITY) <= timerMsMax;
}

const dayMs = 86_400_000;
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: dayMs } as const;
