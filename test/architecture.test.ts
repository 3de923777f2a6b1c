/**
 * The shape of the house as tests: who may import whom, one door for each outside
 * library, pure code without the world, files that stay small. Exceptions stand here by name with their
 * reason; one that is not needed any more fails, too.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { projectRoot } from './kit/paths.ts';

interface Import {
  /** From the root, as `gateway/pipeline.ts`. */
  readonly file: string;
  /** From the root where it is ours, else the package: `lmdb`, `node:fs`. */
  readonly to: string;
}

const stages = ['capture', 'journal', 'normalize', 'prioritize', 'route', 'uplink'];
const sources = ['gateway', 'control-plane', 'proto', 'deploy', 'test'].flatMap(filesUnder);
const product = sources.filter((file) => !file.startsWith('test/') && !file.startsWith('proto/gen/'));
const imports = sources.filter((file) => !file.startsWith('proto/gen/')).flatMap(importsOf);

t.test('architecture - there is something to look at', async (t) => {
  t.ok(product.length > 100, `${product.length} files`);
  t.ok(imports.length > 500, `${imports.length} imports`);
  for (const stage of stages)
    t.ok(
      imports.some(({ file }) => file.startsWith(`gateway/${stage}/`)),
      stage,
    );
  t.same(
    importsIn(
      'a/b.ts',
      `import x from './c.ts';\nexport * from '../d.ts';\nvoid import('${'./e.ts'}');\nimport 'pkg';`,
    ),
    [
      { file: 'a/b.ts', to: 'a/c.ts' },
      { file: 'a/b.ts', to: 'd.ts' },
      { file: 'a/b.ts', to: 'pkg' },
      { file: 'a/b.ts', to: 'a/e.ts' },
    ],
    'every form of import is seen',
  );
});

t.test('architecture - every import leads to a file of ours or to a named package', async (t) => {
  const known = new Set(sources);
  const declared = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  for (const { file, to } of imports) {
    if (to.startsWith('node:')) continue;
    if (ours(to)) {
      if (!known.has(to)) t.fail(`${file} imports ${to}, which is not there`);
      continue;
    }
    const name = packageOf(to);
    const shipped = declared.dependencies[name] !== undefined;
    const ok = shipped || (file.startsWith('test/') && declared.devDependencies[name] !== undefined);
    if (!ok) t.fail(`${file} imports ${name}, which package.json does not give it`);
  }
  t.pass('all imports were looked at');
});

t.test('architecture - the gateway never imports the control plane', async (t) => {
  t.same(
    broken(({ file, to }) => file.startsWith('gateway/') && to.startsWith('control-plane/')),
    [],
  );
});

t.test(
  'architecture - the control plane imports only pure stages and the process kit of the gateway',
  async (t) => {
    const allowed = [
      'gateway/process/',
      'gateway/normalize/',
      'gateway/prioritize/',
      'gateway/route/rules.ts',
      'gateway/meaning.ts',
      'gateway/meaning-of-text.ts',
      'gateway/version.ts',
    ];
    t.same(
      broken(
        ({ file, to }) =>
          file.startsWith('control-plane/') &&
          to.startsWith('gateway/') &&
          !allowed.some((one) => to.startsWith(one)),
      ),
      [],
    );
  },
);

t.test('architecture - proto imports nothing of ours', async (t) => {
  t.same(
    broken(({ file, to }) => file.startsWith('proto/') && ours(to) && !to.startsWith('proto/')),
    [],
  );
});

