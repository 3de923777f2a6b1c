/** What the offline bundle leaves out is not missed: the native parts are loaded from a pruned copy. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pruneModules } from '../../deploy/prune.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf } from '../kit/site.ts';

/** lmdb and all that it needs, as npm installed it here. */
function modulesOfLmdb(): Set<string> {
  const found = new Set<string>();
  const add = (name: string) => {
    const file = join(projectRoot, 'node_modules', name, 'package.json');
    if (found.has(name) || !existsSync(file)) return;
    found.add(name);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    for (const one of Object.keys({ ...dependencies, ...optionalDependencies })) add(one);
  };
  add('lmdb');
  return found;
}

function copy(folder: string): string {
  const modules = join(folder, 'node_modules');
  for (const name of modulesOfLmdb())
    cpSync(join(projectRoot, 'node_modules', name), join(modules, name), { recursive: true });
  return modules;
}

const natives = (modules: string) =>
  readdirSync(modules, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.node'));

t.test('bundle - one native binary for each package that has any, and it works', async (t) => {
  const folder = folderOf(t);
  const modules = copy(folder);
  t.ok(natives(modules).length > 2, 'npm brings more than one platform needs');
  const bytes = pruneModules(modules, process.arch);
  t.ok(bytes > 1_000_000, `${bytes} bytes went`);
  const left = natives(modules);
  t.ok(left.includes(`@lmdb/lmdb-linux-${process.arch}/node.napi.glibc.node`));
  t.ok(
    left.every((file) => file.endsWith('/node.napi.glibc.node')),
    left.join(),
  );
  t.ok(existsSync(join(modules, 'lmdb', 'LICENSE')), 'licences stay');
  writeFileSync(
    join(folder, 'try.mjs'),
    `import { open } from 'lmdb';
const db = open({ path: ${JSON.stringify(join(folder, 'store'))} });
await db.put('a', { b: [1, 'c'] });
console.log(JSON.stringify(db.get('a')));
await db.close();
`,
  );
  t.equal(execFileSync(process.execPath, ['try.mjs'], { cwd: folder, encoding: 'utf8' }), '{"b":[1,"c"]}\n');
});

t.test('bundle - lmdb without a binary for the platform is an error, not a broken bundle', async (t) => {
  const modules = copy(folderOf(t));
  rmSync(join(modules, '@lmdb', `lmdb-linux-${process.arch}`, 'node.napi.glibc.node'));
  t.throws(() => pruneModules(modules, process.arch), /lmdb-linux-.* has no node.napi.glibc.node/);
  t.throws(() => pruneModules(modules, process.arch === 'x64' ? 'arm64' : 'x64'), /has no/);
});
