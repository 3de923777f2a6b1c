#!/usr/bin/env node
/** hilum-gateway: the verbs. What one does is loaded when it is asked for. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { CensusOptions } from './census-command.ts';
import type { DeadLetterOptions } from './dead-letters-command.ts';
import type { EnrollOptions } from './enroll-command.ts';
import { output, runProgram } from './process/cli.ts';
import { addCompletion } from './process/completion.ts';
import { exitCode, HilumError } from './process/errors.ts';
import { tuneHeap } from './process/heap.ts';
import type { Form } from './process/output.ts';
import type { Place } from './run-command.ts';
import { version } from './version.ts';

const program = new Command('hilum-gateway')
  .description('Captures HL7 v2 and device messages at a site, answers when they are on disk, delivers them.')
  .version(version)
  .addHelpText(
    'after',
    `
Examples:
  hilum-gateway enroll --data /var/lib/hilum-gateway --token - < token
  hilum-gateway run    --data /var/lib/hilum-gateway --settings /etc/hilum/gateway.yaml
  hilum-gateway status --data /var/lib/hilum-gateway
  hilum-gateway doctor --data /var/lib/hilum-gateway      what is wrong, and what to do`,
  );

const data = () =>
  new Option('--data <dir>', 'where the journal, the key and the identity are')
    .env('HILUM_DATA')
    .makeOptionMandatory();
const settingsOption = () =>
  new Option('--settings <file>', 'default: <data>/settings.yaml, else built-in defaults');

program
  .command('run')
  .description('run the gateway until SIGTERM')
  .addOption(data())
  .addOption(settingsOption())
  .addHelpText('after', '\nExample:\n  hilum-gateway run --data ./var/gateway')
  .action(async (options: Place) => {
    tuneHeap();
    const { runGateway } = await import('./run-command.ts');
    await runGateway(options);
  });

program
  .command('enroll')
  .description('exchange a token for this gateway’s certificate')
  .addOption(data())
  .addOption(settingsOption())
  .option('--replace', 'this gateway is enrolled already: be another one from now on; the old one is retired')
  .requiredOption(
    '--token <token>',
    'from "hilumctl token create"; - reads it from standard input, where ps does not show it',
  )
  .addHelpText(
    'after',
    '\nExample:\n  hilumctl token create --site north | hilum-gateway enroll --data ./var/gateway --token -',
  )
  .action(async (options: EnrollOptions) => {
    const { enrollCommand } = await import('./enroll-command.ts');
    await enrollCommand(options);
  });

program
  .command('status')
  .description('what the running gateway says of itself')
  .addOption(data())
  .addOption(output())
  .addHelpText('after', '\nExample:\n  hilum-gateway status --data ./var/gateway -o json')
  .action(async (options: { data: string; output: Form }) => {
    const { printStatus } = await import('./status-command.ts');
    await printStatus(options.data, options.output);
  });

program
  .command('doctor')
  .description('look for what is wrong here, and say what to do')
  .addOption(data())
  .addOption(settingsOption())
  .addOption(output())
  .option(
    '--token <token>',
    'before enrollment: test the way to the control plane of this token; - reads it from standard input',
  )
  .addHelpText('after', '\nExample:\n  hilum-gateway doctor --data ./var/gateway')
  .action(async (options: Place & { output: Form; token?: string }) => {
    const { doctor } = await import('./doctor.ts');
    process.exitCode = await doctor(options);
  });

program
  .command('check')
  .description('check the settings, and a config against them')
  .addOption(data())
  .addOption(settingsOption())
  .argument('[config]', 'a config file')
  .addHelpText('after', '\nExample:\n  hilum-gateway check --data ./var/gateway site.yaml')
  .action(async (config: string | undefined, options: Place) => {
    const { checkCommand } = await import('./check-command.ts');
    checkCommand(config, options);
  });

program
  .command('hash-password')
  .description('make the password hash for an MQTT user; the password is read from standard input')
  .addHelpText('after', '\nExample:\n  printf %s "$PASSWORD" | hilum-gateway hash-password')
  .action(async () => {
    const { hashPassword } = await import('./capture/mqtt/passwords.ts');
    const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '');
    if (password === '') {
      throw new HilumError('usage', 'There is no password on standard input.', {
        hint: 'printf %s "$PASSWORD" | hilum-gateway hash-password',
        exit: exitCode.usage,
      });
    }
    process.stdout.write(`${await hashPassword(password)}\n`);
  });

program
  .command('census')
  .description('tell a stopped gateway who is here: ADT messages of a file, as a source of it')
  .addOption(data())
  .addOption(settingsOption())
  .requiredOption('--source <name>', 'the source that the messages count for, as the ADT feed’s own')
  .addOption(output())
  .argument('<file>', 'HL7 v2 messages one after the other, or a batch; - reads standard input')
  .addHelpText(
    'after',
    '\nExample:\n  hilum-gateway census ./inpatients.hl7 --source adt --data ./var/gateway\n\nEvents say `context.incomplete` until such a file was loaded.',
  )
  .action(async (file: string, options: CensusOptions) => {
    const { loadCensus } = await import('./census-command.ts');
    process.exitCode = await loadCensus(file, options);
  });

const journal = program
  .command('journal')
  .description('work on the journal of a stopped gateway')
  .addHelpText('after', '\nExample:\n  hilum-gateway journal verify --data ./var/gateway');

for (const [verb, description] of [
  ['verify', 'check every row, count every record'],
  ['quarantine', 'list the quarantined records'],
  [
    'export',
    'write the bytes of what is pending (for the centre, for local destinations) or quarantined to files',
  ],
  ['compact', 'write a compacted copy and put it in place'],
] as const) {
  const command = journal
    .command(verb)
    .description(description)
    .addOption(data())
    .addOption(settingsOption())
    .addOption(output())
    .addHelpText(
      'after',
      `\nExample:\n  hilum-gateway journal ${verb} --data ./var/gateway${verb === 'export' ? ' --to ./export' : ''}`,
    );
  if (verb === 'export') command.requiredOption('--to <dir>', 'where to write');
  command.action(async (options: Place & { output: Form; to?: string }) => {
    const commands = await import('./journal-command.ts');
    process.exitCode = await commands.journalCommand(verb, options);
  });
}

const deadLetters = journal
  .command('dead-letters')
  .description('what local destinations refused for good')
  .addHelpText('after', '\nExample:\n  hilum-gateway journal dead-letters list --data ./var/gateway');

for (const [verb, description, example] of [
  ['list', 'what is there', ''],
  ['export', 'write their bytes to files', ' --all --to ./export'],
  ['requeue', 'put them back into their queues, each at its old place', ' --destination ehr'],
] as const) {
  const command = deadLetters
    .command(verb)
    .description(description)
    .addOption(data())
    .addOption(settingsOption())
    .option('--destination <name>', 'only those of this destination')
    .addOption(output())
    .addHelpText(
      'after',
      `\nExample:\n  hilum-gateway journal dead-letters ${verb} --data ./var/gateway${example}`,
    );
  if (verb !== 'list') command.argument('[id...]', 'as list shows them').option('--all', 'every one');
  if (verb === 'export') command.requiredOption('--to <dir>', 'where to write');
  command.action(async (...args: unknown[]) => {
    const [ids, options] = (verb === 'list' ? [[], args[0]] : args) as [string[], DeadLetterOptions];
    const { deadLettersCommand } = await import('./dead-letters-command.ts');
    process.exitCode = await deadLettersCommand(verb, ids, options);
  });
}

addCompletion(program);
void runProgram(program);
