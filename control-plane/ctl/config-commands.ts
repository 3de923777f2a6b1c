/** config check | test | diff | push | history | rollback | status. */
import { type Command, InvalidArgumentError } from 'commander';
import { readConfigText } from '../../gateway/process/config-text.ts';
import { exitCode } from '../../gateway/process/errors.ts';
import {
  checkedText,
  type Form,
  field,
  filled,
  out,
  printObject,
  printRows,
  time,
} from '../../gateway/process/output.ts';
import { printable } from '../../gateway/process/printable.ts';
import { formatProblems, problemsText } from '../../proto/config/problem.ts';
import {
  ConfigVersion,
  DiffConfigResponse,
  GatewayConfig,
  PushConfigResponse,
  type PushResult,
} from '../../proto/gen/hilum/v1/admin.ts';
import type { ConfigProblem } from '../../proto/gen/hilum/v1/session.ts';
import { bad } from './bad-config.ts';
import { call } from './client.ts';
import { addConfigTest } from './config-test-command.ts';
import { configVersions } from './config-versions.ts';
import { checkPlace, output, wholeNumber, withConnection } from './options.ts';

export const waitSeconds = 30;

export function addConfigCommands(program: Command): void {
  const config = program
    .command('config')
    .description('what messages mean: check it, push it, see what runs')
    .addHelpText(
      'after',
      `
Examples:
  hilumctl config check site.yaml
  hilumctl config test tests --config site.yaml
  hilumctl config push site.yaml --site north --reason "map the new analyzer"
  hilumctl config status`,
    );
  for (const add of [addCheck, addConfigTest, addDiff, addPush, addRollback, addHistory, addStatus])
    add(config);
}

function addCheck(config: Command): void {
  config
    .command('check')
    .description('check a config file here, without a control plane; exit 78 when it is bad')
    .argument('<file>', 'the config')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl config check site.yaml')
    .action(async (file: string, options: { output: Form }) => {
      const { checkConfig } = await import('../../proto/config/check.ts');
      const { warningsOf } = await import('../../proto/config/warnings.ts');
      const checked = checkConfig(readConfigText(file), { fileName: file });
      const problems = checked.problems ?? [];
      const warnings = checked.config === undefined ? [] : warningsOf(checked.config);
      printObject(options.output, { valid: problems.length === 0, problems, warnings }, () =>
        problems.length === 0 ? `${file}: ${checkedText(warnings)}\n` : '',
      );
      warn(warnings);
      if (problems.length > 0) throw bad(problems, file, options.output);
    });
}

function addDiff(config: Command): void {
  config
    .command('diff')
    .description('what a push of this file would change of what runs; exit 78 where it would be refused')
    .argument('<file>', 'the config')
    .requiredOption('--site <name>', 'the site that it is for')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl config diff site.yaml --site north')
    .action(async (file: string, options: { site: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const yaml = readConfigText(file);
        const response = await call(connection, connection.client.diffConfig, { yaml, site: options.site });
        if (response.running === 0n) await checkPlace(connection, options);
        printObject(
          options.output,
          filled(DiffConfigResponse.toJSON(response) as object, { diff: '', running: '0', desired: '0' }),
          () =>
            response.diff === ''
              ? `No change against version ${response.running || response.desired}.\n`
              : response.diff,
        );
        const { running, desired } = response;
        if (desired > 0n && running !== desired)
          process.stderr.write(
            running === 0n
              ? `Version ${desired} is desired, and no gateway of ${options.site} says that it runs: see hilumctl config status.\n`
              : `Compared with version ${running}, which runs; version ${desired} is desired and does not: see hilumctl config status.\n`,
          );
        const { checkConfig } = await import('../../proto/config/check.ts');
        const { problems } = checkConfig(yaml, { fileName: file });
        if (problems !== undefined) throw bad(problems, file, 'table');
      });
    });
}

function addPush(config: Command): void {
  config
    .command('push')
    .description('make this file the config of a site; exit 78 refused here, 3 refused by a gateway')
    .argument('<file>', 'the config')
    .requiredOption('--site <name>', 'the site that it is for')
    .requiredOption('--reason <text>', 'for the audit trail')
    .option('--wait', 'exit 75, not 0, where a gateway is not connected or has not answered')
    .option(
      '--in-place-of <version>',
      'exit 3 where another version is desired by then: somebody pushed meanwhile',
      versionNumber,
    )
    .addOption(output())
    .addHelpText(
      'after',
      `
It waits ${waitSeconds} s for the gateways of the site that are connected; one that is not gets it when it connects, and
that is exit 0 too, with --wait 75.

Example:
  hilumctl config push site.yaml --site north --reason "map the new analyzer"`,
    )
    .action(
      async (
        file: string,
        options: { site: string; reason: string; inPlaceOf?: bigint; wait?: boolean; output: Form },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          const request = {
            yaml: readConfigText(file),
            site: options.site,
            reason: options.reason,
            waitSeconds,
            inPlaceOf: options.inPlaceOf ?? 0n,
          };
          const response = await call(connection, connection.client.pushConfig, request, waitSeconds * 1000);
          finish(response, file, options.output, options.wait === true);
        });
      },
    );
}

/** 0 stands for whatever is desired, and would guard nothing. */
function versionNumber(text: string): bigint {
  const version = wholeNumber(text);
  if (version === 0) throw new InvalidArgumentError('Versions count from 1: leave it out for the first one.');
  return BigInt(version);
}

