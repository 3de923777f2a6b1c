/** What a row of the fault table is, and what it is given. */
import type { Random } from '../kit/random.ts';

export interface RowContext {
  /** An empty folder of its own; kept when the row fails. */
  readonly folder: string;
  /** The built product: dist/, or a sabotaged copy of it. */
  readonly dist: string;
  /** The mode inside the tests: the same faults, fewer of them. */
  readonly short: boolean;
  readonly random: Random;
  readonly seed: number;
  teardown(cleanup: () => unknown): unknown;
  /** A word of progress for a person at a terminal. */
  progress(text: string): void;
}

export interface RowResult {
  /** Why the row failed; empty is a pass. */
  readonly failures: readonly string[];
  /** What was done and seen, in one line. */
  readonly figures: string;
}

export interface Row {
  readonly id: string;
  readonly title: string;
  /** Why it cannot run here, '' where it can. */
  available?(): string;
  run(context: RowContext): Promise<RowResult>;
}
