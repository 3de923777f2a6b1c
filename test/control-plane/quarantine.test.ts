/** A second try for what is in quarantine, as the control plane asks for it and what it makes of the answer. */
import t from 'tap';
import { replayQuarantined } from '../../control-plane/quarantine/taking-out.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { ReplayResult } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openCentre, type Said } from './hub-kit.ts';

const id = (sequence: number) => `north.1.record.${sequence}`;

function entry(sequence: number, facts: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return QuarantineEntry.fromPartial({
    number: BigInt(sequence),
    id: id(sequence),
    gateway: 'north',
    recordSequence: BigInt(sequence),
    atUs: BigInt(sequence),
    state: 'open',
    ...facts,
  });
}

/** A control plane with three entries of a gateway that is connected. */
async function rig(directory: string) {
  const centre = await openCentre(directory);
  const gateway = await centre.connect('north', 1n);
  await centre.state.quarantine.add([1, 2, 3].map((sequence) => entry(sequence)));
  const replay = (...sequences: number[]) =>
    replayQuarantined(centre.state, centre.sessions, {
      ids: sequences.map(id),
      reason: 'mapping added',
      actor: 'ann',
    });
  const asked = () => until(() => gateway.said.find(isReplay)?.value, { what: 'the request' });
  const states = async () =>
    Promise.all([1, 2, 3].map(async (sequence) => (await centre.state.quarantine.get(id(sequence)))?.state));
  return { centre, gateway, replay, asked, states };
}

const isReplay = (frame: Said): frame is Extract<Said, { $case: 'replay' }> => frame.$case === 'replay';

t.test('list - the newest, so many as one answer carries, and how many more there are', async (t) => {
  const centre = await openCentre(t.testdir());
  const refusedControlIds = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(199, 'X'));
  const all = Array.from({ length: 2_000 }, (_, n) => entry(n + 1, { refusedControlIds }));
  await centre.state.quarantine.add(all);
  const { entries, leftOut } = await centre.state.quarantine.list(() => true, 10_000);
  const bytes = entries.reduce((sum, one) => sum + QuarantineEntry.encode(one).finish().length, 0);
  t.ok(bytes < wireLimits.messageBytesMax, `${bytes}`);
  t.ok(entries.length > 500, `${entries.length}`);
  t.equal(entries.length + leftOut, 2_000);
  t.equal(entries.at(-1)?.atUs, 2_000n);
  t.same(
    entries.map(({ atUs }) => Number(atUs)),
    entries.map((_, at) => leftOut + at + 1),
    'the oldest first',
  );
  await centre.close();
});

t.test('replay - only what the gateway replayed is marked so', async (t) => {
  const { centre, gateway, replay, asked, states } = await rig(t.testdir());
  const answered = replay(1, 2, 3, 9);
  const { request, ids, recordSequences } = await asked();
  t.same(
    [ids, recordSequences],
    [
      [id(1), id(2), id(3)],
      [1n, 2n, 3n],
    ],
  );
  t.same(await centre.subjects('replay-requested'), ids, 'that it is asked for is noted before it is heard');
  const outcomes = ['replayed', 'missing', 'damaged'].map((outcome, at) => ({
    recordSequence: BigInt(at + 1),
    outcome,
  }));
  gateway.say({ $case: 'replayResult', value: { request, replayed: 1, missing: 2, outcomes } });
  t.match(await answered, { replayed: 1, missing: 2, damaged: 1, offline: 0, unanswered: 0 });
  t.same(await states(), ['replayed', 'open', 'open']);
  const trail = (await centre.state.audit.list(0n, 100)).filter(({ action }) => action === 'replayed');
  t.same(
    trail.map(({ subject, outcome, detail, actor }) => [subject, outcome, detail, actor]),
    [
      [id(1), 'success', '', 'ann'],
      [id(2), 'failed', 'missing', 'ann'],
      [id(3), 'failed', 'damaged', 'ann'],
    ],
  );
  await centre.close();
});

