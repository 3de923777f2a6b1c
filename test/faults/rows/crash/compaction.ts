/** The offline verb that puts another file in the place of the journal. */
import type { Doing } from '../f41-crash-points.ts';
import { firstGateway } from './first-gateway.ts';

const messages = 3;

export const compaction: Doing = {
  name: 'compaction',
  async prepare(lives, data) {
    const gateway = lives.gateway('whole', data);
    await lives.isReady(gateway);
    await lives.send(data, messages);
    await gateway.stop();
  },
  async run(lives, data) {
    await lives.start('gateway', 'killed', ['journal', 'compact', '--data', data]).waitForExit(60_000);
    return Array.from({ length: messages }, (_, n) => String(n));
  },
  async after(lives, data, answered) {
    const verify = lives.start('gateway', 'whole', ['journal', 'verify', '--data', data]);
    const { code } = await verify.waitForExit(60_000);
    const wrong = code === 0 ? [] : [`the journal is not whole: exit ${code}: ${verify.stderr.slice(-300)}`];
    return [...wrong, ...(await firstGateway.after(lives, data, answered))];
  },
};
