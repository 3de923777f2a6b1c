/** What a gateway may write into the audit trail: what it did, marked as told by it. */
import t from 'tap';
import { gatewayInTrail } from '../../control-plane/audit/trail.ts';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { auditAcks, openCentre } from './hub-kit.ts';

t.test('told entries - a gateway says what gateways do, and nothing in the name of the centre', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('south', 1n);
  const entries = [
    { action: 'viewed', actor: 'ann', subject: 'record 1', reason: 'asked' },
    { action: 'revoked', actor: 'admin', subject: 'x', reason: 'r', detail: 'd', toldBy: 'admin' },
    { action: 'mapping-circuit-opened', subject: 'lab', gateway: 'north', site: 'north' },
    { action: 'enrolled', actor: '127.0.0.1', outcome: 'refused' },
  ].map((entry, at) => AuditEntry.fromPartial({ number: BigInt(at + 1), atUs: 5n, ...entry }));
  say({ $case: 'audit', value: { entries } });
  await until(() => auditAcks(said).includes(4), { what: 'the ack' });
  const [connected, ...told] = await centre.state.audit.list(0n, 100);
  t.match(connected, { action: 'connected', toldBy: '' }, 'what the centre saw itself');
  t.match(told, [
    { action: 'viewed', actor: 'ann', gateway: 'south', toldBy: 'south' },
    { action: 'told', actor: 'south', gateway: 'south', toldBy: 'south', subject: 'x', reason: 'r' },
    { action: 'mapping-circuit-opened', actor: '', gateway: 'south', toldBy: 'south' },
    { action: 'told', actor: 'south', toldBy: 'south' },
  ]);
  t.equal(told[1]?.detail, 'revoked by admin: d', 'what it said is there');
  t.same(await gatewayInTrail(centre.store, 'south'), {});
  t.match(await centre.state.audit.verify(), { intact: true, entries: 5n });
  await centre.close();
});
