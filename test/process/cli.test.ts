/** How every program ends: never with 0 before its verb is done. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { bare } from '../kit/bare.ts';
import { projectRoot } from '../kit/paths.ts';

const built = './dist/gateway/process/cli.js';

/** A program whose one verb does this. */
function verb(action: string) {
  const script = `
import { Command } from 'commander';
import { runProgram } from ${JSON.stringify(built)};
const program = new Command('hilum-test');
program.command('go').action(${action});
process.argv = [process.argv[0], 'go'];
runProgram(program);
`;
  const args = ['--input-type=module', '-e', script];
  return spawnSync(...bare(process.execPath, args), { cwd: projectRoot, encoding: 'utf8' });
}

t.test('programs - a verb that waits for what never comes fails, and says so', (t) => {
  t.match(verb('() => new Promise(() => {})'), {
    status: 1,
    stdout: '',
    stderr: /^hilum-test ended before it was done\.\n/,
  });
  t.end();
});

t.test('programs - a verb that is done ends with 0, or with the code that it set', (t) => {
  t.match(verb('async () => { await new Promise((resolve) => setTimeout(resolve, 1)); }'), {
    status: 0,
    stderr: '',
  });
  t.match(verb('async () => { process.exitCode = await Promise.resolve(3); }'), { status: 3, stderr: '' });
  // What goes on after the verb, as a daemon does, is no part of it.
  t.match(verb('() => { setTimeout(() => process.exit(75), 1); }'), { status: 75, stderr: '' });
  t.end();
});
