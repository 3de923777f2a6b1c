/** A name has one gateway, whoever asks for it at once. */
import { X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { enroll, renew } from '../../control-plane/identity/enrollment.ts';
import type { Peer } from '../../control-plane/identity/peers.ts';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { folderOf } from '../kit/site.ts';

async function rig(t: Test) {
  const directory = folderOf(t);
  const { settings } = loadSettings(directory, undefined);
  const { state } = await Plane.open({ directory, settings, settingsFile: '', log: () => {} });
  t.teardown(() => state.store.close());
  const streams = { online: () => false, drop: () => {} };
  /** What can be called at once: its token and its key are there. */
  const prepare = async (site: string, gateway: string) => {
    const expiresAtUs = 2n ** 62n;
    const { secret, row } = state.tokens.made({ site, gateway, expiresAtUs });
    await state.store.write([row]);
    const { csr } = await makeRequest();
    const request = { secret: Buffer.from(secret, 'hex'), csr, version: '1' };
    return (before?: Peer) =>
      enroll(state, request, '127.0.0.1:1', before, streams, () => {}).then(
        ({ certificatePem }) => certificatePem,
        (error: { code?: string }) => error.code ?? String(error),
      );
  };
  const peerOf = (pem: string): Peer | undefined => {
    const verdict = state.peers.verify(new X509Certificate(pem).raw, Date.now());
    return 'peer' in verdict ? verdict.peer : undefined;
  };
  const goodOf = (wanted: string) =>
    state.peers.good('gateway', Date.now()).filter(({ name }) => name === wanted).length;
  return { state, prepare, peerOf, goodOf };
}

t.test('enroll - of two machines that are given one name at once the later has it', async (t) => {
  const { prepare, peerOf, goodOf } = await rig(t);
  const both = [await prepare('north', 'gw'), await prepare('north', 'gw')];
  const pems = await Promise.all(both.map((one) => one()));
  t.equal(pems.map(peerOf).filter((peer) => peer !== undefined).length, 1);
  t.equal(goodOf('gw'), 1);
});

t.test('enroll - of two sites that name one gateway at once the first has it', async (t) => {
  const { state, prepare, goodOf } = await rig(t);
  const both = [await prepare('north', 'gw'), await prepare('south', 'gw')];
  const answers = await Promise.all(both.map((one) => one()));
  t.equal(answers.filter((answer) => answer === 'name-taken').length, 1);
  t.equal(state.registry.get('gw')?.site, answers[0] === 'name-taken' ? 'south' : 'north');
  t.equal(goodOf('gw'), 1);
});

t.test(
  'enroll - who had the name gets no certificate for it any more, also where it asked before',
  async (t) => {
    const { state, prepare, peerOf, goodOf } = await rig(t);
    const peer = peerOf(await (await prepare('north', 'gw'))()) as Peer;
    const [other, own] = [await prepare('north', 'gw'), await prepare('north', 'gw')];
    const { csr } = await makeRequest();
    const renewal = () => renew(state, csr, peer).then(String, (error: { code?: string }) => error.code);
    await Promise.all([other(), renewal()]);
    t.equal(goodOf('gw'), 1, 'whichever has its turn first');
    // The name goes to another machine, and what comes meanwhile waits for that.
    const given = state.registry.inTurn('gw', () => state.store.write(state.peers.revoked('gateway', 'gw')));
    t.equal(await renewal(), 'revoked');
    await given;
    t.equal(goodOf('gw'), 0);
    t.ok(peerOf(await own(peer)), 'a token gives it the name as it would any machine');
    t.equal(goodOf('gw'), 1);
  },
);
