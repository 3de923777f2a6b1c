/** F37: a canary patient goes through everything that talks, good and bad, and must show nowhere it does not belong. */
import { connect } from 'node:net';
import { canary } from '../../kit/messages.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f37: Row = {
  id: 'F37',
  title: 'no patient in logs, metrics, status, environment or on disk',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    for (const [at, kind] of (['oru', 'adt', 'orm', 'oruStat', 'correction'] as const).entries()) {
      await send(rig, { first: at * 10_000, count: context.short ? 60 : 500, connections: 4, kind, seed: 11 })
        .done;
    }
    // What goes wrong talks most: unreadable, half, oversize, unknown and misdirected messages.
    const patient = `PID|1||${canary.mrnPrefix}1||${canary.family}^${canary.given}`;
    const bad = [
      `\x0b${patient}\x1c\r`,
      `\x0bMSH|^~\\&|A|B|C|D|20260101||ABC^XYZ|${canary.family}|P|2.5\r${patient}\r\x1c\r`,
      `\x0bMSH|${patient}\x1c\r`,
      `${patient}\r\n`,
      `\x0bMSH|^~\\&|A|B|C|D|20260101||ORU^R01|X|P|2.5\r${patient}`,
      `GET /${canary.family} HTTP/1.1\r\n\r\n`,
    ];
    for (const text of bad) for (const port of [rig.mllpPort, rig.mqttPort]) await throwAt(port, text);
    await rig.killGateway();
    await rig.startGateway();
    await rig.connected();
    await rig.drained();
    const checked = await rig.oracle();
    return { failures: checked.failures, figures: checked.summary };
  },
};

function throwAt(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(text, 'latin1'));
    socket.on('error', () => socket.destroy());
    socket.on('data', () => undefined);
    socket.on('close', () => resolve());
  });
}
