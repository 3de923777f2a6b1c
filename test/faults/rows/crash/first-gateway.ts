/** The first start of a gateway, three messages, and its stop. */
import type { Doing } from '../f41-crash-points.ts';
import { notReady, stopped } from './lives.ts';

export const firstGateway: Doing = {
  name: 'first-gateway',
  async run(lives, data) {
    const gateway = lives.gateway('killed', data);
    if (!(await lives.isReady(gateway))) return [];
    const answered = await lives.send(data, 3);
    await gateway.stop();
    return answered;
  },
  async after(lives, data, answered) {
    const gateway = lives.gateway('whole', data);
    if (!(await lives.isReady(gateway))) return notReady(gateway);
    const { custody } = await lives.status(data);
    const accepted = custody.reduce((sum, one) => sum + one.accepted, 0);
    const wrong = custody.filter(({ missing }) => missing !== 0).map(({ source }) => `${source} misses some`);
    if (accepted < answered.length) wrong.push(`${answered.length} were answered and ${accepted} are there`);
    return [...wrong, ...(await stopped(gateway))];
  },
};
