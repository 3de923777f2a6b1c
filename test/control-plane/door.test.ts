/** What one gateway sends costs its own session at most: whatever it is, the control plane goes on for the others. */
import t from 'tap';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import {
  AckReceipts,
  Batch,
  Envelope,
  type GatewayFrame,
  Hello,
  LaneAck,
  LaneRange,
  Telemetry,
} from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { farAheadUs, incoming, openCentre, type Said } from './hub-kit.ts';

function batch(lane: string, first: number, facts: Partial<Envelope> = {}, count = 1): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const recordSequence = BigInt(first + at);
    const envelope = { recordEpoch: 1n, recordSequence, index: 1, count: 1, source: 'lab', ...facts };
    return Envelope.encode(Envelope.fromPartial(envelope)).finish() as Buffer;
  });
  const queuedAtUs = envelopes.map(() => 2n ** 63n);
  return Batch.fromPartial({ epoch: 1n, lane, firstSequence: BigInt(first), envelopes, queuedAtUs });
}

function quarantined(facts: Partial<QuarantineEntry>): GatewayFrame['frame'] {
  const entries = [{ number: 1n, id: 'north.1.record.1', state: 'open', ...facts }];
  return { $case: 'quarantine', value: { entries: entries.map((one) => QuarantineEntry.fromPartial(one)) } };
}

function receipts(count: number): GatewayFrame['frame'] {
  const all = Array.from({ length: count }, (_, at) =>
    LaneAck.fromPartial({ epoch: 1n, lane: 'stat', sequence: BigInt(at), atUs: 1n }),
  );
  return { $case: 'receipts', value: AckReceipts.fromPartial({ receipts: all }) };
}

const refusals = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'refusal' ? [frame.value.code] : []));
const refused = (said: readonly Said[]) => until(() => refusals(said)[0], { what: 'the refusal' });
const acked = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'ack' ? [Number(frame.value.sequence)] : [])).at(-1);

const long = 'x'.repeat(20_000);
const { sequenceMax, batchEventsMax, reportElementsMax, reportBytesMax } = wireLimits;

t.test('door - what cannot be part of a key ends the session that sent it, with a code', async (t) => {
  const frames: [string, GatewayFrame['frame']][] = [
    ['name-unfit', quarantined({ id: '' })],
    ['name-unfit', quarantined({ id: long })],
    ['name-unfit', quarantined({ id: 'north\0.1.record.1' })],
    ['name-unfit', quarantined({ state: 'replayed', replayedAs: 2n, recordHash: 'a'.repeat(20_000) })],
    ['name-unfit', { $case: 'batch', value: batch('routine', 1, { source: long }) }],
    ['name-unfit', { $case: 'batch', value: batch('routine', 1, { source: 'lab\0' }) }],
    ['sequence-unfit', { $case: 'batch', value: batch('routine', 1, { recordSequence: sequenceMax + 1n }) }],
    ['lane-unknown', { $case: 'batch', value: batch('constructor', 1) }],
    ['lane-unknown', { $case: 'batch', value: batch(long, 1) }],
  ];
  const centre = await openCentre(t.testdir());
  const other = await centre.connect('south', 2n);
  for (const [code, frame] of frames) {
    const { say, said } = await centre.connect('north', 1n);
    say(frame);
    t.equal(await refused(said), code, String(frame?.$case));
  }
  t.equal((await centre.subjects('name-unfit')).length, 6, 'each is in the trail');
  t.same(centre.state.eventLog.counts(), [], 'nothing of it is counted');
  const { say, said } = await centre.connect('north', 1n);
  say({ $case: 'batch', value: batch('routine', 1) });
  await until(() => acked(said) === 1, { what: 'what it sends next' });
  other.say({ $case: 'batch', value: { ...batch('stat', 1), epoch: 2n } });
  await until(() => acked(other.said) === 1, { what: 'the ack of another' });
  t.equal(centre.state.eventLog.last(), 2n);
  await centre.close();
});

t.test('door - a Hello names each lane once, and sequences that can be', async (t) => {
  const centre = await openCentre(t.testdir());
  const range = (lane: string, first = 1n) => LaneRange.fromPartial({ lane, first });
  for (const lanes of [
    [range('stat'), range('stat')],
    Array.from({ length: 10_000 }, (_, at) => range(`lane-${at}`)),
    [range('stat', sequenceMax + 1n)],
  ]) {
    const said: Said[] = [];
    const line = {
      send: ({ frame }: { frame?: Said | undefined }) => void (frame && said.push(frame)),
      close: () => {},
      peer: '127.0.0.1',
    };
    const peer = { name: 'north', serial: '01', role: 'gateway', expiresAtUs: farAheadUs } as const;
    const hello = Hello.fromPartial({ gateway: 'north', epoch: 1n, lanes });
    centre.sessions.open(line, peer).receive(incoming({ $case: 'hello', value: hello }));
    t.match(await refused(said), /^(lane-unknown|sequence-unfit)$/);
  }
  t.same(await centre.subjects('events-missing-here'), []);
  await centre.close();
});

t.test('door - a frame is measured before it is decoded', async (t) => {
  const centre = await openCentre(t.testdir());
  const empty = Array.from({ length: reportElementsMax }, () => LaneAck.fromPartial({}));
  const frames: GatewayFrame['frame'][] = [
    { $case: 'receipts', value: { receipts: empty } },
    {
      $case: 'telemetry',
      value: Telemetry.fromPartial({ status: { alarms: ['x'.repeat(reportBytesMax)] } }),
    },
    {
      $case: 'batch',
      value: { ...batch('stat', 1), envelopes: Array(13 * batchEventsMax).fill(Buffer.of()) },
    },
    { $case: 'batch', value: { ...batch('stat', 1), queuedAtUs: Array(13 * batchEventsMax).fill(1n) } },
  ];
  for (const frame of frames) {
    const { say, said } = await centre.connect('north', 1n);
    say(frame);
    t.equal(await refused(said), 'frame-too-large', String(frame?.$case));
  }
  const { say, said } = await centre.connect('north', 1n);
  say({ $case: 'batch', value: batch('stat', 1, {}, batchEventsMax) });
  await until(() => acked(said) === batchEventsMax, { what: 'a batch as large as a gateway makes it' });
  await centre.close();
});

t.test('door - reports that wait are bounded for each gateway; one that is large goes alone', async (t) => {
  const centre = await openCentre(t.testdir());
  const [north, south] = [await centre.connect('north', 1n), await centre.connect('south', 2n)];
  const before = centre.writes.length;
  const release = centre.hold();
  north.say(receipts(80_000));
  t.same(refusals(north.said), [], 'nothing else waits');
  north.say(receipts(64));
  t.equal(await refused(north.said), 'reports-exceeded');
  south.say(receipts(64));
  south.say(receipts(64));
  const again = await (async () => {
    release();
    return centre.connect('north', 1n);
  })();
  await centre.settled();
  again.say(receipts(64));
  again.say({ $case: 'batch', value: batch('stat', 1) });
  await until(() => acked(again.said) === 1, { what: 'the ack' });
  await until(() => centre.writes.length > before + 6, { what: 'what was told' });
  t.same(refusals(south.said), [], 'another one has its own');
  t.same(refusals(again.said), [], 'and what was too much is forgotten with its session');
  await centre.close();
});
