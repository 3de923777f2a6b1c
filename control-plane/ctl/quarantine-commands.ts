/** quarantine list | show | replay | discard: messages that could not be understood, and what becomes of them. */
import type { Command } from 'commander';
import { exitCode } from '../../gateway/process/errors.ts';
import { type Form, field, filled, out, printObject, printRows, time } from '../../gateway/process/output.ts';
import { DiscardQuarantineResponse, ReplayQuarantineResponse } from '../../proto/gen/hilum/v1/admin.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { type Connection, call } from './client.ts';
import { checkPlace, output, wholeNumber, withConnection } from './options.ts';

export function addQuarantineCommands(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('messages that could not be understood')
    .addHelpText('after', '\nExample:\n  hilumctl quarantine list --site north');
  for (const add of [addList, addShow, addReplay, addDiscard]) add(quarantine);
}

function addList(quarantine: Command): void {
  quarantine
    .command('list')
    .description('what is there, and why')
    .option('--site <name>', 'only of this site')
    .option('--gateway <name>', 'only of this gateway')
    .option('--source <name>', 'only of this source')
    .option('--all', 'also those that were replayed or discarded')
    .option('--limit <n>', 'only the newest, so many (at most 10000)', wholeNumber, 0)
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl quarantine list --site north')
    .action(
      async (
        options: {
          site?: string;
          gateway?: string;
          source?: string;
          all?: boolean;
          limit: number;
          output: Form;
        },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          const { entries, leftOut } = await call(connection, connection.client.listQuarantine, {
            site: options.site ?? '',
            gateway: options.gateway ?? '',
            source: options.source ?? '',
            all: options.all === true,
            limit: options.limit,
          });
          if (entries.length === 0) await checkPlace(connection, options);
          printRows(options.output, entries.map(row), [
            field('ID', 'id'),
            field('SOURCE', 'source'),
            ...(options.all === true ? [field('STATE', 'state')] : []),
            { title: 'TIME', value: (one) => time(one.atUs) },
            field('CODE', 'code'),
            field('REASON', 'reason'),
          ]);
          if (leftOut > 0)
            process.stderr.write(
              `${leftOut} older ones are not shown: narrow it with --site, --gateway or --source.\n`,
            );
        });
      },
    );
}

function addShow(quarantine: Command): void {
  quarantine
    .command('show')
    .description('one of them; with --payload its bytes, fetched from the site and audited')
    .argument('<id>', 'as the list shows it')
    .option('--payload', 'write the bytes to standard output')
    .option('--reason <text>', 'why the bytes are looked at; for the audit trail', '')
    .addOption(output())
    .addHelpText(
      'after',
      '\nExample:\n  hilumctl quarantine show north.5c0f.record.17 --payload --reason "ticket 4711"',
    )
    .action(
      async (id: string, options: { payload?: boolean; reason: string; output: Form }, command: Command) => {
        await withConnection(command, async (connection) => {
          const request = { id, payload: options.payload === true, reason: options.reason };
          const { entry, raw } = await call(connection, connection.client.showQuarantine, request);
          if (options.payload === true) process.stdout.write(raw);
          else if (entry !== undefined) {
            printObject(options.output, row(entry), () =>
              Object.entries(row(entry))
                .map(
                  ([name, value]) =>
                    `${name.padEnd(18)} ${name.endsWith('AtUs') || name === 'atUs' ? time(value) : String(value)}\n`,
                )
                .join(''),
            );
          }
        });
      },
    );
}