function addRollback(config: Command): void {
  config
    .command('rollback')
    .description('bring an earlier version back, as a new version')
    .requiredOption('--site <name>', 'the site that it is for')
    .requiredOption('--reason <text>', 'for the audit trail')
    .option('--to <version>', 'default: the last one before the desired one that was applied', (text) =>
      BigInt(wholeNumber(text)),
    )
    .option('--wait', 'exit 75, not 0, where a gateway is not connected or has not answered')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl config rollback --site north --reason "wrong unit" --to 3')
    .action(
      async (
        options: { site: string; reason: string; to?: bigint; wait?: boolean; output: Form },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          await checkPlace(connection, options);
          const request = {
            site: options.site,
            version: options.to ?? 0n,
            reason: options.reason,
            waitSeconds,
          };
          const response = await call(
            connection,
            connection.client.rollbackConfig,
            request,
            waitSeconds * 1000,
          );
          finish(response, `version ${options.to ?? 'before'}`, options.output, options.wait === true);
        });
      },
    );
}

function addHistory(config: Command): void {
  config
    .command('history')
    .description('every version, with author and reason')
    .option('--site <name>', 'only of this site')
    .option('--full', 'with the text of each; a table has it below')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl config history --site north')
    .action(async (options: { site?: string; full?: boolean; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const versions = await configVersions(connection, options.site ?? '', options.full === true);
        if (versions.length === 0) await checkPlace(connection, options);
        const rows = versions.map((version) => {
          const row = ConfigVersion.toJSON(version) as Record<string, unknown>;
          if (options.full !== true) delete row.yaml;
          return filled(row, { outcomes: [] });
        });
        printRows(options.output, rows, [
          field('VERSION', 'version'),
          field('SITE', 'site'),
          { title: 'OUTCOME', value: (row) => outcomeText(row.outcomes as PushResult[]) },
          { title: 'TIME', value: (row) => time(row.atUs) },
          field('AUTHOR', 'author'),
          { title: 'HASH', value: (row) => String(row.hash ?? '').slice(0, 12) },
          {
            title: 'REASON',
            value: (row) =>
              `${String(row.reason ?? '')}${row.rollbackOf === undefined ? '' : ` (back to ${String(row.rollbackOf)})`}`,
          },
        ]);
        if (options.output !== 'table' || options.full !== true) return;
        for (const { site, version, yaml } of versions)
          process.stdout.write(`\n# ${site}, version ${version}\n${ended(yaml)}`);
      });
    });
}

function addStatus(config: Command): void {
  config
    .command('status')
    .description('desired, attempted and running, for each gateway')
    .option('--site <name>', 'only of this site')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl config status -o json')
    .action(async (options: { site?: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { gateways } = await call(connection, connection.client.configStatus, {
          site: options.site ?? '',
        });
        if (gateways.length === 0) await checkPlace(connection, options);
        printRows(
          options.output,
          gateways.map((row) => GatewayConfig.toJSON(row) as object),
          [
            field('GATEWAY', 'gateway'),
            field('SITE', 'site'),
            field('DESIRED', 'config.desired.version'),
            field('ATTEMPTED', 'config.attempted.version'),
            field('OUTCOME', 'config.attempted.outcome'),
            field('RUNNING', 'config.running.version'),
            { title: 'WHY', value: (row) => why(row) },
          ],
        );
      });
    });
}

/** A file without a line break at its end would take the next line into its last. */
function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** `applied` where all agree, else each gateway's word; nobody may have been asked. */
function outcomeText(outcomes: readonly PushResult[]): string {
  const words = new Set(outcomes.map(({ outcome }) => outcome));
  if (words.size === 0) return '-';
  if (words.size === 1) return [...words].join();
  return outcomes.map(({ gateway, outcome }) => `${gateway} ${outcome}`).join(', ');
}

function why(row: Record<string, unknown>): string {
  const config = row.config as { attempted?: { problems?: ConfigProblem[] } } | undefined;
  return problemsText(config?.attempted?.problems ?? []);
}

/** Which version, when, by whom and why. */
function pushedText({ version, atUs, author, reason }: ConfigVersion): string {
  return `${version} (${time(atUs)}, ${author}${reason === '' ? '' : `: ${reason}`})`;
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
}

/** Prints what became of a push and sets the exit code. */
export function finish(response: PushConfigResponse, file: string, form: Form, wait: boolean): void {
  const { back, before } = response;
  if (form !== 'table') {
    const { back: _, before: __, ...said } = PushConfigResponse.toJSON(response) as Record<string, unknown>;
    const of = back === undefined ? {} : { rollbackOf: String(back.version) };
    const replaces = before === undefined ? {} : { replaces: String(before.version) };
    printObject(form, { ...said, ...of, ...replaces }, () => '');
  }
  if (!response.valid) throw bad(response.problems, file, form);
  if (form === 'table') {
    const to =
      back !== undefined
        ? `, back to ${pushedText(back)}`
        : before !== undefined
          ? `, in place of ${pushedText(before)}`
          : '';
    out(`Version ${response.version}${to}.\n`);
    for (const { gateway, outcome, problems, offline } of response.results) {
      const why = offline
        ? 'not connected; it gets this when it connects'
        : 'it has not answered; see hilumctl config status';
      out(`  ${gateway}  ${outcome === 'pending' ? `pending: ${why}` : outcome}\n`);
      if (problems.length > 0) process.stderr.write(printable(`${formatProblems(problems, file)}\n`));
    }
  }
  warn(response.warnings);
  const outcomes = response.results.map((result) => result.outcome);
  if (outcomes.includes('refused')) process.exitCode = exitCode.refused;
  else if (wait && outcomes.includes('pending')) process.exitCode = exitCode.tryAgain;
}
