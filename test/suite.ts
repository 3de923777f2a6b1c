/**
 * The test files as one tap test, each in a process of its own, some at a time, and without the loader for coverage
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

t.jobs = jobs;
t.setTimeout(0);
for (const file of asked.length > 0 ? asked : all) {
  void t.spawn(
    ...bare(process.execPath, [`--import=${ends}`, `${here}${file}`]),
    { timeout: fileMs, buffered: true, env: { ...process.env, TAP_TIMEOUT: String(fileMs / 1000) } },
    `test/${file.replace(/\.js$/, '.ts')}`,
  );
}
