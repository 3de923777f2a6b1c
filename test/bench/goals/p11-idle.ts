/** P11: what both daemons cost while nothing happens: connected to each other, 100 quiet MLLP connections. */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { usageOf } from '../../kit/proc.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';

const connections = 100;

export function p11(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = await Stack.start(owner, run.folder);
    for (let n = 0; n < connections; n += 1) {
      const socket = net.connect(stack.mllpPort, '127.0.0.1');
      owner.teardown(() => socket.destroy());
      await once(socket, 'connect');
    }
    // What a start leaves behind (compilation, first telemetry) is not idleness.
    await delay(3000);
    const seconds = run.sizes.idleSeconds;
    const cpuMs = () => [stack.gatewayPid, stack.planePid!].map((pid) => usageOf(pid)!.cpuMs);
    const [before, startedAt] = [cpuMs(), performance.now()];
    await delay(seconds * 1000);
    const elapsedMs = performance.now() - startedAt;
    const percent = cpuMs().map((after, which) => ((after - before[which]!) / elapsedMs) * 100);
    run.row({
      goal: 'P11',
      what: `idle, both daemons, ${connections} quiet connections, ${seconds} s`,
      unit: '% of a core',
      figure: percent[0]! + percent[1]!,
      firstAim: 1,
      moonshot: 0.3,
      smallerIsBetter: true,
    });
    run.remark('P11', `gateway ${percent[0]!.toFixed(2)} %, control plane ${percent[1]!.toFixed(2)} %`);
  });
}
