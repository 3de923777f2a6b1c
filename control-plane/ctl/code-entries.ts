/** A code of the worklist, and the entry of a config that gives it a meaning. */
import type { Command } from 'commander';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { counted, time } from '../../gateway/process/output.ts';
import { loincSystem } from '../../proto/code-systems.ts';
import { rightLoinc } from '../../proto/config/loinc.ts';
import type { CodeRow } from '../../proto/gen/hilum/v1/admin.ts';
import { isUcum, suggestUcum } from '../../proto/units/ucum.ts';
import { type Connection, call } from './client.ts';

/** Which of the entries of one code is meant. */
export interface Which {
  site?: string;
  source?: string;
  field?: string;
  /** As the list shows it, or as it stands in events. */
  from?: string;
}

export interface EntryOptions extends Which {
  to?: string;
  system?: string;
  display: string;
}

export async function list(connection: Connection, site = '', unmapped = false) {
  return call(connection, connection.client.listCodes, { site, unmapped });
}

export function withWhich(command: Command): Command {
  return command
    .option('--site <name>', 'only of this site')
    .option('--source <name>', 'only of this source')
    .option('--field <name>', 'only of this field: observation, service or unit')
    .option('--from <system>', 'only of this coding system');
}

/**
 * Of a code of one coding system that came as a result's and as an order's the result's: both get the same entry.
 * @throws HilumError where there is none, and where there are several: nobody but a person knows which is meant
 */
export function theOne(rows: readonly CodeRow[], code: string, { source, field, from }: Which): CodeRow {
  const found = rows.filter(
    (row) =>
      row.code === code &&
      (source === undefined || row.source === source) &&
      (field === undefined || row.field === field) &&
      (from === undefined || row.system === from || row.name === from),
  );
  const [row] = found;
  if (row === undefined) {
    throw new HilumError('not-found', `No gateway has reported the code "${code}".`, {
      hint: 'hilumctl codes list shows what came.',
      exit: exitCode.failed,
    });
  }
  const result = found.find((one) => one.field === 'observation');
  if (result !== undefined && found.every((one) => one === result || isTwin(one, result))) return result;
  if (found.length > 1) {
    throw new HilumError('ambiguous', `The code "${code}" came from more than one place.`, {
      hint: `Add ${found.map((one) => whichOf(one, found)).join(' or ')}.`,
      exit: exitCode.usage,
    });
  }
  return row;
}

/** The same code, of an order's service where the other is of a result, or the other way round. */
export function isTwin(row: CodeRow, other: CodeRow): boolean {
  const fields = [row.field, other.field].sort().join();
  const alike = (['site', 'source', 'system', 'code'] as const).every((name) => row[name] === other[name]);
  return fields === 'observation,service' && alike;
}

/** The options that tell an entry from the others of its code. */
export function whichOf(row: CodeRow, rows: readonly CodeRow[]): string {
  const { site, source, field, system, code } = row;
  const near = rows.filter((one) => one.code === code && one.site === site && one.source === source);
  const options = ['--site', site, '--source', source];
  if (near.some((one) => one.field !== field)) options.push('--field', field);
  if (near.some((one) => one.field === field && one.system !== system)) options.push('--from', system);
  return options.map((one) => (/^[\w.:/-]+$/.test(one) ? one : JSON.stringify(one))).join(' ');
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
  if (row.field === 'unit') {
    mustBeUcum(to);
    return { comment, entry: { units: { map: { [row.code]: to } } } };
  }
  const into = system ?? ((suggested ? row.toSystem : row.tableTo) || loincSystem);
  if (into === loincSystem) mustBeLoinc(to);
  const has = row.table !== '' && row.tableTo === into;
  const table = {
    from: has ? row.tableFrom : row.system,
    to: into,
    map: { [row.code]: text === '' ? to : { code: to, display: text } },
  };
  return { comment, entry: { codes: { [has ? row.table : tableName(row)]: table } } };
}

function mustBeUcum(unit: string): void {
  if (isUcum(unit)) return;
  const near = suggestUcum(unit);
  throw new HilumError('no-ucum', `"${unit}" is not a UCUM unit.`, {
    hint:
      near === undefined
        ? 'Case counts; for example: mg/dL, mmol/L, 10*9/L, mm[Hg].'
        : `Did you mean ${near.code} (${near.name})?`,
    exit: exitCode.usage,
  });
}

function mustBeLoinc(code: string): void {
  const right = rightLoinc(code);
  if (right === undefined) return;
  throw new HilumError('no-loinc', `${code} is no LOINC code: its check digit is wrong.`, {
    hint: `With the number before the dash it would be ${right}; look the code up before you use it.`,
    exit: exitCode.usage,
  });
}

function tableName({ source, name }: CodeRow): string {
  return `${source}-${name || 'codes'}`
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, '-')
    .slice(0, 64);
}
