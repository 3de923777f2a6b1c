/** Places that cannot hold a journal or a store: both daemons end at once, and say what, where, and what to do. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory, openStorage, storageError } from '../../gateway/process/storage.ts';
import { folderOf, runProgram } from '../kit/site.ts';
import { fillVolume, smallVolume } from '../kit/volume.ts';

const folder = folderOf(t);
const volume = smallVolume(t, 4);
const needsVolume = { skip: volume === undefined && 'no volume of its own could be mounted' };
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** What is told of a data directory, by either daemon; its store is a folder inside. */
const told: readonly (readonly [data: string, about: RegExp])[] = [
  [
    '/proc/hilum',
    /^The data directory \/proc\/hilum cannot be made \(ENOENT\): nothing can be made there\.$/,
  ],
  ['/proc/hilum/deep/er', /^The data directory \/proc\/hilum\/deep\/er cannot be made \(ENOENT\): /],
  ['/proc/self', /^The data directory \/proc\/self cannot be used \(E(ACCES|PERM)\): /],
  ['file', /^The data directory file is a file\.$/],
  ['file/in', /^The data directory file\/in cannot be made \(ENOTDIR\): a part of its path is a file\.$/],
  [
    'read-only',
    /^The data directory read-only cannot be used \(EACCES\): this user has no permission there\.$/,
  ],
  [
    'read-only/in',
    /^The data directory read-only\/in cannot be made \(EACCES\): this user has no permission /,
  ],
  [
    'inner-read-only',
    /^The (journal|store) in inner-read-only\/\w+ cannot be opened \(EACCES\): this user has /,
  ],
  ['inner-file', /^The (journal|store) in inner-file\/\w+ cannot be opened \(ENOTDIR\): a part of its path /],
  ['', /^The data directory has no name\.$/],
];

t.before(() => {
  // Below a folder that everybody may pass.
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'read-only'));
  for (const name of ['inner-read-only', 'inner-file']) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o777);
  }
  for (const name of ['journal', 'store']) {
    writeFileSync(join(folder, 'inner-file', name), '');
    mkdirSync(join(folder, 'inner-read-only', name));
    chmodSync(join(folder, 'inner-read-only', name), 0o555);
  }
  chmodSync(join(folder, 'read-only'), 0o555);
  writeFileSync(join(folder, 'settings.yaml'), 'status: { listen: "127.0.0.1:0" }\nlisteners: {}\n');
  writeFileSync(join(folder, 'plane.yaml'), 'grpc: "127.0.0.1:0"\nhttp: "127.0.0.1:0"\n');
});

for (const [program, settings] of [
  ['gateway', 'settings.yaml'],
  ['plane', 'plane.yaml'],
] as const) {
  t.test(`${program} - a place that cannot hold its data is told, and it ends`, async (t) => {
    for (const [data, about] of told) {
      const args = ['run', '--settings', settings, `--data=${data}`];
      // Who is root may write anywhere.
      const { code, stderr } = await runProgram(program, args, {
        cwd: folder,
        ...(isRoot && { uid: nobody }),
      });
      const lines = stderr.trim().split('\n');
      t.equal(code, 78, `${data}: ${stderr}`);
      t.match(lines[0], about, data);
      t.equal(lines[1], 'Check --data, and that this user may write there.', data);
      t.equal(lines.length, 2, 'and nothing else');
    }
  });

  t.test(`${program} - so is the place of its key`, async (t) => {
    writeFileSync(join(folder, 'key.yaml'), 'keyFile: /proc/hilum/key\n');
    const args = ['run', '--settings', 'key.yaml', '--data', join(folder, `${program}-data`)];
    const { code, stderr } = await runProgram(program, args, { cwd: folder });
    t.equal(code, 78, stderr);
    t.match(
      stderr,
      /^The folder of the key file \/proc\/hilum cannot be made \(ENOENT\): .*\nCheck --data, and keyFile in the settings, and /,
    );
  });
}

t.test('enroll - without a place for the identity no token is spent', async (t) => {
  const args = ['enroll', '--data', '/proc/hilum', '--token', 'hilum1.none'];
  const { code, stderr } = await runProgram('gateway', args, { cwd: folder });
  t.equal(code, 78, stderr);
  t.match(stderr, /^The data directory \/proc\/hilum cannot be made \(ENOENT\): /);
});

