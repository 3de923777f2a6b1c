/** F9: the wall clock of the gateway jumps back and forth: order is by sequence, nothing expires, no latency is negative. */
import { spawnSync } from 'node:child_process';
import { call } from '../../../control-plane/ctl/client.ts';
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';
import { clockControl } from '../tools/clock.ts';

const hourMs = 3_600_000;

export const f09: Row = {
  id: 'F9',
  title: 'clock: an hour back, 30 days ahead, 10 years back',
  available: () => (spawnSync('gcc', ['--version']).status === 0 ? '' : 'no gcc to build the clock with'),
  async run(context) {
    const clock = clockControl(context.folder);
    if (clock === undefined) throw new Error('the clock could not be built');
    const rig = new Rig(context);
    await rig.start({ preload: [clock.preload], env: { ...clock.env } });
    const sending = send(rig, { first: 0, count: 1_000_000, connections: 8 });
    const jumps = [0, -hourMs, 30 * 24 * hourMs, -10 * 365 * 24 * hourMs, 0];
    for (const jump of jumps) {
      clock.set(jump);
      const before = sending.answered();
      // Long enough that the daemon's clock has looked at the wall again.
      const startedAt = performance.now();
      await until(() => sending.answered() > before + 50 && performance.now() - startedAt > 1_500, {
        what: 'intake going on under the new time',
        timeoutMs: 60_000,
      });
    }
    sending.stop();
    await sending.done;
    await rig.drained();
    const checked = await rig.oracle();
    const failures = [...checked.failures];
    const connection = rig.admin();
    const { rows } = await call(connection, connection.client.latency, { gateway: '', site: '' });
    connection.close();
    if (rows.length === 0) failures.push('no latency was measured');
    const worst = rows.reduce((most, row) => Math.max(most, Number(row.maxUs)), 0);
    if (worst > 60_000_000) failures.push(`a latency of ${worst / 1e6} s was recorded across a jump`);
    return {
      failures,
      figures: `jumps ${jumps.length}, worst latency ${(worst / 1e6).toFixed(2)} s, ${checked.summary}`,
    };
  },
};
