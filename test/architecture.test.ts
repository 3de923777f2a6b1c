/** The arrows of the tree: who may import whom, and one door for each outside library. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import t from 'tap';
import { projectRoot } from './kit/paths.ts';

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

const stages = ['capture', 'journal', 'normalize', 'prioritize', 'route', 'uplink'];
const pure = /^gateway\/(normalize\/|prioritize\/|route\/rules\.ts|capture\/urgency\.ts)/;

function sources(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith('proto/gen/'));
}

function imports(file: string): Import[] {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  const pattern = /^(?:import|export)\s+(type\s+)?(?:[^'"]*?from\s+)?'([^']+)'/gm;
  return [...text.matchAll(pattern)].map(([, type, to = '']) => ({
    from: file,
    to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to,
    typeOnly: type !== undefined,
  }));
}

const all = ['gateway', 'control-plane', 'proto', 'deploy'].flatMap(sources).flatMap(imports);
const stageOf = (path: string) => stages.find((stage) => path.startsWith(`gateway/${stage}/`));
const told = (found: Import[]) => found.map(({ from, to }) => `${from} → ${to}`);

t.test('architecture - the gateway never imports the control plane', async (t) => {
  t.same(
    told(all.filter(({ from, to }) => from.startsWith('gateway/') && to.startsWith('control-plane/'))),
    [],
  );
});

t.test(
  'architecture - the control plane takes only the process kit and pure code of the gateway',
  async (t) => {
    const allowed = /^gateway\/(process\/|meaning\.ts|version\.ts)/;
    const found = all.filter(
      ({ from, to }) => from.startsWith('control-plane/') && to.startsWith('gateway/'),
    );
    t.same(told(found.filter(({ to }) => !allowed.test(to) && !pure.test(to))), []);
  },
);

t.test('architecture - proto imports nothing of ours', async (t) => {
  const ours = /^(gateway|control-plane|deploy|test)\//;
  t.same(told(all.filter(({ from, to }) => from.startsWith('proto/') && ours.test(to))), []);
});

t.test('architecture - a stage knows no other stage', async (t) => {
  const found = all.filter(({ from, to }) => {
    const [here, there] = [stageOf(from), stageOf(to)];
    return here !== undefined && there !== undefined && here !== there && to !== 'gateway/capture/intake.ts';
  });
  t.same(told(found), []);
});

t.test('architecture - each outside library has one door', async (t) => {
  const doors: Record<string, RegExp> = {
    lmdb: /^gateway\/process\/lmdb\.ts$/,
    aedes: /^gateway\/capture\/mqtt\/broker\.ts$/,
    mqtt: /^deploy\/local\/demo\.ts$/,
    '@grpc/grpc-js':
      /^(gateway\/uplink\/|control-plane\/session\/|control-plane\/ctl\/client\.ts|control-plane\/admin-service\.ts)/,
    '@grpc/proto-loader': /^control-plane\/session\/grpc-server\.ts$/,
    '@marcbachmann/cel-js': /^proto\/config\//,
    yaml: /^(proto\/config\/|control-plane\/ctl\/)/,
  };
  for (const [library, door] of Object.entries(doors)) {
    t.same(told(all.filter(({ from, to }) => to === library && !door.test(from))), [], library);
  }
  const text = sources('gateway')
    .concat(sources('control-plane'))
    .filter((file) => readFileSync(join(projectRoot, file), 'utf8').includes("'hl7-standard'"));
  t.same(text, [], 'hl7-standard stays out of the daemons');
});

t.test('architecture - pure code reads no clock, no chance, no world', async (t) => {
  const world = /^node:(fs|net|tls|child_process|http|dgram|worker_threads)/;
  for (const file of sources('gateway').filter((file) => pure.test(file))) {
    const text = readFileSync(join(projectRoot, file), 'utf8');
    t.notMatch(text, /Date\.now\(|Math\.random\(|performance\.now\(|new Date\(\)/, file);
    t.same(
      imports(file)
        .filter(({ to }) => world.test(to))
        .map(({ to }) => to),
      [],
      file,
    );
  }
});

t.test('contract - the generated code is what the .proto files give, and nothing was broken', async (t) => {
  t.doesNotThrow(() =>
    execFileSync(process.execPath, ['proto/gen.mjs', '--check'], { cwd: projectRoot, stdio: 'pipe' }),
  );
});

t.test('lock file - it carries no download addresses', async (t) => {
  t.notMatch(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'), /"resolved":/);
});
