import t from 'tap';
import { lacking } from '../../control-plane/eventlog/counts.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { Batch, CustodyCount, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { StoredCounts } from '../../proto/gen/hilum/v1/store.ts';
import { damageRow } from '../kit/damage.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

const key = Buffer.alloc(32, 1);

async function open(directory: string, earlierNames?: (gateway: string) => string[]) {
  const store = await openLmdbStore({ directory, key, onFault: () => undefined });
  const log = new EventLog(store, key, () => 1n, undefined, earlierNames);
  await log.open();
  return { store, log };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

function portOf(store: Store): Store {
  return {
    write: (rows) => store.write(rows),
    get: (table, key) => store.get(table, key),
    range: (table, range) => store.range(table, range),
    page: (table, range) => store.page(table, range),
    turn: () => store.turn(),
    hasRoom: (bytes) => store.hasRoom(bytes),
    close: () => store.close(),
  };
}

function batch(lane: string, first: number, count: number, salt = ''): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const sequence = first + at;
    return Envelope.encode(
      Envelope.fromPartial({
        recordEpoch: 9n,
        recordSequence: BigInt(sequence),
        recordSha256: Buffer.from(`${lane}${sequence}${salt}`.padEnd(32, '.')),
        index: 1,
        count: 1,
        source: 'lab',
        messageControlId: `${lane}-${sequence}`,
        event: Buffer.from([]),
      }),
    ).finish();
  });
  return Batch.fromPartial({
    epoch: 9n,
    lane,
    firstSequence: BigInt(first),
    envelopes: envelopes as Buffer[],
  });
}

t.test(
  'event log - a journal goes on under another name where it was, and nothing is applied twice',
  async (t) => {
    const { store, log } = await open(t.testdir(), (gateway) => (gateway === 'g2' ? ['g1'] : []));
    await log.append('g1', 's', batch('routine', 1, 5));
    t.equal(await log.cursor('g2', 9n, 'routine'), 5n, 'also where its gateway never heard the ack');
    t.equal(await log.cursor('g3', 9n, 'routine'), 0n, 'nobody else does');
    t.match(await log.append('g2', 's', batch('routine', 4, 5)), {
      outcome: 'applied',
      through: 8n,
      applied: 3,
      duplicates: 2,
    });
    t.match(
      await log.append('g2', 's', batch('routine', 3, 2, 'of a clone')),
      { outcome: 'conflict', sequence: 3n },
      'a copy of its disk that went another way is found out',
    );
    const of = async (sequence: bigint) =>
      (await log.given({ gateway: 'g2', epoch: 9n, lane: 'routine', sequence }))?.gateway;
    t.same([await of(2n), await of(7n), await of(9n)], ['g1', 'g2', undefined]);
    t.equal(await log.cursor('g1', 9n, 'routine'), 5n);
    t.equal((await log.read(0n, 100)).length, 8);
    await store.close();
  },
);

t.test('event log - the same positions again are not applied', async (t) => {
  const { store, log } = await open(t.testdir());
  t.match(await log.append('g', 's', batch('routine', 1, 5)), {
    outcome: 'applied',
    through: 5n,
    applied: 5,
  });
  t.match(await log.append('g', 's', batch('routine', 1, 5)), {
    outcome: 'applied',
    through: 5n,
    applied: 0,
    duplicates: 5,
  });
  t.match(await log.append('g', 's', batch('routine', 4, 4)), {
    outcome: 'applied',
    through: 7n,
    applied: 2,
    duplicates: 2,
  });
  t.equal((await log.read(0n, 100)).length, 7);
  t.equal(log.last(), 7n);
  await store.close();
});

t.test('event log - a gap is refused, another record at a position is refused', async (t) => {
  const { store, log } = await open(t.testdir());
  await log.append('g', 's', batch('stat', 1, 3));
  t.match(await log.append('g', 's', batch('stat', 5, 1)), { outcome: 'gap', expected: 4n });
  t.match(await log.append('g', 's', batch('stat', 3, 1, 'other')), { outcome: 'conflict', sequence: 3n });
  t.equal((await log.read(0n, 100)).length, 3);
  await store.close();
});

/** A log whose writes wait for `flush`; g2 was g1 before. */
async function openHeld(directory: string) {
  const flush = gate();
  const real = await openLmdbStore({ directory, key, onFault: () => undefined });
  const store: Store = {
    ...portOf(real),
    write: async (rows) => {
      await flush.opened;
      await real.write(rows);
    },
  };
  const names = (gateway: string) => (gateway === 'g2' ? ['g1'] : []);
  const log = new EventLog(store, key, () => 1n, undefined, names);
  await log.open();
  return { flush, store, log };
}

