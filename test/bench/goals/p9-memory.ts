/**
 * P9: memory of both daemons while many messages flow through at a rate that they keep up with, and with a
 * backlog queued. The process's own pages (anon) and what it holds of its mapped store (file) are told apart:
 * the second is page cache, which the kernel takes back when others want it.
 */
import type { Run } from '../run.ts';
import { growthOf, type Sample, sample, watch } from '../watch.ts';

const megabyte = 1024 ** 2;
type Daemon = 'gateway' | 'plane';
const names = { gateway: 'gateway', plane: 'control plane' } as const;

export async function p9(run: Run): Promise<void> {
  const stack = await run.longStack();
  const rate = await run.halfRate(stack);
  const seconds = Math.min(run.sizes.million / rate, run.sizes.mostSeconds);
  const seen = await watch(stack, () => stack.load({ connections: 64, rate, seconds, warmup: 0 }), 1000);
  const load = run.checkLoad('P9', seen.result);
  const samples = seen.during(load.fromMs, load.toMs);
  const secondHalf = samples.slice(samples.length >> 1);
  for (const daemon of ['gateway', 'plane'] as const) {
    const anon = (one: Sample) => (one[daemon]?.anonBytes ?? Number.NaN) / megabyte;
    const file = (one: Sample) => (one[daemon]?.fileBytes ?? Number.NaN) / megabyte;
    const most = (value: (one: Sample) => number) => Math.max(...samples.map(value));
    memory(
      run,
      daemon,
      `RSS over ${load.answered} messages`,
      most((one) => anon(one) + file(one)),
    );
    memory(run, daemon, 'of that at most anon (its own)', most(anon));
    const mean = secondHalf.reduce((sum, one) => sum + anon(one), 0) / secondHalf.length;
    run.row({
      goal: 'P9',
      what: `${names[daemon]}: growth of anon over the second half`,
      unit: '%',
      figure: (growthOf(secondHalf, anon) / mean) * 100,
      firstAim: 10,
      moonshot: 3,
      smallerIsBetter: true,
    });
    run.remark(
      'P9',
      `${names[daemon]}: file part at most ${most(file).toFixed(0)} MB (mapped store and code)`,
    );
  }
  run.remark(
    'P9',
    `${load.answered} messages at ${rate}/s, pending at the end ${samples.at(-1)?.totals.pending}`,
  );
  await stack.drained();

  const { records } = await run.queuedStack();
  const { gateway } = await sample(stack);
  memory(run, 'gateway', `RSS with ${records} queued`, (gateway?.rssBytes ?? Number.NaN) / megabyte);
  memory(run, 'gateway', 'of that anon (its own)', (gateway?.anonBytes ?? Number.NaN) / megabyte);
}

function memory(run: Run, daemon: Daemon, what: string, figure: number): void {
  const aims = { firstAim: 512, moonshot: 256, smallerIsBetter: true };
  run.row({ goal: 'P9', what: `${names[daemon]}: ${what}`, unit: 'MB', figure, ...aims });
}
