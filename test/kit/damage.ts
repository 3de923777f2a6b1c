/** Damage as a disk makes it: one bit of a chosen message in the journal of a stopped gateway. */
import { outboxTable, recordsTable } from '../../gateway/journal/layout.ts';
import { readOutboxRow, readOutboxRowKey, readRecordRow } from '../../gateway/journal/rows.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';

type Class = Parameters<typeof outboxTable>[0];

/** In the sealed bytes of the record with this sequence. */
export function damageRecord(directory: string, guess: Class, sequence: number): Promise<void> {
  return flip(directory, recordsTable(guess), (_, value) => {
    const found = readRecordRow(value)?.find((record) => record.sequence === sequence);
    return found === undefined ? undefined : middleOf(value, found.sealed);
  });
}

/** In the sealed bytes of the event at this position. */
export function damageEvent(directory: string, lane: Class, sequence: number): Promise<void> {
  return flip(directory, outboxTable(lane), (key, value) => {
    const entry = readOutboxRow(value)?.entries[sequence - readOutboxRowKey(key).first];
    return entry === undefined ? undefined : middleOf(value, entry.sealed);
  });
}

/** In the head of the outbox row that holds this position. */
export function damageHead(directory: string, lane: Class, sequence: number): Promise<void> {
  return flip(directory, outboxTable(lane), (key) => {
    const { first, count } = readOutboxRowKey(key);
    return sequence >= first && sequence < first + count ? 12 : undefined;
  });
}

function middleOf(row: Buffer, part: Uint8Array): number {
  return part.byteOffset - row.byteOffset + (part.length >> 1);
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
