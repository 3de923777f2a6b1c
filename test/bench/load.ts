/**
 * Drives a load over any protocol and measures it.
 *
 * Closed loop: C connections, each keeps `window` messages unanswered: it finds the highest rate.
 * Open loop: messages are due at start + i / rate whether or not the target keeps up, and latency counts from
 * that moment, so a stall shows in every message that it delayed (no coordinated omission).
 *
 * Invariants: every message is distinct; an answer counts once, and only for a message that waits; the
 * warm-up is not measured; what is unanswered at the end is counted after a bounded wait, never dropped.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { histogram, recordMs, type Spread, spreadOf } from './latency.ts';

export interface LoadOptions {
  readonly connections: number;
  readonly window: number;
  /** Messages a second in all; without it the loop is closed. */
  readonly rate?: number | undefined;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** How long answers are waited for at the end. */
  readonly drainSeconds: number;
  /** The number of the first message: runs against one target must not repeat each other. */
  readonly first: number;
  /** Ends after so many messages or `mostSeconds`; `seconds` then says nothing. Closed loop only. */
  readonly count?: number | undefined;
  readonly mostSeconds?: number | undefined;
  /** Keeps the moment at which each message was due. */
  readonly keepTimes?: boolean | undefined;
}

export interface LoadConnection {
  send(n: number): void;
  close(): void;
}

/** What a connection tells the driver. */
export interface LoadEvents {
  answered(n: number, positive: boolean): void;
  /** Something that is no answer to anything: a stray, a fault. */
  failed(reason: string): void;
  closed(): void;
}

export interface LoadResult extends Spread {
  readonly rate: number;
  readonly offeredRate: number | null;
  readonly connections: number;
  readonly window: number;
  readonly sent: number;
  readonly answered: number;
  readonly refused: number;
  readonly errors: number;
  /** How often each kind of error was met. */
  readonly errorKinds: Readonly<Record<string, number>>;
  readonly notAnswered: number;
  readonly next: number;
  /** Processor time of this generator per message: it shares the machine with its target. */
  readonly loaderCpuUs: number;
  /** Wall clock, milliseconds: the first send, and the span that was measured. */
  readonly startedAtMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** When each message was due, wall clock in milliseconds, from `first` on; only where it was asked for. */
  readonly dueAtMs?: readonly number[];
}

