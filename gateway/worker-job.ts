/**
 * What passes between the thread that owns sockets and LMDB and the normalizer thread:
 * one buffer a job each way, transferred, with offsets beside it.
 */
import type { Class } from './capture/intake.ts';
import type { Sighting } from './normalize/outcome.ts';

export interface WorkerSetup {
  /** The main thread's clock [process/clock.ts]. */
  clock: SharedArrayBuffer;
  masterKey: Uint8Array;
  segment: { number: number; salt: Uint8Array };
  /** Salts of earlier segments, for records that were read back. */
  salts: Map<number, Uint8Array>;
  sealerNumber: number;
  /** For the places of sealed rows, and for the positions of records. */
  origin: bigint;
  epoch: bigint;
  gateway: string;
  site: string;
  configYaml: string;
  configVersion: number;
}

export interface JobRecord {
  sequence: number;
  source: number;
  capturedS: number;
  sealed: boolean;
  journaledAtUs: number;
  offset: number;
  length: number;
}

/**
 * A job in two phases: the worker normalizes all of its records, asks for what the memory holds of the keys
 * that they need (again only for rows that those lead to), and goes on when it has that. It works at one job at a time, in the order in
 * which they were posted: the main thread has seen what a job left to remember before the next one asks.
 * A job that needs nothing is done without asking.
 */
export type ToWorker =
  | { kind: 'job'; id: number; records: JobRecord[]; bytes: ArrayBuffer }
  | Have
  | { kind: 'config'; yaml: string; version: number }
  | { kind: 'epoch'; epoch: bigint }
  | { kind: 'segment'; number: number; salt: Uint8Array };

/** Facts of one record, for the histograms and shares. */
export interface JobResult {
  sequence: number;
  lane: Class;
  capturedAtUs: number;
  /** Of the record's events: results, and results without any flag (shares that status shows). */
  results: number;
  unflagged: number;
  /** Codes and units that nothing maps; only where there are any. */
  unmapped?: Sighting[];
}

/** Offsets into one of the reply's buffers. */
export interface Slice {
  offset: number;
  length: number;
}

export interface JobLane {
  lane: Class;
  /** An OutboxRow [journal/rows.ts] without its time of queueing. */
  row: Slice;
  /** The same envelopes, as elements of a Batch [proto/wire.ts], in the buffer of plain bytes. */
  plain: Slice;
}

export interface JobReject {
  sequence: number;
  source: number;
  capturedS: number;
  sealed: Slice;
  /** Encoded QuarantineEntry. */
  entry: Uint8Array;
}

export interface JobDelivery {
  sequence: number;
  destination: string;
  sealed: Slice;
}

export type FromWorker = Need | Done;

export interface Need {
  kind: 'need';
  id: number;
  /** Keys of the memory, one after the other [journal/memory.ts]. */
  keys: ArrayBuffer;
}

export interface Have {
  kind: 'have';
  id: number;
  /** Sealed values in the order of the keys; length 0 where there is none. */
  values: Slice[];
  bytes: ArrayBuffer;
}

export interface JobMemory {
  key: Slice;
  value: Slice;
}

export interface Done {
  kind: 'done';
  id: number;
  results: JobResult[];
  lanes: JobLane[];
  rejects: JobReject[];
  deliveries: JobDelivery[];
  remembered: JobMemory[];
  /** Rows of the memory that could not be read, and count as absent. */
  damaged: number;
  /** What goes to disk. */
  bytes: ArrayBuffer;
  /** What stays in memory until it is sent: a buffer of its own, so that it does not hold the other. */
  plain: ArrayBuffer;
}

/** Collects slices of one reply. */
export class SliceWriter {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(part: Uint8Array): Slice {
    const slice = { offset: this.#bytes, length: part.length };
    this.#parts.push(part);
    this.#bytes += part.length;
    return slice;
  }

  /** Parts that follow each other as one slice. */
  addAll(parts: readonly Uint8Array[]): Slice {
    const slice = { offset: this.#bytes, length: 0 };
    for (const part of parts) slice.length += this.add(part).length;
    return slice;
  }

  finish(): ArrayBuffer {
    const buffer = new ArrayBuffer(this.#bytes);
    const bytes = new Uint8Array(buffer);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return buffer;
  }
}
