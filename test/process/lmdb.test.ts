/** What an environment is opened with, databases that a power cut left half created, and damaged ones. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import t from 'tap';
import { checkFile, openEnvironment, pageBytes, type Table } from '../../gateway/process/lmdb.ts';
import { pageBytesOf } from '../kit/pages.ts';
import { folderOf } from '../kit/site.ts';

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

/** As lmdb opens it for anybody; without bounds of ours. */
function openPlain(directory: string, pageSize: number) {
  const root = open<Buffer, Buffer>({
    ...{ path: directory, noSubdir: false, encoding: 'binary', keyEncoding: 'binary', maxDbs: 48 },
    ...{ mapSize: 1024 ** 3, pageSize, cache: false, overlappingSync: false, useVersions: true },
  });
  const table: Database<Buffer, Buffer> = root.openDB({
    ...{ name: 'rows', encoding: 'binary', keyEncoding: 'binary', useVersions: false, cache: false },
  });
  return { root, table };
}

const smallPageBytes = 4096;
const keyOf = (n: number) => Buffer.from(String(n).padStart(6, '0'));

t.test('lmdb - a new database has pages of the size that is asked for', async (t) => {
  const directory = t.testdir();
  const environment = openEnvironment({ directory });
  const table = environment.table('records');
  await environment.write(() => void table.put(keyOf(1), Buffer.from('v')));
  t.equal(pageBytesOf(environment.file), pageBytes, 'in the file');
  t.match(environment.root.getStats(), { pageSize: pageBytes }, 'and for whoever has it open');
  await environment.close();
});

t.test('lmdb - a database of pages of 4 KiB keeps them, is read and is written', async (t) => {
  const directory = t.testdir();
  const plain = openPlain(directory, smallPageBytes);
  await plain.root.transaction(() => {
    for (let n = 0; n < 500; n += 1) void plain.table.put(keyOf(n), Buffer.alloc(n * 20, n % 251));
  });
  await plain.root.close();
  for (const round of [1, 2]) {
    const environment = openEnvironment({ directory });
    t.match(environment.root.getStats(), { pageSize: smallPageBytes });
    const table = environment.table('rows');
    for (let n = 0; n < 500; n += 1) {
      const wanted = Buffer.alloc(n * 20, n % 2 === 0 && round === 2 ? 252 : n % 251);
      if (table.get(keyOf(n))?.equals(wanted) !== true) t.fail(`row ${n} in round ${round}`);
    }
    await environment.write(() => {
      for (let n = 0; n < 500; n += 2) void table.put(keyOf(n), Buffer.alloc(n * 20, 252));
    });
    await environment.close();
  }
  t.equal(pageBytesOf(join(directory, 'data.mdb')), smallPageBytes);
});

/** More than may be loaded, each a page alone between two that are in use. */
const freePages = 6_000;
const oldPages = 200;
const newPages = 150;

t.test('lmdb - a commit does not load a list of free pages that is longer than the bound', async (t) => {
  const directory = folderOf(t);
  const plain = openPlain(directory, smallPageBytes);
  await plain.root.transaction(() => {
    void plain.table.put(Buffer.from('old'), Buffer.alloc(oldPages * smallPageBytes));
    for (let n = 0; n < 2 * freePages; n += 1) void plain.table.put(keyOf(n), Buffer.alloc(3_000));
  });
  // First what lies together, so that it is the last that a load of the list would find.
  await plain.table.remove(Buffer.from('old'));
  await plain.root.transaction(() => {
    for (let n = 0; n < 2 * freePages; n += 2) void plain.table.remove(keyOf(n));
  });
  for (const text of ['a', 'b', 'c']) await plain.table.put(Buffer.from('last'), Buffer.from(text));
  await plain.root.close();
  const copy = folderOf(t);
  cpSync(join(directory, 'data.mdb'), join(copy, 'data.mdb'));

  const lastPage = (of: { getStats(): object }) =>
    (of.getStats() as { lastPageNumber: number }).lastPageNumber;
  const value = Buffer.alloc(newPages * smallPageBytes);

  const unbound = openPlain(copy, smallPageBytes);
  const unboundBefore = lastPage(unbound.root);
  await unbound.table.put(Buffer.from('new'), value);
  t.equal(lastPage(unbound.root), unboundBefore, 'with the whole list loaded, there is room inside the file');
  await unbound.root.close();

  const environment = openEnvironment({ directory });
  const before = lastPage(environment.root);
  t.equal(before, unboundBefore, 'the same file');
  await environment.write(() => void environment.table('rows').put(Buffer.from('new'), value));
  const grown = lastPage(environment.root) - before;
  t.ok(
    grown >= newPages,
    `with the bound it grows, by ${grown} pages: the older part of the list was not read`,
  );
  t.ok(environment.table('rows').get(Buffer.from('new'))?.equals(value));
  await environment.close();
});

