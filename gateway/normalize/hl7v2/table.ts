/**
 * A segment's mapping is a table: field number, where it goes, how it is read. The tables are
 * also the declaration of what is read (fields.ts), so that the two cannot drift apart.
 */
import type { Segment } from './message.ts';

type Known<T> = Exclude<keyof T, '_unknownFields'>;

export type Row<T> =
  | {
      [K in Known<T>]: readonly [field: number, key: K, read: (segment: Segment, field: number) => T[K]];
    }[Known<T>]
  | readonly [field: number, apply: (target: T, segment: Segment, field: number) => void];

export type Table<T> = readonly Row<T>[];

/** Lists grow, other values are replaced; a field that is empty or null is left alone. */
export function fill<T>(target: T, table: Table<T>, segment: Segment): T {
  for (const row of table) {
    const field = row[0];
    if (!segment.has(field)) continue;
    if (row.length === 2) {
      row[1](target, segment, field);
      continue;
    }
    const key = row[1];
    const value = row[2](segment, field);
    if (Array.isArray(value) && append(target[key], value)) continue;
    target[key] = value as T[typeof key];
  }
  return target;
}

function append(list: unknown, more: readonly unknown[]): boolean {
  if (!Array.isArray(list) || list.length === 0) return false;
  for (const one of more) list.push(one);
  return true;
}

/** First component of the first repetition: ID, IS, SI, NM, ST. */
export function word(segment: Segment, field: number): string {
  return segment.text(field);
}

/** The first component of every repetition that has one. */
export function words(segment: Segment, field: number): string[] {
  return segment.each(field, (parts) => parts.text(1) || undefined);
}

/** The field as sent, with the separators inside. */
export function asSent(segment: Segment, field: number): string {
  return segment.content(field);
}

/** Every repetition as sent. */
export function eachAsSent(segment: Segment, field: number): string[] {
  return segment.repetitions(field).map((parts) => parts.content().trim());
}

/** Text that may be coded: the text of it, else the code (ST in old versions, CWE in new ones). */
export function label(segment: Segment, field: number): string {
  const parts = segment.parts(field);
  return parts.text(2) || parts.text(1);
}
