/** What a crash left before it was in its place goes with the next owner of the data directory. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownDirectory } from '../../gateway/process/owner.ts';
import { folderOf } from '../kit/site.ts';

t.test('unfinished - whoever owns the data directory next takes away what a crash left', async (t) => {
  const data = folderOf(t);
  for (const folder of [
    'config',
    'ca',
    'journal.unfinished',
    'mine',
    'mine/notes.unfinished',
    'x.unfinished',
  ])
    mkdirSync(join(data, folder));
  const left = ['config/running.json', 'ca/ca.key.pem', 'key', 'run.json', 'admin.json'];
  for (const name of left) writeFileSync(join(data, `${name}.unfinished`), 'half');
  writeFileSync(join(data, 'journal.unfinished', 'data.mdb'), 'half');
  writeFileSync(join(data, 'settings.yaml.new'), 'of a person');
  (await ownDirectory(data, { readOnly: true }))();
  t.ok(existsSync(join(data, 'key.unfinished')), 'who only reads changes nothing');
  (await ownDirectory(data))();
  const there = readdirSync(data, { recursive: true }).map(String).sort();
  t.same(
    there.filter((name) => name !== 'owner.sock'),
    ['ca', 'config', 'mine', 'mine/notes.unfinished', 'settings.yaml.new', 'x.unfinished'],
    'and nothing of a person',
  );
});

t.test('unfinished - an identity that is just being written beside the owner stays', async (t) => {
  const data = folderOf(t);
  symlinkSync('identity.json.unfinished', join(data, 'identity.json.old.unfinished'));
  const files = ['identity.json', 'identity.json.trial'].map((name) => join(data, `${name}.unfinished`));
  for (const file of files) writeFileSync(file, 'half');
  (await ownDirectory(data))();
  t.same(files.map(existsSync), [true, true]);
  const before = new Date(Date.now() - 120_000);
  for (const file of files) utimesSync(file, before, before);
  (await ownDirectory(data))();
  t.same(files.map(existsSync), [false, false], 'one that was written minutes ago is left from a crash');
});
