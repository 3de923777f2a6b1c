/**
 * F5: the disk fills, slowly by our own intake and at once, to the last block, by somebody else. Intake stops at the
 * reserve with no answer and no crash, the backlog drains from the full disk, and intake goes on by itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { takeAll } from '../../kit/volume.ts';
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f05: Row = {
  id: 'F5',
  title: 'full disk: refuse honestly, drain, go on',
  available: () => (process.getuid?.() === 0 ? '' : 'mounting a small tmpfs needs root'),
  async run(context) {
    const volume = join(context.folder, 'volume');
    mkdirSync(volume);
    const size = context.short ? '64m' : '96m';
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', volume]).status !== 0) {
      throw new Error('a tmpfs could not be mounted');
    }
    context.teardown(() => spawnSync('umount', ['-l', volume]));
    const rig = new Rig(context, { journal: 'reserve: "24MiB"', gatewayData: join(volume, 'gateway') });
    await rig.start();
    const failures: string[] = [];
    /** Sends until intake was refused at so many looks in a row; resolves to how many were answered. */
    const fill = async (first: number, looks: number): Promise<number> => {
      const sending = send(rig, { first, count: 1_000_000, connections: 8, retry: false });
      let refused = 0;
      await until(
        async () => {
          refused = (await rig.status())?.journal.state === 'reserve' ? refused + 1 : 0;
          return refused >= looks;
        },
        { what: 'intake being refused', timeoutMs: 60_000, everyMs: 25 },
      );
      sending.stop();
      await sending.done;
      return sending.answered();
    };

    // The centre is away, so that the backlog grows until the reserve is reached.
    await rig.killPlane();
    let filled = await fill(0, 1);
    const freeBytes = () => statfsSync(volume).bavail * statfsSync(volume).bsize;
    const heldBytes = () => {
      const { blocks, size } = statSync(join(volume, 'gateway', 'journal', 'data.mdb'));
      return Math.max(0, blocks * 512 - size);
    };
    const leftMib = () => (freeBytes() + heldBytes()) / 1024 ** 2;
    const leaves = (mib: number) => {
      // Below the reserve stand the normalizing of what was answered and LMDB's own pages; a tenth of it is never touched.
      if (mib < 2.4) failures.push(`only ${mib.toFixed(1)} MiB of the reserve of 24 MiB are left`);
      return mib;
    };
    leaves(leftMib());

    // Somebody else takes all that the volume has left, to the last block.
    const foreign = takeAll(volume);
    if (freeBytes() > 0) failures.push(`${freeBytes()} bytes were left on the volume`);
    // What was answered is normalized meanwhile, which gives some room inside the file back: refused is what stays refused.
    filled += await fill(1_000_000, 20);
    const left = leaves(leftMib());
    const refused = send(rig, { first: 2_000_000, count: 50, connections: 2, retry: false });
    await refused.done;
    if (refused.answered() > 0)
      failures.push(`${refused.answered()} messages were answered below the reserve`);
    const exit = rig.gateway?.exit;
    if (exit !== undefined)
      failures.push(`the gateway ended (exit ${exit.code ?? exit.signal}) with the reserve in place`);

    // The backlog drains from the full disk.
    await rig.startPlane();
    await rig.drained();
    // Room comes back, and so does intake, by itself.
    rmSync(foreign);
    const freedAt = performance.now();
    const again = send(rig, { first: 3_000_000, count: 200, connections: 4 });
    await until(() => again.answered() > 0, { what: 'intake going on by itself', timeoutMs: 50_000 });
    const resumedS = (performance.now() - freedAt) / 1000;
    await again.done;
    await rig.drained();
    if (resumedS > 5) failures.push(`intake went on only after ${resumedS.toFixed(1)} s`);
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `answered until the reserve ${filled}, ${left.toFixed(1)} of 24 MiB left, resumed after ${resumedS.toFixed(1)} s, ${checked.summary}`,
    };
  },
};
