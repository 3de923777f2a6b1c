/**
 * The clock of each source beside the gateway's.
 *
 *   sender's own time − time of capture = clock error − time under way − what its resolution cut off
 *
 * Both of these only make it smaller, so the largest of a few minutes is closest to the clock error, also while
 * a backlog drains. The window is an hour of such parts and the answer their median: one message with a
 * time of next year moves one part. A clock error is constant; where the parts lie far apart, messages
 * come late, and that is said instead. What is close to a whole number of quarter hours is a time zone:
 * no clock drifts there.
 */
import type { SourceClock } from '../proto/gen/hilum/v1/session.ts';
import { isWrongClock } from './process/clock-text.ts';
import type { JobResult } from './worker-job.ts';

const partUs = 5 * 60_000_000;
const partsMax = 12;
const sourcesMax = 1_000;
/** One alone may be anything. */
const messagesMin = 3;
/** What is behind may be a queue that is sent at last; a clock is behind for longer than that. */
const partsBehindMin = 3;
const judgedEveryUs = 1_000_000;
const quarterMs = 15 * 60_000;
/** The zones of the world lie between −12 and +14 hours. */
const zoneMsMax = 26 * 3_600_000;
const zoneToleranceMs = 60_000;

export type ClockVerdict = 'unknown' | 'ok' | 'ahead' | 'behind' | 'zone' | 'late';

interface Part {
  startUs: number;
  messages: number;
  /** The largest of it, ms. */
  aheadMs: number;
}

export interface SourceClockState {
  source: string;
  verdict: ClockVerdict;
  aheadMs: number;
  zoneMs: number;
  spreadMs: number;
  stepMs: number;
  messages: number;
  assumed: string;
  atUs: number;
  limitMs: number;
}

interface Entry {
  source: string;
  /** Oldest first. */
  parts: Part[];
  stepMs: number;
  assumed: string;
  atUs: number;
  judgedUs: number;
  verdict: ClockVerdict;
}

export interface ClockHooks {
  /** Of the running config. */
  limitMs(source: string): number;
  /** It crossed the limit, or is another kind of wrong than before. */
  onWarning(clock: SourceClockState): void;
}

export class Clocks {
  readonly #entries = new Map<string, Entry>();
  readonly #hooks: ClockHooks;

  constructor(hooks: ClockHooks) {
    this.#hooks = hooks;
  }

  count(source: string, { aheadMs, stepMs = 0, assumed = '', capturedAtUs: atUs }: JobResult): void {
    if (aheadMs === undefined) return;
    let entry = this.#entries.get(source);
    if (entry === undefined) {
      if (this.#entries.size >= sourcesMax) return;
      entry = { source, parts: [], stepMs, assumed, atUs, judgedUs: 0, verdict: 'unknown' };
      this.#entries.set(source, entry);
    }
    entry.stepMs = stepMs;
    entry.assumed = assumed;
    const part = partOf(entry, atUs);
    if (part === undefined) return;
    entry.atUs = Math.max(entry.atUs, atUs);
    part.messages += 1;
    if (aheadMs > part.aheadMs) part.aheadMs = aheadMs;
    if (atUs - entry.judgedUs >= judgedEveryUs || part.messages <= messagesMin) this.#judge(entry, atUs);
  }

  all(): SourceClockState[] {
    return [...this.#entries.values()].map((entry) => this.#state(entry));
  }

  report(): SourceClock[] {
    const us = (ms: number) => BigInt(Math.round(ms * 1000));
    return this.all().map((clock) => ({
      source: clock.source,
      verdict: clock.verdict,
      aheadUs: us(clock.aheadMs),
      zoneUs: us(clock.zoneMs),
      spreadUs: us(clock.spreadMs),
      stepUs: us(clock.stepMs),
      messages: BigInt(clock.messages),
      assumed: clock.assumed,
      atUs: BigInt(clock.atUs),
      limitUs: us(clock.limitMs),
    }));
  }

  #judge(entry: Entry, atUs: number): void {
    entry.judgedUs = atUs;
    const state = this.#state(entry);
    if (state.verdict === entry.verdict) return;
    entry.verdict = state.verdict;
    if (isWrongClock(state.verdict)) this.#hooks.onWarning(state);
  }

  #state({ source, parts, stepMs, assumed, atUs }: Entry): SourceClockState {
    const limitMs = this.#hooks.limitMs(source);
    const messages = parts.reduce((sum, part) => sum + part.messages, 0);
    const sorted = parts.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b);
    const aheadMs = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    const spreadMs = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
    const measured = { source, aheadMs, spreadMs, stepMs, messages, assumed, atUs, limitMs };
    return { ...measured, ...judged(measured, parts.length) };
  }
}

function judged(
  { aheadMs, spreadMs, stepMs, messages, limitMs }: Omit<SourceClockState, 'verdict' | 'zoneMs'>,
  parts: number,
): Pick<SourceClockState, 'verdict' | 'zoneMs'> {
  if (messages < messagesMin) return { verdict: 'unknown', zoneMs: 0 };
  const allowedMs = limitMs + stepMs;
  if (Math.abs(aheadMs) <= allowedMs) return { verdict: 'ok', zoneMs: 0 };
  // Nothing comes before it is sent: what is ahead is the clock. What is behind may have waited somewhere.
  if (aheadMs < 0 && (spreadMs > allowedMs || parts < partsBehindMin)) return { verdict: 'late', zoneMs: 0 };
  const zoneMs = Math.round(aheadMs / quarterMs) * quarterMs;
  if (
    zoneMs !== 0 &&
    Math.abs(zoneMs) <= zoneMsMax &&
    Math.abs(aheadMs - zoneMs) <= Math.min(zoneToleranceMs, limitMs) + stepMs
  )
    return { verdict: 'zone', zoneMs };
  return { verdict: aheadMs > 0 ? 'ahead' : 'behind', zoneMs: 0 };
}

/** The part that the time falls in; undefined for one that has left the window. */
function partOf({ parts }: Entry, atUs: number): Part | undefined {
  const startUs = atUs - (atUs % partUs);
  const newest = parts.at(-1);
  if (newest?.startUs === startUs) return newest;
  if (newest !== undefined && startUs < newest.startUs) return parts.find((part) => part.startUs === startUs);
  const part = { startUs, messages: 0, aheadMs: Number.NEGATIVE_INFINITY };
  parts.push(part);
  const oldestUs = startUs - (partsMax - 1) * partUs;
  while ((parts[0]?.startUs ?? startUs) < oldestUs) parts.shift();
  return part;
}

/** The code and fields of its alarm. */
export function clockAlarm({
  source,
  verdict,
  aheadMs,
}: SourceClockState): [string, Record<string, number | string>] {
  const aheadS = Math.round(aheadMs / 1000);
  return [verdict === 'zone' ? 'clock-zone' : 'clock-skew', { source, aheadS }];
}
