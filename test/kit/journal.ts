/** A journal of its own in a folder, and what it said. */
import { randomBytes } from 'node:crypto';
import { Journal, type JournalHooks, type JournalOptions } from '../../gateway/journal/journal.ts';

export interface OpenedJournal {
  journal: Journal;
  faults: string[];
  alarms: string[];
  repeats: number[];
}

/** One key for all journals of a test, so that one that is opened again can be read. */
const key = randomBytes(32);

export async function openJournal(
  directory: string,
  more: Partial<JournalOptions> = {},
  hooks: Partial<JournalHooks> = {},
): Promise<OpenedJournal> {
  const opened = { faults: [] as string[], alarms: [] as string[], repeats: [] as number[] };
  const journal = await Journal.open(
    {
      directory,
      key,
      budgetBytes: 1024 ** 3,
      reserveBytes: 0,
      repeatEntriesMax: 10_000,
      repeatAgeMs: 7 * 86_400_000,
      orderKeysOf: () => [],
      memoryEntriesMax: 10_000,
      memoryBytesMax: 64 * 1024 ** 2,
      ...more,
    },
    {
      onFault: (code) => opened.faults.push(code),
      onAlarm: (code) => opened.alarms.push(code),
      onRecords: () => {},
      onEvents: () => {},
      onEpoch: () => {},
      onDeliveries: () => {},
      onRepeat: (sequence) => opened.repeats.push(sequence),
      ...hooks,
    },
  );
  return { journal, ...opened };
}

export async function closeJournal({ journal }: OpenedJournal): Promise<void> {
  await journal.stop();
  await journal.close();
}
