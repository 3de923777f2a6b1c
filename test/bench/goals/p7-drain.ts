/**
 * P7: after an outage the control plane is back while senders go on. Drained is what the centre acknowledges.
 *
 * Writers: the same closed loop at 64 connections before (control plane stopped) and while it drains.
 * Drain beside intake, three times: beside an open loop at more than a hospital sends for long, beside one at half of
 * what the writers reached before, and then beside those writers, who take all that they can get and leave records
 * unnormalized. The first speaks of a hospital, the other two of this machine: the faster it captures, the more they ask.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Run } from '../run.ts';
import type { Stack } from '../stack.ts';
import { rateOf, sample, watch } from '../watch.ts';

/** Messages a second: several times what any hospital sends for long [gateway/burst.ts]. */
const busyRate = 4_000;

export async function p7(run: Run): Promise<void> {
  const { stack } = await run.queuedStack();
  const seconds = Math.max(4, run.sizes.seconds * 2);
  const loop = { connections: 64, seconds, warmup: 1 };
  // The gateway may just have been started.
  await stack.load({ connections: 64, seconds: 2, warmup: 0 });
  await stack.normalized();
  const before = run.checkLoad('P7', await stack.load(loop));
  await stack.normalized();
  const queued = (await stack.totals()).pending;
  await stack.startPlane();
  await stack.connected();

  const busy = await besides(run, stack, { ...loop, rate: busyRate });
  const rate = Math.round(before.rate / 2);
  const half = await besides(run, stack, { ...loop, rate });
  const full = await besides(run, stack, loop);
  const alone = await drainAlone(stack);
  const { pending } = await stack.totals();
  run.row({
    goal: 'P7',
    what: `drain of ${queued} / intake, writers at ${busyRate}/s`,
    unit: 'msg/s',
    figure: busy.drained,
    limit: busy.intake,
    firstAim: 3,
    moonshot: 8,
  });
  run.row({
    goal: 'P7',
    what: `drain / intake, writers at half their full rate (${rate}/s)`,
    unit: 'msg/s',
    figure: half.drained,
    limit: half.intake,
    firstAim: 3,
    moonshot: 8,
  });
  run.row({
    goal: 'P7',
    what: 'drain / intake, 64 writers who take all they can',
    unit: 'msg/s',
    figure: full.drained,
    limit: full.intake,
    firstAim: 3,
    moonshot: 8,
  });
  run.row({
    goal: 'P7',
    what: '64 writers while it drains / before',
    unit: 'msg/s',
    figure: full.intake,
    limit: before.rate,
    firstAim: 0.8,
    moonshot: 0.95,
  });
  run.remark(
    'P7',
    `drain without intake ${Math.round(alone)}/s; ${pending} were left at the end of the measure`,
  );
  if (pending < 2000) run.remark('P7', 'the backlog was gone before the measure ended: take a larger one');
  await run.account('P7', stack);
}

async function besides(run: Run, stack: Stack, flags: Record<string, number>) {
  const seen = await watch(stack, () => stack.load(flags), 250);
  const load = run.checkLoad('P7', seen.result);
  const samples = seen.during(load.fromMs, load.toMs);
  const drained = rateOf(samples, 'delivered');
  run.remark(
    'P7',
    `intake ${load.rate}/s (p99 ${load.p99Ms} ms) while ${Math.round(drained)}/s reach the centre; pending ` +
      `${samples[0]?.totals.pending} to ${samples.at(-1)?.totals.pending}`,
  );
  return { intake: load.rate, drained };
}

async function drainAlone(stack: Stack): Promise<number> {
  const first = await sample(stack);
  await delay(2000);
  return rateOf([first, await sample(stack)], 'delivered');
}
