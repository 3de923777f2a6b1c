/** F31: the uplink is cut after k bytes, either way, for a sweep of k: it resumes from the last ack, effects once. */
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f31: Row = {
  id: 'F31',
  title: 'the uplink reset mid batch',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    const sending = send(rig, { first: 0, count: 1_000_000, connections: 8 });
    const cuts: { direction: 'up' | 'down'; bytes: number }[] = [];
    const steps = context.short ? 5 : 40;
    for (let step = 0; step < steps; step += 1) {
      cuts.push({ direction: 'up', bytes: 2_000 + step * 7_919 });
      cuts.push({ direction: 'down', bytes: 40 + step * 97 });
    }
    for (const { direction, bytes } of cuts) {
      await rig.connected();
      rig.proxy.cutAfter(direction, bytes);
      await until(() => !rig.proxy.isCutArmed, {
        what: `a cut after ${bytes} bytes ${direction}`,
        timeoutMs: 60_000,
        everyMs: 5,
      });
    }
    sending.stop();
    await sending.done;
    await rig.connected();
    await rig.drained();
    const checked = await rig.oracle();
    return { failures: checked.failures, figures: `cuts ${cuts.length}, ${checked.summary}` };
  },
};
