/** What a part of the journal shares with the whole: one environment, one committer, one key. */
import { IntakeRefused } from '../capture/intake.ts';
import { collectAfter } from '../process/heap.ts';
import type { Environment } from '../process/lmdb.ts';
import type { Opener, Sealer } from '../process/seal.ts';
import type { Committer, Round } from './committer.ts';

export interface JournalPart {
  environment: Environment;
  committer: Committer;
  sealer: Sealer;
  opener: Opener;
  /** The epoch that the journal was created with: rows are sealed for places under it, whatever the epoch is now. */
  origin: bigint;
  /** The epoch of positions that are given out now. */
  epoch(): bigint;
}

/** Resolves when the round is on stable storage. */
export function settled(round: Round): Promise<void> {
  return new Promise((resolve, reject) => {
    round.whenSettled(resolve, (cause) =>
      reject(new IntakeRefused('fault', `the commit failed: ${String(cause)}`)),
    );
  });
}

/** The copies of a large message are collected before its round takes further ones, and after it. */
export function collectAround(round: Round, bytes: number): void {
  if (collectAfter(bytes)) round.whenSettled(() => collectAfter(bytes));
}
