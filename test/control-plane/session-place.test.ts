/** Where a lane of a new session begins: behind everything that earlier ones of its gateway brought, and will bring. */
import t from 'tap';
import { type Hub, type Line, Sessions } from '../../control-plane/session/sessions.ts';
import { Batch, Envelope, type GatewayFrame, Hello } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { farAheadUs, incoming, openCentre } from './hub-kit.ts';

const epoch = 9n;
const peer = { name: 'north-1', serial: '01', expiresAtUs: farAheadUs } as Parameters<Sessions['open']>[1];

/** One event at a position of its lane. */
function batch(firstSequence = 1n, capturedAtUs = 1n): Batch {
  const facts = { recordSequence: firstSequence, index: 1, count: 1, capturedAtUs };
  const envelope = Envelope.encode(Envelope.fromPartial({ ...facts, recordSha256: Buffer.alloc(32) }));
  return Batch.fromPartial({ epoch, lane: 'stat', firstSequence, envelopes: [envelope.finish()] });
}

t.test('event log - a cursor is told once everything that came before the question is flushed', async (t) => {
  const centre = await openCentre(t.testdir());
  t.teardown(() => centre.close());
  const { eventLog } = centre.state;
  const flush = centre.hold();
  const applied = eventLog.append('g', 's', batch());
  const cursor = eventLog.cursor('g', epoch, 'stat');
  await until(() => centre.writes.length > 0, { what: 'the batch being written' });
  flush();
  t.equal(await cursor, 1n);
  await applied;
});

t.test(
  'event log - a position is refused once everything before it is flushed: its gateway lets go of that',
  async (t) => {
    const centre = await openCentre(t.testdir());
    t.teardown(() => centre.close());
    const { eventLog } = centre.state;
    await eventLog.append('g', 's', batch(1n));
    const [flush, writes] = [centre.hold(), centre.writes.length];
    const answered: string[] = [];
    const answers = [
      eventLog.append('g', 's', batch(2n)).then(({ outcome }) => answered.push(outcome)),
      eventLog.append('g', 's', batch(1n, 7n)).then(({ outcome }) => answered.push(outcome)),
    ];
    // Answered in their turns, so that the refusal would have been.
    t.match(await eventLog.append('g', 's', batch(9n)), { outcome: 'gap' });
    t.same(answered, []);
    t.equal(centre.writes.length, writes + 1, 'the second batch is on its way to the disk');
    flush();
    await Promise.all(answers);
    t.same(answered, ['applied', 'conflict']);
  },
);

t.test('sessions - an earlier session brings nothing more once a lane’s place is told', async (t) => {
  const nothing = async () => {};
  const appended: string[] = [];
  let asked = () => {};
  const hub: Hub = {
    nowUs: () => 1n,
    cursor: async () => {
      asked();
      return 0n;
    },
    notHere: async () => 0n,
    isRevoked: () => false,
    holder: () => '',
    room: { enter: () => undefined, leave: () => {}, isCrowded: false },
    append: async (gateway) => {
      appended.push(gateway);
      return { outcome: 'applied', through: 1n, applied: 1, duplicates: 0 };
    },
    connected: async () => ({ site: 'north' }),
    disconnected: nothing,
    audit: async () => 0n,
    quarantine: async () => 0n,
    deliveries: async () => 0n,
    configReport: nothing,
    telemetry: nothing,
    receipts: nothing,
    repeats: nothing,
    eventAt: async () => undefined,
    offer: () => undefined,
    alarm: () => {},
  };
  const sessions = new Sessions(hub);
  const connect = async () => {
    const said: string[] = [];
    const line: Line = { send: ({ frame }) => said.push(frame?.$case ?? ''), close: () => {}, peer: '' };
    const session = sessions.open(line, peer);
    const say = (frame: GatewayFrame['frame']) => session.receive(incoming(frame));
    const lanes = [{ lane: 'stat', first: 1n, last: 1n }];
    say({ $case: 'hello', value: Hello.fromPartial({ gateway: peer.name, epoch, lanes }) });
    await until(() => said.includes('welcome'), { what: 'the welcome' });
    return { say, said };
  };
  const earlier = await connect();
  // What a line still holds that its gateway has given up: it gets here while the next session is greeted.
  asked = () => earlier.say({ $case: 'batch', value: batch() });
  const { say, said } = await connect();
  t.same(appended, [], 'it would be applied, and its gateway told that it is not here');
  say({ $case: 'batch', value: batch() });
  await until(() => said.includes('ack'), { what: 'the ack' });
  t.same(appended, [peer.name]);
});
