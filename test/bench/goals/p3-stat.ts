/**
 * P3: a STAT result over a queue of routine ones. STAT messages are sent one at a time on a steady beat, whether
 * or not the last one was answered (open loop); each counts from the moment it was due at the sender to the
 * time at which the centre says it was stored. One machine, so both are the same clock.
 *
 * The backlog is made with the control plane stopped; the beat begins when it is back and the backlog drains.
 * Only what was sent before the backlog was gone is counted.
 */
import { alternate, median, percentile } from '../alternate.ts';
import { storedEvents } from '../centre.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';
import { watch } from '../watch.ts';

const beat = { connections: 1, rate: 100, warmup: 0, times: true };
/** Fewer pending than this is no backlog any more. */
const goneBelow = 500;

export function p3(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = await Stack.start(owner, run.folder);
    const rounds = Math.max(1, run.sizes.rounds - 1);
    await stack.warm(run.sizes.warm);
    const { limits, ours } = await alternate(
      rounds,
      () => statAlone(stack, run.sizes.seconds * 3),
      () => statOverBacklog(run, stack),
    );
    const [alone, over] = [limits.flat(), ours.flatMap(({ times }) => times)];
    const queued = Math.min(...ours.map((one) => one.queued));
    const p99 = { figure: percentile(over, 99), limit: percentile(alone, 99) };
    run.row({
      goal: 'P3',
      what: `STAT end to end p99 with ${queued} routine queued / with none`,
      unit: 'ms',
      ...p99,
      firstAim: 2,
      moonshot: 1.2,
      smallerIsBetter: true,
    });
    const line = (times: number[]) =>
      `${times.length} of them, p50 ${median(times).toFixed(1)} p99 ${percentile(times, 99).toFixed(1)} ` +
      `max ${Math.max(...times).toFixed(1)} ms`;
    run.remark('P3', `STAT alone: ${line(alone)}; over the backlog: ${line(over)}`);
    await run.account('P3', stack);
  });
}

async function statAlone(stack: Stack, seconds: number): Promise<number[]> {
  const load = await stack.load({ ...beat, seconds }, 'oruStat');
  await stack.drained();
  return timesOf(stack, load, load.dueAtMs ?? []);
}

async function statOverBacklog(run: Run, stack: Stack): Promise<{ times: number[]; queued: number }> {
  await stack.stopPlane();
  const { backlog: count, mostSeconds: most } = run.sizes;
  const queued = await stack.load({ connections: 64, count, most });
  await stack.normalized();
  await stack.startPlane();
  await stack.connected();
  const seconds = queued.answered / 12_000;
  const seen = await watch(stack, () => stack.load({ ...beat, seconds }, 'oruStat'), 100);
  await stack.drained();
  run.checkLoad('P3', seen.result);
  const { dueAtMs = [] } = seen.result;
  const goneAtMs =
    seen.samples.find(({ totals }) => totals.pending < goneBelow)?.atMs ?? Number.POSITIVE_INFINITY;
  const times = await timesOf(stack, seen.result, dueAtMs);
  return { times: times.filter((_, n) => (dueAtMs[n] ?? Number.NaN) < goneAtMs), queued: queued.answered };
}

/** Milliseconds from due to stored, in the order of sending. */
async function timesOf(
  stack: Stack,
  { prefix, first }: { prefix: string; first: number },
  dueAtMs: readonly number[],
): Promise<number[]> {
  const times: number[] = [];
  for await (const events of storedEvents(stack.context, 'stat')) {
    for (const { controlId, storedAtUs } of events) {
      if (!controlId.startsWith(prefix)) continue;
      const n = Number(controlId.slice(-11)) - first;
      times[n] = storedAtUs / 1000 - (dueAtMs[n] ?? Number.NaN);
    }
  }
  return times;
}
