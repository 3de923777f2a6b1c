/** Long reads of an admin, and everybody else who wants the one thread meanwhile. */
import { join } from 'node:path';
import t from 'tap';
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { connect } from '../../control-plane/ctl/client.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { StreamEventsRequest } from '../../proto/gen/hilum/v1/admin.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const key = Buffer.alloc(32, 1);
const blocks = 1_200;

/** How often the event loop came round while this went on. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let open = true;
  const tick = () => {
    turns += 1;
    if (open) setImmediate(tick);
  };
  setImmediate(tick);
  await work;
  open = false;
  return turns;
}

/** Blocks of one event each. */
async function fill(log: EventLog, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, at) => {
      const facts = { recordSequence: BigInt(at + 1), index: 1, count: 1, source: 'lab' };
      const envelope = { ...facts, messageControlId: `id-${at + 1}`, event: Buffer.of(0x0a, 0x00) };
      const envelopes = [Envelope.encode(Envelope.fromPartial(envelope)).finish() as Buffer];
      const batch = { epoch: 1n, lane: 'routine', firstSequence: BigInt(at + 1), envelopes };
      return log.append('north', 'north', Batch.fromPartial(batch));
    }),
  );
}

t.test(
  'long reads - others have their turn between pages, and a reader who has gone ends them',
  async (t) => {
    const store = await openLmdbStore({ directory: t.testdir(), key, onFault: () => undefined });
    const log = new EventLog(store, key, () => 1n);
    const chain = new AuditChain(store, () => 1n);
    await Promise.all(Array.from({ length: blocks }, (_, n) => chain.add({ subject: `${n}` })));
    await fill(log, blocks);
    t.ok((await turnsOf(log.byControlId('nothing', 5))) >= 2, 'a trace');
    t.ok((await turnsOf(chain.verify())) >= 11, 'the trail');
    t.match(await chain.verify(), { intact: true, entries: BigInt(blocks) });
    const gone = () => true;
    await t.rejects(log.byControlId('nothing', 5, gone), { code: 'cancelled' });
    await t.rejects(chain.verify(gone), { code: 'cancelled' });
    await store.close();
  },
);

t.test('long reads - another call is answered while a filter that nothing fits is looked for', async (t) => {
  const directory = folderOf(t);
  const { settings } = loadSettings(directory, undefined);
  const ports = { grpc: '127.0.0.1:0', http: '127.0.0.1:0' };
  const plane = await Plane.open({
    directory,
    settings: { ...settings, ...ports },
    settingsFile: '',
    log: () => {},
  });
  await plane.start();
  const { client, close } = connect(join(directory, 'admin.json'));
  t.teardown(async () => {
    close();
    await plane.stop(1_000);
  });
  const { eventLog } = plane.state;
  await fill(eventLog, blocks);
  let pages = 0;
  const read = eventLog.read.bind(eventLog);
  eventLog.read = (after, limit) => {
    pages += 1;
    return read(after, limit);
  };
  let done = false;
  const call = client.streamEvents(StreamEventsRequest.fromPartial({ fromStart: true, source: 'nothing' }));
  call.on('error', () => {});
  call.on('data', () => {});
  call.on('end', () => {
    done = true;
  });
  let answered = 0;
  await until(() => pages > 0, { what: 'the first page', everyMs: 0 });
  client.listGateways({}, () => {
    answered = pages;
  });
  await until(() => done && answered > 0, { what: 'both answers', timeoutMs: 60_000 });
  t.ok(answered < pages, `${answered} of ${pages} pages had been read`);
});