t.test('event log - what is queued and not flushed holds its positions, under each name', async (t) => {
  const { flush, store, log } = await openHeld(t.testdir());
  const first = [log.append('g1', 's', batch('stat', 1, 2)), log.append('g1', 's', batch('stat', 3, 1))];
  const refused = [
    log.append('g1', 's', batch('stat', 3, 1, 'of a clone')),
    log.append('g2', 's', batch('stat', 2, 2, 'of a clone')),
  ];
  t.match(await log.append('g2', 's', batch('stat', 5, 1)), { outcome: 'gap', expected: 4n });
  const again = log.append('g2', 's', batch('stat', 2, 3));
  const told: string[] = [];
  for (const one of first) void one.then(() => told.push('first'));
  const acked = again.then((appended) => {
    told.push('again');
    return appended;
  });
  flush.open();
  t.match(await Promise.all(refused), [
    { outcome: 'conflict', sequence: 3n },
    { outcome: 'conflict', sequence: 2n },
  ]);
  t.match(await acked, { outcome: 'applied', through: 4n, applied: 1, duplicates: 2 });
  t.same(told, ['first', 'first', 'again'], 'an ack waits for what it speaks for');
  const ids = (await log.read(0n, 500)).map(({ envelope }) => envelope.messageControlId);
  t.same(ids, ['stat-1', 'stat-2', 'stat-3', 'stat-4']);
  t.match(
    await log.append('g2', 's', batch('stat', 3, 1, 'of a clone')),
    { outcome: 'conflict', sequence: 3n },
    'and is found in the store then',
  );
  await store.close();
});

t.test('event log - a repeat of what is being flushed is acknowledged behind it', async (t) => {
  const { flush, store, log } = await openHeld(t.testdir());
  let isFlushed = false;
  void log.append('g1', 's', batch('stat', 1, 2)).then(() => {
    isFlushed = true;
  });
  const again = log.append('g2', 's', batch('stat', 1, 2)).then((appended) => ({ appended, isFlushed }));
  flush.open();
  t.match(await again, { appended: { outcome: 'applied', applied: 0, duplicates: 2 }, isFlushed: true });
  t.equal(log.last(), 2n);
  await store.close();
});

t.test(
  'event log - records with equal bytes are told apart by their numbers and by when they were captured',
  async (t) => {
    const { store, log } = await open(t.testdir());
    const one = batch('stat', 1, 1);
    const other = (change: Partial<Envelope>) => {
      const envelope = Envelope.decode(one.envelopes[0] as Uint8Array);
      return { ...one, envelopes: [Envelope.encode({ ...envelope, ...change }).finish()] };
    };
    await log.append('g', 's', one);
    t.match(await log.append('g', 's', other({ normalizedAtUs: 7n })), { outcome: 'applied', duplicates: 1 });
    const conflict = { outcome: 'conflict', sequence: 1n };
    t.match(await log.append('g', 's', other({ capturedAtUs: 7n })), conflict);
    t.match(await log.append('g', 's', other({ recordSequence: 7n })), conflict);
    await store.close();
  },
);

t.test('event log - it goes on where it was after it was opened again', async (t) => {
  const directory = t.testdir();
  const first = await open(directory);
  await first.log.append('g', 's', batch('stat', 1, 3));
  await first.store.close();
  const { store, log } = await open(directory);
  t.equal(await log.cursor('g', 9n, 'stat'), 3n);
  t.match(await log.append('g', 's', batch('stat', 3, 2)), { outcome: 'applied', through: 4n, applied: 1 });
  t.same(
    (await log.read(0n, 10)).map(({ index }) => index),
    [1n, 2n, 3n, 4n],
  );
  t.equal((await log.byControlId('stat-2', 5)).events[0]?.sequence, 2n);
  t.equal((await log.byId('g.9.stat.4'))?.envelope.messageControlId, 'stat-4');
  t.equal(await log.byId('g.9.stat.5'), undefined);
  await store.close();
});

t.test(
  'event log - a record that is complete twice, under two positions, is counted as doubled',
  async (t) => {
    const { store, log } = await open(t.testdir());
    await log.append('g', 's', batch('routine', 1, 2));
    await log.append('g', 's', batch('stat', 1, 1));
    const counts = log.counts().find(({ source }) => source === 'lab');
    t.equal(counts?.records, 2n);
    t.equal(counts?.doubled, 1n);
    await store.close();
  },
);

t.test(
  'event log - events in whose place their gateway found damage complete no record, counted once or again',
  async (t) => {
    const directory = t.testdir();
    const { store, log } = await open(directory);
    // As a gateway sends a row of which the head is damaged, and one of which the event alone is.
    const blanks = [0, 0, 0, 1].map((index) => {
      const blank = { recordEpoch: 9n, recordSequence: 0n, index, source: 'lab', kind: 'damaged' };
      return Envelope.encode(Envelope.fromPartial(blank)).finish();
    });
    await log.append('g', 's', batch('routine', 1, 2));
    await log.append('g', 's', {
      ...batch('routine', 3, 4),
      envelopes: blanks.map((one) => Buffer.from(one)),
    });
    const counted = [{ source: 'lab', events: 6n, records: 2n, doubled: 0n }];
    t.match(log.counts(), counted);
    await store.close();
    await damageRow(directory, 'counts', 0);
    const again = await open(directory);
    t.match(again.log.counts(), counted);
    await again.store.close();
  },
);

