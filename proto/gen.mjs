// Generates proto/gen from proto/hilum: static ts-proto code for the wire, the writers of what
// the gateway writes most, and the descriptor set that gRPC reflection serves. All are committed; `--check` says whether
// they are what the .proto files give, and that the contract only grew (buf breaking).
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
const out = check ? mkdtempSync(join(tmpdir(), 'hilum-gen-')) : gen;

if (!check) {
  rmSync(gen, { recursive: true, force: true });
  mkdirSync(gen, { recursive: true });
}

const protos = walk(join(root, 'proto/hilum')).map((file) => relative(join(root, 'proto'), file));
run('node_modules/.bin/protoc', [
  '-I',
  'proto',
  '--plugin=protoc-gen-ts_proto=node_modules/.bin/protoc-gen-ts_proto',
  `--ts_proto_out=${out}`,
  `--descriptor_set_out=${join(out, 'hilum.binpb')}`,
  '--include_imports',
  [
    '--ts_proto_opt=outputServices=grpc-js,env=both,unknownFields=true,forceLong=bigint,oneof=unions-value',
    'outputJsonMethods=true,outputPartialMethods=true,useExactTypes=false,esModuleInterop=true',
    'importSuffix=.ts,useOptionals=none,enumsAsLiterals=true,globalThisPolyfill=false',
  ].join(','),
  ...protos,
]);
writeFileSync(
  join(out, 'hilum/v1/event-writer.ts'),
  writersOf(readFileSync(join(out, 'hilum.binpb')), ['.hilum.v1.ClinicalEvent', '.hilum.v1.Envelope']),
);

if (check) {
  const fresh = walk(out).map((file) => relative(out, file));
  const committed = walk(gen).map((file) => relative(gen, file));
  const drifted = [...new Set([...fresh, ...committed])].filter(
    (file) =>
      !existsSync(join(out, file)) ||
      !existsSync(join(gen, file)) ||
      !readFileSync(join(out, file)).equals(readFileSync(join(gen, file))),
  );
  rmSync(out, { recursive: true, force: true });
  if (drifted.length > 0) {
    console.error(`proto/gen is not what proto/hilum gives: ${drifted.join(', ')}. Run: npm run gen`);
    process.exit(1);
  }
  run('node_modules/.bin/buf', ['breaking', 'proto', '--against', 'proto/baseline.binpb']);
} else if (!existsSync(join(root, 'proto/baseline.binpb'))) {
  cpSync(join(gen, 'hilum.binpb'), join(root, 'proto/baseline.binpb'));
}

function run(program, args) {
  execFileSync(join(root, program), args, { cwd: root, stdio: 'inherit' });
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
