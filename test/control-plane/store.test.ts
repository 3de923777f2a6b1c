import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { DamagedRow, walk } from '../../control-plane/store/store.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import { damageKey, damageRow } from '../kit/damage.ts';
import { storeContract } from './store-contract.ts';

const key = Buffer.alloc(32, 7);
const directory = t.testdir();
const open = () =>
  openLmdbStore({
    directory,
    key,
    onFault(cause) {
      throw cause;
    },
  });

await storeContract(t, open);

t.test('store on LMDB - nothing that is written can be read from the file', async (t) => {
  const store = await open();
  await store.write([{ table: 'secret', key: Buffer.from('k'), value: Buffer.from('CANARYPATIENT') }]);
  await store.close();
  t.notOk(readFileSync(join(directory, 'data.mdb')).includes('CANARYPATIENT'));
});

t.test('store on LMDB - another key opens nothing', async (t) => {
  const wrong = { directory, key: Buffer.alloc(32, 8), onFault: () => undefined };
  for (const readOnly of [false, true])
    await t.rejects(openLmdbStore({ ...wrong, readOnly }), { code: 'key-wrong', exit: 78 });
});

t.test('store on LMDB - a damaged salt costs no row, and is made good', async (t) => {
  for (const [table, other] of [
    ['segments', 'segments-copy'],
    ['segments-copy', 'segments'],
  ] as const) {
    const directory = t.testdir();
    const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
    const first = await open();
    await first.write([{ table: 'a', key: Buffer.from('k'), value: Buffer.from('v') }]);
    await first.close();
    const check = async () => {
      const store = await open();
      t.equal((await store.get('a', Buffer.from('k')))?.toString(), 'v', table);
      await store.close();
    };
    await damageRow(directory, table, 1);
    await check();
    // What stood beside it was enough, and both are whole again.
    await damageRow(directory, other, 1);
    await check();
  }
});

t.test(
  'store on LMDB - one of an earlier build, without copies of its salts, opens and gets them',
  async (t) => {
    const directory = t.testdir();
    const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
    const first = await open();
    await first.write([{ table: 'a', key: Buffer.from('k'), value: Buffer.from('v') }]);
    await first.close();
    const environment = openEnvironment({ directory });
    const copies = environment.table('segments-copy');
    const keys = [...copies.getKeys({})];
    await environment.write(() => {
      for (const key of keys) void copies.remove(key);
    });
    await environment.close();
    const reader = await openLmdbStore({ directory, key, readOnly: true, onFault: () => undefined });
    t.equal((await reader.get('a', Buffer.from('k')))?.toString(), 'v');
    await reader.close();
    await (await open()).close();
    await damageRow(directory, 'segments', 1);
    const store = await open();
    t.equal((await store.get('a', Buffer.from('k')))?.toString(), 'v');
    await store.close();
  },
);

t.test('store on LMDB - a walk over a damaged key goes neither back nor past what is whole', async (t) => {
  const names = Array.from({ length: 30 }, (_, n) => `gateway-${10 + n}`);
  // One bit of the first letter: it claims to stand before all, or behind all.
  for (const [bit, damaged] of [
    [6, 'eateway-25'],
    [3, 'wateway-25'],
  ] as const) {
    const directory = t.testdir();
    const open = () => openLmdbStore({ directory, key, onFault: () => undefined });
    const first = await open();
    await first.write(names.map((name) => ({ table: 'a', key: Buffer.from(name), value: Buffer.from('v') })));
    await first.close();
    damageKey(directory, Buffer.from('gateway-25'), bit);
    const store = await open();
    for (const pageRows of [100, 16]) {
      const found: string[] = [];
      for await (const row of walk(store, 'a', pageRows)) {
        found.push(`${row.key}${row instanceof DamagedRow ? ' damaged' : ''}`);
        if (found.length > names.length) break;
      }
      const wanted = names.map((name) => (name === 'gateway-25' ? `${damaged} damaged` : name));
      t.same(found, wanted, `${damaged}, ${pageRows} at once`);
    }
    await store.close();
  }
});

t.test('store on LMDB - a table that cannot be made is a fault of the storage', async (t) => {
  const faults: unknown[] = [];
  const store = await openLmdbStore({
    directory: t.testdir(),
    key,
    onFault: (cause) => faults.push(cause),
  });
  // More than the environment has room for: the transaction that makes one fails.
  let refused: string | undefined;
  for (let n = 0; refused === undefined && n < 100; n += 1)
    await store.write([{ table: `t${n}`, key: Buffer.from('k'), value: Buffer.from('v') }]).catch(() => {
      refused = `t${n}`;
    });
  t.type(refused, 'string');
  t.equal(faults.length, 1, 'told at the write');
  await t.rejects(store.get(`${refused}`, Buffer.from('k')));
  t.equal(faults.length, 2, 'and at the read');
  await store.close();
});
