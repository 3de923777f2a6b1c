import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
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