/** What a reader meets. */
function walk(table: Table): string {
  try {
    let good = 0;
    for (const { value } of table.getRange({}))
      if (value[0] === good % 256 && value.at(-1) === value[0]) good += 1;
    return good === 40 ? 'all' : 'rows are not what they were';
  } catch (error) {
    return /MDB_(CORRUPTED|PAGE_NOTFOUND)/.test(String(error)) ? 'corrupted' : String(error);
  }
}

t.test('lmdb - a file that is cut, empty or gone is told, and nothing is put in its place', async (t) => {
  const directory = folderOf(t);
  const environment = openEnvironment({ directory });
  const table = environment.table('records');
  for (let n = 0; n < 40; n += 1)
    await environment.write(() => void table.put(keyOf(n), Buffer.alloc(64 * 1024, n)));
  await environment.close();
  const file = join(directory, 'data.mdb');
  const bytes = readFileSync(file);
  const refusal = async (left: Buffer | undefined, readOnly: boolean): Promise<string> => {
    if (left === undefined) rmSync(file, { force: true });
    else writeFileSync(file, left);
    try {
      const opened = openEnvironment({ directory, readOnly });
      const told = walk(opened.table('records'));
      await opened.close();
      return told;
    } catch (error) {
      const after = existsSync(file) ? readFileSync(file) : undefined;
      t.ok(left === undefined ? after === undefined : after?.equals(left), 'it stays as it is');
      return (error as { code: string }).code;
    }
  };
  for (const readOnly of [false, true]) {
    const whole = Math.floor(bytes.length / pageBytes);
    for (const pages of [3, 2.5])
      t.equal(await refusal(bytes.subarray(0, pages * pageBytes), readOnly), 'database-damaged', `${pages}`);
    for (const pages of [whole >> 2, whole >> 1, whole - 1]) {
      const told = await refusal(bytes.subarray(0, pages * pageBytes), readOnly);
      t.match(
        told,
        /^(database-damaged|corrupted|rows are not what they were)$/,
        `${pages} of ${whole} pages`,
      );
    }
    for (const noise of [100, 8192, 20_000])
      t.equal(await refusal(Buffer.alloc(noise, 0x5a), readOnly), 'database-damaged', `${noise} bytes`);
    t.equal(await refusal(Buffer.alloc(0), readOnly), 'database-gone', 'empty');
  }
  t.equal(await refusal(undefined, false), 'database-gone');
  writeFileSync(file, bytes);
  const again = openEnvironment({ directory });
  t.equal(again.table('records').get(keyOf(39))?.length, 64 * 1024, 'put back, all is there');
  await again.close();
});

t.test(
  'lmdb - pages at the end that a transaction took and gave back are missing in a whole file',
  async (t) => {
    const directory = folderOf(t);
    let environment = openEnvironment({ directory });
    let table = environment.table('records');
    await environment.write(() => void table.put(keyOf(1), Buffer.alloc(5_000, 1)));
    await environment.write(() => {
      void table.put(keyOf(2), Buffer.alloc(400_000, 2));
      void table.remove(keyOf(2));
    });
    await environment.close();
    const file = join(directory, 'data.mdb');
    const bytes = statSync(file).size;
    environment = openEnvironment({ directory });
    table = environment.table('records');
    t.ok(statSync(file).size > bytes, `${bytes} bytes, of ${statSync(file).size}`);
    t.equal(table.get(keyOf(1))?.length, 5_000);
    for (let n = 3; n < 60; n += 1)
      await environment.write(() => void table.put(keyOf(n), Buffer.alloc(20_000, n)));
    t.equal(table.get(keyOf(59))?.[19_999], 59);
    await environment.close();
  },
);

t.test(
  'lmdb - a reader that finds a file too short adds to its end, beside a writer that goes on',
  async (t) => {
    const directory = folderOf(t);
    const writer = openEnvironment({ directory });
    const table = writer.table('records');
    await writer.write(() => void table.put(keyOf(1), Buffer.alloc(5_000, 1)));
    await writer.write(() => {
      void table.put(keyOf(2), Buffer.alloc(400_000, 2));
      void table.remove(keyOf(2));
    });
    const short = statSync(writer.file).size;
    checkFile(writer.file, true);
    const whole = statSync(writer.file).size;
    t.ok(whole > short, `${short} bytes, then ${whole}`);
    for (let n = 3; n < 60; n += 1)
      await writer.write(() => void table.put(keyOf(n), Buffer.alloc(20_000, n)));
    for (let n = 3; n < 60; n += 1) {
      checkFile(writer.file, true);
      t.ok(table.get(keyOf(n))?.equals(Buffer.alloc(20_000, n)), `row ${n}`);
    }
    t.ok(statSync(writer.file).size >= whole);
    await writer.close();
  },
);
