import type { Class, Config } from './schema.ts';

/** `500ms`, `5s`, `15m`, `1h`, `7d` as milliseconds; undefined where it is none of these. */
export function durationMs(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const ms = Number(digits) * unitMs[unit as keyof typeof unitMs];
  return ms > 0 && ms <= dayMs * durationDaysMax ? ms : undefined;
}

/** Milliseconds from capture to delivery for a class. */
export function budgetMs(config: Pick<Config, 'budgets'>, word: Class): number {
  return durationMs(config.budgets[word]) ?? 0;
}

/** The time for which a device is declared: from, and up to but without, in milliseconds. */
export function span({ since, until }: Pick<Config['devices'][string], 'since' | 'until'>): [number, number] {
  return [
    since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since),
    until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
  ];
}

/** What a timer takes: it counts milliseconds in 31 bits, and one that is longer fires at once. */
const timerMsMax = 24 * 86_400_000;

/** A duration, and short enough for a timer. */
export function isTimer(text: string): boolean {
  return (durationMs(text) ?? Number.POSITIVE_INFINITY) <= timerMsMax;
}

/** Ten years. */
export const durationDaysMax = 3_650;

const dayMs = 86_400_000;
const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: dayMs } as const;
