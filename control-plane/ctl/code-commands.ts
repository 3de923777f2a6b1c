/** codes list | entry | approve | replay: what came without a meaning, and the line of config that gives it one. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type Form, field, filled, out, printRows, time } from '../../gateway/process/output.ts';
import { loincSystem } from '../../proto/code-systems.ts';
import { CodeRow } from '../../proto/gen/hilum/v1/admin.ts';
import { addCodeApproval } from './code-approval.ts';
import { type EntryOptions, entryOf, list, theOne, whichOf, withWhich } from './code-entries.ts';
import { checkPlace, output, withConnection } from './options.ts';

export function addCodeCommands(program: Command): void {
  const codes = program
    .command('codes')
    .description('codes and units that came without a meaning')
    .addHelpText('after', '\nExample:\n  hilumctl codes list --site north --unmapped');

  codes
    .command('list')
    .description('what came, how often, and what it might mean; the most frequent first')
    .option('--site <name>', 'only of this site')
    .option('--unmapped', "leave out what the config that the site's gateways run maps by now")
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl codes list --site north --unmapped')
    .action(async (options: { site?: string; unmapped?: boolean; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { codes: rows, uncounted } = await list(connection, options.site, options.unmapped);
        if (rows.length === 0) await checkPlace(connection, options);
        printRows(options.output, rows.map(toRow), [
          field('SITE', 'site'),
          field('SOURCE', 'source'),
          field('FIELD', 'field'),
          { title: 'SYSTEM', value: ({ name, system }) => String(name || system) },
          field('CODE', 'code'),
          field('TEXT', 'text'),
          field('UNIT', 'unit'),
          field('COUNT', 'count'),
          { title: 'FIRST SEEN', value: (row) => time(row.firstSeenAtUs).slice(0, 16) },
          { title: 'LAST SEEN', value: (row) => time(row.lastSeenAtUs).slice(0, 16) },
          field('STATE', 'state'),
          { title: 'MEANING', value: meaning },
        ]);
        if (uncounted > 0n && options.output === 'table') {
          process.stderr.write(`${uncounted} more came to gateways whose lists were full.\n`);
        }
      });
    });

  withWhich(
    codes
      .command('entry')
      .description('print the lines that map one of them, to be put into the config file; changes nothing')
      .argument('<code>', 'as the list shows it'),
  )
    .option('--to <code>', 'what it means; left out: the suggestion of the list')
    .option('--system <uri>', `the system of --to; default that of the table, else ${loincSystem}`)
    .option('--display <text>', 'the text of --to', '')
    .addHelpText(
      'after',
      '\nExample:\n  hilumctl codes entry GLU --site north --to 2345-7 >> entry.yaml\n\nIt is approved by the push of the config that holds it.',
    )
    .action(async (code: string, options: EntryOptions, command: Command) => {
      await withConnection(command, async (connection) => {
        const { codes: rows } = await list(connection, options.site, false);
        const row = theOne(rows, code, options);
        const { comment, entry } = entryOf(row, options);
        out(comment + stringify(entry));
        process.stderr.write(
          `Nothing was changed. Put the lines into the config file of ${row.site}, then:\n` +
            `  hilumctl config push FILE --site ${row.site} --reason "…"\n` +
            `What comes after the push is mapped; what came before: hilumctl codes replay ${row.code} ${whichOf(row, rows)} --reason "…"\n`,
        );
      });
    });

  addCodeApproval(codes);
}

function meaning(row: Record<string, unknown>): string {
  if (row.toCode === '') return '';
  const text = `${row.toCode}${row.toDisplay === '' ? '' : ` ${row.toDisplay}`}`;
  return row.state === 'mapped' ? text : `${text}? (${row.because})`;
}

function toRow(row: CodeRow): Record<string, unknown> {
  const shape = {
    site: '',
    source: '',
    field: '',
    system: '',
    name: '',
    code: '',
    text: '',
    unit: '',
    count: '0',
    firstSeenAtUs: '0',
    lastSeenAtUs: '0',
    state: '',
    toSystem: '',
    toCode: '',
    toDisplay: '',
    because: '',
    table: '',
    tableFrom: '',
    tableTo: '',
  };
  return filled(CodeRow.toJSON(row) as object, shape) as Record<string, unknown>;
}
