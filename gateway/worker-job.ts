/**
 * What passes between the thread that owns sockets and LMDB and the normalizer thread:
 * one buffer a job each way, transferred, with offsets beside it.
 */
import type { Class } from './capture/intake.ts';
import type { Sighting } from './normalize/outcome.ts';

export interface WorkerSetup {
  masterKey: Uint8Array;
  segment: { number: number; salt: Uint8Array };
  /** Salts of earlier segments, for records that were read back. */
  salts: Map<number, Uint8Array>;
  sealerNumber: number;
  epoch: bigint;
  gateway: string;
  site: string;
  configYaml: string;
  configVersion: number;
}

export interface JobRecord {
  sequence: number;
  sealed: boolean;
  journaledAtUs: number;
  offset: number;
  length: number;
}

export type ToWorker =
  | { kind: 'job'; id: number; records: JobRecord[]; bytes: ArrayBuffer }
  | { kind: 'config'; yaml: string; version: number }
  | { kind: 'segment'; number: number; salt: Uint8Array };

/** Offsets into the reply's buffer. */
export interface JobResult {
  sequence: number;
  lane: Class;
  capturedAtUs: number;
  events: { plain: Slice; sealed: Slice }[];
  deliveries: { destination: string; sealed: Slice }[];
  reject?: { sealed: Slice; entry: Uint8Array };
  /** Of the record's events: results, and results without any flag (shares that status shows). */
  results: number;
  unflagged: number;
  /** Codes and units that nothing maps; only where there are any. */
  unmapped?: Sighting[];
}

export interface Slice {
  offset: number;
  length: number;
}

export type FromWorker = { kind: 'done'; id: number; results: JobResult[]; bytes: ArrayBuffer };

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
