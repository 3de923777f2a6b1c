/** F13: what answers at the control plane's address takes the connection and says nothing: it is left, and tried anew. */
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f13: Row = {
  id: 'F13',
  title: 'a peer that accepts and never speaks',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    const failures: string[] = [];
    rig.proxy.welcome = 'silent';
    rig.proxy.cut();
    const accepted = rig.proxy.accepted;
    const cutAt = performance.now();
    await until(() => rig.proxy.accepted > accepted + 1, {
      what: 'a second attempt at a silent peer',
      timeoutMs: 150_000,
      everyMs: 50,
    });
    const again = (performance.now() - cutAt) / 1000;
    const sending = send(rig, { first: 0, count: 300, connections: 4 });
    await sending.done;
    rig.proxy.welcome = 'forward';
    rig.proxy.heal();
    await rig.connected();
    await rig.drained();
    const checked = await rig.oracle();
    // Back-off of up to a second, the watchdog of 10 s, another back-off.
    if (again > 15) failures.push(`the second attempt came after ${again.toFixed(1)} s`);
    return {
      failures: [...failures, ...checked.failures],
      figures: `tried anew after ${again.toFixed(1)} s, ${checked.summary}`,
    };
  },
};
