/** Which events go onto the line, and what an ack moves. No network: a journal's lanes and a line of arrays. */
import t from 'tap';
import { Lanes } from '../../gateway/prioritize/lanes.ts';
import type { Lane } from '../../gateway/uplink/lane.ts';
import { type Parcel, Pump } from '../../gateway/uplink/pump.ts';
import { GatewayFrame, LaneAck, Welcome } from '../../proto/gen/hilum/v1/session.ts';
import { batchElement } from '../../proto/wire.ts';

const epoch = 7n;
const nowUs = 1_700_000_000_000_000;

t.test('uplink pump - the most urgent lane goes first, each as far as its credit', async (t) => {
  const { pump, line, sent } = site({ routine: 5, stat: 2 }, 3);
  pump.run(line);
  t.same(sent(), [
    { lane: 'stat', first: 1, events: 2 },
    { lane: 'routine', first: 1, events: 3 },
  ]);
  t.ok(pump.acked(ack('routine', 2), nowUs), 'an ack inside what was sent');
  pump.run(line);
  t.same(sent(), [], 'the flight is acked as a whole, so its credit is not back yet');
  t.ok(pump.acked(ack('routine', 3), nowUs));
  pump.run(line);
  t.same(sent(), [{ lane: 'routine', first: 4, events: 2 }]);
});

t.test('uplink pump - a full socket holds everything but STAT', async (t) => {
  const { pump, line, sent } = site({ routine: 5, urgent: 1, stat: 2 }, 3);
  line.blocked = true;
  pump.run(line);
  t.same(sent(), [{ lane: 'stat', first: 1, events: 2 }]);
  line.blocked = false;
  t.ok(pump.run(line), 'while STAT events are expected what can wait goes one parcel a turn');
  t.same(
    sent().map(({ lane }) => lane),
    ['urgent'],
  );
  t.ok(pump.run(line));
  t.same(
    sent().map(({ lane }) => lane),
    ['routine'],
  );
  t.notOk(pump.run(line), 'and then there is no credit left');
  t.same(sent(), []);
});

t.test('uplink pump - an event larger than the credit goes alone, when nothing else is out', async (t) => {
  const { pump, line, sent } = site({ routine: 2 }, 10, { bytes: 10, eventBytes: 100 });
  pump.run(line);
  t.same(sent(), [{ lane: 'routine', first: 1, events: 1 }]);
  pump.run(line);
  t.same(sent(), []);
  pump.acked(ack('routine', 1), nowUs);
  pump.run(line);
  t.same(sent(), [{ lane: 'routine', first: 2, events: 1 }]);
});

t.test('uplink pump - an ack for something else moves nothing', async (t) => {
  const { pump, line, acked } = site({ routine: 5 }, 3);
  pump.run(line);
  t.notOk(pump.acked({ ...ack('routine', 3), epoch: epoch + 1n }, nowUs), 'another epoch');
  t.notOk(pump.acked(ack('routine', 4), nowUs), 'never sent');
  t.notOk(pump.acked(ack('constructor', 1), nowUs), 'no lane');
  t.same(acked, []);
  t.ok(pump.acked(ack('routine', 3), nowUs));
  t.same(acked, ['routine 3']);
});

t.test('uplink pump - a new session sends again what the control plane does not have', async (t) => {
  const { pump, line, sent, acked, welcome } = site({ routine: 5 }, 5);
  pump.run(line);
  sent();
  pump.resume(Welcome.fromPartial({ ...welcome, acked: [ack('routine', 2)] }));
  t.same(acked, ['routine 2'], 'the ack that was lost');
  pump.run(line);
  t.same(sent(), [{ lane: 'routine', first: 3, events: 3 }]);
});

t.test('uplink pump - what was replayed has no latency from its capture on', async (t) => {
  const { pump, line, measured } = site({ routine: 3 }, 3, { capturedAtUs: 0 });
  pump.run(line);
  t.ok(pump.acked(ack('routine', 3), nowUs));
  t.same(new Set(measured), new Set(['sent', 'acked']));
});

function ack(lane: string, sequence: number): LaneAck {
  return LaneAck.fromPartial({ epoch, lane, sequence: BigInt(sequence) });
}

/** Lanes with so many events each, and a welcomed pump with so much credit for each lane. */
function site(
  counts: Partial<Record<Lane, number>>,
  credit: number,
  {
    bytes = 1e6,
    eventBytes = 1,
    capturedAtUs = nowUs,
  }: { bytes?: number; eventBytes?: number; capturedAtUs?: number } = {},
) {
  const lanes = Object.entries(counts).map(([lane, last]) => ({ lane: lane as Lane, first: 1, last }));
  const acked: string[] = [];
  const frames: Buffer[] = [];
  const measured: string[] = [];
  const parcel = (lane: Lane, first: number, countMax: number, bytesMax: number): Parcel | undefined => {
    const left = (counts[lane] ?? 0) - first + 1;
    const count = Math.min(left, countMax, Math.max(1, Math.floor(bytesMax / eventBytes)));
    if (count <= 0) return undefined;
    const each = <T>(value: T): T[] => Array.from({ length: count }, () => value);
    const chunks = each(batchElement(Buffer.alloc(eventBytes)));
    return {
      first,
      count,
      bytes: count * eventBytes,
      chunks,
      queuedAtUs: each(nowUs),
      capturedAtUs: each(capturedAtUs),
    };
  };
  const pump = new Pump(
    {
      epoch,
      lanes: () => lanes,
      parcel,
      acked: (lane, sequence) => acked.push(`${lane} ${sequence}`) > 0,
    },
    new Lanes({ stat: 100, urgent: 1_000, routine: 10_000, bulk: 60_000 }),
    { believes: () => true, held: () => false },
    { nowUs: () => nowUs, onLatency: (_, hop) => void measured.push(hop) },
  );
  const welcome = { credit: lanes.map(({ lane }) => ({ lane, events: credit, bytes })) };
  pump.resume(Welcome.fromPartial(welcome));
  const line = { blocked: false, write: (frame: Buffer) => void frames.push(frame) };
  /** Batches since the last look. */
  const sent = () =>
    frames.splice(0).map((frame) => {
      const decoded = GatewayFrame.decode(frame).frame;
      if (decoded?.$case !== 'batch') throw new Error('not a batch');
      const { lane, firstSequence, envelopes } = decoded.value;
      return { lane, first: Number(firstSequence), events: envelopes.length };
    });
  return { pump, line, sent, acked, welcome, measured };
}
