/** F2: kill -9 of the control plane at random moments: nothing acked is lost there, nothing is applied twice. */
import { below } from '../../kit/random.ts';
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f02: Row = {
  id: 'F2',
  title: 'kill -9 of the control plane',
  async run(context) {
    const kills = context.short ? 6 : 200;
    const rig = new Rig(context);
    await rig.start();
    const sending = send(rig, { first: 0, count: Number.MAX_SAFE_INTEGER, connections: 8 });
    const delivered = async () =>
      (await rig.status())?.custody.reduce((sum, one) => sum + one.delivered, 0) ?? 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      const before = await delivered();
      await until(async () => (await delivered()) > before, {
        what: 'a delivery after the start',
        timeoutMs: 60_000,
        everyMs: 20,
      });
      await new Promise((resolve) => setTimeout(resolve, below(context.random, 300)));
      await rig.killPlane();
      await rig.startPlane();
      if (kill % 10 === 0) context.progress(`${kill} of ${kills} kills, ${sending.answered()} answered`);
    }
    sending.stop();
    await sending.done;
    await rig.drained();
    const { failures, summary } = await rig.oracle();
    return { failures, figures: `kills ${kills}, ${summary}` };
  },
};