t.test('replay - the gateway is told which record is meant, and answers of each by its place', async (t) => {
  const { centre, gateway, replay, asked, states } = await rig(t.testdir());
  // The journal was begun anew since, and has given the sequence to another record.
  const now = { id: 'north.2.record.2', recordSequence: 2n, recordEpoch: 2n, recordHash: 'bb' };
  await centre.state.quarantine.add([
    entry(1),
    entry(2, { recordEpoch: 1n, recordHash: 'aa' }),
    entry(3, now),
  ]);
  const answered = replayQuarantined(centre.state, centre.sessions, {
    ids: [id(1), id(2), now.id],
    reason: 'mapping added',
    actor: 'ann',
  });
  const { request, recordSequences, recordHashes, recordEpochs } = await asked();
  t.same(
    [recordSequences, recordHashes, recordEpochs],
    [
      [1n, 2n, 2n],
      ['', 'aa', 'bb'],
      [0n, 1n, 2n],
    ],
  );
  const outcomes = ['replayed', 'missing', 'replayed'].map((outcome, at) => ({
    recordSequence: recordSequences[at] ?? 0n,
    outcome,
  }));
  gateway.say({ $case: 'replayResult', value: { request, replayed: 2, missing: 1, outcomes } });
  t.match(await answered, { replayed: 2, missing: 1 });
  t.same(await states(), ['replayed', 'open', 'open']);
  t.match(await centre.state.quarantine.get(now.id), { state: 'replayed' });
  t.match(await replay(9), { missing: 1 });
  await centre.close();
});

t.test('replay - where the answer is lost, the gateway reports what it replayed', async (t) => {
  const { centre, gateway, replay, asked, states } = await rig(t.testdir());
  const answered = replay(1, 2);
  await asked();
  gateway.hangUp();
  t.match(await answered, { replayed: 0, offline: 0, unanswered: 2 });
  t.same(await states(), ['open', 'open', 'open']);
  t.match(await replay(1), { offline: 1, unanswered: 0 }, 'nothing is asked of a gateway that is not there');
  t.same(await centre.subjects('replay-requested'), [id(1), id(2)]);
  const again = await centre.connect('north', 1n);
  const report = QuarantineEntry.fromPartial({ number: 4n, id: id(2), state: 'replayed', atUs: 9n });
  again.say({ $case: 'quarantine', value: { entries: [report] } });
  await until(() => again.said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
  t.same(await states(), ['open', 'replayed', 'open']);
  t.match(await centre.state.quarantine.get(id(2)), { recordSequence: 2n }, 'the entry keeps what it says');
  t.same(await centre.subjects('quarantined'), []);
  await centre.close();
});

t.test('replay - the counts of an older gateway mark all or none', async (t) => {
  const { centre, gateway, replay, asked, states } = await rig(t.testdir());
  const answered = replay(1, 2);
  const { request } = await asked();
  gateway.say({
    $case: 'replayResult',
    value: ReplayResult.fromPartial({ request, replayed: 1, missing: 1 }),
  });
  t.match(await answered, { replayed: 0, unanswered: 2 });
  t.same(await states(), ['open', 'open', 'open']);
  await centre.close();
});

t.test(
  'replay - after its gateway was enrolled anew it is asked under the name that has its journal now',
  async (t) => {
    const { centre, gateway, replay, states } = await rig(t.testdir());
    gateway.hangUp();
    await centre.connect('east', 7n);
    t.match(await replay(1), { offline: 1 }, 'nobody else is asked');
    await centre.state.registry.update('north', { revoked: true });
    const heir = await centre.connect('north-2', 1n);
    const answered = replay(1, 2);
    const { request, ids } = await until(() => heir.said.find(isReplay)?.value, { what: 'the request' });
    t.same(ids, [id(1), id(2)]);
    const outcomes = [1n, 2n].map((recordSequence) => ({ recordSequence, outcome: 'replayed' }));
    heir.say({ $case: 'replayResult', value: { request, replayed: 2, missing: 0, outcomes } });
    t.match(await answered, { replayed: 2, offline: 0 });
    const report = QuarantineEntry.fromPartial({ number: 4n, id: id(1), state: 'replayed', replayedAs: 8n });
    heir.say({ $case: 'quarantine', value: { entries: [report] } });
    await until(() => heir.said.some(({ $case }) => $case === 'quarantineAck'), { what: 'the ack' });
    t.same(await states(), ['replayed', 'replayed', 'open']);
    t.match(await centre.state.quarantine.get(id(1)), { gateway: 'north', replayedAs: 8n });
    const trail = (await centre.state.audit.list(0n, 100)).filter(({ action }) => action === 'replayed');
    t.same(
      trail.map((one) => [one.subject, one.gateway]),
      [
        [id(1), 'north-2'],
        [id(2), 'north-2'],
      ],
    );
    await centre.close();
  },
);
