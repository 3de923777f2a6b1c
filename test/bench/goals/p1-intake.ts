/**
 * P1: the gateway's durable MLLP intake beside the bare durable limit, as deployed: scan, class guess, sealing,
 * repeat index and the connected control plane, to which everything flows on while senders are answered.
 * Then an open loop at half the intake rate: what is pending must stay bounded, so that it could go on for good.
 */
import { alternate, median, pairOf } from '../alternate.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';
import { watch } from '../watch.ts';

/** The bare durable limit at 64 connections on a quiet machine of 2 cores, a second: how busy the machine is now shows beside it. */
const quietLimit = 28_500;

export function p1(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = await Stack.start(owner, run.folder);
    await stack.warm(run.sizes.warm);
    for (const connections of [1, 16, 64, 256]) await atConnections(run, stack, connections);
    await atHalfRate(run, stack);
    await run.account('P1', stack);
  });
}

async function atConnections(run: Run, stack: Stack, connections: number): Promise<void> {
  const { limits, ours } = await alternate(
    run.sizes.rounds,
    () => run.bare(connections),
    async () => {
      const load = await stack.load(run.closedLoop(connections));
      // What this left to be done must not weigh on the next limit.
      await stack.drained();
      return run.checkLoad('P1', load);
    },
  );
  const rates = pairOf(
    ours.map(({ rate }) => rate),
    limits.map(({ rate }) => rate),
  );
  const what = `durable intake, ${connections} connection${connections === 1 ? '' : 's'}`;
  run.row({ goal: 'P1', what, unit: 'msg/s', ...rates, firstAim: 0.5, moonshot: 0.85 });
  const spreads = `p50/p99 ms: ours ${spread(ours)}, limit ${spread(limits)}`;
  run.remark('P1', `${connections} connections, ${spreads}`);
  if (connections !== 64) return;
  run.intakeRate = rates.figure;
  const share = (rates.limit / quietLimit).toFixed(2);
  run.remark('P1', `the limit at 64 is ${share} of that on a quiet machine (${quietLimit}/s)`);
  const tails = pairOf(
    ours.map(({ p99Ms }) => p99Ms),
    ours.map(({ p50Ms }) => p50Ms),
  );
  run.row({
    goal: 'P1',
    what: 'p99 beside p50 (as limit), 64 connections',
    unit: 'ms',
    ...tails,
    firstAim: 3,
    smallerIsBetter: true,
  });
}

async function atHalfRate(run: Run, stack: Stack): Promise<void> {
  const rate = await run.halfRate(stack);
  const seconds = run.sizes.steadySeconds;
  const seen = await watch(stack, () => stack.load({ connections: 64, rate, seconds, warmup: 0 }));
  const load = run.checkLoad('P1', seen.result);
  const pending = seen.during(load.fromMs, load.toMs).map((sample) => sample.totals.pending);
  const atEnd = median(pending.slice(-5));
  run.row({
    goal: 'P1',
    what: `pending at the end of ${seconds} s at half that rate (${rate}/s), in seconds of traffic`,
    unit: 's',
    figure: atEnd / rate,
    firstAim: 1,
    moonshot: 0.1,
    smallerIsBetter: true,
  });
  const half = pending.length >> 1;
  const means = [pending.slice(0, half), pending.slice(half)].map((part) => Math.round(median(part)));
  run.remark(
    'P1',
    `half rate ${rate}/s for ${seconds} s: answered at ${load.rate}/s, p50 ${load.p50Ms} p99 ${load.p99Ms} ms; ` +
      `pending, median of first half ${means[0]}, of second half ${means[1]}, most ${Math.max(...pending)}`,
  );
  await stack.drained();
}

function spread(loads: readonly { p50Ms: number; p99Ms: number }[]): string {
  const of = (values: number[]) => median(values).toFixed(2);
  return `${of(loads.map(({ p50Ms }) => p50Ms))}/${of(loads.map(({ p99Ms }) => p99Ms))}`;
}
