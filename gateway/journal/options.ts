/** What a journal is opened with, and what it tells. */
import type { RecordDraft } from '../capture/intake.ts';

export interface JournalOptions {
  /** The gateway's name, for what it reports; empty before enrollment. */
  gateway?: () => string;
  directory: string;
  key: Buffer;
  budgetBytes: number;
  reserveBytes?: number | undefined;
  repeatEntriesMax: number;
  repeatAgeMs: number;
  /** Of a round that is full; the committer's own but in tests of that seam. */
  roundBytesMax?: number | undefined;
  memoryEntriesMax: number;
  memoryBytesMax: number;
  /** Whose record this is, as numbers: what order is kept for. */
  orderKeysOf(draft: RecordDraft): readonly number[];
}

export interface JournalHooks {
  /** Nothing is answered any more; the process must exit with 75. */
  onFault(code: string, cause: unknown): void;
  onAlarm(code: string, fields: Record<string, number | string>): void;
  /** New records can be taken, or new events sent. */
  onRecords(): void;
  onEvents(): void;
  /** Positions are of another epoch from here on. */
  onEpoch(epoch: bigint): void;
  onDeliveries(): void;
  /** A repeat was answered without a second effect. */
  onRepeat(sequence: number): void;
}