t.test('architecture - the product imports nothing of the tests', async (t) => {
  t.same(
    broken(({ file, to }) => /^(gateway|control-plane|proto|deploy)\//.test(file) && to.startsWith('test/')),
    [],
  );
});

t.test('architecture - a stage imports no other stage but the types of the intake', async (t) => {
  t.same(
    broken(({ file, to }) => {
      const [from, into] = [stageOf(file), stageOf(to)];
      return from !== undefined && into !== undefined && from !== into && to !== 'gateway/capture/intake.ts';
    }),
    [],
  );
});

t.test('architecture - a stage never imports the shell that wires it', async (t) => {
  t.same(
    broken(({ file, to }) => stageOf(file) !== undefined && /^gateway\/[^/]+\.ts$/.test(to)),
    [],
  );
});

t.test('architecture - the process kit knows no stage and no shell', async (t) => {
  t.same(
    broken(
      ({ file, to }) =>
        file.startsWith('gateway/process/') &&
        to.startsWith('gateway/') &&
        !to.startsWith('gateway/process/'),
    ),
    [],
  );
});

t.test('architecture - only pipeline, gateway, worker and meaning know two stages', async (t) => {
  const allowed = new Set([
    'gateway/pipeline.ts',
    'gateway/gateway.ts',
    'gateway/worker.ts',
    'gateway/meaning.ts',
  ]);
  const exceptions = new Map([
    // The worker's half of the memory: rows of the journal, decoded for the rules.
    ['gateway/worker-memory.ts', ['journal', 'normalize']],
  ]);
  const knows = new Map<string, Set<string>>();
  for (const { file, to } of imports) {
    if (!/^gateway\/[^/]+\.ts$/.test(file)) continue;
    const stage = to === 'gateway/capture/intake.ts' ? undefined : stageOf(to);
    if (stage !== undefined) knows.set(file, (knows.get(file) ?? new Set()).add(stage));
  }
  const found = [...knows].filter(([file, known]) => known.size > 1 && !allowed.has(file));
  t.same(
    found.map(([file, known]) => [file, [...known].sort()]),
    [...exceptions],
  );
});

t.test('architecture - each outside library has its door', async (t) => {
  const doors: Record<string, RegExp> = {
    lmdb: /^gateway\/process\/lmdb\.ts$/,
    aedes: /^gateway\/capture\/mqtt\/broker\.ts$/,
    '@grpc/grpc-js': /^(gateway\/uplink\/|control-plane\/(session\/|ctl\/|admin-service\.ts$))/,
    '@grpc/proto-loader': /^control-plane\/session\/standard-services\.ts$/,
    '@grpc/reflection': /^control-plane\/session\/standard-services\.ts$/,
    'grpc-health-check': /^control-plane\/session\/standard-services\.ts$/,
    mqtt: /^deploy\//,
    'hl7-standard': /^deploy\/local\/hl7-standard\.ts$/,
    'iconv-lite': /^gateway\/normalize\/hl7v2\/charset\.ts$/,
    '@marcbachmann/cel-js': /^proto\/config\/cel/,
    '@lhncbc/ucum-lhc': /^proto\/units\/ucum\.ts$/,
    commander: /^(gateway\/(main|process\/(cli|completion))\.ts$|control-plane\/(main\.ts$|ctl\/))/,
  };
  for (const [library, door] of Object.entries(doors)) {
    const users = product.filter((file) => usesLibrary(file, library));
    t.same(
      users.filter((file) => !door.test(file)),
      [],
      `${library} is used behind its door only`,
    );
    t.not(users.length, 0, `${library} is used, so the rule means something`);
  }
});

t.test('architecture - the tests use hl7-standard by the door of the product', async (t) => {
  t.same(
    sources.filter((file) => file.startsWith('test/') && usesLibrary(file, 'hl7-standard')),
    [],
  );
});

const pure = [
  /^gateway\/normalize\//,
  /^gateway\/prioritize\//,
  /^gateway\/route\/rules\.ts$/,
  /^gateway\/meaning(-of-text)?\.ts$/,
  /^gateway\/capture\/flags\.ts$/,
  /^gateway\/capture\/(urgency|priority|alarm-priority|words|lines|specimens|trigger)\.ts$/,
  /^gateway\/capture\/intake\.ts$/,
  /^gateway\/capture\/mllp\/(framer|header|answers)\.ts$/,
  /^gateway\/uplink\/(lane|window|pace|clock|backoff)\.ts$/,
  /^gateway\/capture\/mqtt\/urgency\.ts$/,
  // Two are programs of `npm run gen`, and one works with gRPC.
  /^proto\/(?!(?:reference|event-fields|wire)\.ts$)[^/]+\.ts$/,
  /^proto\/fhir\//,
  /^proto\/units\//,
  // The published JSON Schema is written by a script of its own.
  /^proto\/config\/(?!publish\.ts$)/,
];

t.test('architecture - pure code cannot reach the world', async (t) => {
  const harmless = new Set(['node:buffer', 'node:util', 'node:crypto', 'node:zlib']);
  t.same(
    broken(
      ({ file, to }) => pure.some((one) => one.test(file)) && to.startsWith('node:') && !harmless.has(to),
    ),
    // The first tells what an IP address is; the second loads the unit library at its first use. Nothing else.
    ['proto/address.ts → node:net', 'proto/units/ucum.ts → node:module'],
  );
  // What pure code imports is pure as well, types of the contract aside.
  t.same(
    broken(
      ({ file, to }) =>
        pure.some((one) => one.test(file)) &&
        ours(to) &&
        !to.startsWith('proto/gen/') &&
        !pure.some((one) => one.test(to)) &&
        !typesOnly(file, to),
    ),
    [],
  );
});

t.test("architecture - the normalizer's thread loads what it maps with, and no more", async (t) => {
  // Each start of the thread, a replaced one's too, takes as long as its code takes to load.
  const seen = new Set(['gateway/worker.ts']);
  const packages = new Set<string>();
  for (const file of seen) {
    for (const { to } of importsOf(file)) {
      if (to.startsWith('node:') || typesOnly(file, to)) continue;
      if (ours(to)) seen.add(to);
      else packages.add(packageOf(to));
    }
  }
  t.ok(seen.size > 100, `${seen.size} files`);
  t.same(
    [...packages].sort(),
    ['@bufbuild/protobuf', '@marcbachmann/cel-js', 'iconv-lite', 'temporal-polyfill'],
    'no gRPC, no YAML, no schema, no store',
  );
});

t.test('architecture - pure code takes time and randomness as arguments', async (t) => {
  const worldly =
    /\bDate\.now\b|\bMath\.random\b|\bperformance\.now\b|\bnew Date\(\)|\brandom(?:Bytes|UUID|Int)\b|\bprocess\.(?:env|argv|hrtime)|\bsetTimeout\b|\bsetInterval\b/;
  const found: string[] = [];
  for (const file of product.filter((one) => pure.some((pattern) => pattern.test(one)))) {
    const code = withoutComments(readFileSync(join(projectRoot, file), 'utf8'));
    const match = worldly.exec(code);
    if (match !== null) found.push(`${file}: ${match[0]}`);
  }
  t.same(found, []);
});

t.test('architecture - there is no src folder, and no drawer for what has no name', async (t) => {
  const drawers = /(^|\/)(utils?|helpers?|types|manager|common|misc)(\.ts|\/)/;
  t.same(
    product.filter((file) => drawers.test(file)),
    [],
  );
  t.notOk(readdirSync(projectRoot).includes('src'));
});

t.test('architecture - INSTALL.md explains every code of doctor', (t) => {
  const pages = readFileSync(join(projectRoot, 'deploy/INSTALL.md'), 'utf8');
  const sources = ['doctor.ts', 'doctor-start.ts', 'doctor-running.ts'].map((file) =>
    readFileSync(join(projectRoot, 'gateway', file), 'utf8').replace(/[!=]== '[^']*'/g, ''),
  );
  // What stands after a state is a code; a template or a choice tells more than one.
  const told = /(?:'warn'|'fail')(?: : '\w+')?,\s*((?:[^,()]|\n)+?),/g;
  const codes = sources
    .flatMap((text) =>
      [...text.matchAll(told)].flatMap(([, said = '']) => [...said.matchAll(/'([a-z-]+)'/g)]),
    )
    .map(([, code = '']) => code);
  t.ok(codes.length > 30, `${codes.length} were found`);
  for (const code of new Set(codes)) if (!pages.includes(`\`${code}\``)) t.fail(`${code} is not explained`);
  t.end();
});

t.test('architecture - no file of the product grows over 400 lines', async (t) => {
  const linesMax = 400;
  // Each is longer than it should be; the figure is the most that it may have. Down is welcome, up is not.
  const exceptions: Record<string, number> = {
    'gateway/journal/journal.ts': 530,
  };
  const long = new Map<string, number>();
  for (const file of product) {
    const lines = readFileSync(join(projectRoot, file), 'utf8').split('\n').length - 1;
    if (lines > (exceptions[file] ?? linesMax)) t.fail(`${file} has ${lines} lines`);
    if (lines > linesMax) long.set(file, lines);
  }
  t.same([...long.keys()].sort(), Object.keys(exceptions).sort(), 'the list of exceptions is up to date');
  const sizes = product
    .map((file) => readFileSync(join(projectRoot, file), 'utf8').split('\n').length)
    .sort((a, b) => a - b);
  t.comment(`median ${sizes[Math.floor(sizes.length / 2)]} lines of ${sizes.length} files`);
});

t.test('architecture - generated code and descriptor set are what the contract gives', async (t) => {
  const run = promisify(execFile);
  const checked = await run(process.execPath, ['proto/gen.mjs', '--check'], { cwd: projectRoot }).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
  t.equal(checked, '', 'npm run gen would change nothing, and the contract only grew');
});

function broken(rule: (one: Import) => boolean): string[] {
  return imports.filter(rule).map(({ file, to }) => `${file} → ${to}`);
}

function stageOf(path: string): string | undefined {
  const [, stage] = /^gateway\/([a-z]+)\//.exec(path) ?? [];
  return stage !== undefined && stages.includes(stage) ? stage : undefined;
}

function ours(path: string): boolean {
  return /^(gateway|control-plane|proto|deploy|test)\//.test(path);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function usesLibrary(file: string, library: string): boolean {
  const text = withoutComments(readFileSync(join(projectRoot, file), 'utf8'));
  // A package without types is loaded through require.
  const required = new RegExp(`require(?:\\([^)]*\\))?\\(\\s*['"]${library}['"]`, 'i');
  return required.test(text) || importsIn(file, text).some(({ to }) => packageOf(to) === library);
}

/** Does the file import nothing but types from there? */
function typesOnly(file: string, to: string): boolean {
  const text = withoutComments(readFileSync(join(projectRoot, file), 'utf8'));
  return [...text.matchAll(/import\s+(type\s)?[^;]*?from\s+'([^']+)'/g)]
    .filter(([, , specifier = '']) => resolved(file, specifier) === to)
    .every(([, type]) => type !== undefined);
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function importsOf(file: string): Import[] {
  return importsIn(file, withoutComments(readFileSync(join(projectRoot, file), 'utf8')));
}

function importsIn(file: string, text: string): Import[] {
  const statics = [...text.matchAll(/^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm)];
  const bare = [...text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)];
  const dynamic = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)];
  return [...statics, ...bare, ...dynamic].map(([, specifier = '']) => ({
    file,
    to: resolved(file, specifier),
  }));
}

function resolved(file: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
}

/** A comment may speak of what code may not do. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
