/**
 * P13: intake with many records queued beside intake with an empty store, in turns, both gateways without a
 * control plane, so that nothing but the fill differs.
 */
import { alternate, pairOf } from '../alternate.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';

export async function p13(run: Run): Promise<void> {
  const { stack, records } = await run.queuedStack();
  await owning(async (owner) => {
    const empty = await Stack.alone(owner, run.folder);
    const intake = async (which: Stack) => {
      const load = run.checkLoad('P13', await which.load(run.closedLoop(64)));
      await which.normalized();
      return load.rate;
    };
    await intake(empty);
    const { limits, ours } = await alternate(
      run.sizes.rounds,
      () => intake(empty),
      () => intake(stack),
    );
    const what = `intake with ${records} queued / with an empty store, 64 connections`;
    run.row({ goal: 'P13', what, unit: 'msg/s', ...pairOf(ours, limits), firstAim: 0.7, moonshot: 0.9 });
  });
}
