/**
 * Runs the compiled tests (suite.ts) and ends with one plain line, "N passed, N failed[, N skipped]".
 * Arguments are test files; none means all.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const suite = fileURLToPath(new URL('./suite.js', import.meta.url));
const child = spawn(process.execPath, [suite, ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, NO_COLOR: '1' },
});
const total = { all: 0, pass: 0, skip: 0, todo: 0 };
let showing = 0;
for await (const line of createInterface({ input: child.stdout })) {
  const summary = /^# \{ total: (\d+)(.*)\}/.exec(line);
  if (summary !== null) {
    const count = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(summary[2] ?? '')?.[1] ?? 0);
    Object.assign(total, {
      all: Number(summary[1]),
      pass: count('pass'),
      skip: count('skip'),
      todo: count('todo'),
    });
  }
  const failing = /^\s*not ok /.test(line) && !/# (?:SKIP|TODO)/i.test(line);
  if (failing) showing = 40;
  else if (/^\s*ok /.test(line)) showing = 0;
  const fileResult = /^(?:not )?ok \d/.test(line);
  const skipped = /^\s*(?:not )?ok .*# SKIP/i.test(line);
  if (showing > 0 || fileResult || skipped) process.stdout.write(`${line}\n`);
  showing -= 1;
}
const code = await new Promise<number>((resolve) => {
  if (child.exitCode !== null) resolve(child.exitCode);
  else child.once('close', (exit) => resolve(exit ?? 1));
});
const skipped = total.skip + total.todo;
const failed = Math.max(total.all - total.pass - skipped, code === 0 ? 0 : 1);
process.stdout.write(`${total.pass} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
// Nothing run is no success; in CI nothing may be skipped.
process.exit(code || (total.all === 0 || (process.env.CI === 'true' && skipped > 0) ? 1 : 0));
