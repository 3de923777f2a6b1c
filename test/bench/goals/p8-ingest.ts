/**
 * P8: what the control plane takes over TLS beside a sink of the same bytes that stores nothing. One generator
 * for both: a gateway of the bench's own that speaks the real session (certificate, Hello, batches of 100
 * encoded envelopes within the credit), so that no real gateway's speed is in the figure.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveIdentity } from '../../../gateway/uplink/identity.ts';
import { nodeArgsFor } from '../../kit/paths.ts';
import { startProcess } from '../../kit/process.ts';
import { alternate, pairOf } from '../alternate.ts';
import { owning, runTool } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';

interface Figures {
  readonly rate: number;
  readonly events: number;
  readonly bytesEach: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function p8(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = new Stack(owner, run.folder);
    await stack.startPlane();
    const caFile = join(stack.folder, 'sink-ca.pem');
    const sink = startProcess(owner, {
      name: 'sink',
      args: [...nodeArgsFor(import.meta.url, '../load-stream.ts'), '--role', 'server'],
      folder: stack.folder,
    });
    const told = await sink.waitForLine(/^listening (\{.*\})$/);
    const { port, caPem } = JSON.parse(told[1]!) as { port: number; caPem: string };
    writeFileSync(caFile, caPem);

    const flags = ['--seconds', String(run.sizes.seconds), '--warmup', String(run.sizes.warmup)];
    const { limits, ours } = await alternate(
      run.sizes.rounds,
      () => runTool<Figures>('load-uplink', [...flags, '--sink', `localhost:${port}`, '--ca', caFile]),
      async (round) => {
        // A gateway of its own each time: its positions begin at 1 and repeat nothing.
        const folder = join(stack.folder, `gateway-${round}`);
        saveIdentity(folder, await stack.newIdentity());
        return runTool<Figures>('load-uplink', [...flags, '--identity', folder]);
      },
    );
    const rates = pairOf(
      ours.map(({ rate }) => rate),
      limits.map(({ rate }) => rate),
    );
    const what = 'control plane ingest over TLS, batches of 100';
    run.row({ goal: 'P8', what, unit: 'events/s', ...rates, firstAim: 0.3, moonshot: 0.6 });
    const { bytesEach, p50Ms, p99Ms } = ours[0]!;
    run.remark('P8', `${bytesEach} bytes an event; a batch stored after p50 ${p50Ms} p99 ${p99Ms} ms`);
  });
}
