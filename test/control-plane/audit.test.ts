import t from 'tap';
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { indexKey } from '../../control-plane/eventlog/keys.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';

/** A chain of ten entries, then somebody's hand in the store, then a look with fresh eyes. */
async function tampered(directory: string, hand: (store: Store) => Promise<void>) {
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32, 2), onFault: () => undefined });
  const chain = new AuditChain(store, () => 5n);
  await chain.open();
  for (let n = 1; n <= 10; n += 1)
    await chain.add({ action: 'config-pushed', subject: `config ${n}`, actor: 'ann' });
  await hand(store);
  const verified = await new AuditChain(store, () => 5n).verify();
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
