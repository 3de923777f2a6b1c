/** The admin API on its real port, over a log that is written to directly. */
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { connect } from '../../control-plane/ctl/client.ts';
import { eventId } from '../../control-plane/eventlog/keys.ts';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import type { EventReply, ListQuarantineResponse } from '../../proto/gen/hilum/v1/admin.ts';
import { ListQuarantineRequest, StreamEventsRequest } from '../../proto/gen/hilum/v1/admin.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
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

t.test('events - a class or kind that no event has is refused, not waited for', async (t) => {
  const { client } = await openPlane(t);
  const refused = (facts: Partial<StreamEventsRequest>) =>
    new Promise<object | undefined>((resolve) => {
      const call = client.streamEvents(StreamEventsRequest.fromPartial({ fromStart: true, ...facts }));
      call.on('error', resolve);
      call.on('data', () => {});
      call.on('end', () => resolve(undefined));
    });
  const code = status.INVALID_ARGUMENT;
  t.match(await refused({ class: 'STAT' }), { code, details: /class .* Did you mean "stat"\?/ });
  t.match(await refused({ kind: 'ORU' }), { code, details: /kind .* There are: admission, observation,/ });
  t.equal(await refused({ class: 'stat', kind: 'device-alarm' }), undefined);
});

t.test(
  'events - a reader that goes on in a log which was set back is told, and misses nothing',
  async (t) => {
    const { plane, client } = await openPlane(t);
    await plane.state.eventLog.append('north', 'north', batch(1, 5));
    const read = (facts: Partial<StreamEventsRequest>) =>
      new Promise<bigint[] | string>((resolve) => {
        const seen: bigint[] = [];
        const call = client.streamEvents(StreamEventsRequest.fromPartial({ fromStart: true, ...facts }));
        call.on('error', ({ message }) => resolve(message));
        call.on('data', ({ event, index }: EventReply) => {
          if (event !== undefined) seen.push(index);
        });
        call.on('end', () => resolve(seen));
      });
    const id = (sequence: bigint) => eventId('north', 1n, 'routine', sequence);
    t.same(await read({ afterIndex: 3n, afterId: id(3n) }), [4n, 5n]);
    t.match(await read({ afterIndex: 3n, afterId: id(30n) }), /up to place 3 is not in the log any more/);
    t.match(await read({ afterIndex: 6n }), /up to place 6 is not in the log any more/);
    t.same(await read({ afterIndex: 5n, afterId: id(5n) }), []);
  },
);

t.test(
  'quarantine - behind many that were replayed the open ones are listed; a limit says how many it cut',
  async (t) => {
    const { plane, client } = await openPlane(t);
    const list = (facts: Partial<ListQuarantineRequest>) =>
      new Promise<ListQuarantineResponse>((resolve, reject) =>
        client.listQuarantine(ListQuarantineRequest.fromPartial(facts), (error, response) =>
          error === null ? resolve(response) : reject(error),
        ),
      );
    const entry = (gateway: string, sequence: number, state: string) =>
      QuarantineEntry.fromPartial({
        id: `${gateway}.1.record.${sequence}`,
        gateway,
        atUs: BigInt(1_000_000 - sequence),
        state,
      });
    // As many as one list read of old, all of them replayed, before those that are open.
    for (let from = 0; from < 100_000; from += 20_000) {
      await plane.state.quarantine.add(
        Array.from({ length: 20_000 }, (_, at) => entry('north', from + at, 'replayed')),
      );
    }
    const open = Array.from({ length: 40 }, (_, at) => entry('south', at, 'open'));
    await plane.state.quarantine.add(open);
    const newest = open.map(({ id }) => id).reverse();
    const few = await list({ limit: 3 });
    t.same(
      few.entries.map(({ id }) => id),
      newest.slice(-3),
      'the newest of them',
    );
    t.equal(few.leftOut, 37);
    const most = await list({ all: true });
    t.equal(most.entries.length + most.leftOut, 100_040, 'nothing is cut without saying so');
    t.ok(most.leftOut > 0);
  },
);
