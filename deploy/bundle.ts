/**
 * `npm run bundle`: one tarball with its own Node runtime and the production modules, which installs
 * without a network (deploy/install.sh). Only making it needs the npm registry.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pruneModules } from './prune.ts';

const runtimeVersion = '24.21.0';
const architecture = process.argv.includes('--arm64') ? 'arm64' : 'x64';
const root = process.cwd();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const name = `hilum-${version}-linux-${architecture}`;
const out = join(root, 'var', 'bundle');
const stage = join(out, name);
const programs = {
  'hilum-gateway': 'dist/gateway/main.js',
  'hilum-control-plane': 'dist/control-plane/main.js',
  hilumctl: 'dist/control-plane/ctl/main.js',
};
const say = (text: string) => process.stdout.write(`${text}\n`);
const run = (program: string, args: string[], cwd: string) =>
  execFileSync(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });

if (!existsSync(join(root, 'dist', 'gateway', 'main.js')))
  throw new Error('dist/ is not built; run: npm run build');
rmSync(out, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });

for (const file of ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'README.md', 'CHANGELOG.md']) {
  cpSync(join(root, file), join(stage, file));
}
for (const folder of ['gateway', 'control-plane', 'proto']) {
  cpSync(join(root, 'dist', folder), join(stage, 'dist', folder), {
    recursive: true,
    filter: (path) => !path.endsWith('.map'),
  });
}
for (const file of ['proto/gen/hilum.binpb', 'proto/EVENT.md', 'gateway/normalize/README.md'])
  cpSync(join(root, file), join(stage, file));
for (const part of ['settings', 'config', 'systemd', 'INSTALL.md', 'CONFIG.md']) {
  cpSync(join(root, 'deploy', part), join(stage, 'deploy', part), { recursive: true });
}
cpSync(
  join(root, 'proto', 'config', 'config.schema.json'),
  join(stage, 'deploy', 'config', 'config.schema.json'),
);
cpSync(join(root, 'deploy', 'install.sh'), join(stage, 'install.sh'));
writeFileSync(join(stage, 'VERSION'), `${version}\n`);

say('production modules …');
run(
  'npm',
  [
    'ci',
    '--omit=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `--cpu=${architecture}`,
    '--os=linux',
    '--libc=glibc',
  ],
  stage,
);
for (const file of ['package-lock.json', '.npmrc']) rmSync(join(stage, file));
const pruned = pruneModules(join(stage, 'node_modules'), architecture);
say(`${(pruned / 1024 ** 2).toFixed(1)} MiB for other platforms and for developers taken out`);

say(`Node ${runtimeVersion} …`);
const packed = String(
  run('npm', ['pack', '--silent', `node-linux-${architecture}@${runtimeVersion}`], out),
).trim();
run('tar', ['xzf', packed, 'package/bin/node', 'package/LICENSE'], out);
mkdirSync(join(stage, 'runtime'));
cpSync(join(out, 'package', 'bin', 'node'), join(stage, 'runtime', 'node'));
chmodSync(join(stage, 'runtime', 'node'), 0o755);
cpSync(join(out, 'package', 'LICENSE'), join(stage, 'runtime', 'LICENSE'));
rmSync(join(out, 'package'), { recursive: true });
rmSync(join(out, packed));

mkdirSync(join(stage, 'bin'));
for (const [program, module] of Object.entries(programs)) {
  const script = `#!/bin/sh\n# Runs ${program} with the runtime of this bundle.\nhere=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)\nexec "$here/runtime/node" "$here/${module}" "$@"\n`;
  writeFileSync(join(stage, 'bin', program), script, { mode: 0o755 });
}

const files = readdirSync(stage, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(stage, join(entry.parentPath, entry.name)))
  .sort();
const sums = files.map(
  (file) =>
    `${createHash('sha256')
      .update(readFileSync(join(stage, file)))
      .digest('hex')}  ${file}`,
);
writeFileSync(join(stage, 'SHA256SUMS'), `${sums.join('\n')}\n`);
const tarball = join(out, `${name}.tar.gz`);
run('tar', ['czf', tarball, name], out);
rmSync(stage, { recursive: true });
say(
  `${relative(root, tarball)}  ${(statSync(tarball).size / 1024 ** 2).toFixed(1)} MiB, ${files.length} files`,
);
