/**
 * P12: bytes on disk and on the wire for each byte received, stated. The wire is counted by a proxy between the
 * daemons (TLS records, HTTP/2 and acknowledgments included); files are counted in blocks that they take.
 */
import { ChaosProxy } from '../../kit/chaos-proxy.ts';
import { owning } from '../limits.ts';
import type { Run } from '../run.ts';
import { Stack } from '../stack.ts';

export function p12(run: Run): Promise<void> {
  return owning(async (owner) => {
    const stack = new Stack(owner, run.folder);
    await stack.startPlane();
    await stack.enroll();
    const proxy = await ChaosProxy.start({ port: Number(stack.planeAddress.split(':').at(-1)) });
    owner.teardown(() => proxy.close());
    stack.uplinkVia(`127.0.0.1:${proxy.port}`);
    await stack.startGateway();
    await stack.connected();
    const count = run.sizes.backlog / 5;
    const [disk, wire] = [stack.diskBytes.eventLog, proxy.bytes.up];
    const { sentBytes, answered } = await stack.load({ connections: 64, count });
    await stack.drained();
    const stated = (what: string, bytes: number, received: number) =>
      run.row({ goal: 'P12', what, unit: 'bytes', figure: bytes, limit: received, smallerIsBetter: true });
    stated('uplink, gateway to centre / received', proxy.bytes.up - wire, sentBytes);
    stated('event log on disk / received', stack.diskBytes.eventLog - disk, sentBytes);
    run.remark('P12', `${answered} messages of ${(sentBytes / answered).toFixed(0)} bytes`);

    await stack.stopPlane();
    const before = Number((await stack.status()).journal.bytes);
    const queued = await stack.load({ connections: 64, count });
    await stack.normalized();
    const live = Number((await stack.status()).journal.bytes) - before;
    stated('journal on disk, all queued / received', stack.diskBytes.journal, queued.sentBytes);
    stated('rows in it / received', live, queued.sentBytes);
    await stack.startPlane();
    await run.account('P12', stack);
  });
}
