/**
 * What an administrator or a new gateway asks for changes several rows and has an entry in the trail. It is one write to
 * the store, so that a crash at any moment leaves all of it or nothing: no token spent for nothing, no change without its
 * entry, no name without its certificate.
 */
import t, { type Test } from 'tap';
import { AdminApi } from '../../control-plane/admin-api.ts';
import { createAdmin, revokeAdmin } from '../../control-plane/identity/admins.ts';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import { enroll, renew } from '../../control-plane/identity/enrollment.ts';
import { type Peer, Peers } from '../../control-plane/identity/peers.ts';
import { Refusals, refusedEnrollment } from '../../control-plane/identity/refusals.ts';
import { Tokens } from '../../control-plane/identity/tokens.ts';
import type { State } from '../../control-plane/plane.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { readToken } from '../../proto/token.ts';
import { folderOf } from '../kit/site.ts';
import { openCentre } from './hub-kit.ts';

async function rig(t: Test) {
  const { state: parts, store, sessions, writes, close } = await openCentre(folderOf(t));
  t.teardown(close);
  const authority = await openAuthority(folderOf(t));
  const state = {
    ...parts,
    store,
    authority,
    peers: new Peers(authority.caPem, store, parts.registry, () => {}),
    tokens: new Tokens(store),
    refusals: new Refusals(parts.audit, () => {}, refusedEnrollment),
  } as unknown as State;
  const api = new AdminApi(state, sessions, () => '127.0.0.1:1');
  /** What it answers; it must have been one write, to these tables beside those of the trail. */
  const once = async <T>(what: string, tables: string[], work: () => Promise<T>): Promise<T> => {
    const before = writes.length;
    const answer = await work();
    const written = writes.slice(before).map((rows) => [...new Set(rows.map(({ table }) => table))].sort());
    t.same(written, [['audit', 'audit-head', ...tables].sort()], what);
    return answer;
  };
  const token = async (gateway = '') => {
    const request = { site: 'north', gateway, ttlSeconds: 60 };
    const { token } = await once('a token', ['tokens'], () => api.createToken(request, 'ann'));
    return Buffer.from(readToken(token)?.secret ?? '', 'hex');
  };
  const admit = async (secret: Buffer, before?: Peer) => {
    const { csr } = await makeRequest();
    const streams = { online: (name: string) => name === 'busy', drop: () => {} };
    return enroll(state, { secret, csr, version: 'v' }, '127.0.0.1', before, streams, () => {});
  };
  const peerOf = (name: string): Peer => {
    const [row] = state.peers.good('gateway', Date.now()).filter((one) => one.name === name);
    return { role: 'gateway', name, serial: row?.serial ?? '', expiresAtUs: row?.expiresAtUs ?? 0n };
  };
  return { state, api, once, token, admit, peerOf };
}

t.test('one write - a gateway that enrolls, in the place of another, and renews', async (t) => {
  const { state, once, token, admit, peerOf } = await rig(t);
  const made = ['tokens', 'gateways', 'certificates'];
  const [first, second] = [await token(), await token()];
  t.match(await once('enrolled', made, () => admit(first)), { gateway: 'north' });
  const { csr } = await makeRequest();
  await once('renewed', ['gateways', 'certificates'], () => renew(state, csr, peerOf('north')));
  t.match(await once('replaced', made, () => admit(second, peerOf('north'))), { gateway: 'north-2' });
  t.match(state.registry.get('north'), { revoked: true, replacedBy: 'north-2' });
  t.equal(peerOf('north').serial, '', 'all that it had is revoked');
});

t.test('one write - a token that is refused for its name is used up, and the trail says so', async (t) => {
  const { state, once, token, admit } = await rig(t);
  const secret = await token('busy');
  await state.registry.update('busy', { site: 'north' });
  const refused = () => admit(secret).catch(({ code }: { code: string }) => code);
  t.equal(await once('refused', ['tokens'], refused), 'name-taken');
  await t.rejects(admit(secret), { code: 'token-refused' });
});

t.test('one write - what administrators change', async (t) => {
  const { state, api, once, token, admit } = await rig(t);
  await admit(await token());
  const push = { yaml: 'sources: {}', site: 'north', reason: 'test', waitSeconds: 0 };
  await once('a config', ['configs'], () => api.config.push(push, 'ann'));
  const bob = { name: 'bob', readOnly: true };
  await once('an admin', ['certificates'], () => createAdmin(state, bob, 'ann', '127.0.0.1:1'));
  const gone = { name: 'bob', reason: 'left' };
  await once('an admin revoked', ['certificates'], () => revokeAdmin(state, gone, 'ann'));
  await once('a gateway revoked', ['gateways', 'certificates'], () => api.revoke('north', 'lost', 'ann'));
});
