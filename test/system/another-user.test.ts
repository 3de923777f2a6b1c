/** A command of another user than the one whose data it is: refused before it leaves what the service cannot read. */
import { chmodSync, chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { folderOf, runProgram, Site } from '../kit/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can be another user';
/** Of no name here, and not 65534, which stands for "unknown". */
const service = 45_678;

const ofService = (directory: string) => {
  chmodSync(directory, 0o700);
  chownSync(directory, service, service);
  return directory;
};

interface Finding {
  state: string;
  code: string;
  message: string;
  todo: string;
}

const doctor = async (data: string, uid?: number) => {
  const { stdout } = await runProgram(
    'gateway',
    ['doctor', '--data', data, '-o', 'json'],
    uid ? { uid } : {},
  );
  return JSON.parse(stdout) as Finding[];
};

t.test('another user - root makes nothing in the directory of the service', { skip }, async (t) => {
  const data = ofService(folderOf(t));
  for (const [program, verb, ...more] of [
    ['gateway', 'run'],
    ['gateway', 'enroll', '--token', 'hilum1.x'],
    ['plane', 'run'],
  ] as const) {
    t.match(
      await runProgram(program, [verb, '--data', data, ...more]),
      {
        code: 78,
        stderr: new RegExp(
          `^The data directory ${data} is that of ${service}, and this is root: nothing was changed`,
        ),
      },
      `${program} ${verb}`,
    );
    t.same(readdirSync(data), [], `${program} ${verb}`);
  }
});

t.test('another user - what one left is told with whom it has to be given to', { skip }, async (t) => {
  const site = new Site(t, { settings: 'listeners: {}\n' });
  await site.startGateway();
  await site.gateway?.stop();
  const data = site.gatewayData;
  t.ok(existsSync(join(data, 'key')));
  writeFileSync(join(data, 'identity.json'), '{}', { mode: 0o600 });
  for (const name of [site.folder, data, join(data, 'settings.yaml')]) {
    chownSync(name, service, service);
    chmodSync(name, 0o700);
  }
  const asService = await doctor(data, service);
  t.match(
    asService.filter(({ code }) => code.endsWith('not-readable')),
    [
      {
        code: 'identity-not-readable',
        state: 'fail',
        todo: `chown --reference=${data} ${join(data, 'identity.json')}`,
      },
      { code: 'key-not-readable', state: 'fail', todo: `chown --reference=${data} ${join(data, 'key')}` },
    ],
  );
  t.match(await runProgram('gateway', ['run', '--data', data], { uid: service }), {
    code: 78,
    stderr: /chown --reference/,
  });
  const foreign = (await doctor(data)).filter(({ code }) => code === 'data-of-another');
  t.match(foreign, [
    { message: new RegExp(`key belongs to the user root, and ${data} to ${service}$`) },
    { message: /identity/ },
    { message: /journal belongs/ },
    { message: /data\.mdb/ },
  ]);
  for (const file of ['key', 'identity.json']) chownSync(join(data, file), service, service);
  t.equal(
    (await doctor(data)).filter(({ code }) => code === 'data-of-another').length,
    2,
    'as far as it was given back',
  );
});
