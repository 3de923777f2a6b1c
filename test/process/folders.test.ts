/** A folder that was made is there after a power cut: the one that it stands in is flushed, whoever made that. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { changesIn, notFlushed, underCrash } from '../faults/tools/crash.ts';
import { buildPreload } from '../faults/tools/native.ts';
import { projectRoot } from '../kit/paths.ts';
import { startProcess } from '../kit/process.ts';
import { folderOf } from '../kit/site.ts';

const scratch = folderOf(t);
const preload = buildPreload('crash', scratch);

t.test('folders - each that is made is flushed', { skip: preload === undefined && 'no gcc' }, async (t) => {
  const folder = join(realpathSync(folderOf(t)), 'data');
  const log = join(scratch, 'changes');
  const module = join(projectRoot, 'dist', 'gateway', 'process', 'storage.js');
  const script = `(await import(${JSON.stringify(module)})).makeDirectory(${JSON.stringify(join(folder, 'a', 'b'))});`;
  const made = startProcess(t, {
    name: 'made',
    folder: scratch,
    args: ['--input-type=module', '-e', script],
    ...underCrash({ preload: preload as string, folder, log, at: 0, how: 'kill' }),
  });
  t.equal((await made.waitForExit()).code, 0);
  const changes = changesIn(log);
  t.same(
    changes.filter(({ call }) => call === 'mkdir').map(({ path }) => path),
    [folder, join(folder, 'a'), join(folder, 'a', 'b')],
  );
  t.same(notFlushed(changes), []);
  t.not(notFlushed(changes.filter(({ call }) => call !== 'fsync')).length, 0, 'what is not flushed is found');
});