t.test('enroll - nor where it cannot be written', needsVolume, async (t) => {
  const directory = join(volume ?? '', 'data');
  mkdirSync(directory);
  fillVolume(volume ?? '', 0);
  const args = ['enroll', '--data', directory, '--token', 'hilum1.none'];
  const { code, stderr } = await runProgram('gateway', args, { cwd: folder });
  t.equal(code, 75, stderr);
  t.match(stderr, /^The identity cannot be written to .* \(ENOSPC\): its volume is full\./);
});

const needsRoot = { skip: !isRoot && 'who is not root owns what it makes' };

t.test('every verb - who may not look into the data is told that, and nothing else', needsRoot, async (t) => {
  const closed = join(folder, 'closed');
  const data = join(closed, 'data');
  mkdirSync(join(data, 'store'), { recursive: true });
  for (const file of ['settings.yaml', 'run.json', 'store/data.mdb']) writeFileSync(join(data, file), '{}');
  const verbs: readonly (readonly [program: 'gateway' | 'plane', verb: string, ...more: string[]])[] = [
    ['gateway', 'status'],
    ['gateway', 'check'],
    ['gateway', 'enroll', '--token', 'hilum1.none'],
    ['gateway', 'enroll', '--token', 'hilum1.none', '--settings', join(folder, 'settings.yaml')],
    ['gateway', 'journal', 'verify'],
    ['plane', 'verify'],
  ];
  // The directory itself, and one above it.
  for (const [place, seen] of [
    [data, true],
    [closed, false],
  ] as const) {
    chmodSync(place, 0o700);
    for (const [program, ...args] of verbs) {
      const ran = await runProgram(program, [...args, '--data', data], { uid: nobody });
      const what = `${args[0]} ${seen ? 'in' : 'above'}`;
      t.equal(ran.code, 78, what);
      t.match(ran.stderr, /\(EACCES\): this user has no permission there\.\n/, what);
      t.match(ran.stderr, /runuser -u hilum/, what);
      t.equal(ran.stdout, '', what);
    }
    const told = await runProgram('gateway', ['doctor', '--data', data, '-o', 'json'], { uid: nobody });
    t.equal(told.code, 1);
    t.match(JSON.parse(told.stdout), [
      { code: 'data-not-readable', state: 'fail', todo: /runuser -u hilum/ },
    ]);
    t.equal((JSON.parse(told.stdout) as unknown[]).length, 1, 'what it cannot see it does not judge');
    chmodSync(place, 0o755);
  }
  chmodSync(join(data, 'settings.yaml'), 0o600);
  const check = await runProgram('gateway', ['check', '--data', data], { uid: nobody });
  t.match(check, { code: 78, stderr: /settings\.yaml cannot be read: this user has no permission/ });
});

t.test('storage - what a disk does is worth another start, what a place refuses is not', async (t) => {
  const error = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'EROFS']) {
    t.match(storageError('It cannot be made', error(code)), {
      exit: 75,
      message: /^It cannot be made/,
    });
  }
  for (const code of ['ENOENT', 'EACCES', 'ENAMETOOLONG']) t.equal(storageError('It', error(code)).exit, 78);
  // lmdb gives numbers: the system's, or negative ones of its own.
  const of = (code: number) => openStorage('The journal', 'x', () => Promise.reject({ code, message: 'no' }));
  await t.rejects(of(13), {
    exit: 78,
    message: /^The journal in x cannot be opened \(EACCES\): this user has no permission there\.$/,
  });
  await t.rejects(of(30), {
    exit: 75,
    message: /^The journal in x cannot be opened \(EROFS\): its volume is mounted read-only\.$/,
  });
  await t.rejects(of(28), { code: 'storage-fault', exit: 75 });
  await t.rejects(of(-30_793), { code: 'storage-fault', exit: 75 });
});

t.test(
  'storage - a folder is made with what is above it, for its owner alone, and again does no harm',
  async (t) => {
    const directory = join(folderOf(t), 'a', 'b', 'c');
    makeDirectory(directory);
    makeDirectory(directory);
    makeDirectory(`${directory}/d/../e/`);
    t.same(readdirSync(directory).sort(), ['d', 'e']);
    t.throws(() => makeDirectory('/proc/hilum/x'), { code: 'storage-refused' });
  },
);
