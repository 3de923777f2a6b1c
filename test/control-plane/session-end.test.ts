/** Why a session of a gateway ended, as the control plane tells it. */
import t from 'tap';
import { AdminApi } from '../../control-plane/admin-api.ts';
import type { State } from '../../control-plane/plane.ts';
import { type Hub, type Line, type SessionEnd, Sessions } from '../../control-plane/session/sessions.ts';
import { nowUs64 } from '../../gateway/process/clock.ts';
import { type GatewayFrame, Hello, type PlaneFrame } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { farAheadUs, incoming, openCentre } from './hub-kit.ts';

const peer = { name: 'north-1', serial: '01', expiresAtUs: farAheadUs } as Parameters<Sessions['open']>[1];

function rig(nowUs = () => 1n) {
  const ends: SessionEnd[] = [];
  const alarms: string[] = [];
  const nothing = async () => {};
  const hub: Hub = {
    nowUs,
    cursor: async () => 0n,
    notHere: async () => 0n,
    isRevoked: () => false,
    holder: () => '',
    room: { enter: () => undefined, leave: () => {}, isCrowded: false },
    append: async () => ({ outcome: 'gap' }) as Awaited<ReturnType<Hub['append']>>,
    connected: async () => ({ site: 'north' }),
    disconnected: async (_gateway, end) => {
      ends.push(end);
    },
    audit: async () => 0n,
    quarantine: async () => 0n,
    deliveries: async () => 0n,
    configReport: nothing,
    telemetry: nothing,
    receipts: nothing,
    repeats: nothing,
    eventAt: async () => undefined,
    offer: () => undefined,
    alarm: (code) => alarms.push(code),
  };
  const sessions = new Sessions(hub);
  /** A stream after its Hello; `hangUp` is the gateway's half-close. */
  const connect = async (life = 0n) => {
    const sent: string[] = [];
    const line: Line = {
      send: ({ frame }) => sent.push(frame?.$case ?? ''),
      close: () => {},
      peer: '127.0.0.1',
    };
    const session = sessions.open(line, peer);
    const say = (frame: GatewayFrame['frame']) => session.receive(incoming(frame));
    say({ $case: 'hello', value: Hello.fromPartial({ gateway: peer.name, epoch: 1n, life }) });
    await until(() => sent.includes('welcome'), { what: 'the welcome' });
    return { say, hangUp: () => session.ended() };
  };
  return { sessions, ends, alarms, connect };
}

t.test('session end - a control plane that drains is the one who ended it', async (t) => {
  const { sessions, ends, connect } = rig();
  const { hangUp } = await connect();
  sessions.drain();
  hangUp();
  t.same(ends, ['control-plane-drained']);
});

t.test('session end - a goodbye, a lost line, a newer session and a revocation are told apart', async (t) => {
  const { sessions, ends, connect } = rig();
  const polite = await connect();
  polite.say({ $case: 'goodbye', value: { reason: 'stopping' } });
  await until(() => ends.length === 1, { what: 'the goodbye' });
  (await connect()).hangUp();
  await connect();
  await connect();
  sessions.drop(peer.name);
  t.same(ends, ['goodbye', 'lost', 'replaced', 'dropped']);
});

t.test('session end - with the certificate that it was begun with', async (t) => {
  const { sessions } = rig(nowUs64);
  const sent: PlaneFrame['frame'][] = [];
  const line: Line = { send: ({ frame }) => sent.push(frame), close: () => {}, peer: '127.0.0.1' };
  const session = sessions.open(line, { ...peer, expiresAtUs: nowUs64() + 500_000n });
  session.receive(incoming({ $case: 'hello', value: Hello.fromPartial({ gateway: peer.name, epoch: 1n }) }));
  await until(() => sent.length > 0, { what: 'the welcome' });
  t.match(sent, [{ $case: 'welcome' }], 'it is good before');
  await until(() => sent.length > 1, { what: 'the refusal' });
  t.match(sent[1], { $case: 'refusal', value: { code: 'certificate-ended' } });
  t.notOk(sessions.online(peer.name));
});

t.test('session end - since when a gateway is connected is what its session says that stands', async (t) => {
  const directory = t.testdir();
  let centre = await openCentre(directory);
  const row = () => {
    const api = new AdminApi(centre.state as State, centre.sessions, () => '');
    const [gateway] = api.gateways();
    return { state: gateway?.state, connectedAtUs: gateway?.connectedAtUs ?? 0n };
  };
  const first = await centre.connect('north', 1n);
  const one = row();
  t.equal(one.state, 'online');
  const second = await centre.connect('north', 1n);
  const two = row();
  t.equal(two.state, 'online');
  t.ok(one.connectedAtUs > 0n && two.connectedAtUs >= one.connectedAtUs, 'a newer one took its place');
  first.hangUp();
  t.same(row(), two);
  // One that does not get as far as its Welcome.
  const release = centre.hold();
  const third = centre.begin('north', 1n);
  third.hangUp();
  release();
  await centre.settled();
  t.same(row(), two);
  // The line is lost while the next one says its Hello.
  const again = centre.hold();
  const fourth = centre.connect('north', 1n);
  second.hangUp();
  again();
  await fourth;
  const four = row();
  t.equal(four.state, 'online');
  t.ok(four.connectedAtUs > 0n && four.connectedAtUs >= two.connectedAtUs);
  // A control plane that ended without a word.
  await centre.close();
  centre = await openCentre(directory);
  t.same(row(), { state: 'offline', connectedAtUs: 0n });
  (await centre.connect('north', 1n)).hangUp();
  t.same(row(), { state: 'offline', connectedAtUs: 0n });
  await centre.close();
});

t.test('session end - a refused batch ends it as refused', async (t) => {
  const { ends, connect } = rig();
  const { say } = await connect();
  say({
    $case: 'batch',
    value: { epoch: 1n, lane: 'routine' } as Extract<GatewayFrame['frame'], { $case: 'batch' }>['value'],
  });
  await until(() => ends.length === 1, { what: 'the end' });
  t.same(ends, ['refused']);
});

t.test(
  'session end - a process that comes back after another runs beside it, and that is told',
  async (t) => {
    const { alarms, connect } = rig();
    for (const life of [1n, 1n, 2n, 3n, 3n]) await connect(life);
    t.same(alarms, [], 'restarts are told of nowhere');
    await connect(2n);
    t.same(alarms, ['gateway-twice']);
    await connect(3n);
    t.same(alarms, ['gateway-twice'], 'once an hour');
  },
);
