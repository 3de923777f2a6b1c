/** Who waits where something has to be read before a batch can be counted. */
import t from 'tap';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { Needs, Turn } from '../../control-plane/eventlog/turn.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { damageRow } from '../kit/damage.ts';
import { until } from '../kit/wait.ts';

const key = Buffer.alloc(32, 1);

/** Events behind each other, each the whole of its record. */
function batch(lane: string, first: number, count: number, firstRecord = first): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const facts = { recordSequence: BigInt(firstRecord + at), index: 1, count: 1, source: 'lab' };
    return Buffer.from(Envelope.encode(Envelope.fromPartial({ recordEpoch: 9n, ...facts })).finish());
  });
  return Batch.fromPartial({ epoch: 9n, lane, firstSequence: BigInt(first), envelopes });
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

t.test(
  'event log - while a bitmap is made again its gateway alone waits, and is counted right',
  async (t) => {
    const directory = t.testdir();
    const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
    const first = await open();
    const before = new EventLog(first, key, () => 1n);
    await before.open();
    await before.append('g1', 's', batch('routine', 1, 5));
    await first.close();
    await damageRow(directory, 'seen', 0);

    const real = await open();
    const reading = gate();
    let isRead = false;
    const store: Store = {
      write: (rows) => real.write(rows),
      get: (table, key) => real.get(table, key),
      range: (table, range) => real.range(table, range),
      turn: () => real.turn(),
      hasRoom: (bytes) => real.hasRoom(bytes),
      close: () => real.close(),
      async page(table, range) {
        if (table === 'positions') {
          isRead = true;
          await reading.opened;
        }
        return real.page(table, range);
      },
    };
    const log = new EventLog(store, key, () => 1n);
    await log.open();
    const settled: string[] = [];
    // A record that was complete before, and new ones, one behind the other.
    const held = [batch('routine', 6, 2), batch('stat', 1, 1, 2), batch('routine', 8, 1)].map(
      async (one, at) => {
        const appended = await log.append('g1', 's', one);
        settled.push(`g1 ${at}`);
        return appended.outcome;
      },
    );
    const cursor = log.cursor('g1', 9n, 'routine').then((told) => {
      settled.push('cursor');
      return told;
    });
    await until(() => isRead, { what: 'what is stored being read' });
    for (const one of [1, 3])
      t.match(await log.append('g2', 's', batch('stat', one, 2)), { outcome: 'applied' });
    t.same(settled, [], 'nobody who waits is told anything');
    reading.open();
    const late = log.append('g1', 's', batch('routine', 9, 1));
    t.same(
      await Promise.all(held),
      ['applied', 'applied', 'applied'],
      'in their order: none of them is a gap',
    );
    t.match(await late, { outcome: 'applied', through: 9n });
    t.ok([8n, 9n].includes(await cursor), 'behind all that came before the question');
    const ofG1 = log.counts().find(({ gateway, source }) => gateway === 'g1' && source === 'lab');
    t.match(ofG1, { events: 10n, records: 9n, doubled: 1n });
    await store.close();
  },
);

t.test(
  'event log - where it cannot be made, whoever waits for it hears that, and the next is tried',
  async (t) => {
    const turn = new Turn();
    const making = gate();
    const fails = new Needs(async () => {
      await making.opened;
      throw new Error('a disk');
    });
    const held = [turn.take('g1', async () => fails), turn.take('g1', async () => 'never')];
    t.equal(await turn.take('g2', async () => 'others'), 'others');
    making.open();
    for (const one of await Promise.allSettled(held)) t.match(one, { reason: { message: 'a disk' } });
    t.equal(await turn.take('g1', async () => 'again'), 'again');
  },
);
