/**
 * Meaning that needs more than one record: what an event says is completed by what the gateway remembers of
 * earlier ones. Pure: rows come in, changed rows go out; where they are kept is the journal's business.
 *
 *   needs(event)  ─►  rows (decoded)  ─►  apply(event, rows)  ─►  event completed, rows changed
 *
 * To remember something new: define its `RowKind` (a number that is never used again, how long a row is kept,
 * whether it lasts, its encoding), write a `MemoryRule`, and add it to `rules` in rules.ts.
 *
 * - Rows are shared by the jobs: a rule makes a new one, and changes nothing of the one that it was given.
 * - A rule reads and writes only rows that its `needs` named, for that event, and reads those of its `follow`.
 * - Rules run in the order of the table, for each record in the order of its events; a rule sees what the
 *   rules before it did to the event and to the rows.
 * - A record may come twice: after a crash it is normalized again, and rows that another job wrote in the
 *   meantime may have seen it already. A row therefore names the records that it holds, and a rule that
 *   meets its own record gives the same answer again.
 * - A row that is past its time, was evicted or cannot be read is absent: a rule must do without, and then
 *   says less, never something else.
 */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import type { OnceRules } from './once-rules.ts';

export interface RowKind<Row> {
  /** First byte of the row's key on disk; given once and for ever. */
  readonly number: number;
  /** For how long a row is kept after it was last written, seconds. */
  readonly keepS: number;
  /**
   * true: read again and again, as who a patient is; it outlives the room that it was written to. false: of
   * interest for a while, as an order; it goes when its room is needed.
   */
  readonly lasts: boolean;
  /** The bytes may be overwritten by the next call. */
  encode(row: Row): Uint8Array;
  /** Undefined where the bytes cannot be read, as those of a later build: the row counts as absent. */
  decode(bytes: Uint8Array): Row | undefined;
}

/** A row by what it is about. The text is hashed under a key before it leaves the worker. */
export interface Need {
  // biome-ignore lint/suspicious/noExplicitAny: a list holds needs of all kinds
  readonly kind: RowKind<any>;
  readonly text: string;
}

/** The rows that the events of a job named; what one record changes the next one sees. */
export interface Recall {
  /** Was this row named, by any event of the job? */
  has(kind: RowKind<unknown>, text: string): boolean;
  /** Throws where it was not named. */
  get<Row>(kind: RowKind<Row>, text: string): Row | undefined;
  /** Undefined also where it was not named. */
  find<Row>(kind: RowKind<Row>, text: string): Row | undefined;
  set<Row>(kind: RowKind<Row>, text: string, row: Row): void;
}

/** How often a job asks for rows that rows lead to: a merge that follows a merge, mostly none. */
export const roundsMax = 14;

/** For how long what was remembered may complete an event, seconds, and whether the config says that everybody is known. */
export interface EnrichmentLimits {
  patientS: number;
  encounterS: number;
  /** 0: no previous values. */
  previousS: number;
  census: boolean;
}

/** The record that the events are from. */
export interface About {
  readonly epoch: bigint;
  readonly sequence: bigint;
  readonly source: string;
  readonly capturedAtUs: bigint;
  /** Undefined: events are not enriched. */
  readonly enrichment: EnrichmentLimits | undefined;
  /** The last message of a census file. */
  readonly censusEnd?: boolean;
  /** Sequence of the last record of the source that could not be read, and is in quarantine; 0: none is known. */
  readonly lastUnread?: (() => number) | undefined;
  /** It was in quarantine: others that were captured later may have come before it. */
  readonly replayed?: boolean;
  /** Undefined: the config's `once` says nothing of the source. */
  readonly once: OnceRules | undefined;
}

export interface MemoryRule {
  readonly name: string;
  needs(event: ClinicalEvent, about: About): readonly Need[];
  /** Rows that the rows of `needs` lead to; asked again while that names new ones, `roundsMax` times. */
  follow?(event: ClinicalEvent, about: About, recall: Recall): readonly Need[];
  apply(event: ClinicalEvent, about: About, recall: Recall): void;
}
