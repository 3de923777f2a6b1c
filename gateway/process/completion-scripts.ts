/**
 * The three scripts. Each first walks the words before the cursor to the place that they lead to, over the
 * values of options, and then offers what can stand there. Texts of ours have no quote in a place where a
 * shell would mind; `quoted` sees to that.
 */
import type { Spot, Value } from './completion.ts';

export function bashScript(program: string, spots: readonly Spot[]): string {
  const offer = (value: Value) => {
    if (value === 'other') return ':';
    if (value === 'file')
      return 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current")';
    if (value === 'directory')
      return 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current")';
    return `mapfile -t COMPREPLY < <(compgen -W ${quoted(value.join(' '))} -- "$current")`;
  };
  const name = functionOf(program);
  return `# bash completion of ${program}
${name}() {
  local at='' i current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${patterns(verbPaths(spots))}) at+=" \${COMP_WORDS[i]}" ;;
      ${patterns(valueFlags(spots).map(({ key }) => key))}) i=$((i + 1)) ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${valueFlags(spots)
  .map(({ key, value }) => `    ${quoted(key)}) ${offer(value)}; return ;;\n`)
  .join('')}  esac
  if [[ $current == -* ]]; then
    case "$at" in
${spots.map((spot) => `      ${quoted(spot.path)}) ${offer(flagNames(spot))} ;;\n`).join('')}    esac
    return
  fi
  case "$at" in
${spots.flatMap((spot) => (here(spot) === undefined ? [] : `    ${quoted(spot.path)}) ${offer(here(spot) as Value)} ;;\n`)).join('')}  esac
}
complete -F ${name} ${program}
`;
}

export function zshScript(program: string, spots: readonly Spot[]): string {
  const offer = (value: Value) => {
    if (value === 'other') return ':';
    if (value === 'file') return '_files';
    if (value === 'directory') return '_files -/';
    return `compadd -- ${value.map(quoted).join(' ')}`;
  };
  const name = functionOf(program);
  const describe = (list: string, rows: readonly { name: string; about: string }[]) =>
    `spots=(${rows.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')}); _describe ${list} spots`;
  return `#compdef ${program}
# zsh completion of ${program}
${name}() {
  local at='' i
  local -a spots
  for ((i = 2; i < CURRENT; i++)); do
    case "$at $words[i]" in
      ${patterns(verbPaths(spots))}) at+=" $words[i]" ;;
      ${patterns(valueFlags(spots).map(({ key }) => key))}) i=$((i + 1)) ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${valueFlags(spots)
  .map(({ key, value }) => `    ${quoted(key)}) ${offer(value)}; return ;;\n`)
  .join('')}  esac
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${spots.map((spot) => `      ${quoted(spot.path)}) ${offer(flagNames(spot))} ;;\n`).join('')}    esac
    return
  fi
  case "$at" in
${spots
  .flatMap((spot) => {
    const value = here(spot);
    if (value === undefined) return [];
    return `    ${quoted(spot.path)}) ${spot.verbs.length > 0 ? describe('verb', spot.verbs) : offer(value)} ;;\n`;
  })
  .join('')}  esac
}
if [[ $funcstack[1] == _${program} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

export function fishScript(program: string, spots: readonly Spot[]): string {
  const name = `_${functionOf(program)}_at`;
  const values = (value: Value) => {
    if (value === 'file') return ' -rF';
    if (value === 'directory') return " -xa '(__fish_complete_directories)'";
    return value === 'other' ? ' -x' : ` -xa ${quoted(value.join(' '))}`;
  };
  const lines = spots.flatMap((spot) => {
    const condition = `-n ${quoted(`${name} ${quotedInside(spot.path)}`)}`;
    const verbs = spot.verbs.map(
      (verb) => `complete -c ${program} ${condition} -a ${quoted(verb.name)} -d ${quoted(verb.about)}`,
    );
    const argument =
      spot.argument === undefined || spot.argument === 'other'
        ? []
        : [`complete -c ${program} ${condition}${values(spot.argument).replace(/^ -[rx]/, ' -')}`];
    const flags = spot.flags.map((flag) => {
      const names = flag.names.map((one) =>
        one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`,
      );
      const value = flag.value === undefined ? '' : values(flag.value);
      return `complete -c ${program} ${condition} ${names.join(' ')}${value} -d ${quoted(flag.about)}`;
    });
    return [...verbs, ...argument, ...flags];
  });
  return `# fish completion of ${program}
function ${name}
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at $word"
            case ${verbPaths(spots).map(quoted).join(' ')}
                set at "$at $word"
            case ${valueFlags(spots)
              .map(({ key }) => quoted(key))
              .join(' ')}
                set skip 1
        end
    end
    test "$at" = "$argv[1]"
end
complete -c ${program} -f
${lines.join('\n')}
`;
}

/** What can stand at a place when no option does. */
function here(spot: Spot): Value | undefined {
  return spot.verbs.length > 0 ? spot.verbs.map(({ name }) => name) : spot.argument;
}

function flagNames(spot: Spot): readonly string[] {
  return spot.flags.flatMap(({ names }) => names);
}

function verbPaths(spots: readonly Spot[]): string[] {
  return spots.flatMap(({ path }) => (path === '' ? [] : [path]));
}

/** Options with a value, each as the path of its place and its name. */
function valueFlags(spots: readonly Spot[]): { key: string; value: Value }[] {
  return spots.flatMap(({ path, flags }) =>
    flags.flatMap(({ names, value }) =>
      value === undefined ? [] : names.map((name) => ({ key: `${path} ${name}`, value })),
    ),
  );
}

function functionOf(program: string): string {
  return `_${program.replaceAll('-', '_')}`;
}

function patterns(texts: readonly string[]): string {
  return texts.map(quoted).join('|');
}

/** In single quotes, for all three shells; an apostrophe becomes a typographic one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’').replaceAll('\\', '')}'`;
}

/** A word inside of a text that is in single quotes. */
function quotedInside(text: string): string {
  return `"${text}"`;
}
