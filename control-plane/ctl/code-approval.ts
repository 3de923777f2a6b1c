/** codes approve | replay: one entry maps a code from now on, and the events that came before it anew. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Document } from 'yaml';
import { readConfigText } from '../../gateway/process/config-text.ts';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { type Form, filled, printObject } from '../../gateway/process/output.ts';
import { type CodeRow, PushConfigResponse, ReplayCodesResponse } from '../../proto/gen/hilum/v1/admin.ts';
import { type Connection, call } from './client.ts';
import {
  type EntryOptions,
  entryOf,
  isTwin,
  list,
  theOne,
  type Which,
  whichOf,
  withWhich,
} from './code-entries.ts';
import { finish, waitSeconds } from './config-commands.ts';
import { withEntry } from './config-entry.ts';
import { configVersion } from './config-versions.ts';
import { output, withConnection } from './options.ts';

/** A walk over the whole log. */
const replayMs = 30 * 60_000;

interface ApproveOptions extends EntryOptions {
  reason: string;
  config?: string;
  replay?: boolean;
  output: Form;
}

export function addCodeApproval(codes: Command): void {
  withWhich(
    codes
      .command('approve')
      .description('put the entry of one of them into the config of its site, and push that')
      .argument('<code>', 'as the list shows it')
      .requiredOption('--reason <text>', 'for the audit trail'),
  )
    .option('--to <code>', 'what it means; left out: the suggestion of the list')
    .option('--system <uri>', 'the system of --to; default that of the table, else LOINC')
    .option('--display <text>', 'the text of --to', '')
    .option('--config <file>', 'the config file to add it to; left out: the config that the site should run')
    .option('--replay', 'then map the events anew that came before it')
    .addOption(output())
    .addHelpText(
      'after',
      `
Example:
  hilumctl codes approve GLU --site north --to 2345-7 --config site.yaml --reason "GLU is glucose" --replay

Without --config the file that you keep does not have the entry: it is printed, so that you can add it.`,
    )
    .action(async (code: string, options: ApproveOptions, command: Command) => {
      await withConnection(command, (connection) => approve(connection, code, options));
    });

  withWhich(
    codes
      .command('replay')
      .description('map the events anew that carry a code which came without a meaning and has one now')
      .argument('<code>', 'as the list shows it')
      .requiredOption('--reason <text>', 'for the audit trail'),
  )
    .addOption(output())
    .addHelpText(
      'after',
      `
Example:
  hilumctl codes replay GLU --site north --reason "GLU is glucose, ticket 4711"

The new events name those that they stand in place of (provenance.replay.supersedes); nothing stored is changed,
nothing is sent to local destinations again. Run twice, it does nothing the second time.`,
    )
    .action(async (code: string, options: Which & { reason: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { codes: rows } = await list(connection, options.site, false);
        const row = theOne(rows, code, options);
        const response = await replay(connection, row, options.reason);
        printObject(options.output, jsonOf(response), () => textOf(response));
        tellTwin(row, rows);
        if (response.notReplayed.length > 0) process.exitCode = exitCode.failed;
      });
    });
}

async function approve(connection: Connection, code: string, options: ApproveOptions): Promise<void> {
  const { config: file, reason, output: form } = options;
  const { codes: rows } = await list(connection, options.site, false);
  const row = theOne(rows, code, options);
  const { comment, entry } = entryOf(row, options);
  const desired = file === undefined ? await configVersion(connection, row.site) : undefined;
  const before = file === undefined ? (desired?.yaml ?? '') : readConfigText(file);
  const yaml = withEntry(before, entry, comment);
  // What somebody else has added meanwhile must not go.
  const inPlaceOf = desired?.version ?? 0n;
  const request = { yaml, site: row.site, reason, waitSeconds, inPlaceOf };
  const pushed = await call(connection, connection.client.pushConfig, request, waitSeconds * 1000);
  if (pushed.valid && file !== undefined) writeFileSync(file, yaml);
  if (form === 'table' || !pushed.valid || options.replay !== true)
    finish(pushed, file ?? row.site, form, false);
  if (pushed.valid && file === undefined)
    process.stderr.write(`Add this to the file that you keep:\n${said(comment, entry)}`);
  if (!pushed.valid || options.replay !== true) return;
  if (pushed.results.every(({ outcome }) => outcome !== 'applied')) {
    throw new HilumError(
      'not-applied',
      `No gateway of ${row.site} runs version ${pushed.version} yet: nothing was replayed.`,
      {
        hint: `When one does: hilumctl codes replay ${row.code} ${whichOf(row, rows)} --reason "…"`,
        exit: exitCode.tryAgain,
      },
    );
  }
  const response = await replay(connection, row, reason);
  printObject(form, { push: PushConfigResponse.toJSON(pushed) as object, replay: jsonOf(response) }, () =>
    textOf(response),
  );
  tellTwin(row, rows);
  if (response.notReplayed.length > 0) process.exitCode = exitCode.failed;
}

/** Events that have the code in the other place alone were not replayed. */
function tellTwin(row: CodeRow, rows: readonly CodeRow[]): void {
  const twin = rows.find((one) => isTwin(one, row));
  if (twin === undefined) return;
  process.stderr.write(
    `It came as a code of ${twin.field === 'service' ? 'orders' : 'results'}, too; those that have it nowhere else: hilumctl codes replay ${twin.code} ${whichOf(twin, rows)} --reason "…"\n`,
  );
}

function replay(connection: Connection, row: CodeRow, reason: string): Promise<ReplayCodesResponse> {
  const { site, source, field, system, code } = row;
  const request = { site, source, field, system, code, reason };
  return call(connection, connection.client.replayCodes, request, replayMs);
}

function said(comment: string, entry: object): string {
  return comment + String(new Document(entry));
}

function jsonOf(response: ReplayCodesResponse): object {
  return filled(ReplayCodesResponse.toJSON(response) as object, {
    found: 0,
    replayed: 0,
    notReplayed: [],
    replacedBefore: 0,
  });
}

const why: Record<string, string> = {
  'config-not-running': 'their gateway does not run a config that maps the code yet',
  'still-unmapped': 'the config that their gateway runs does not map the code',
  'no-bytes': 'the bytes of their messages are not in the log',
  'other-bytes': 'the bytes in the log are not those of their messages',
  'mapping-failed': 'the mapping failed on their messages',
  'not-understood': 'their messages are not understood under this config',
  'other-events': 'their messages become another number of events under this config',
};

function textOf({ found, replayed, notReplayed, replacedBefore }: ReplayCodesResponse): string {
  const before = replacedBefore === 0 ? '' : `, ${replacedBefore} replayed before`;
  const lines = notReplayed.map(
    ({ reason, events }) => `  ${events} not replayed: ${why[reason] ?? reason}\n`,
  );
  return `${found} found, ${replayed} replayed${before}.\n${lines.join('')}`;
}
