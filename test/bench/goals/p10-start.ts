/** P10: kill -9 with a backlog queued, then the time from the start of the process until it says ready. */
import { median } from '../alternate.ts';
import type { Run } from '../run.ts';

export async function p10(run: Run): Promise<void> {
  const { stack, records } = await run.queuedStack();
  const times: number[] = [];
  for (let round = 0; round < run.sizes.rounds; round += 1) {
    await stack.killGateway();
    times.push(await stack.startGateway());
  }
  const { recoveredMs } = (await stack.status()).journal;
  run.row({
    goal: 'P10',
    what: `start to ready with ${records} queued, after kill -9`,
    unit: 's',
    figure: median(times) / 1000,
    firstAim: 10,
    moonshot: 2,
    smallerIsBetter: true,
  });
  const each = times.map((ms) => (ms / 1000).toFixed(2)).join(' ');
  run.remark('P10', `${each} s; the recovery scan of the last one took ${(recoveredMs / 1000).toFixed(2)} s`);
}
