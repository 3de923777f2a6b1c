/**
 * Reads what recorder.c wrote. A recording is a sequence: the index of a record is the moment in it.
 * Invariant: an unknown record type or a broken header is an error; only a torn last record (kill -9) is
 * dropped.
 */
import { appendFileSync, readFileSync } from 'node:fs';

const headerBytes = 48;

/** A write (or truncate, fallocate) with the moments at which it began and returned. */
export interface RecordedWrite {
  readonly kind: 'write' | 'truncate' | 'allocate';
  readonly file: string;
  readonly offset: number;
  readonly data: Buffer;
  /** fallocate: the range's length and mode. */
  readonly length: number;
  readonly mode: number;
  /** Durable when it returns (O_DSYNC). */
  readonly durable: boolean;
  readonly issuedAt: number;
  /** Infinity for a write that was cut off by the end of the process. */
  returnedAt: number;
  /** Bytes that the kernel took; 0 after an error. */
  taken: number;
}

export interface RecordedFlush {
  readonly file: string;
  readonly beganAt: number;
  endedAt: number;
  succeeded: boolean;
}

export interface Recording {
  /** How many records there are: moments run from 0 to this. */
  readonly moments: number;
  /** Paths of the recorded files, in the order in which they were first touched. */
  readonly files: readonly string[];
  readonly writes: readonly RecordedWrite[];
  readonly flushes: readonly RecordedFlush[];
  readonly marks: readonly { readonly n: number; readonly at: number }[];
  readonly directoryFlushes: readonly { readonly path: string; readonly at: number }[];
  readonly renames: readonly { readonly path: string; readonly at: number }[];
}

export function readRecording(path: string): Recording {
  const bytes = readFileSync(path);
  const paths = new Map<bigint, string>();
  const writes: RecordedWrite[] = [];
  const flushes: RecordedFlush[] = [];
  const marks: { n: number; at: number }[] = [];
  const directoryFlushes: { path: string; at: number }[] = [];
  const renames: { path: string; at: number }[] = [];
  const openWrites = new Map<bigint, RecordedWrite>();
  const openFlushes = new Map<bigint, RecordedFlush>();
  let moment = 0;
  for (let at = 0; at + headerBytes <= bytes.length; moment += 1) {
    const type = String.fromCharCode(bytes[at]!);
    const flags = bytes[at + 1]!;
    const id = bytes.readBigUInt64LE(at + 8);
    const fileId = bytes.readBigUInt64LE(at + 16);
    const offset = Number(bytes.readBigUInt64LE(at + 24));
    const length = Number(bytes.readBigUInt64LE(at + 32));
    const result = Number(bytes.readBigInt64LE(at + 40));
    at += headerBytes;
    if (at + length > bytes.length) break;
    const data = bytes.subarray(at, at + length);
    at += length;
    const file = paths.get(fileId) ?? '';
    const change = { file, offset, data, length: result, mode: flags, issuedAt: moment };
    switch (type) {
      case 'P':
        paths.set(fileId, data.toString());
        break;
      case 'W': {
        const returnedAt = Number.POSITIVE_INFINITY;
        const write = { ...change, kind: 'write' as const, durable: flags === 1, returnedAt, taken: length };
        openWrites.set(id, write);
        writes.push(write);
        break;
      }
      case 'w': {
        const write = openWrites.get(id)!;
        write.returnedAt = moment;
        write.taken = Math.max(0, result);
        openWrites.delete(id);
        break;
      }
      case 'T':
      case 'L': {
        const kind = type === 'T' ? 'truncate' : 'allocate';
        writes.push({ ...change, kind, durable: false, returnedAt: moment, taken: 0 });
        break;
      }
      case 's': {
        const flush = { file, beganAt: moment, endedAt: Number.POSITIVE_INFINITY, succeeded: false };
        openFlushes.set(id, flush);
        flushes.push(flush);
        break;
      }
      case 'S':
      case 'E': {
        const flush = openFlushes.get(id)!;
        flush.endedAt = moment;
        flush.succeeded = type === 'S';
        openFlushes.delete(id);
        break;
      }
      case 'F':
        directoryFlushes.push({ path: data.toString(), at: moment });
        break;
      case 'R':
        renames.push({ path: data.toString(), at: moment });
        break;
      case 'A':
        marks.push({ n: offset, at: moment });
        break;
      default:
        throw new Error(`recording: unknown record type ${JSON.stringify(type)} at moment ${moment}`);
    }
  }
  const files = [...new Set(paths.values())];
  return { moments: moment, files, writes, flushes, marks, directoryFlushes, renames };
}

/**
 * Puts a mark into a running recording from outside the recorded process: a sender does so when it has the
 * answer. The answer came before the mark, so whatever was promised by it must be durable at the mark.
 */
export function appendMark(recordingPath: string, n: number): void {
  const record = Buffer.alloc(headerBytes);
  record[0] = 'A'.charCodeAt(0);
  record.writeBigUInt64LE(BigInt(n), 24);
  appendFileSync(recordingPath, record);
}
