/**
 * `completion bash|zsh|fish`: a script for the shell, made from the program's own definitions, so that it
 * can never know other verbs and options than `--help` does.
 */
import { Argument, type Command } from 'commander';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';

/** What may stand for a value: one of some words, a file, a directory, or something that only the user knows. */
export type Value = readonly string[] | 'file' | 'directory' | 'other';

export interface Flag {
  /** `--output`, `-o`. */
  readonly names: readonly string[];
  readonly about: string;
  /** Undefined for a flag that takes none. */
  readonly value: Value | undefined;
}

/** One place in the tree of verbs. */
export interface Spot {
  /** The verbs that lead there, each after a space: '', ' config', ' config push'. */
  readonly path: string;
  readonly verbs: readonly { readonly name: string; readonly about: string }[];
  readonly flags: readonly Flag[];
  readonly argument: Value | undefined;
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function addCompletion(program: Command): void {
  const name = program.name();
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
Examples:
  source <(${name} completion bash)                                     for this shell
  ${name} completion bash > /etc/bash_completion.d/${name}
  ${name} completion zsh  > "\${fpath[1]}/_${name}"
  ${name} completion fish > ~/.config/fish/completions/${name}.fish`,
    )
    .action((shell: keyof typeof scripts) => {
      process.stdout.write(scripts[shell](name, spotsOf(program)));
    });
}

/** Every place, the program itself first. Options of the program are good at each of its verbs. */
function spotsOf(command: Command, path = '', inherited: readonly Flag[] = []): Spot[] {
  const options = command.createHelp().visibleOptions(command);
  const own = options.map((option): Flag => {
    const takesValue = option.required || option.optional;
    return {
      names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
      about: option.description,
      value: takesValue
        ? valueFor(option.argChoices, /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? '')
        : undefined,
    };
  });
  const flags = [...own, ...inherited];
  const [first] = command.registeredArguments;
  const passedOn = flags.filter(({ names }) => !names.includes('--help') && !names.includes('--version'));
  return [
    {
      path,
      verbs: command.commands.map((verb) => ({ name: verb.name(), about: verb.description() })),
      flags,
      argument: first === undefined ? undefined : valueFor(first.argChoices, first.name()),
    },
    ...command.commands.flatMap((verb) => spotsOf(verb as Command, `${path} ${verb.name()}`, passedOn)),
  ];
}

function valueFor(choices: readonly string[] | undefined, name: string): Value {
  if (choices !== undefined) return choices;
  if (name === 'dir') return 'directory';
  return name === 'file' || name === 'config' ? 'file' : 'other';
}
