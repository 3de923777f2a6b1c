import { createHmac, randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createBlind, writePrivate } from '../../gateway/process/keys.ts';

t.test('keys - a blind text is its HMAC-SHA-256, cut to 16 bytes, however long it is', async (t) => {
  const key = randomBytes(32);
  const blind = createBlind(key);
  const texts = [
    '',
    'MSG00001',
    'lab\0MSG00001',
    '€'.repeat(319),
    '€'.repeat(320),
    '€'.repeat(321),
    'ü€😀',
    'x'.repeat(5000),
    'MSG00001',
  ];
  for (const text of texts) {
    const expected = createHmac('sha256', key).update(text).digest().subarray(0, 16);
    t.ok(blind(text).equals(expected), `${text.length} characters`);
  }
});

t.test('keys - a private file goes through no link and into no file that somebody put there', async (t) => {
  const folder = t.testdir({ loot: '', elsewhere: '' });
  const file = join(folder, 'identity.json');
  for (const [name, target] of [
    ['identity.json.unfinished', 'loot'],
    ['identity.json', 'elsewhere'],
  ] as const)
    symlinkSync(join(folder, target), join(folder, name));
  writePrivate(file, 'secret');
  t.equal(lstatSync(file).mode & 0o170777, 0o100600, 'a file of its own, for its owner alone');
  t.equal(readFileSync(file, 'utf8'), 'secret');
  for (const target of ['loot', 'elsewhere']) t.equal(readFileSync(join(folder, target), 'utf8'), '', target);
  // What a crash left behind, or somebody with a wide mode, is not written into either.
  writeFileSync(`${file}.unfinished`, 'left', { mode: 0o666 });
  writePrivate(file, 'again');
  t.same([readFileSync(file, 'utf8'), lstatSync(file).mode & 0o777], ['again', 0o600]);
});
