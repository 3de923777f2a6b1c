/** A revocation, and what was on its way when it was said. */
import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import { Peers } from '../../control-plane/identity/peers.ts';
import { Hello } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { farAheadUs, incoming, openCentre, type Said } from './hub-kit.ts';

const peer = { name: 'north', serial: '01', role: 'gateway', expiresAtUs: farAheadUs } as const;

async function rig(t: Test) {
  const centre = await openCentre(folderOf(t));
  await centre.state.registry.update('north', { site: 'north' });
  /** A stream that has said nothing yet. */
  const open = () => {
    const said: Said[] = [];
    let closed = false;
    const line = {
      send: ({ frame }: { frame?: Said | undefined }) => {
        if (frame !== undefined) said.push(frame);
      },
      close: () => {
        closed = true;
      },
      peer: '127.0.0.1',
    };
    const session = centre.sessions.open(line, peer);
    const hello = () =>
      session.receive(
        incoming({ $case: 'hello', value: Hello.fromPartial({ gateway: 'north', epoch: 1n }) }),
      );
    return { said, hello, closed: () => closed };
  };
  return { ...centre, open };
}

const refusals = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'refusal' ? [frame.value.code] : [frame.$case]));

t.test('revocation - a stream that was open and silent gets no further', async (t) => {
  const { state, sessions, open, close } = await rig(t);
  const { said, hello, closed } = open();
  await state.registry.update('north', { revoked: true });
  hello();
  await until(closed, { what: 'the end' });
  t.same(refusals(said), ['revoked']);
  t.notOk(sessions.online('north'));
  await close();
});

t.test('revocation - one that comes while a Hello is taken up is not passed by', async (t) => {
  const { state, sessions, open, hold, close } = await rig(t);
  const { said, hello, closed } = open();
  const release = hold();
  hello();
  const revoked = state.registry.update('north', { ...state.registry.get('north'), revoked: true });
  t.equal(sessions.drop('north'), 0, 'it is no session yet');
  release();
  await revoked;
  await until(closed, { what: 'the end' });
  t.same(refusals(said), ['revoked']);
  t.notOk(sessions.online('north'));
  await close();
});

t.test('sessions - a stream without a Hello is ended', async (t) => {
  const { open, close } = await rig(t);
  const { said, closed } = open();
  await until(closed, { what: 'the end', timeoutMs: 60_000 });
  t.same(refusals(said), ['hello-late']);
  await close();
});

t.test('revocation - a certificate that is being made meanwhile is revoked as well', async (t) => {
  const { state, store, hold, close } = await rig(t);
  const authority = await openAuthority(folderOf(t));
  const peers = new Peers(authority.caPem, store, state.registry, () => {});
  const issue = () => authority.issue('gateway', 'north', []);
  const [first, second, third] = [await issue(), await issue(), await issue()];
  const verdict = ({ certificatePem }: typeof first) =>
    peers.verify(new X509Certificate(certificatePem).raw, Date.now());
  await store.write([peers.issued(first, 'gateway', 'north')]);
  t.match(verdict(first), { peer: { name: 'north' } });
  const release = hold();
  const renewed = store.write([peers.issued(second, 'gateway', 'north')]);
  const name = state.registry.changed('north', { revoked: true });
  const revoked = store.write([name, ...peers.revoked('gateway', 'north')]);
  for (const one of [first, second]) t.match(verdict(one), { objection: /was revoked/ }, 'at once');
  release();
  await Promise.all([renewed, revoked]);
  t.throws(() => peers.issued(third, 'gateway', 'north'), { code: 'revoked' });
  // The rows say it as well, were the name to come back.
  await state.registry.update('north', { revoked: false });
  for (const one of [first, second]) t.match(verdict(one), { objection: /was revoked/ });
  await close();
});
