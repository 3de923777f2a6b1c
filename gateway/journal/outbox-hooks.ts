/** What the outbox tells the journal that it is a part of. */
import type { Round } from './committer.ts';
import type { OutboxEntry } from './rows.ts';

export interface OutboxCounters {
  pending(source: number, by: number): void;
  delivered(source: number, capturedS: number, by: number): void;
  bytes(live: number): void;
}

export interface OutboxHooks {
  onEvents(): void;
  sourceName(source: number): string;
  /** An event cannot be read: its record is to be quarantined in this round. */
  onDamaged(round: Round, entry: OutboxEntry, why: string): void;
  /** The key of a row is not what the row says. */
  onDamagedKey(table: string): void;
}
