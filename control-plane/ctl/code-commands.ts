/** codes list | entry: what came without a meaning, and the line of config that gives it one. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { type Form, field, filled, out, printRows, time } from '../../gateway/process/output.ts';
import { CodeRow } from '../../proto/gen/hilum/v1/admin.ts';
import { type Connection, call } from './client.ts';
import { output, withConnection } from './options.ts';

const loinc = 'http://loinc.org';

export function addCodeCommands(program: Command): void {
  const codes = program
    .command('codes')
    .description('codes and units that came without a meaning')
    .addHelpText('after', '\nExample:\n  hilumctl codes list --site north --unmapped');

  codes
    .command('list')
    .description('what came, how often, and what it might mean; the most frequent first')
    .option('--site <name>')
    .option('--unmapped', "leave out what the site's config maps by now")
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl codes list --site north --unmapped')
    .action(async (options: { site?: string; unmapped?: boolean; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { codes: rows, uncounted } = await list(connection, options.site, options.unmapped);
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

  codes
    .command('entry')
    .description('print the lines that map one of them, to be put into the config file; changes nothing')
    .argument('<code>', 'as the list shows it')
    .option('--site <name>')
    .option('--source <name>')
    .option('--to <code>', 'what it means; left out: the suggestion of the list')
    .option('--system <uri>', `the system of --to; default that of the table, else ${loinc}`)
    .option('--display <text>', 'the text of --to', '')
    .addHelpText(
      'after',
      '\nExample:\n  hilumctl codes entry GLU --site north --to 2345-7 >> entry.yaml\n\nIt is approved by the push of the config that holds it.',
    )
    .action(async (code: string, options: EntryOptions, command: Command) => {
      await withConnection(command, async (connection) => {
        const { codes: rows } = await list(connection, options.site, false);
        const row = theOne(rows, code, options);
        const to = options.to ?? row.toCode;
        if (to === '') {
          throw new HilumError('no-suggestion', `Nothing suggests what "${code}" means.`, {
            hint: 'Say it with --to.',
            exit: exitCode.failed,
          });
        }
        out(entryOf(row, to, options));
        process.stderr.write(
          `Nothing was changed. Put the lines into the config file of ${row.site}, then:\n` +
            `  hilumctl config push FILE --site ${row.site} --reason "…"\n` +
            'What comes after the push is mapped; what came before stays as it is.\n',
        );
      });
    });
}

interface EntryOptions {
  site?: string;
  source?: string;
  to?: string;
  system?: string;
  display: string;
}

async function list(connection: Connection, site = '', unmapped = false) {
  return call(connection, connection.client.listCodes, { site, unmapped });
}

function theOne(rows: CodeRow[], code: string, { source }: EntryOptions): CodeRow {
  const found = rows.filter((row) => row.code === code && (source === undefined || row.source === source));
  const [row] = found;
  if (row === undefined) {
    throw new HilumError('not-found', `No gateway has reported the code "${code}".`, {
      hint: 'hilumctl codes list shows what came.',
      exit: exitCode.failed,
    });
  }
  const sites = [...new Set(found.map((one) => `--site ${one.site} --source ${one.source}`))];
  if (sites.length > 1) {
    throw new HilumError('ambiguous', `The code "${code}" came from more than one place.`, {
      hint: `Add ${sites.join(' or ')}.`,
      exit: exitCode.usage,
    });
  }
  return row;
}

/**
 * As one writes it into the file: in the table that the site has for this coding system, else in a new one,
 * which is for this source alone, because another source's L is another L.
 */
function entryOf(row: CodeRow, to: string, { system, display }: EntryOptions): string {
  const suggested = to === row.toCode;
  const text = display || (suggested ? row.toDisplay : '');
  const since = time(row.firstSeenAtUs).slice(0, 10);
  const comment = `# ${row.source}, ${row.field}: ${row.text || row.code}, ${row.count} times since ${since}\n`;
  if (row.field === 'unit') return comment + stringify({ units: { map: { [row.code]: to } } });
  const into = system ?? ((suggested ? row.toSystem : row.tableTo) || loinc);
  const has = row.table !== '' && row.tableTo === into;
  const table = {
    from: has ? row.tableFrom : row.system,
    to: into,
    map: { [row.code]: text === '' ? to : { code: to, display: text } },
  };
  return comment + stringify({ codes: { [has ? row.table : tableName(row)]: table } });
}

function tableName({ source, name }: CodeRow): string {
  return `${source}-${name || 'codes'}`
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, '-')
    .slice(0, 64);
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
