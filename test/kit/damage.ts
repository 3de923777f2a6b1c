/** Damage as a disk makes it: one bit of a chosen message in the journal of a stopped gateway. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outboxTable, readUInt64, recordsTable, tables } from '../../gateway/journal/layout.ts';
import { readOutboxHead, readOutboxRowKey, readRecordHead } from '../../gateway/journal/rows.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';

type Class = Parameters<typeof outboxTable>[0];

/** In the sealed bytes of the record with this sequence. */
export function damageRecord(directory: string, guess: Class, sequence: number): Promise<void> {
  return flip(directory, recordsTable(guess), (_, value) => {
    const head = readRecordHead(value);
    return middleOf(
      value,
      head?.lengths,
      head?.records.findIndex((record) => record.sequence === sequence),
    );
  });
}

/** In the sealed bytes of the event at this position. */
export function damageEvent(directory: string, lane: Class, sequence: number): Promise<void> {
  return flip(directory, outboxTable(lane), (key, value) => {
    return middleOf(value, readOutboxHead(value)?.lengths, sequence - readOutboxRowKey(key).first);
  });
}

/** In the sealed bytes of the quarantined record with this sequence. */
export function damageQuarantined(directory: string, sequence: number): Promise<void> {
  return flip(directory, tables.quarantine, (key, value) =>
    readUInt64(key, 0) === sequence ? value.length >> 1 : undefined,
  );
}

/** In the head of the outbox row that holds this position, or of the row of records that begins with it. */
export function damageHead(
  directory: string,
  lane: Class,
  sequence: number,
  of: 'outbox' | 'records' = 'outbox',
): Promise<void> {
  if (of === 'records')
    return flip(directory, recordsTable(lane), (key) => (readUInt64(key, 0) === sequence ? 4 : undefined));
  return flip(directory, outboxTable(lane), (key) => {
    const { first, count } = readOutboxRowKey(key);
    return sequence >= first && sequence < first + count ? 12 : undefined;
  });
}

/**
 * One bit of a key, where it stands: the row stays between its neighbours, as on a disk, and is out of their order. Other
 * pages that have the key are older, or lead to its own.
 */
export function damageKey(directory: string, key: Buffer, bit: number): void {
  const file = join(directory, 'data.mdb');
  const bytes = readFileSync(file);
  let at = bytes.indexOf(key);
  if (at < 0) throw new Error('no such key');
  for (; at >= 0; at = bytes.indexOf(key, at + key.length)) {
    const place = at + (bit >> 3);
    bytes[place] = (bytes[place] ?? 0) ^ (0x80 >> (bit & 7));
  }
  writeFileSync(file, bytes);
}

/** In the middle of the n-th row of a table whose rows hold one thing each. */
export function damageRow(directory: string, table: string, n: number): Promise<void> {
  let at = 0;
  return flip(directory, table, (_, value) => (at++ === n ? value.length >> 1 : undefined));
}

/** The n-th row of a table, cut in the middle. */
export async function cutRow(directory: string, table: string, n: number): Promise<void> {
  const environment = openEnvironment({ directory });
  const [row] = environment.table(table).getRange({ offset: n, limit: 1 });
  if (row === undefined) throw new Error(`${table} has no row ${n}`);
  const [key, value] = [Buffer.from(row.key), Buffer.from(row.value)];
  await environment.write(() => {
    void environment.table(table).put(key, value.subarray(0, value.length >> 1));
  });
  await environment.close();
}

/** Of the n-th message of the row, whose sealed bytes are its last; undefined where it has no such message. */
function middleOf(row: Buffer, lengths: readonly number[] = [], n = -1): number | undefined {
  const length = lengths[n];
  if (length === undefined) return undefined;
  const after = lengths.slice(n).reduce((sum, one) => sum + one, 0);
  return row.length - after + (length >> 1);
}

async function flip(
  directory: string,
  table: string,
  where: (key: Buffer, value: Buffer) => number | undefined,
): Promise<void> {
  const environment = openEnvironment({ directory });
  try {
    for (const row of environment.table(table).getRange({})) {
      const [key, value] = [Buffer.from(row.key), Buffer.from(row.value)];
      const at = where(key, value);
      if (at === undefined) continue;
      value[at] = (value[at] ?? 0) ^ 1;
      await environment.write(() => {
        void environment.table(table).put(key, value);
      });
      return;
    }
    throw new Error(`${table} does not hold what was to be damaged`);
  } finally {
    await environment.close();
  }
}
