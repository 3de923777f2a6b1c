/** A code of the worklist, and the entry of a config that gives it a meaning. */
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { counted, time } from '../../gateway/process/output.ts';
import type { CodeRow } from '../../proto/gen/hilum/v1/admin.ts';
import { type Connection, call } from './client.ts';

export const loinc = 'http://loinc.org';

export interface EntryOptions {
  site?: string;
  source?: string;
  to?: string;
  system?: string;
  display: string;
}

export async function list(connection: Connection, site = '', unmapped = false) {
  return call(connection, connection.client.listCodes, { site, unmapped });
}

export function theOne(rows: CodeRow[], code: string, { source }: Pick<EntryOptions, 'source'>): CodeRow {
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

export interface Entry {
  /** Where it comes from: source, field, text, how often. */
  comment: string;
  /** The part of a config. */
  entry: Record<string, object>;
}

/**
 * As one writes it into the file: in the table that the site has for this coding system, else in a new one,
 * which is for this source alone, because another source's L is another L.
 */
export function entryOf(row: CodeRow, { to: said, system, display }: EntryOptions): Entry {
  const to = said ?? row.toCode;
  if (to === '') {
    throw new HilumError('no-suggestion', `Nothing suggests what "${row.code}" means.`, {
      hint: 'Say it with --to.',
      exit: exitCode.failed,
    });
  }
  const suggested = to === row.toCode;
  const text = display || (suggested ? row.toDisplay : '');
  const since = time(row.firstSeenAtUs).slice(0, 10);
  const comment = `# ${row.source}, ${row.field}: ${row.text || row.code}, ${counted(Number(row.count), 'time')} since ${since}\n`;
  if (row.field === 'unit') return { comment, entry: { units: { map: { [row.code]: to } } } };
  const into = system ?? ((suggested ? row.toSystem : row.tableTo) || loinc);
  const has = row.table !== '' && row.tableTo === into;
  const table = {
    from: has ? row.tableFrom : row.system,
    to: into,
    map: { [row.code]: text === '' ? to : { code: to, display: text } },
  };
  return { comment, entry: { codes: { [has ? row.table : tableName(row)]: table } } };
}

function tableName({ source, name }: CodeRow): string {
  return `${source}-${name || 'codes'}`
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, '-')
    .slice(0, 64);
}
