/** The control plane holds a gateway to the credit that it gave: batches wait in memory until they are flushed. */
import t from 'tap';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { wireLimits } from '../../proto/limits.ts';
import { until } from '../kit/wait.ts';
import { openCentre, type Said } from './hub-kit.ts';

function batch(lane: string, first: number, count: number, bytes = 10): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const sequence = BigInt(first + at);
    const facts = { recordEpoch: 1n, recordSequence: sequence, index: 1, count: 1, source: 'lab' };
    return Envelope.encode(Envelope.fromPartial({ ...facts, event: Buffer.alloc(bytes) })).finish() as Buffer;
  });
  return Batch.fromPartial({ epoch: 1n, lane, firstSequence: BigInt(first), envelopes });
}

const refusals = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'refusal' ? [frame.value.code] : []));
const acked = (said: readonly Said[]) =>
  said.flatMap((frame) => (frame.$case === 'ack' ? [Number(frame.value.sequence)] : [])).at(-1);

t.test('credit - events beyond it end the session, with a code', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('north', 1n);
  const release = centre.hold();
  const { events } = wireLimits.credit.bulk;
  for (let first = 1; first <= events; first += 500)
    say({ $case: 'batch', value: batch('bulk', first, Math.min(500, events - first + 1)) });
  // Another lane has its own.
  say({ $case: 'batch', value: batch('stat', 1, 500) });
  t.same(refusals(said), [], 'all of it may be out');
  say({ $case: 'batch', value: batch('bulk', events + 1, 1) });
  await until(() => refusals(said).length > 0, { what: 'the refusal' });
  t.same(refusals(said), ['credit-exceeded']);
  release();
  await centre.close();
});

t.test('credit - an ack gives it back; bytes beyond it are refused as events are', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('north', 1n);
  const { bytes } = wireLimits.credit.bulk;
  say({ $case: 'batch', value: batch('bulk', 1, 2, bytes / 2 - 100) });
  await until(() => acked(said) === 2, { what: 'the ack' });
  const release = centre.hold();
  say({ $case: 'batch', value: batch('bulk', 3, 2, bytes / 2 - 100) });
  t.same(refusals(said), []);
  say({ $case: 'batch', value: batch('bulk', 5, 1, 1_000) });
  await until(() => refusals(said).length > 0, { what: 'the refusal' });
  t.same(refusals(said), ['credit-exceeded']);
  release();
  await centre.close();
});

t.test('credit - one event that is larger goes alone', async (t) => {
  const centre = await openCentre(t.testdir());
  const { say, said } = await centre.connect('north', 1n);
  const { bytes } = wireLimits.credit.bulk;
  say({ $case: 'batch', value: batch('bulk', 1, 1, 2 * bytes) });
  await until(() => acked(said) === 1, { what: 'the ack' });
  const release = centre.hold();
  say({ $case: 'batch', value: batch('bulk', 2, 1, 2 * bytes) });
  say({ $case: 'batch', value: batch('bulk', 3, 1, 10) });
  await until(() => refusals(said).length > 0, { what: 'the refusal' });
  t.same(refusals(said), ['credit-exceeded'], 'nothing beside it');
  release();
  await centre.close();
});
