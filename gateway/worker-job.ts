/**
 * What passes between the thread that owns sockets and LMDB and the normalizer thread:
 * one buffer a job each way, transferred, with offsets beside it.
 */
import type { Config } from '../proto/config/schema.ts';
import type { Class } from './capture/intake.ts';
import type { CriticalCount } from './normalize/critical.ts';
import type { OnceCount } from './normalize/memory/once.ts';
import type { Sighting } from './normalize/outcome.ts';

export interface WorkerSetup {
  /** The main thread's clock [process/clock.ts]. */
  clock: SharedArrayBuffer;
  /** Under which keys of the memory are hashed; what is on disk is opened and sealed by the main thread. */
  memoryKey: Uint8Array;
  /** For the positions of records. */
  epoch: bigint;
  gateway: string;
  site: string;
  config: Config;
  configVersion: number;
  /** Number of the first row of the memory that this worker makes. */
  memoryRow: number;
}

export interface JobRecord {
  sequence: number;
  source: number;
  capturedS: number;
  /** 0 where it waited on the disk over a restart: when it was flushed is not known then. */
  journaledAtUs: number;
  /** The last record of its source that went to quarantine; 0: none is known. */
  lastQuarantined: number;
  offset: number;
  length: number;
}

/**
 * A record in two phases: the worker normalizes it, finds what it remembers of the keys that it needs, and goes
 * on. Where something is not at hand it normalizes the rest of the job, asks for all of it, and waits. It works at
 * one job at a time, in the order in which they were posted.
 */
export type ToWorker =
  | { kind: 'job'; id: number; records: JobRecord[]; bytes: ArrayBuffer }
  | Have
  /** Heads of rows of the memory [journal/memory-row.ts], before the first job; empty: there are no more. */
  | { kind: 'heads'; bytes: Uint8Array }
  /** The oldest row of the memory, opened, to say what of it still counts. */
  | { kind: 'carry'; row: number; bytes: Uint8Array; drop: boolean }
  | { kind: 'config'; config: Config; version: number }
  | { kind: 'setup'; change: { epoch: bigint } | { gateway: string; site: string } };

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
  /** What the rules for critical results did; only where there is anything. */
  critical?: CriticalCount[];
  /** What the config's `once` found; only where there is anything. */
  once?: OnceCount[];
  /** Its mapping threw. */
  failed?: true;
  /** It was in quarantine before. */
  replayed?: true;
  /** Rules of the config whose predicates failed on it. */
  failedRules?: string[];
  /** The sender's own time less that of capture, ms; only of a record that came for the first time. */
  aheadMs?: number;
  /** The resolution of that time, ms, and what its offset was assumed from. */
  stepMs?: number;
  assumed?: string;
}

/** Offsets into one of the reply's buffers. */
export interface Slice {
  offset: number;
  length: number;
}

export interface JobLane {
  lane: Class;
  /** Packed entries [journal/rows.ts]. */
  entries: Float64Array;
  /** Their envelopes, as elements of a Batch [proto/wire.ts], in the buffer of events. */
  plain: Slice;
}

export interface JobReject {
  sequence: number;
  source: number;
  capturedS: number;
  /** Encoded QuarantinedRecord. */
  record: Slice;
  /** Encoded QuarantineEntry. */
  entry: Uint8Array;
}

export interface JobDelivery {
  sequence: number;
  destination: string;
  /** Encoded LocalDelivery. */
  delivery: Slice;
}

export type FromWorker =
  | Need
  | Carried
  | JobReply
  /** It maps by this config from here on. */
  | { kind: 'ready'; configVersion: number };

export interface Need {
  kind: 'need';
  id: number;
  /** Row and chunk of each, one after the other. */
  locations: number[];
}

export interface Have {
  kind: 'have';
  id: number;
  /** Opened chunks in the order of the locations; undefined where there is none that can be read. */
  chunks: (Uint8Array | undefined)[];
}

/** A row of the memory, not sealed. */
export interface JobRow {
  row: number;
  bytes: Uint8Array;
}

export interface Carried {
  kind: 'carried';
  row: number;
  into: JobRow | undefined;
  /** That the worker knows of by now. */
  entries: number;
}

export interface JobReply {
  kind: 'done';
  id: number;
  results: JobResult[];
  lanes: JobLane[];
  rejects: JobReject[];
  deliveries: JobDelivery[];
  /** What the job changed in the memory; a row of it [journal/memory-row.ts], not sealed. */
  remembered: { row: number; slice: Slice } | undefined;
  /** That the worker knows of by now. */
  entries: number;
  /** Values of the memory that could not be decoded, and count as absent. */
  damaged: number;
  /** What is sealed and then gone. */
  bytes: ArrayBuffer;
  /** Events, which stay in memory until they are sent: a buffer of its own, so that it does not hold the other. */
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
