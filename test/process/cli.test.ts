/** How every program ends: never with 0 before its verb is done. */
import { type StdioOptions, spawnSync } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bare } from '../kit/bare.ts';
import { projectRoot } from '../kit/paths.ts';
import { smallVolume } from '../kit/volume.ts';

const built = './dist/gateway/process/cli.js';

/** A program whose one verb does this, and prints there. */
function verb(action: string, stdout: 'pipe' | number = 'pipe', word = 'go') {
  const script = `
import { Command } from 'commander';
import { runProgram } from ${JSON.stringify(built)};
const program = new Command('hilum-test');
program.command('go').action(${action});
process.argv = [process.argv[0], '${word}'];
runProgram(program);
`;
  const args = ['--input-type=module', '-e', script];
  const stdio: StdioOptions = ['ignore', stdout, 'pipe'];
  return spawnSync(...bare(process.execPath, args), { cwd: projectRoot, encoding: 'utf8', stdio });
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

const unwritten = {
  status: 1,
  stderr:
    /^Standard output cannot be written \(ENOSPC\): no space is left where it goes\.\nWhat was printed is not whole\./,
};

t.test('programs - what cannot be printed because a disk is full fails, and says so', (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  t.match(verb(`() => { process.stdout.write('a token\\n'); }`, full), unwritten);
  t.match(verb(`() => { process.stdout.write('a token\\n'); process.exit(0); }`, full), unwritten);
  t.match(verb('() => {}', full, '--help'), unwritten, 'also help');
  t.match(verb('() => {}', full), { status: 0, stderr: '' }, 'nothing to print is nothing lost');
  t.end();
});

const volume = smallVolume(t, 1);
const needsVolume = { skip: volume === undefined && 'no volume of its own could be mounted' };

t.test(
  'programs - a volume that takes the first part of what is printed takes not all of it',
  needsVolume,
  (t) => {
    const file = join(volume as string, 'out');
    const there = openSync(file, 'w');
    t.match(verb(`() => { process.stdout.write('x'.repeat(3 * 1024 ** 2)); }`, there), unwritten);
    closeSync(there);
    t.ok(statSync(file).size > 0, 'a part of it is there');
    t.end();
  },
);

t.test('programs - a reader that has seen enough is no failure', (t) => {
  const script = `node --input-type=module -e '
import { Command } from "commander";
import { runProgram } from ${JSON.stringify(built)};
const program = new Command("hilum-test");
program.command("go").action(async () => {
  for (let line = 0; line < 100000; line++) {
    if (!process.stdout.write("a line\\n")) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
});
process.argv = [process.argv[0], "go"];
runProgram(program);
' | head -1; echo \${PIPESTATUS[0]}`;
  const [command, args] = bare('bash', ['-c', script.replace('node ', `${process.execPath} `)]);
  t.match(spawnSync(command, args, { cwd: projectRoot, encoding: 'utf8' }), {
    stdout: 'a line\n0\n',
    stderr: '',
  });
  t.end();
});
