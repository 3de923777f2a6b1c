#!/usr/bin/env node
/** hilum-control-plane: argv and signals. */
import { Command, Option } from 'commander';
import { output, runProgram } from '../gateway/process/cli.ts';
import { addCompletion } from '../gateway/process/completion.ts';
import { guardProcess, runDaemon } from '../gateway/process/lifecycle.ts';
import { createLog } from '../gateway/process/log.ts';
import type { Form } from '../gateway/process/output.ts';
import { version } from '../gateway/version.ts';
import { Plane } from './plane.ts';
import { loadSettings } from './settings.ts';
import { verifyStore } from './verify-command.ts';

const drainTimeoutMs = 10_000;

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
  .action(async (options: { data: string; settings?: string; grpc?: string; http?: string }) => {
    const log = createLog('hilum-control-plane');
    guardProcess(log);
    const { settings, file } = loadSettings(options.data, options.settings);
    if (options.grpc !== undefined) settings.grpc = options.grpc;
    if (options.http !== undefined) settings.http = options.http;
    const plane = await Plane.open({ directory: options.data, settings, settingsFile: file, log });
    await runDaemon(log, drainTimeoutMs, plane);
  });

program
  .command('verify')
  .description('walk the event log and the audit trail of a stopped control plane')
  .addOption(data())
  .option('--settings <file>', 'default: <data>/settings.yaml, else built-in defaults')
  .addOption(output())
  .addHelpText('after', '\nExample:\n  hilum-control-plane verify --data ./var/control-plane -o json')
  .action(async (options: { data: string; settings?: string; output: Form }) => {
    process.exitCode = await verifyStore(options);
  });

addCompletion(program);
runProgram(program);
