/**
 * F6: the Nth flush or write fails with EIO: nothing is answered after it, exit 75, all answered
 * before is there. On a failed write LMDB may abort the process by itself: a supervisor restarts both.
 */
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';
import { available, underStrace } from '../tools/strace.ts';

export const f06: Row = {
  id: 'F6',
  title: 'failing disk: fail-stop with 75, nothing answered is lost',
  available: () => (available() ? '' : 'no strace that may trace'),
  async run(context) {
    const numbers = context.short ? [20, 60] : [12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200];
    const rig = new Rig(context);
    await rig.start();
    await rig.gateway?.stop();
    const failures: string[] = [];
    let first = 0;
    let faults = 0;
    let aborts = 0;
    for (const syscall of ['fdatasync', 'pwrite64'] as const) {
      for (const n of numbers) {
        const log = `${context.folder}/strace-${syscall}-${n}`;
        rig.launchGateway({
          wrap: (command, args) =>
            underStrace({ inject: [{ syscall, error: 'EIO', when: `${n}+` }], log }, command, args),
        });
        const sending = send(rig, { first, count: 1_000_000, connections: 6 });
        first += 1_000_000;
        const exit = await rig.gateway?.waitForExit(60_000);
        const answeredAtExit = sending.answered();
        const stopped = exit?.code === 75 || (syscall === 'pwrite64' && exit?.signal === 'SIGABRT');
        if (exit?.signal === 'SIGABRT') aborts += 1;
        if (!stopped) failures.push(`${syscall} ${n}: exit ${exit?.code ?? exit?.signal}, not 75`);
        faults += 1;
        // Started again, as systemd would, all that was answered must still come out.
        await rig.startGateway();
        await until(() => sending.answered() > answeredAtExit, {
          what: 'an answer after the restart',
          timeoutMs: 60_000,
        });
        sending.stop();
        await sending.done;
        await rig.connected();
        await rig.drained();
        await rig.gateway?.stop();
        context.progress(`${syscall} ${n}: exit ${exit?.code}`);
      }
    }
    await rig.startGateway();
    await rig.connected();
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `faults ${faults}, ended by 75 ${faults - aborts}, aborted ${aborts}, ${checked.summary}`,
    };
  },
};
