/** The enroll verb: an identity, or what says what to do; never half of one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../../../../control-plane/ctl/client.ts';
import type { Doing } from '../f41-crash-points.ts';
import { type Lives, notReady, stopped } from './lives.ts';

export const enrollment: Doing = {
  name: 'enrollment',
  async run(lives, data) {
    const plane = lives.plane('whole', planeOf(lives));
    await lives.isReady(plane);
    await enrolled(lives, data, 'killed');
    await plane.stop();
    return [];
  },
  async after(lives, data) {
    const plane = lives.plane('whole', planeOf(lives));
    if (!(await lives.isReady(plane))) return notReady(plane);
    // What a person does who saw it end: once more, with another token.
    const wrong = existsSync(join(data, 'identity.json')) ? [] : await enrolled(lives, data, 'whole');
    const gateway = lives.gateway('whole', data);
    if (!(await lives.isReady(gateway))) return [...wrong, ...notReady(gateway)];
    if (gateway.stderr.includes('"not-enrolled"')) wrong.push('the gateway has no identity');
    return [...wrong, ...(await stopped(gateway)), ...(await stopped(plane))];
  },
};

function planeOf(lives: Lives): string {
  return join(lives.folder, 'control-plane');
}

async function enrolled(lives: Lives, data: string, how: 'killed' | 'whole'): Promise<string[]> {
  const { token } = await lives.asAdmin(planeOf(lives), (connection) =>
    call(connection, connection.client.createToken, { site: 'north', gateway: '', ttlSeconds: 600 }),
  );
  const enroll = lives.start('gateway', how, ['enroll', '--data', data, '--token', '-'], token);
  const { code } = await enroll.waitForExit(60_000);
  return code === 0 ? [] : [`enrolled again: exit ${code}: ${enroll.stderr.slice(-300)}`];
}
