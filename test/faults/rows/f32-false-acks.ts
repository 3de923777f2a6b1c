/**
 * F32: acks that are not true. A control plane that acks what was never sent, or another epoch, moves
 * nothing; a local receiver whose answer names another message is never believed.
 */
import { controlIdOf } from '../../kit/hl7-peek.ts';
import { acknowledge, MllpServer } from '../../kit/mllp-server.ts';
import { until } from '../../kit/wait.ts';
import { FalsePlane } from '../false-plane.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f32: Row = {
  id: 'F32',
  title: 'false acks, upstream and downstream',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    const failures: string[] = [];
    const late = await lateReceiver(rig, failures);
    context.teardown(() => late.close());

    // A control plane with the right certificate and false words.
    const falsePlane = await FalsePlane.start(context.folder);
    context.teardown(() => falsePlane.stop());
    rig.proxy.retarget({ port: falsePlane.port });
    rig.proxy.cut();
    await send(rig, { first: 1_000, count: 200, connections: 4 }).done;
    await until(() => falsePlane.batches > 0, {
      what: 'a batch at the false control plane',
      timeoutMs: 60_000,
    });
    await until(
      async () => (await rig.status())?.alarms.some(({ code }) => code === 'uplink-ack-unknown') === true,
      {
        what: 'an alarm about the false acks',
        timeoutMs: 60_000,
      },
    );
    const pending = (await rig.status())?.custody.reduce((sum, one) => sum + one.pending, 0) ?? 0;
    if (pending < 200) failures.push(`false acks moved ${200 - pending} records on`);
    rig.proxy.retarget({ port: rig.planePort });
    rig.proxy.cut();
    await rig.connected();
    await rig.drained();
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `false acks ${falsePlane.acks}, late answers ${late.lies}, ${checked.summary}`,
    };
  },
};

/** Answers every fifth message with the control ID of the one before it. */
async function lateReceiver(rig: Rig, failures: string[]): Promise<{ close(): Promise<void>; lies: number }> {
  let before = 'NONE';
  const state = { lies: 0, close: () => server.close() };
  const told = new Set<string>();
  const server = await MllpServer.start((message) => {
    const controlId = controlIdOf(message);
    const lie = !told.has(controlId) && told.size % 5 === 4;
    told.add(controlId);
    const answer = lie ? acknowledge(message, 'AA', before) : acknowledge(message);
    if (lie) state.lies += 1;
    before = controlId;
    return [answer];
  });
  const yaml = `destinations:\n  ehr: { type: mllp, address: "127.0.0.1:${server.port}", timeout: 5s }\nroutes:\n  all: { to: ehr }\n`;
  if ((await rig.push(yaml)) !== 'applied') failures.push('the route was not applied');
  const count = 40;
  await send(rig, { first: 0, count, connections: 1 }).done;
  await until(() => told.size >= count && new Set(server.received.map(String)).size >= count, {
    what: 'all messages at the receiver',
    timeoutMs: 60_000,
  });
  await until(async () => (await rig.status())?.destinations.every(({ pending }) => pending === 0) === true, {
    what: 'the queue of the receiver being empty',
    timeoutMs: 60_000,
  });
  await rig.drained();
  // Every message that was lied about came again, before the next one.
  const order = server.received.map((message) => controlIdOf(message));
  const repeated = order.filter((controlId, at) => order.indexOf(controlId) !== at).length;
  if (repeated !== state.lies) failures.push(`${state.lies} late answers, ${repeated} messages sent again`);
  const firsts = order.filter((controlId, at) => order.indexOf(controlId) === at);
  if (firsts.join() !== [...firsts].sort().join()) failures.push('the receiver did not get the source order');
  return state;
}
