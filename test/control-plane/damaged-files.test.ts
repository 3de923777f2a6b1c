/** What the control plane wrote itself and cannot read any more: which file, and what to do; nothing of what it holds. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Plane } from '../../control-plane/plane.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import type { HilumError } from '../../gateway/process/errors.ts';
import { makeRequest } from '../../gateway/uplink/request.ts';
import { folderOf } from '../kit/site.ts';

/** A data directory with the same files, and a store that is made anew. */
function copyOf(t: Test, whole: string): string {
  const directory = folderOf(t);
  for (const name of ['admin.json', 'ca', 'key'])
    cpSync(join(whole, name), join(directory, name), { recursive: true });
  return directory;
}

/** Opens, starts and stops one; what it said where it could not. */
async function startIn(directory: string): Promise<HilumError | undefined> {
  const { settings } = loadSettings(directory, undefined);
  let plane: Plane | undefined;
  try {
    plane = await Plane.open({
      directory,
      settings: { ...settings, grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
      settingsFile: '',
      log: () => {},
    });
    await plane.start();
    return undefined;
  } catch (error) {
    return error as HilumError;
  } finally {
    await plane?.stop(1_000);
  }
}

t.test('control plane - a damaged file of its own is named, and ends its start with 78', async (t) => {
  const whole = folderOf(t);
  t.equal(await startIn(whole), undefined);
  const { keyPem } = await makeRequest();
  const rows: [file: string, content: (text: string) => string, why: RegExp, hint: RegExp][] = [
    ['admin.json', (text) => text.slice(0, 300), /it is not JSON\.$/, /move it away/],
    ['admin.json', () => 'SECRET {', /it is not JSON\.$/, /backup/],
    ['admin.json', () => '', /it is not JSON\.$/, /backup/],
    ['admin.json', () => 'null', /it is damaged\.$/, /backup/],
    ['admin.json', () => '{"address":"SECRET"}', /something is missing\.$/, /backup/],
    [
      'admin.json',
      (text) => text.replace(/-BEGIN CERTIFICATE-/g, '-SECRET-'),
      /it is damaged\.$/,
      /move it away/,
    ],
    ['ca/ca.pem', (text) => text.slice(0, 300), /it is damaged\.$/, /folder of the CA/],
    ['ca/ca.pem', () => 'SECRET', /it is damaged\.$/, /folder of the CA/],
    ['ca/ca.key.pem', () => '', /it is damaged\.$/, /folder of the CA/],
    ['ca/ca.key.pem', () => keyPem, /do not belong together\.$/, /folder of the CA/],
  ];
  for (const [file, content, why, hint] of rows) {
    const directory = copyOf(t, whole);
    const path = join(directory, file);
    writeFileSync(path, content(readFileSync(path, 'utf8')));
    const error = await startIn(directory);
    t.match(error, { exit: 78, message: why, hint }, `${file}: ${why}`);
    t.ok(error?.message.includes(path), 'it is named');
    t.notMatch(`${error?.message} ${error?.hint}`, /SECRET|BEGIN/, 'and nothing of it is told');
  }
  const directory = copyOf(t, whole);
  rmSync(join(directory, 'ca/ca.key.pem'));
  t.match(await startIn(directory), { exit: 78, message: /ca\.key\.pem cannot be used: it is not there\.$/ });
  const helped = copyOf(t, whole);
  rmSync(join(helped, 'admin.json'));
  t.equal(await startIn(helped), undefined, 'what the hint says helps');
  t.match(readFileSync(join(helped, 'admin.json'), 'utf8'), /BEGIN CERTIFICATE/);
});