t.test('event log - a follower skips nothing while many lanes append at once', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const { store, log } = await open(t.testdir());
  const seen: bigint[] = [];
  const total = 600;
  const followed = (async () => {
    let after = 0n;
    while (seen.length < total) {
      const page = await log.read(after, 50);
      for (const { index } of page) {
        seen.push(index);
        after = index;
      }
      if (page.length === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all(
    ['a', 'b', 'c'].map(async (gateway) => {
      for (let next = 1; next <= 200; ) {
        const count = Math.min(1 + below(random, 20), 201 - next);
        await log.append(gateway, 's', batch('routine', next, count));
        next += count;
      }
    }),
  );
  await followed;
  t.same(
    seen,
    Array.from({ length: total }, (_, n) => BigInt(n + 1)),
  );
  await store.close();
});

t.test(
  'event log - a batch that cannot be read changes nothing, and counts as new when it comes whole',
  async (t) => {
    const { store, log } = await open(t.testdir());
    const whole = batch('routine', 1, 3);
    const [first, second] = whole.envelopes;
    const broken = { ...whole, envelopes: [first, second, Buffer.from([0xff])] } as Batch;
    await t.rejects(log.append('g', 's', broken));
    t.same(log.counts(), []);
    await log.append('g', 's', whole);
    t.match(log.counts(), [{ source: 'lab', events: 3n, records: 3n, doubled: 0n }]);
    await store.close();
  },
);

t.test(
  'event log - positions that come again are counted, also in a batch that brings new ones',
  async (t) => {
    const directory = t.testdir();
    const { store, log } = await open(directory);
    await log.append('g', 's', batch('routine', 1, 5));
    await log.append('g', 's', batch('routine', 4, 4));
    const repeated = (one: EventLog) => one.counts().reduce((sum, { duplicates }) => sum + duplicates, 0n);
    t.equal(repeated(log), 2n);
    await store.close();
    const again = await open(directory);
    t.equal(repeated(again.log), 2n, 'and stored with them');
    await again.store.close();
  },
);

t.test('event log - what is lacking is told epoch by epoch, over names and restarts', async (t) => {
  const directory = t.testdir();
  const earlier = (gateway: string) => (gateway === 'g2' ? ['g1'] : []);
  const { store, log } = await open(directory, earlier);
  const under = (epoch: bigint, one: Batch): Batch => ({ ...one, epoch });
  await log.append('g1', 's', under(9n, batch('routine', 1, 5)));
  await log.append('g2', 's', under(9n, batch('routine', 6, 2)));
  await log.append('g2', 's', under(10n, batch('routine', 1, 3)));
  const names = new Set(['g1', 'g2']);
  const told = (...delivered: [epoch: bigint, records: bigint][]) =>
    CustodyCount.fromPartial({
      delivered: delivered.reduce((sum, [, records]) => sum + records, 0n),
      deliveredUnder: delivered.map(([epoch, records]) => ({ epoch, records })),
    });
  const check = (one: EventLog) => {
    const stored = one.storedUnder(names, 'lab');
    t.equal(lacking(told([9n, 7n], [10n, 3n]), stored), 0n);
    t.equal(lacking(told([9n, 2n], [10n, 5n]), stored), 2n, 'more of one epoch are no others of another');
    t.equal(lacking(told([9n, 8n], [10n, 5n], [11n, 1n]), stored), 4n);
    t.equal(lacking(CustodyCount.fromPartial({ delivered: 12n }), stored), 2n, 'of an earlier build: in all');
  };
  check(log);
  t.match(log.counts(), [
    { gateway: 'g1', source: 'lab', records: 5n },
    { gateway: 'g2', source: 'lab', records: 5n },
  ]);
  await store.close();
  const again = await open(directory, earlier);
  check(again.log);
  await again.store.close();
});

t.test('event log - what an earlier build counted of all epochs together counts for each', async (t) => {
  const directory = t.testdir();
  const { store } = await open(directory);
  const earlier = StoredCounts.fromPartial({ gateway: 'g', source: 'lab', records: 6n, events: 6n });
  await store.write([
    {
      table: 'counts',
      key: Buffer.from('g\0lab'),
      value: Buffer.from(StoredCounts.encode(earlier).finish()),
    },
  ]);
  await store.close();
  const again = await open(directory);
  await again.log.append('g', 's', batch('routine', 1, 2));
  t.match(again.log.counts(), [{ gateway: 'g', source: 'lab', records: 8n, events: 8n }]);
  const count = CustodyCount.fromPartial({ delivered: 9n, deliveredUnder: [{ epoch: 9n, records: 9n }] });
  t.equal(lacking(count, again.log.storedUnder(new Set(['g']), 'lab')), 1n);
  await again.store.close();
});