function addReplay(quarantine: Command): void {
  quarantine
    .command('replay')
    .description('normalize again, after the config or the build has changed')
    .argument('<id...>', 'as the list shows them')
    .requiredOption('--reason <text>', 'for the audit trail')
    .addOption(output())
    .addHelpText(
      'after',
      '\nExample:\n  hilumctl quarantine replay north.5c0f.record.17 --reason "mapping added in version 4"',
    )
    .action(async (ids: string[], options: { reason: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const response = await call(connection, connection.client.replayQuarantine, {
          ids,
          reason: options.reason,
        });
        const shape = { replayed: 0, missing: 0, offline: 0, damaged: 0, unanswered: 0, results: [] };
        const { replayed, missing, offline, damaged, unanswered } = response;
        const left = options.output === 'table' ? await leftOver(connection, response.results) : '';
        printObject(
          options.output,
          filled(ReplayQuarantineResponse.toJSON(response) as object, shape),
          () =>
            `${replayed} replayed, ${missing} not there, ${offline} at a gateway that is not connected.\n${
              damaged > 0 ? `${damaged} cannot be read at the gateway any more.\n` : ''
            }${
              unanswered > 0
                ? `${unanswered} were asked for and not answered: those that the gateway did replay leave the list when it reports it.\n`
                : ''
            }${left}`,
        );
        if (offline + unanswered > 0) process.exitCode = exitCode.unreachable;
        else if (missing + damaged > 0) process.exitCode = exitCode.failed;
        if (replayed > 0 && options.output === 'table')
          out('Those that are understood now come as events; the others are listed again.\n');
      });
    });
}

function addDiscard(quarantine: Command): void {
  quarantine
    .command('discard')
    .description('take out for good, bytes and all, what nobody will need; counted as expired')
    .argument('<id...>', 'as the list shows them')
    .requiredOption('--reason <text>', 'for the audit trail')
    .addOption(output())
    .addHelpText(
      'after',
      '\nExample:\n  hilumctl quarantine discard north.5c0f.record.17 --reason "queries of the old portal, switched off"',
    )
    .action(async (ids: string[], options: { reason: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const response = await call(connection, connection.client.discardQuarantine, {
          ids,
          reason: options.reason,
        });
        const shape = { discarded: 0, missing: 0, offline: 0, unanswered: 0, results: [] };
        const { discarded, missing, offline, unanswered } = response;
        const left = options.output === 'table' ? await leftOver(connection, response.results) : '';
        printObject(
          options.output,
          filled(DiscardQuarantineResponse.toJSON(response) as object, shape),
          () =>
            `${discarded} discarded, ${missing} not there, ${offline} at a gateway that is not connected.\n${
              unanswered > 0
                ? `${unanswered} were asked for and not answered: those that the gateway did discard leave the list when it reports it. An older gateway cannot.\n`
                : ''
            }${left}`,
        );
        if (offline + unanswered > 0) process.exitCode = exitCode.unreachable;
        else if (missing > 0) process.exitCode = exitCode.failed;
      });
    });
}

const leftOverMax = 50;

/** Those that nothing was done with, a line each; of one that is not there any more, what became of it. */
async function leftOver(
  connection: Connection,
  results: readonly { id: string; outcome: string }[],
): Promise<string> {
  const left = results.filter(({ outcome }) => outcome !== 'replayed' && outcome !== 'discarded');
  const words: Readonly<Record<string, string>> = { missing: 'not there', offline: 'gateway not connected' };
  const lines: string[] = [];
  for (const { id, outcome } of left.slice(0, leftOverMax)) {
    const became = outcome === 'missing' ? await becameOf(connection, id) : '';
    if (results.length > 1 || became !== '') lines.push(`  ${id}  ${words[outcome] ?? outcome}${became}\n`);
  }
  if (left.length > leftOverMax) lines.push(`  and ${left.length - leftOverMax} more (-o json has all)\n`);
  return lines.join('');
}

/** Empty where it is not known here, or never left. */
async function becameOf(connection: Connection, id: string): Promise<string> {
  const request = { id, payload: false, reason: '' };
  const found = await call(connection, connection.client.showQuarantine, request).catch(() => undefined);
  const { state = 'open', replayedAtUs = 0n } = found?.entry ?? {};
  if (state === 'open') return '';
  return `: it was ${state} before${replayedAtUs === 0n ? '' : `, at ${time(replayedAtUs)} UTC`}`;
}

function row(entry: QuarantineEntry): Record<string, unknown> {
  const shape = {
    id: '',
    gateway: '',
    source: '',
    messageControlId: '',
    recordHash: '',
    code: '',
    reason: '',
    atUs: '0',
  };
  return filled(QuarantineEntry.toJSON(entry) as object, shape) as Record<string, unknown>;
}
