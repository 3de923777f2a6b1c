#!/usr/bin/env node
/** hilum-control-plane: the verbs. What one does is loaded when it is asked for. */
import { Command, Option } from 'commander';
import { output, runProgram } from '../gateway/process/cli.ts';
import { addCompletion } from '../gateway/process/completion.ts';
import type { Form } from '../gateway/process/output.ts';
import { version } from '../gateway/version.ts';
import type { RunOptions } from './run-command.ts';

const program = new Command('hilum-control-plane')
  .description(
    'Takes the events of all gateways, keeps them, serves them; distributes config, keeps the audit trail.',
  )
  .version(version)
  .addHelpText(
    'after',
    `
Examples:
  hilum-control-plane run --data /var/lib/hilum-control-plane
  hilum-control-plane verify --data /var/lib/hilum-control-plane`,
  );

const data = () =>
  new Option('--data <dir>', 'where the store, the CA and admin.json are').makeOptionMandatory();

program
  .command('run')
  .description('run the control plane until SIGTERM; the first start makes its CA and DIR/admin.json')
  .addOption(data())
  .option('--settings <file>', 'default: <data>/settings.yaml, else built-in defaults')
  .option('--grpc <host:port>', 'where gateways and hilumctl connect (default 127.0.0.1:7443)')
  .option('--http <host:port>', 'health, status and metrics (default 127.0.0.1:7480)')
  .addHelpText(
    'after',
    '\nExample:\n  hilum-control-plane run --data ./var/control-plane --grpc 0.0.0.0:7443',
  )
  .action(async (options: RunOptions) => {
    const { runPlane } = await import('./run-command.ts');
    await runPlane(options);
  });

program
  .command('verify')
  .description('walk the event log and the audit trail of a stopped control plane')
  .addOption(data())
  .option('--settings <file>', 'default: <data>/settings.yaml, else built-in defaults')
  .addOption(output())
  .addHelpText('after', '\nExample:\n  hilum-control-plane verify --data ./var/control-plane -o json')
  .action(async (options: { data: string; settings?: string; output: Form }) => {
    const { verifyStore } = await import('./verify-command.ts');
    process.exitCode = await verifyStore(options);
  });

addCompletion(program);
void runProgram(program);