export async function runLoad(
  options: LoadOptions,
  connect: (index: number, events: LoadEvents) => Promise<LoadConnection>,
): Promise<LoadResult> {
  const { connections: count, window, rate, seconds, warmupSeconds, first } = options;
  const latency = histogram();
  // When each message was due; NaN once it is answered.
  const due: number[] = [];
  const dueAtMs: number[] = [];
  const wall = (at: number) => performance.timeOrigin + at;
  const countMax = options.count ?? Number.POSITIVE_INFINITY;
  let finished = () => {};
  const allAnswered = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const errors = new Map<string, number>();
  let [answered, refused, measured, open, on] = [0, 0, 0, 0, true];
  let [measureFrom, measureTo] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const fail = (reason: string) => errors.set(reason, (errors.get(reason) ?? 0) + 1);

  const lanes: { connection: LoadConnection; alive: boolean }[] = [];
  const sendOn = (lane: { connection: LoadConnection; alive: boolean }, dueAt: number) => {
    if (due.length >= countMax) return;
    const n = first + due.length;
    due.push(dueAt);
    if (options.keepTimes) dueAtMs.push(wall(dueAt));
    open += 1;
    lane.connection.send(n);
  };
  for (let index = 0; index < count; index += 1) {
    const lane = { connection: undefined as unknown as LoadConnection, alive: true };
    lane.connection = await connect(index, {
      answered: (n, positive) => {
        const dueAt = due[n - first];
        if (dueAt === undefined || Number.isNaN(dueAt)) {
          fail('stray answer');
          return;
        }
        due[n - first] = Number.NaN;
        open -= 1;
        if (positive) answered += 1;
        else refused += 1;
        const now = performance.now();
        if (now >= measureFrom && now < measureTo) {
          measured += 1;
          recordMs(latency, now - dueAt);
        }
        if (rate === undefined && on && lane.alive) sendOn(lane, now);
        if (open === 0 && due.length >= countMax) finished();
      },
      failed: fail,
      closed: () => {
        if (lane.alive && on) fail('connection lost');
        lane.alive = false;
        if (lanes.every((other) => !other.alive)) finished();
      },
    });
    lanes.push(lane);
  }

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  measureFrom = startedAt + warmupSeconds * 1000;
  measureTo = options.count === undefined ? measureFrom + seconds * 1000 : Number.POSITIVE_INFINITY;
  if (rate === undefined) {
    for (const lane of lanes) for (let slot = 0; slot < window; slot += 1) sendOn(lane, performance.now());
    if (options.count === undefined) await delay(measureTo - performance.now());
    else
      await Promise.race([
        allAnswered,
        delay((options.mostSeconds ?? 86_400) * 1000, undefined, { ref: false }),
      ]);
  } else await openLoop(rate, startedAt, measureTo, lanes, sendOn, fail);
  on = false;
  if (options.count !== undefined) measureTo = performance.now();
  const drainUntil = performance.now() + options.drainSeconds * 1000;
  while (open > 0 && performance.now() < drainUntil && lanes.some((lane) => lane.alive)) await delay(5);
  for (const lane of lanes) lane.connection.close();
  const cpu = process.cpuUsage(cpuBefore);
  const errorCount = [...errors.values()].reduce((a, b) => a + b, 0);
  return {
    rate: Math.round(measured / ((measureTo - measureFrom) / 1000)),
    offeredRate: rate ?? null,
    connections: count,
    window,
    sent: due.length,
    answered,
    refused,
    errors: errorCount,
    errorKinds: Object.fromEntries(errors),
    notAnswered: open,
    ...spreadOf(latency),
    next: first + due.length,
    loaderCpuUs: Math.round((cpu.user + cpu.system) / Math.max(1, due.length)),
    startedAtMs: wall(startedAt),
    fromMs: wall(measureFrom),
    toMs: wall(measureTo),
    ...(options.keepTimes ? { dueAtMs } : {}),
  };
}

async function openLoop(
  rate: number,
  startedAt: number,
  until: number,
  lanes: readonly { connection: LoadConnection; alive: boolean }[],
  sendOn: (lane: { connection: LoadConnection; alive: boolean }, dueAt: number) => void,
  fail: (reason: string) => void,
): Promise<void> {
  for (let sent = 0; ; ) {
    const now = performance.now();
    if (now >= until) return;
    // The first one is due at once.
    const dueCount = Math.floor(((now - startedAt) / 1000) * rate) + 1;
    const alive = lanes.filter((lane) => lane.alive);
    for (; sent < dueCount; sent += 1) {
      const lane = alive[sent % alive.length];
      if (lane) sendOn(lane, startedAt + (sent / rate) * 1000);
      else fail('no connection left');
    }
    await delay(1);
  }
}

/** The options that every load generator has. */
export const loadFlags = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  connections: { type: 'string', default: '1' },
  window: { type: 'string', default: '1' },
  rate: { type: 'string' },
  seconds: { type: 'string', default: '5' },
  warmup: { type: 'string', default: '1' },
  drain: { type: 'string', default: '5' },
  first: { type: 'string', default: '0' },
  count: { type: 'string' },
  most: { type: 'string', default: '86400' },
  times: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  ledger: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
} as const;

export function loadOptions(values: Readonly<Record<string, string | boolean | undefined>>): LoadOptions {
  if (values.port === undefined) throw new Error('--port is missing');
  return {
    connections: Number(values.connections),
    window: Number(values.window),
    rate: values.rate === undefined ? undefined : Number(values.rate),
    seconds: Number(values.seconds),
    warmupSeconds: Number(values.warmup),
    drainSeconds: Number(values.drain),
    first: Number(values.first),
    count: values.count === undefined ? undefined : Number(values.count),
    mostSeconds: Number(values.most),
    keepTimes: values.times === true,
  };
}
