/** explain: where each field of an event comes from, by which rule, and what of the message is in no event. */
import type { Command } from 'commander';
import type { ExplainOptions } from './explain.ts';
import { output } from './options.ts';

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('field by field: where it comes from, by which rule; and what of the message no rule used')
    .argument('<file|id>', 'a message in a file, or the id of a stored event')
    .option('--source <name>', 'the source that a file is of; default: mllp or mqtt, by what is in it')
    .option('--topic <topic>', 'the MQTT topic that a file came on', '')
    .option('--config <file>', 'explain under this config')
    .option('--site <name>', 'explain a file under the config that this site should run')
    .option('--reason <text>', "why a stored event's bytes are looked at; for the audit trail")
    .addOption(output())
    .addHelpText(
      'after',
      `
A file is read here and needs no control plane. A stored event is explained by its own bytes, under the config
that it names; that is audited.

Examples:
  hilumctl explain result.hl7
  hilumctl explain result.hl7 --source lab --config site.yaml
  hilumctl explain result.hl7 --source lab --site north -o json
  hilumctl explain north.9f3c.stat.17 --reason "ticket 4711"`,
    )
    .action(async (subject: string, options: ExplainOptions, command: Command) => {
      const { explainSubject } = await import('./explain.ts');
      await explainSubject(subject, options, command);
    });
}
