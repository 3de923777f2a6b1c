/** Databases that a power cut left half created, and damaged ones. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openEnvironment, pageBytes } from '../../gateway/process/lmdb.ts';

t.test('lmdb - a file whose creation was cut off by a power loss is made anew', async (t) => {
  for (const bytes of [512, pageBytes, 3 * pageBytes]) {
    const directory = t.testdir({ 'data.mdb': Buffer.alloc(bytes).toString('latin1') });
    const environment = openEnvironment({ directory });
    const table = environment.table('records');
    await environment.write(() => void table.put(Buffer.from('k'), Buffer.from('v')));
    t.equal(table.get(Buffer.from('k'))?.toString(), 'v', `of ${bytes} bytes`);
    await environment.close();
  }
});

t.test('lmdb - a folder or a device in the place of one of its files is told', async (t) => {
  for (const name of ['data.mdb', 'lock.mdb']) {
    const directory = t.testdir({ [name]: {} });
    t.throws(() => openEnvironment({ directory }), {
      code: 'database-damaged',
      message: `${name} is no file.`,
    });
    const linked = t.testdir({ [name]: t.fixture('symlink', '/dev/null') });
    t.throws(() => openEnvironment({ directory: linked }), { code: 'database-damaged' });
  }
});

t.test('lmdb - a longer file without its beginning is told, and kept', async (t) => {
  const directory = t.testdir();
  const environment = openEnvironment({ directory });
  const table = environment.table('records');
  await environment.write(() => void table.put(Buffer.from('k'), Buffer.alloc(64 * 1024)));
  await environment.close();
  const file = join(directory, 'data.mdb');
  const bytes = readFileSync(file);
  bytes.fill(0, 0, 2 * pageBytes);
  writeFileSync(file, bytes);
  t.throws(() => openEnvironment({ directory }), { code: 'database-damaged' });
  t.ok(readFileSync(file).equals(bytes));
});
