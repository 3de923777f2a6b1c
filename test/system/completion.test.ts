/** The completion scripts, sourced in the shells that they are for: what a person gets at the Tab key. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { folderOf, runProgram } from '../kit/site.ts';

const folder = folderOf(t);
mkdirSync(join(folder, 'some dir'));
writeFileSync(join(folder, 'site.yaml'), '');

const programs = { hilumctl: 'ctl', 'hilum-gateway': 'gateway', 'hilum-control-plane': 'plane' } as const;

/** The scripts of the three programs in one file. */
async function scripts(shell: string): Promise<string> {
  const parts: string[] = [];
  for (const program of Object.values(programs)) {
    const { code, stdout, stderr } = await runProgram(program, ['completion', shell]);
    if (code !== 0) throw new Error(stderr);
    parts.push(stdout);
  }
  const file = join(folder, `all.${shell}`);
  writeFileSync(file, parts.join(''));
  return file;
}

/** Runs it once for all cases; what it offers for case n comes after a line `case n`. */
function offered(shell: string, args: readonly string[], text: string): string[][] {
  const { status, stdout, stderr } = spawnSync(shell, [...args, text], { cwd: folder, encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`${shell}: exit ${status}: ${stderr}`);
  const parts = stdout.split(/^case \d+\n/m).slice(1);
  return parts.map((part) =>
    part
      .split('\n')
      .filter((line) => line !== '')
      .sort(),
  );
}

const installed = (shell: string) =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `no ${shell} here`;

/** What was typed, the word at the cursor last; all that is offered. */
const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ['hilumctl', 'c'],
    ['config', 'codes', 'custody', 'completion'],
  ],
  [['hilumctl', 'config', 'r'], ['rollback']],
  [['hilumctl', '--context', 'events', 'config', 'st'], ['status']],
  [
    ['hilumctl', 'events', '--class', ''],
    ['stat', 'urgent', 'routine', 'bulk'],
  ],
  [['hilumctl', 'events', '--class', 'stat', '--fr'], ['--from-start']],
  [
    ['hilumctl', 'events', '-o', 'js'],
    ['json', 'jsonl'],
  ],
  [
    ['hilumctl', 'config', 'push', 's'],
    ['site.yaml', 'some dir'],
  ],
  [['hilumctl', 'events', '--site', ''], []],
  [
    ['hilumctl', 'completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['hilum-gateway', 'journal', 'v'], ['verify']],
  [['hilum-gateway', 'run', '--data', 's'], ['some dir']],
  [['hilum-gateway', 'run', '--s'], ['--settings']],
  [['hilum-control-plane', 'v'], ['verify']],
];

const inQuotes = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
const eachCase = (text: (words: readonly string[]) => string) =>
  cases.map(([words], at) => `echo case ${at}\n${text(words)}`).join('\n');

function compare(
  t: { same(found: unknown, wanted: unknown, message: string): unknown },
  got: string[][],
): void {
  for (const [at, [words, wanted]] of cases.entries()) t.same(got[at], [...wanted].sort(), words.join(' '));
}

t.test('completion - bash offers verbs, options, words and files', { skip: installed('bash') }, async (t) => {
  const file = await scripts('bash');
  const text = eachCase(
    (words) => `COMP_WORDS=(${inQuotes(words)}); COMP_CWORD=${words.length - 1}
set -- $(complete -p ${words[0]}); "$3" 2>&1; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  compare(t, offered('bash', ['--norc', '-c'], `source ${file}\n${text}`));
});

t.test('completion - zsh offers verbs, options, words and files', { skip: installed('zsh') }, async (t) => {
  const file = await scripts('zsh');
  // The completion system itself is stood in for: it drops what does not begin like the word at the cursor.
  const text = eachCase((words) => `words=(${inQuotes(words)}); CURRENT=${words.length}; $by[${words[0]}]`);
  const got = offered(
    'zsh',
    ['-f', '-c'],
    `typeset -A by; compdef() { by[$2]=$1 }
compadd() { shift; print -l -- $@ }; _describe() { print -l -- \${spots%%:*} }
_files() { [[ $1 == -/ ]] && print -l -- *(/) || print -l -- * }
source ${file}\n${text}`,
  );
  compare(
    t,
    got.map((words, at) => words.filter((word) => word.startsWith(cases[at]?.[0].at(-1) ?? ''))),
  );
});

t.test('completion - fish offers verbs, options, words and files', { skip: installed('fish') }, async (t) => {
  const file = await scripts('fish');
  const text = eachCase((words) => `complete -C '${words.join(' ')}'`);
  const got = offered('fish', ['--no-config', '-c'], `source ${file}\n${text}`);
  compare(
    t,
    got.map((lines) => lines.map((line) => (line.split('\t')[0] ?? '').replace(/\/$/, '')).sort()),
  );
});

t.test('completion - a shell that is not known is a usage error', async (t) => {
  const { code, stderr } = await runProgram('ctl', ['completion', 'tcsh']);
  t.equal(code, 2);
  t.match(stderr, /bash, zsh, fish/);
});
