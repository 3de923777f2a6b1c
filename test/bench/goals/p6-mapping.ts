/** P6: scan, map and encode of a 1 KB and a 10 KB result on one core, beside a lazy read of the same messages. */
import { alternate, pairOf } from '../alternate.ts';
import { runTool } from '../limits.ts';
import type { Run } from '../run.ts';

interface Figures {
  readonly bytes: number;
  readonly rate: number;
  readonly usEach: number;
  readonly encodedBytes?: number;
}

type Tool = Readonly<Record<'oru1k' | 'oru10k', Figures>>;

export async function p6(run: Run): Promise<void> {
  const flags = ['--seconds', String(run.sizes.seconds / 3)];
  const { limits, ours } = await alternate(
    run.sizes.rounds,
    () => runTool<Tool>('lazy-read', flags),
    () => runTool<Tool>('map-encode', flags),
  );
  for (const kind of ['oru1k', 'oru10k'] as const) {
    const rates = pairOf(
      ours.map((one) => one[kind].rate),
      limits.map((one) => one[kind].rate),
    );
    const { bytes, usEach, encodedBytes } = ours[0]![kind];
    const what = `scan + map + encode, ${bytes} bytes`;
    run.row({ goal: 'P6', what, unit: 'msg/s', ...rates, firstAim: 0.1, moonshot: 0.3 });
    run.remark('P6', `${bytes} bytes: ${usEach} µs each, ${encodedBytes} bytes encoded`);
  }
}
