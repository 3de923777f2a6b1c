/** What administrators and new gateways change at a control plane: whatever stands there, the trail says who did it. */
import { call, stream } from '../../../../control-plane/ctl/client.ts';
import { enroll } from '../../../../gateway/uplink/enroll.ts';
import type { AuditEntry } from '../../../../proto/gen/hilum/v1/session.ts';
import type { Doing } from '../f41-crash-points.ts';
import { planeIsWhole } from './first-plane.ts';
import type { Lives } from './lives.ts';

const token = 'token:';

export const administration: Doing = {
  name: 'administration',
  async prepare(lives, data) {
    const plane = lives.plane('whole', data);
    await lives.isReady(plane);
    await plane.stop();
  },
  async run(lives, data) {
    const promised: string[] = [];
    const plane = lives.plane('killed', data);
    if (!(await lives.isReady(plane))) return promised;
    await lives
      .asAdmin(data, async (connection) => {
        const { client } = connection;
        const request = { site: 'north', gateway: '', ttlSeconds: 600 };
        const made = await call(connection, client.createToken, request);
        promised.push(`${token}${made.token}`);
        const { gateway } = await enroll({ token: made.token, version: 'test' });
        promised.push(`enrolled ${gateway}`);
        const push = { yaml: 'sources: {}', site: 'north', reason: 'row', waitSeconds: 0 };
        const { version } = await call(connection, client.pushConfig, push);
        promised.push(`config-pushed config ${version}`);
        await call(connection, client.createAdmin, { name: 'bob', readOnly: true });
        await call(connection, client.revokeAdmin, { name: 'bob', reason: 'row' });
        promised.push('admin-revoked bob');
        await call(connection, client.revokeGateway, { gateway, reason: 'row' });
        promised.push(`revoked ${gateway}`);
      })
      // Killed: what comes was not answered.
      .catch(() => undefined);
    if (plane.exit === undefined) await plane.stop();
    return promised;
  },
  after: (lives, data, promised) => planeIsWhole(lives, data, () => standsInTrail(lives, data, promised)),
};

function standsInTrail(lives: Lives, data: string, promised: readonly string[]): Promise<string[]> {
  return lives.asAdmin(data, async (connection) => {
    const { client } = connection;
    const trail: AuditEntry[] = [];
    const all = { after: 0n, limit: 0, action: '', gateway: '' };
    for await (const entry of stream(connection, client.listAudit(all))) trail.push(entry);
    const has = (action: string, about: string) =>
      trail.some((one) => one.action === action && [one.gateway, ...one.subject.split(' ')].includes(about));
    const { gateways } = await call(connection, client.listGateways, {});
    const { versions } = await call(connection, client.configHistory, { site: '', version: 0n });
    const { admins } = await call(connection, client.listAdmins, {});
    const there = [
      ...gateways.map(({ gateway }) => ['enrolled', gateway] as const),
      ...gateways.flatMap(({ gateway, state }) =>
        state === 'revoked' ? [['revoked', gateway] as const] : [],
      ),
      ...versions.map(({ version }) => ['config-pushed', String(version)] as const),
      ...admins.map(({ serial }) => ['admin-created', serial] as const),
    ];
    const wrong = there
      .filter(([action, about]) => !has(action, about))
      .map(([action, about]) => `of ${about} the trail does not say "${action}"`);
    for (const text of promised.filter((one) => !one.startsWith(token))) {
      const [action = '', ...about] = text.split(' ');
      if (!has(action, about.at(-1) ?? '')) wrong.push(`answered, and not there: ${text}`);
    }
    // A token is good, or a gateway was made of it.
    const [given] = promised.filter((one) => one.startsWith(token));
    if (given !== undefined && gateways.length === 0) {
      const again = enroll({
        token: given.slice(token.length),
        address: lives.address(data),
        version: 'test',
      });
      await again.catch(() => wrong.push('the token is spent, and there is no gateway'));
    }
    return wrong;
  });
}
