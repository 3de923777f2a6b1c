/** The first start of a control plane: its CA, keys, store and the context of the first administrator. */
import { call } from '../../../../control-plane/ctl/client.ts';
import type { Doing } from '../f41-crash-points.ts';
import { type Lives, notReady, stopped } from './lives.ts';

export const firstPlane: Doing = {
  name: 'first-plane',
  async run(lives, data) {
    const plane = lives.plane('killed', data);
    if (await lives.isReady(plane)) await plane.stop();
    return [];
  },
  after: (lives, data) => planeIsWhole(lives, data),
};

/** It starts, the administrator is let in, the trail is intact. @param more looks at it while it runs */
export async function planeIsWhole(
  lives: Lives,
  data: string,
  more: () => Promise<readonly string[]> = async () => [],
): Promise<string[]> {
  const plane = lives.plane('whole', data);
  if (!(await lives.isReady(plane))) return notReady(plane);
  const { intact, reason } = await lives.asAdmin(data, (connection) =>
    call(connection, connection.client.verifyAudit, {}),
  );
  const wrong = [...(intact ? [] : [`the trail is not whole: ${reason}`]), ...(await more())];
  return [...wrong, ...(await stopped(plane))];
}
