/**
 * Records in the order in which they came, whatever capture guessed them to be. What one round of the journal brings
 * is a row for each guess, so rows lie between each other: those that do are taken together, and their records sorted.
 */
import { type Class, classes } from '../proto/config/event-words.ts';
import type { Journal } from './journal/journal.ts';
import type { TakenRecord, TakenRow } from './journal/records.ts';

export interface InOrder {
  rows: TakenRow[];
  /** Their records, in order, in parts that are no larger than asked for. */
  groups: TakenRecord[][];
}

type Waiting = Pick<Journal, 'nextSequence' | 'take'>;

/** The guess of the record that came first, of what waits. */
export function firstOf(
  journal: Pick<Waiting, 'nextSequence'>,
): { guess: Class; sequence: number } | undefined {
  let first: { guess: Class; sequence: number } | undefined;
  for (const guess of classes) {
    const sequence = journal.nextSequence(guess);
    if (sequence !== undefined && (first === undefined || sequence < first.sequence))
      first = { guess, sequence };
  }
  return first;
}

/** Whole rows: as many as hold so many records or bytes, and what lies between them. */
export function takeInOrder(journal: Waiting, recordsMax: number, bytesMax: number): InOrder {
  const rows: TakenRow[] = [];
  let [records, bytes, through] = [0, 0, 0];
  for (let first = firstOf(journal); first !== undefined; first = firstOf(journal)) {
    if (first.sequence > through && (records >= recordsMax || bytes >= bytesMax)) break;
    for (const row of journal.take(first.guess, 1, bytesMax)) {
      rows.push(row);
      records += row.records.length;
      for (const record of row.records) bytes += record.bytes.length;
      through = Math.max(through, row.records.at(-1)?.sequence ?? 0);
    }
  }
  const inOrder = rows.flatMap((row) => row.records).sort((one, other) => one.sequence - other.sequence);
  return { rows, groups: grouped(inOrder, recordsMax, bytesMax) };
}

function grouped(records: readonly TakenRecord[], recordsMax: number, bytesMax: number): TakenRecord[][] {
  const groups: TakenRecord[][] = [];
  let group: TakenRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (group.length > 0 && (group.length >= recordsMax || bytes + record.bytes.length > bytesMax)) {
      groups.push(group);
      [group, bytes] = [[], 0];
    }
    group.push(record);
    bytes += record.bytes.length;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
