/** How every program of Hilum ends: usage errors with 2, our own errors with their code and hint, help with 0. */
import type { Command } from 'commander';
import { exitCode } from './errors.ts';
import { failWith } from './lifecycle.ts';

export function runProgram(program: Command): void {
  overrideExit(program);
  // A reader that closes its end (head, less) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCode.done);
  });
  program.parseAsync().catch(failWith);
}

function overrideExit(command: Command): void {
  command.showHelpAfterError('(--help shows what there is)');
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage);
  });
  for (const inner of command.commands) overrideExit(inner as Command);
}
