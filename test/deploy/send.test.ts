/** npm run send: what it cannot send is said in words. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { bare } from '../kit/bare.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf } from '../kit/site.ts';

t.test('send - a folder, and a file that is not there, are told as what they are', (t) => {
  const folder = folderOf(t);
  const send = (file: string) => {
    const args = [join(projectRoot, 'dist/deploy/local/send.js'), '127.0.0.1:1', file];
    return spawnSync(...bare(process.execPath, args), { encoding: 'utf8' });
  };
  t.match(send(folder), { status: 2, stderr: `The file ${folder} cannot be read: it is a folder.\n` });
  const gone = join(folder, 'gone.hl7');
  t.match(send(gone), { status: 2, stderr: `The file ${gone} cannot be read: there is no such file.\n` });
  t.end();
});
