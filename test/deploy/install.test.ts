/** install.sh, from a stand-in of a bundle: what is run again leaves an installation that works. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../kit/paths.ts';
import { folderOf } from '../kit/site.ts';

/** With what the script looks at, and nothing else. */
function bundle(folder: string, version: string, build = ''): string {
  const at = join(folder, `hilum-${version}${build}`);
  mkdirSync(join(at, 'runtime'), { recursive: true });
  cpSync(join(projectRoot, 'deploy', 'install.sh'), join(at, 'install.sh'));
  writeFileSync(join(at, 'VERSION'), `${version}\n`);
  writeFileSync(join(at, 'runtime', 'node'), `#!/bin/sh\n# ${build}\n`);
  for (const file of ['install.sh', 'runtime/node']) chmodSync(join(at, file), 0o755);
  const sums = execFileSync('sha256sum', ['VERSION', 'install.sh', 'runtime/node'], { cwd: at });
  writeFileSync(join(at, 'SHA256SUMS'), sums);
  return at;
}

function install(from: string, args: string[], cwd = '/'): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(join(from, 'install.sh'), args, { cwd, encoding: 'utf8' });
  return { code: status, said: stdout + stderr };
}

t.test('install.sh - run again out of the installation it changes nothing', (t) => {
  const folder = folderOf(t);
  const prefix = join(folder, 'opt');
  const args = ['--prefix', prefix, '--no-systemd'];
  t.match(install(bundle(folder, '1.0.0'), args), {
    code: 0,
    said: /1\.0\.0 is in .*\. There is no user, unit or link for it/,
  });
  const whole = (version: string) => {
    t.ok(lstatSync(join(prefix, version)).isDirectory(), `${version} is a folder`);
    t.equal(readFileSync(join(prefix, 'current', 'VERSION'), 'utf8'), `${version}\n`);
    t.notOk(
      readdirSync(prefix).some((name) => name.endsWith('.new')),
      'nothing half-made stays',
    );
  };
  whole('1.0.0');
  for (const name of ['current', '1.0.0']) {
    t.match(install(join(prefix, name), args), { code: 0, said: /1\.0\.0 is in / }, name);
    whole('1.0.0');
  }
  t.equal(install(bundle(folder, '1.1.0'), args).code, 0);
  whole('1.1.0');
  t.equal(install(join(prefix, '1.0.0'), args).code, 0, 'the version before, out of its own folder');
  whole('1.0.0');
  t.equal(install(join(prefix, 'current'), ['--uninstall', '--prefix', prefix]).code, 0);
  t.same(
    readdirSync(folder).filter((name) => name === 'opt'),
    [],
    'and nothing stays',
  );
  t.end();
});

t.test('install.sh - a place that cannot be is refused before anything is made', (t) => {
  const folder = folderOf(t);
  const from = bundle(folder, '1.0.0');
  const before = readdirSync(from);
  t.match(install(from, ['--prefix', 'inside'], from), { code: 2, said: /inside is in the bundle itself/ });
  t.same(readdirSync(from), before);
  t.match(install(from, ['--help']), { code: 0, said: /--prefix DIR.*--uninstall/s });
  t.match(install(from, ['--prefx', 'x']), { code: 2, said: /unknown option --prefx/ });
  t.end();
});

t.test('install.sh - another build of the same version leaves the one before to go back to', (t) => {
  const folder = folderOf(t);
  const prefix = join(folder, 'opt');
  const args = ['--prefix', prefix, '--no-systemd'];
  const there = (name: string) => readFileSync(join(prefix, name, 'runtime', 'node'), 'utf8');
  const first = bundle(folder, '1.0.0', '-a');
  install(first, args);
  t.notMatch(install(first, args).said, /before/, 'the same build is no other one');
  const { said } = install(bundle(folder, '1.0.0', '-b'), args);
  t.match(said, /To go back: ln -sfn 1\.0\.0\.before .*\/opt\/current/);
  t.match(there('current'), /-b/);
  t.match(there('1.0.0.before'), /-a/);
  t.equal(install(join(prefix, '1.0.0.before'), args).code, 0, 'installed again out of its own folder');
  t.match([there('current'), there('1.0.0.before')], [/-a/, /-b/]);
  t.end();
});
