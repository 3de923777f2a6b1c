/** How every program of Hilum ends: usage errors with 2, our own errors with their code and hint, help with 0. */
import { type Command, Help, InvalidArgumentError, Option } from 'commander';
import { nearest } from '../../proto/config/nearest.ts';
import { exitCode, HilumError } from './errors.ts';
import { failWith } from './lifecycle.ts';
import { wholeOutput } from './standard-output.ts';

/** Resolves where it has done what it was asked for; in every other case the process ends. */
export function runProgram(program: Command): Promise<void> {
  overrideExit(program);
  program.addHelpText('after', `\n${exitStatus}`);
  // Node's own answer to it is a debugger port, which needs no login: whoever is on this host could read all that is in memory.
  process.on('SIGUSR1', () => {});
  wholeOutput();
  // What waits for something that never comes keeps no process alive: it would end here with 0, as if it were done.
  const unfinished = () => failWith(endedEarly(program.name()));
  process.once('beforeExit', unfinished);
  return program.parseAsync().then(() => void process.off('beforeExit', unfinished), failWith);
}

const exitStatus =
  'Exit status: 0 done, 1 failed, 2 usage, 3 refused, 69 unreachable, 75 try again, 78 bad config';

function endedEarly(program: string): HilumError {
  return new HilumError('unfinished', `${program} ended before it was done.`, {
    hint: 'It waited for something that never came. This is a fault of the program: tell whoever maintains it.',
  });
}

/** `-o`, the same on every read. */
export function output(): Option {
  return new Option('-o, --output <form>', 'how it is printed')
    .choices(['table', 'json', 'jsonl', 'yaml'])
    .default('table');
}

/** The value of an option that counts something: as large as the contract's numbers, 32 bits. */
export function wholeNumber(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) throw new InvalidArgumentError('Write a whole number below 4294967296.');
  return value;
}

function overrideExit(command: Command): void {
  command.showHelpAfterError('(--help shows what there is)');
  command.configureHelp({ optionDescription, showGlobalOptions: true, visibleGlobalOptions });
  command.addHelpText('before', ({ command: shown }) => {
    const asked = verbAsked(shown);
    return asked === shown ? '' : asked.help();
  });
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage);
  });
  for (const inner of command.commands) overrideExit(inner as Command);
}

/**
 * The verb that the words name. Left to itself, commander shows the help of its parent, as if all were well,
 * where `--help` comes after a verb that is not there, and where `help` comes before two verbs.
 */
function verbAsked(shown: Command): Command {
  let verb = shown;
  while (verb.parent !== null) verb = verb.parent;
  // Nothing was read, so nobody asked.
  if (verb.args.length === 0) return shown;
  for (const word of verb.args) {
    if (verb.commands.length === 0 || word.startsWith('-')) break;
    if (word === 'help') continue;
    const names = verb.commands.map((inner) => inner.name());
    const next = verb.commands[names.indexOf(word)];
    if (next === undefined) {
      const near = nearest(word, names);
      verb.error(`error: unknown command '${word}'${near === undefined ? '' : `\n(Did you mean ${near}?)`}`);
    }
    verb = next as Command;
  }
  return verb;
}

/** Of a verb: what may stand before it, or behind it as well. */
function visibleGlobalOptions(this: Help, verb: Command): Option[] {
  return Help.prototype.visibleGlobalOptions.call(this, verb).filter(({ long }) => long !== '--version');
}

/** As commander says it, with what must be there marked, and without defaults that say "nothing". */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const silent = defaultValue === '' || defaultValue === 0;
  const shown = silent
    ? (Object.assign(Object.create(option), { defaultValue: undefined }) as Option)
    : option;
  const text = Help.prototype.optionDescription.call(new Help(), shown);
  return option.mandatory && option.defaultValue === undefined ? `${text} (required)`.trim() : text;
}
