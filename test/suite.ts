/**
 * The test files as one tap test, in processes of their own, some at a time, and without the loader for coverage
 * and mocks that tap puts into them (kit/bare.ts): no test needs it, and it costs up to a second of processor a file.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { bare } from './kit/bare.ts';

/** One more than cores: a file that waits for something leaves its core to another. */
const jobs = availableParallelism() + 1;
/** For one test file. */
const fileMs = 420_000;

const here = fileURLToPath(new URL('.', import.meta.url));
const ends = new URL('./kit/ends.js', import.meta.url).href;
const asked = process.argv.slice(2).map((file) => file.replace(/^(?:dist\/)?test\/(.*)\.[tj]s$/, '$1.js'));
// The long ones stand at the end of the alphabet: begun last, they would run alone.
const all = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js'))
  .sort()
  .reverse();

/** Folders whose files compute and do no more: loading what they need takes longer than that, so they share processes. */
const computing = ['config', 'conformance', 'fhir', 'normalize', 'prioritize', 'proto'];
const together = 12;

t.jobs = jobs;
t.setTimeout(0);
const shared = asked.length > 0 ? [] : all.filter((file) => computing.includes(file.split('/', 1)[0] ?? ''));
for (const file of asked.length > 0 ? asked : all) if (!shared.includes(file)) run(file, titleOf(file));
for (let at = 0; at < shared.length; at += together) {
  const some = shared.slice(at, at + together);
  run('several.js', some.map(titleOf).join(' '), { HILUM_TEST_FILES: some.join(' ') });
}

function run(file: string, title: string, env: Record<string, string> = {}): void {
  void t.spawn(
    ...bare(process.execPath, [`--import=${ends}`, `${here}${file}`]),
    { timeout: fileMs, buffered: true, env: { ...process.env, TAP_TIMEOUT: String(fileMs / 1000), ...env } },
    title,
  );
}

function titleOf(file: string): string {
  return `test/${file.replace(/\.js$/, '.ts')}`;
}
