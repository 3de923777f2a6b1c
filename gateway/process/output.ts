/** One way out for every read: a table for people, json, jsonl and yaml for programs. */
import { stringify } from 'yaml';
import { printable, printableLine } from './printable.ts';

export type Form = 'table' | 'json' | 'jsonl' | 'yaml';

export interface Column {
  title: string;
  /** From one row of the JSON form. */
  value(row: Record<string, unknown>): string;
}

export function printRows(form: Form, rows: readonly object[], columns: readonly Column[]): void {
  if (form === 'json') out(`${JSON.stringify(rows, null, 2)}\n`);
  else if (form === 'jsonl') for (const row of rows) out(`${JSON.stringify(row)}\n`);
  else if (form === 'yaml') out(stringify(rows));
  else out(table(rows as Record<string, unknown>[], columns));
}

export function printObject(form: Form, object: object, text: () => string): void {
  if (form === 'json') out(`${JSON.stringify(object, null, 2)}\n`);
  else if (form === 'jsonl') out(`${JSON.stringify(object)}\n`);
  else if (form === 'yaml') out(stringify(object));
  else out(text());
}

export function out(text: string): void {
  process.stdout.write(printable(text));
}

export function table(rows: readonly Record<string, unknown>[], columns: readonly Column[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printableLine(value(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells
    .map((line) =>
      `${line.map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ')}`.trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

/** A column that is a field of the row; empty where it is absent. */
export function field(title: string, name: string): Column {
  return {
    title,
    value(row) {
      let found: unknown = row;
      for (const part of name.split('.')) found = (found as Record<string, unknown> | undefined)?.[part];
      return found === undefined || found === null ? '' : String(found);
    },
  };
}

/** Microseconds since 1970 as a time of day with milliseconds. */
export function time(us: unknown): string {
  const value = Number(us ?? 0);
  return value === 0 ? '' : new Date(value / 1000).toISOString().replace('T', ' ').replace('Z', '');
}

/** `1 message`, `2 messages`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Of a config without a mistake: what a person who reads only this line must know. */
export function checkedText(warnings: readonly string[]): string {
  return warnings.length === 0 ? 'all well.' : `no mistake, ${counted(warnings.length, 'warning')}:`;
}

/** Microseconds as a length of time. */
export function span(us: unknown): string {
  const value = Number(us ?? 0);
  if (value < 0) return `-${span(-value)}`;
  if (value < 1_000) return `${value} µs`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(1)} ms`;
  if (value < 120_000_000) return `${(value / 1_000_000).toFixed(2)} s`;
  if (value < 7_200_000_000) return `${(value / 60_000_000).toFixed(1)} min`;
  return `${(value / 3_600_000_000).toFixed(1)} h`;
}

/**
 * proto3 JSON leaves defaults out; people who script want every field of a contract there.
 * `shape` gives the names and their defaults.
 */
export function filled<T extends object>(row: object, shape: T): T {
  return { ...shape, ...row };
}
