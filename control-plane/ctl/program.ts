/** hilumctl, the central team's client: its verbs. */
import { Command, Option } from 'commander';
import { addCompletion } from '../../gateway/process/completion.ts';
import { version } from '../../gateway/version.ts';
import { addAdminCommands } from './admin-commands.ts';
import { addCodeCommands } from './code-commands.ts';
import { addConfigCommands } from './config-commands.ts';
import { addEventCommands } from './event-commands.ts';
import { addExplainCommand } from './explain-command.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { addQuarantineCommands } from './quarantine-commands.ts';
import { addSourceCommands } from './source-commands.ts';

export function hilumctl(): Command {
  const program = new Command('hilumctl')
    .description(
      'Asks and tells the control plane: gateways, events, traces, config, codes, quarantine, custody, audit.',
    )
    .version(version)
    .addOption(
      new Option(
        '--context <file>',
        'who asks, and which control plane; default: $HILUM_CONTEXT, else ./var/control-plane/admin.json',
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  hilumctl token create --site north            a word to paste into hilum-gateway enroll
  hilumctl gateways                             who is connected, what runs where
  hilumctl events --from-start -o jsonl         every canonical event, one JSON line each
  hilumctl events --follow --class stat         watch the urgent ones come in
  hilumctl trace MSG00042                       every hop of one message, with its time
  hilumctl explain result.hl7                   where each field comes from, and what was not used
  hilumctl config push site.yaml --site north --reason "map the new analyzer"
  hilumctl codes list --unmapped                codes and units that nothing maps yet
  hilumctl custody                              accepted, delivered, quarantined, missing, doubled`,
    );

  addFleetCommands(program);
  addEventCommands(program);
  addExplainCommand(program);
  addConfigCommands(program);
  addCodeCommands(program);
  addSourceCommands(program);
  addQuarantineCommands(program);
  addAdminCommands(program);

  addCompletion(program);
  return program;
}
