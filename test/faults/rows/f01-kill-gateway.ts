/** F1: kill -9 of the gateway at random moments: everything that was answered arrives, once. */
import { below } from '../../kit/random.ts';
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f01: Row = {
  id: 'F1',
  title: 'kill -9 of the gateway',
  async run(context) {
    const kills = context.short ? 12 : 200;
    const rig = new Rig(context);
    await rig.start();
    const sending = send(rig, { first: 0, count: Number.MAX_SAFE_INTEGER, connections: 16 });
    for (let kill = 1; kill <= kills; kill += 1) {
      const before = sending.answered();
      await until(() => sending.answered() > before, {
        what: 'a first answer after the start',
        timeoutMs: 60_000,
      });
      await new Promise((resolve) => setTimeout(resolve, below(context.random, 400)));
      await rig.killGateway();
      await rig.startGateway();
      if (kill % 10 === 0) context.progress(`${kill} of ${kills} kills, ${sending.answered()} answered`);
    }
    sending.stop();
    await sending.done;
    await rig.connected();
    await rig.drained();
    const { failures, summary } = await rig.oracle();
    return { failures, figures: `kills ${kills}, ${summary}` };
  },
};
