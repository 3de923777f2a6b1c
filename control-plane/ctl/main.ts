#!/usr/bin/env node
/** hilumctl: the central team's client. */
import { Command, Option } from 'commander';
import { exitCode } from '../../gateway/process/errors.ts';
import { failWith } from '../../gateway/process/lifecycle.ts';
import { version } from '../../gateway/version.ts';
import { addConfigCommands } from './config-commands.ts';
import { addEventCommands } from './event-commands.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { addQuarantineCommands } from './quarantine-commands.ts';

const program = new Command('hilumctl')
  .description(
    'Asks and tells the control plane: gateways, events, traces, config, quarantine, custody, audit.',
  )
  .version(version)
  .addOption(new Option('--context <file>', 'default: $HILUM_CONTEXT, else ./var/control-plane/admin.json'))
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText(
    'after',
    `
Examples:
  hilumctl token create --site north            a word to paste into hilum-gateway enroll
  hilumctl gateways                             who is connected, what runs where
  hilumctl events --from-start -o jsonl         every canonical event, one JSON line each
  hilumctl events --follow --class stat         watch the urgent ones come in
  hilumctl trace MSG00042                       every hop of one message, with its time
  hilumctl config push site.yaml --site north --reason "map the new analyzer"
  hilumctl custody                              accepted, delivered, quarantined, missing, doubled

Exit status: 0 done, 1 failed, 2 usage, 3 refused, 69 unreachable, 75 try again, 78 bad config`,
  );

addFleetCommands(program);
addEventCommands(program);
addConfigCommands(program);
addQuarantineCommands(program);

for (const command of program.commands) overrideExit(command);
overrideExit(program);
program.parseAsync().catch(failWith);

function overrideExit(command: Command): void {
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage);
  });
  for (const inner of command.commands) overrideExit(inner);
}

// A reader that closes its end (head, less) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCode.done);
});
