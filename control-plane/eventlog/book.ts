/** What else a batch writes, in its own transaction: rows of those who keep account of some of its events. */
import type { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import type { Row } from '../store/store.ts';

export interface Numbered {
  readonly envelope: Envelope;
  /** Its place in the log. */
  readonly index: bigint;
}

export interface Book {
  concerns(envelope: Envelope): boolean;
  rowsOf(gateway: string, events: readonly Numbered[]): Promise<Row[]>;
  /** Called once they are on stable storage, with the rows of all. */
  settled?(rows: readonly Row[]): void;
}
