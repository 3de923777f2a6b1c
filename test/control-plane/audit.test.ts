import t from 'tap';
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { indexKey } from '../../control-plane/eventlog/keys.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';

/** A chain of ten entries, then somebody's hand in the store, then a look with fresh eyes. */
async function tampered(
  directory: string,
  hand: (store: Store) => Promise<void>,
  seen = (store: Store) => store,
) {
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
  const chain = new AuditChain(store, () => 5n);
  await chain.open();
  for (let n = 1; n <= 10; n += 1)
    await chain.add({ action: 'config-pushed', subject: `config ${n}`, actor: 'ann' });
  await hand(store);
  const verified = await new AuditChain(seen(store), () => 5n).verify();
  await store.close();
  return verified;
}

async function entry(store: Store, number: bigint): Promise<AuditEntry> {
  return AuditEntry.decode((await store.get('audit', indexKey(number))) as Buffer);
}

const put = (store: Store, number: bigint, value: AuditEntry) =>
  store.write([{ table: 'audit', key: indexKey(number), value: AuditEntry.encode(value).finish() }]);

t.test('audit - an untouched trail is intact', async (t) => {
  t.match(await tampered(t.testdir(), async () => undefined), { intact: true, entries: 10n });
});

t.test('audit - a changed entry is named', async (t) => {
  const hand = async (store: Store) => put(store, 4n, { ...(await entry(store, 4n)), actor: 'bob' });
  t.match(await tampered(t.testdir(), hand), { intact: false, firstBad: 4n });
});

t.test('audit - a removed entry is named', async (t) => {
  const hand = (store: Store) => store.write([{ table: 'audit', key: indexKey(6n), value: undefined }]);
  t.match(await tampered(t.testdir(), hand), { intact: false, firstBad: 6n });
});

t.test('audit - two entries in another order are named', async (t) => {
  const hand = async (store: Store) => {
    const [third, seventh] = [await entry(store, 3n), await entry(store, 7n)];
    await put(store, 3n, { ...seventh, number: 3n });
    await put(store, 7n, { ...third, number: 7n });
  };
  t.match(await tampered(t.testdir(), hand), { intact: false, firstBad: 3n });
});

t.test('audit - a missing end is named', async (t) => {
  const hand = (store: Store) =>
    store.write([9n, 10n].map((number) => ({ table: 'audit', key: indexKey(number), value: undefined })));
  t.match(await tampered(t.testdir(), hand), { intact: false, firstBad: 9n });
});

const headOf = async (store: Store) => (await store.get('audit-head', Buffer.from('head'))) as Buffer;
const putHead = (store: Store, value: Buffer) =>
  store.write([{ table: 'audit-head', key: Buffer.from('head'), value }]);

t.test('audit - an entry behind the end is named', async (t) => {
  const hand = async (store: Store) => {
    const ninth = Buffer.from((await entry(store, 9n)).hash);
    await putHead(store, Buffer.concat([indexKey(9n), ninth]));
  };
  const found = await tampered(t.testdir(), hand);
  t.match(found, { intact: false, firstBad: 10n, reason: 'the end of the trail is missing' });
});

/** What happens behind the back of a walk, once it has the first page. */
function meanwhile(store: Store, act: () => Promise<void>): Store {
  let acted = false;
  return {
    write: (rows) => store.write(rows),
    get: (table, key) => store.get(table, key),
    range: (table, range) => store.range(table, range),
    turn: () => store.turn(),
    hasRoom: (bytes) => store.hasRoom(bytes),
    close: () => store.close(),
    async page(table, range) {
      const rows = await store.page(table, range);
      if (!acted) {
        acted = true;
        await act();
      }
      return rows;
    },
  };
}

t.test('audit - a trail that grows while it is walked is intact, as far as it was', async (t) => {
  const directory = t.testdir();
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
  const chain = new AuditChain(store, () => 5n);
  await chain.open();
  // More than one page, so that what is added stands in a page that is still to come.
  const many = Array.from({ length: 250 }, (_, n) => ({ action: 'config-pushed', subject: `config ${n}` }));
  await chain.addAll(many, []);
  const grown = meanwhile(store, () => chain.add({ action: 'connected' }));
  t.match(await new AuditChain(grown, () => 5n).verify(), { intact: true, entries: 250n });
  t.match(await chain.verify(), { intact: true, entries: 251n });
  await store.close();
});

t.test('audit - a trail that shrinks while it is walked is not intact', async (t) => {
  const seen = (store: Store) =>
    meanwhile(store, async () => {
      const head = Buffer.concat([indexKey(4n), (await headOf(store)).subarray(8)]);
      await putHead(store, head);
    });
  const found = await tampered(t.testdir(), async () => undefined, seen);
  t.match(found, { intact: false, firstBad: 5n, reason: 'the end of the trail is missing' });
});
