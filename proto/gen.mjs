// Generates proto/gen from proto/hilum: static ts-proto code for the wire, the writers of what
// the gateway writes most, and the descriptor set that gRPC reflection serves, comments included;
// and proto/EVENT.md from it. All are committed; `--check` says whether they are what the .proto
// files give, and that the contract only grew (buf breaking).
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writersOf } from './gen-writers.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const gen = join(root, 'proto/gen');
const check = process.argv.includes('--check');
const target = check ? mkdtempSync(join(tmpdir(), 'hilum-gen-')) : join(root, 'proto');
const out = join(target, 'gen');

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const protos = walk(join(root, 'proto/hilum')).map((file) => relative(join(root, 'proto'), file));
run('node_modules/.bin/protoc', [
  '-I',
  'proto',
  '--plugin=protoc-gen-ts_proto=node_modules/.bin/protoc-gen-ts_proto',
  `--ts_proto_out=${out}`,
  `--descriptor_set_out=${join(out, 'hilum.binpb')}`,
  '--include_imports',
  '--include_source_info',
  [
    '--ts_proto_opt=outputServices=grpc-js,env=both,unknownFields=true,forceLong=bigint,oneof=unions-value',
    'outputJsonMethods=true,outputPartialMethods=true,useExactTypes=false,esModuleInterop=true',
    'importSuffix=.ts,useOptionals=none,enumsAsLiterals=true,globalThisPolyfill=false',
  ].join(','),
  ...protos,
]);
writeFileSync(
  join(out, 'hilum/v1/event-writer.ts'),
  writersOf(readFileSync(join(out, 'hilum.binpb')), [
    '.hilum.v1.ClinicalEvent',
    '.hilum.v1.Envelope',
    '.hilum.v1.JournalRecord',
  ]),
);

run('node_modules/.bin/tsx', [
  'proto/event-fields.ts',
  'proto/hilum/v1/event.proto',
  join(out, 'event-fields.ts'),
]);
run('node_modules/.bin/tsx', ['proto/reference.ts', join(out, 'hilum.binpb'), join(target, 'EVENT.md')]);

if (check) {
  const fresh = walk(target).map((file) => relative(target, file));
  const committed = [...walk(gen), join(root, 'proto/EVENT.md')].map((file) =>
    relative(join(root, 'proto'), file),
  );
  const drifted = [...new Set([...fresh, ...committed])].filter((file) => {
    const [made, kept] = [join(target, file), join(root, 'proto', file)];
    return !existsSync(made) || !existsSync(kept) || !readFileSync(made).equals(readFileSync(kept));
  });
  rmSync(target, { recursive: true, force: true });
  if (drifted.length > 0) {
    console.error(`proto: not what proto/hilum gives: ${drifted.join(', ')}. Run: npm run gen`);
    process.exit(1);
  }
  run('node_modules/.bin/buf', ['breaking', 'proto', '--against', 'proto/baseline.binpb']);
} else if (!existsSync(join(root, 'proto/baseline.binpb'))) {
  cpSync(join(gen, 'hilum.binpb'), join(root, 'proto/baseline.binpb'));
}

function run(program, args) {
  try {
    execFileSync(join(root, program), args, { cwd: root, stdio: 'inherit' });
  } catch (error) {
    process.exit(error.status ?? 1); // it has said what is wrong
  }
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
