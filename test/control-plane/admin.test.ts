/** The admin API on its real port, over a log that is written to directly. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '../../control-plane/ctl/client.ts';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import type { EventReply } from '../../proto/gen/hilum/v1/admin.ts';
import { StreamEventsRequest } from '../../proto/gen/hilum/v1/admin.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

async function openPlane(t: Test) {
  const directory = folderOf(t);
  const settings = {
    ...loadSettings(directory, undefined).settings,
    grpc: '127.0.0.1:0',
    http: '127.0.0.1:0',
  };
  const plane = await Plane.open({ directory, settings, settingsFile: '', log: () => {} });
  await plane.start();
  const { client, close } = connect(join(directory, 'admin.json'));
  t.teardown(async () => {
    close();
    await plane.stop(1_000);
  });
  return { plane, client };
}

/** So many events behind each other, in one batch. */
function batch(first: number, count: number): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const facts = { recordEpoch: 1n, recordSequence: BigInt(first + at), index: 1, count: 1, source: 'lab' };
    const event = ClinicalEvent.encode(ClinicalEvent.fromPartial({ gateway: 'north' })).finish() as Buffer;
    return Envelope.encode(Envelope.fromPartial({ ...facts, event })).finish() as Buffer;
  });
  return Batch.fromPartial({ epoch: 1n, lane: 'routine', firstSequence: BigInt(first), envelopes });
}

t.test('events - a stream that follows begins after the index that it names', async (t) => {
  const { plane, client } = await openPlane(t);
  await plane.state.eventLog.append('north', 'north', batch(1, 5));
  const follow = (facts: Partial<StreamEventsRequest>) => {
    const seen: (bigint | 'caught up')[] = [];
    const call = client.streamEvents(StreamEventsRequest.fromPartial({ follow: true, ...facts }));
    call.on('error', () => {});
    call.on('data', (reply: EventReply) => seen.push(reply.caughtUp ? 'caught up' : reply.index));
    t.teardown(() => call.cancel());
    return seen;
  };
  const [after, news, all] = [follow({ afterIndex: 3n }), follow({}), follow({ fromStart: true })];
  for (const seen of [after, news, all])
    await until(() => seen.includes('caught up'), { what: 'what was stored' });
  await plane.state.eventLog.append('north', 'north', batch(6, 1));
  for (const seen of [after, news, all]) await until(() => seen.includes(6n), { what: 'what comes' });
  t.same(after, [4n, 5n, 'caught up', 6n]);
  t.same(news, ['caught up', 6n], 'without one it begins with what comes');
  t.same(all, [1n, 2n, 3n, 4n, 5n, 'caught up', 6n]);
});
