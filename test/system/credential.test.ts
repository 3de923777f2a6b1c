/** A journal key that systemd brings as a credential of root, and the same modes where they are an exposure. */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type DaemonProcess, type Owner, startProcess } from '../kit/process.ts';
import { folderOf, programPath, runProgram } from '../kit/site.ts';

const notRoot = process.getuid?.() === 0 ? false : 'only root can make files of root';

interface Place {
  readonly data: string;
  readonly credentials: string;
  readonly logs: string;
}

/** A data directory and a directory of credentials, with the key file that the settings name. */
function placeOf(owner: Owner, keyFile: (place: Place) => string): Place {
  const folder = realpathSync(folderOf(owner));
  const place = {
    data: join(folder, 'data'),
    credentials: join(folder, 'credentials'),
    logs: join(folder, 'logs'),
  };
  for (const one of Object.values(place)) mkdirSync(one, { mode: 0o700 });
  const settings = `listeners: { mllp: { type: mllp, listen: "127.0.0.1:0" } }
status: { listen: "127.0.0.1:0" }
keyFile: ${keyFile(place)}
`;
  writeFileSync(join(place.data, 'settings.yaml'), settings);
  return place;
}

function putKey(file: string, mode: number, uid = 0): void {
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`);
  chownSync(file, uid, 0);
  chmodSync(file, mode);
}

function run(owner: Owner, { data, credentials, logs }: Place, env?: Record<string, string>): DaemonProcess {
  return startProcess(owner, {
    name: 'gateway',
    args: [programPath('gateway'), 'run', '--data', data],
    folder: logs,
    env: env ?? { CREDENTIALS_DIRECTORY: credentials },
  });
}

t.test('key - a credential whose ACL mask shows as 0440 is taken', { skip: notRoot }, async (t) => {
  const place = placeOf(t, ({ credentials }) => join(credentials, 'key'));
  putKey(join(place.credentials, 'key'), 0o440);
  const gateway = run(t, place);
  await gateway.waitForLine(/"code":"ready"/, { from: 'stderr', timeoutMs: 60_000 });
  t.equal((await gateway.stop()).code, 0);
  const doctor = await runProgram('gateway', ['doctor', '--data', place.data, '-o', 'json'], {
    env: { CREDENTIALS_DIRECTORY: place.credentials },
  });
  t.match(
    (JSON.parse(doctor.stdout) as { check: string }[]).find(({ check }) => check === 'key'),
    { code: 'key-ok', message: join(place.credentials, 'key') },
  );
});

t.test(
  'key - what others can read or change is refused, also as a credential',
  { skip: notRoot },
  async (t) => {
    const nobody = 65_534;
    const inside = ({ credentials }: Place) => join(credentials, 'key');
    const cases: [string, (place: Place) => string, number, number, boolean][] = [
      ['others read it', inside, 0o444, 0, true],
      ['the group writes it', inside, 0o460, 0, true],
      ['it is not of root', inside, 0o440, nobody, true],
      ['it is elsewhere', ({ data }) => join(data, 'elsewhere'), 0o440, 0, true],
      ['it is deeper in the directory', ({ credentials }) => join(credentials, 'sub', 'key'), 0o440, 0, true],
      ['there are no credentials', inside, 0o440, 0, false],
    ];
    for (const [what, keyFile, mode, uid, given] of cases) {
      const place = placeOf(t, keyFile);
      mkdirSync(join(place.credentials, 'sub'));
      putKey(keyFile(place), mode, uid);
      const gateway = run(t, place, given ? undefined : {});
      t.equal((await gateway.waitForExit()).code, 78, what);
      t.match(gateway.stderr, /can be read by others \(mode 4[46][04]\)/, what);
      const doctor = await runProgram('gateway', ['doctor', '--data', place.data], {
        env: given ? { CREDENTIALS_DIRECTORY: place.credentials } : {},
      });
      t.equal(doctor.code, 1);
      t.match(doctor.stdout, /FAIL {2}key .*\[key-exposed\]/, what);
    }
  },
);

t.test('key - a link out of the credentials gets no leave', { skip: notRoot }, async (t) => {
  const place = placeOf(t, ({ credentials }) => join(credentials, 'key'));
  putKey(join(place.data, 'real'), 0o440);
  symlinkSync(join(place.data, 'real'), join(place.credentials, 'key'));
  t.equal((await run(t, place).waitForExit()).code, 78);
});

t.test('key - a credential that is not there is never made', async (t) => {
  const place = placeOf(t, ({ credentials }) => join(credentials, 'key'));
  const gateway = run(t, place);
  t.equal((await gateway.waitForExit()).code, 78);
  t.match(gateway.stderr, /key file .* is missing/);
});
