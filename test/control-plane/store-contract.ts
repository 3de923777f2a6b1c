/** What every engine behind the store port must do. */
import type { Test } from 'tap';
import { keyBytesMax, type Store } from '../../control-plane/store/store.ts';

const key = (text: string) => Buffer.from(text);
const keys = (rows: { key: Buffer }[]) => rows.map((row) => row.key.toString());

/** @param open opens the same store again, also after close() */
export async function storeContract(t: Test, open: () => Promise<Store>): Promise<void> {
  await t.test('store - a written row is read back, a removed one is gone', async (t) => {
    const store = await open();
    await store.write([{ table: 'a', key: key('k'), value: key('v') }]);
    t.equal((await store.get('a', key('k')))?.toString(), 'v');
    await store.write([{ table: 'a', key: key('k'), value: undefined }]);
    t.equal(await store.get('a', key('k')), undefined);
    t.equal(await store.get('b', key('k')), undefined, 'a table that nobody wrote to is empty');
    await store.close();
  });

  await t.test('store - rows are ordered as bytes, start is inclusive, end is not, both ways', async (t) => {
    const store = await open();
    const rows = ['a', 'b', 'b\u0000', 'c', 'd'].map((name) => ({
      table: 'order',
      key: key(name),
      value: key(name),
    }));
    await store.write([...rows].reverse());
    t.same(keys(await store.range('order', { limit: 10 })), ['a', 'b', 'b\u0000', 'c', 'd']);
    t.same(keys(await store.range('order', { start: key('b'), end: key('d'), limit: 10 })), [
      'b',
      'b\u0000',
      'c',
    ]);
    t.same(keys(await store.range('order', { start: key('b'), end: key('d'), limit: 10, reverse: true })), [
      'c',
      'b\u0000',
      'b',
    ]);
    t.same(keys(await store.range('order', { limit: 2 })), ['a', 'b']);
    t.same(keys(await store.range('order', { limit: 1, reverse: true })), ['d']);
    t.same(keys(await store.range('order', { end: key('c'), limit: 1, reverse: true })), ['b\u0000']);
    await store.close();
  });

  await t.test('store - what was written is there after it was opened again', async (t) => {
    const store = await open();
    await store.write([
      { table: 'x', key: key('1'), value: key('one') },
      { table: 'y', key: key('1'), value: key('uno') },
    ]);
    await store.close();
    const again = await open();
    t.equal((await again.get('x', key('1')))?.toString(), 'one');
    t.equal((await again.get('y', key('1')))?.toString(), 'uno');
    await again.close();
  });

  await t.test('store - a key that no row can have is refused, and is no fault of the disk', async (t) => {
    const store = await open();
    for (const unfit of ['', 'k'.repeat(keyBytesMax + 1), 'k'.repeat(20_000)]) {
      const rows = ['before', unfit, 'behind'].map((name) => ({
        table: 'unfit',
        key: key(name),
        value: key('v'),
      }));
      await t.rejects(store.write(rows), { code: 'key-unfit' });
      t.equal(await store.get('unfit', key(unfit)), undefined, 'nothing is found under it');
    }
    t.same(await store.range('unfit', { limit: 10 }), [], 'and nothing is written beside it');
    const longest = key('k'.repeat(keyBytesMax));
    await store.write([{ table: 'unfit', key: longest, value: key('v') }]);
    t.equal((await store.get('unfit', longest))?.toString(), 'v', 'what comes then is');
    await store.close();
  });

  await t.test('store - writes take effect in the order of the calls', async (t) => {
    const store = await open();
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        store.write([{ table: 'last', key: key('k'), value: key(String(n)) }]),
      ),
    );
    t.equal((await store.get('last', key('k')))?.toString(), '199');
    await store.close();
  });
}
