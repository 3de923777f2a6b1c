/**
 * The two kinds of rows that hold many messages. Numbers are big-endian; a head ends with its CRC-32.
 *
 *   RecordRow   key    first(8) last(8) captured s(4) bytes(4) { source(2) records(2) }…
 *               value  count(2) { sequence(8) source(2) captured s(4) length(4) }… crc(4)
 *                      sealed together: JournalRecord…
 *   OutboxRow   key    first(8) count(2) captured s(4) bytes(4) { source(2) completed records(2) }…
 *               value  queued us(8) count(2) { record(8) captured us(8) index(2) source(2) flags(1) length(4) }… crc(4)
 *                      sealed together: elements of a Batch…                                      [process/seal.ts]
 *
 * `captured s` is that of the first message in the row, `bytes` is the length of the value. An event
 * completes its record when its delivery makes the record count as delivered.
 */
import { crc32 } from 'node:zlib';
import { manyOverheadBytes } from '../process/seal.ts';
import { readUInt64, writeUInt64 } from './layout.ts';

/** A key stays far below LMDB's bound of 1,978 bytes; a round with more sources is split into more rows. */
export const rowSourcesMax = 128;
export const rowMessagesMax = 64;
export const rowBytesMax = 128 * 1024;

const recordKeyBytes = 24;
const recordEntryBytes = 18;
const outboxKeyBytes = 18;
const outboxEntryBytes = 25;
const outboxHeadBytes = 10;
const eventFlag = { completes: 1, replayed: 2 } as const;
const crcBytes = 4;

export interface RecordRowKey {
  first: number;
  last: number;
  capturedS: number;
  bytes: number;
  /** [source, records] */
  sources: [number, number][];
}

export interface RecordEntry {
  sequence: number;
  source: number;
  capturedS: number;
}

/** A row with its head written, and room for its messages from `body` on [process/seal.ts, sealMany]. */
export interface EmptyRow {
  row: Buffer;
  body: number;
}

export function recordRowKey(records: readonly RecordEntry[], bytes: number): Buffer {
  const sources = new Map<number, number>();
  for (const { source } of records) sources.set(source, (sources.get(source) ?? 0) + 1);
  const key = Buffer.allocUnsafe(recordKeyBytes + sources.size * 4);
  writeUInt64(key, records[0]?.sequence ?? 0, 0);
  writeUInt64(key, records.at(-1)?.sequence ?? 0, 8);
  key.writeUInt32BE(records[0]?.capturedS ?? 0, 16);
  key.writeUInt32BE(bytes, 20);
  writeSources(key, recordKeyBytes, sources);
  return key;
}

export function readRecordRowKey(key: Buffer): RecordRowKey {
  return {
    first: readUInt64(key, 0),
    last: readUInt64(key, 8),
    capturedS: key.readUInt32BE(16),
    bytes: key.readUInt32BE(20),
    sources: readSources(key, recordKeyBytes),
  };
}

export function emptyRecordRow(records: readonly RecordEntry[], lengths: readonly number[]): EmptyRow {
  const { row, body } = emptyRow(2 + records.length * recordEntryBytes, lengths);
  row.writeUInt16BE(records.length, 0);
  let at = 2;
  for (const [number, { sequence, source, capturedS }] of records.entries()) {
    writeUInt64(row, sequence, at);
    row.writeUInt16BE(source, at + 8);
    row.writeUInt32BE(capturedS, at + 10);
    row.writeUInt32BE(lengths[number] as number, at + 14);
    at += recordEntryBytes;
  }
  row.writeUInt32BE(crc32(row.subarray(0, at)), at);
  return { row, body };
}

export interface RecordHead {
  records: RecordEntry[];
  lengths: number[];
  /** Where the messages begin. */
  body: number;
}

/** What stands before the messages, holding no view of the row; undefined where that is damaged, and with it every message. */
export function readRecordHead(row: Buffer): RecordHead | undefined {
  const head = wholeHead(row, 0, recordEntryBytes);
  if (head === undefined) return undefined;
  const records: RecordEntry[] = [];
  const lengths: number[] = [];
  for (let at = 2; at < head; at += recordEntryBytes) {
    records.push({
      sequence: readUInt64(row, at),
      source: row.readUInt16BE(at + 8),
      capturedS: row.readUInt32BE(at + 10),
    });
    lengths.push(row.readUInt32BE(at + 14));
  }
  return { records, lengths, body: head + crcBytes };
}

export interface OutboxRowKey {
  first: number;
  count: number;
  capturedS: number;
  bytes: number;
  /** [source, records that the events of this row complete] */
  completed: [number, number][];
}

/** A row is opened as a whole, and its count of events has two bytes. */
export const rowEventsMax = 16_384;

export interface OutboxEntry {
  recordSequence: number;
  capturedAtUs: number;
  /** n-th event of its record, from 1. */
  index: number;
  source: number;
  completes: boolean;
  /** Its record was in quarantine before: the time there is no latency. */
  replayed: boolean;
}

/** Five numbers each, to pass between threads: as many objects cost several times as much. */
export function packEntries(entries: readonly OutboxEntry[]): Float64Array {
  const packed = new Float64Array(entries.length * 5);
  for (const [at, entry] of entries.entries()) {
    const { recordSequence, capturedAtUs, index, source } = entry;
    packed.set([recordSequence, capturedAtUs, index, source, flagsOf(entry)], at * 5);
  }
  return packed;
}

export function unpackEntries(packed: Float64Array): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  for (let at = 0; at < packed.length; at += 5)
    entries.push({
      recordSequence: packed[at] as number,
      capturedAtUs: packed[at + 1] as number,
      index: packed[at + 2] as number,
      source: packed[at + 3] as number,
      ...readFlags(packed[at + 4] as number),
    });
  return entries;
}

function flagsOf({ completes, replayed }: OutboxEntry): number {
  return (completes ? eventFlag.completes : 0) | (replayed ? eventFlag.replayed : 0);
}

function readFlags(flags: number): Pick<OutboxEntry, 'completes' | 'replayed'> {
  return {
    completes: (flags & eventFlag.completes) !== 0,
    replayed: (flags & eventFlag.replayed) !== 0,
  };
}

export function outboxRowKey(first: number, entries: readonly OutboxEntry[], bytes: number): Buffer {
  const completed = new Map<number, number>();
  for (const { source, completes } of entries) {
    completed.set(source, (completed.get(source) ?? 0) + (completes ? 1 : 0));
  }
  const key = Buffer.allocUnsafe(outboxKeyBytes + completed.size * 4);
  writeUInt64(key, first, 0);
  key.writeUInt16BE(entries.length, 8);
  key.writeUInt32BE(Math.floor((entries[0]?.capturedAtUs ?? 0) / 1e6) >>> 0, 10);
  key.writeUInt32BE(bytes, 14);
  writeSources(key, outboxKeyBytes, completed);
  return key;
}

export function readOutboxRowKey(key: Buffer): OutboxRowKey {
  return {
    first: readUInt64(key, 0),
    count: key.readUInt16BE(8),
    capturedS: key.readUInt32BE(10),
    bytes: key.readUInt32BE(14),
    completed: readSources(key, outboxKeyBytes),
  };
}

/** Where a scan begins that must find the row with this sequence or the first after it. */
export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeUInt64(key, sequence, 0);
  return key;
}

export function emptyOutboxRow(
  entries: readonly OutboxEntry[],
  lengths: readonly number[],
  queuedAtUs: number,
): EmptyRow {
  const { row, body } = emptyRow(outboxHeadBytes + entries.length * outboxEntryBytes, lengths);
  writeUInt64(row, queuedAtUs, 0);
  row.writeUInt16BE(entries.length, 8);
  let at = outboxHeadBytes;
  for (const [number, entry] of entries.entries()) {
    writeUInt64(row, entry.recordSequence, at);
    writeUInt64(row, entry.capturedAtUs, at + 8);
    row.writeUInt16BE(entry.index, at + 16);
    row.writeUInt16BE(entry.source, at + 18);
    row[at + 20] = flagsOf(entry);
    row.writeUInt32BE(lengths[number] as number, at + 21);
    at += outboxEntryBytes;
  }
  row.writeUInt32BE(crc32(row.subarray(0, at)), at);
  return { row, body };
}

function emptyRow(headBytes: number, lengths: readonly number[]): EmptyRow {
  const body = headBytes + crcBytes;
  const bytes = lengths.reduce((sum, length) => sum + length, body + manyOverheadBytes(lengths.length));
  return { row: Buffer.allocUnsafe(bytes), body };
}

export interface OutboxHead {
  queuedAtUs: number;
  entries: OutboxEntry[];
  lengths: number[];
  /** Where the messages begin. */
  body: number;
}

/** What stands before the messages, holding no view of the row; undefined where that is damaged, and with it every event. */
export function readOutboxHead(row: Buffer): OutboxHead | undefined {
  const head = wholeHead(row, 8, outboxEntryBytes);
  if (head === undefined) return undefined;
  const entries: OutboxEntry[] = [];
  const lengths: number[] = [];
  for (let at = outboxHeadBytes; at < head; at += outboxEntryBytes) {
    entries.push({
      recordSequence: readUInt64(row, at),
      capturedAtUs: readUInt64(row, at + 8),
      index: row.readUInt16BE(at + 16),
      source: row.readUInt16BE(at + 18),
      ...readFlags(row[at + 20] as number),
    });
    lengths.push(row.readUInt32BE(at + 21));
  }
  return { queuedAtUs: readUInt64(row, 0), entries, lengths, body: head + crcBytes };
}

/** Where the head with its count at `count` ends, without the checksum; undefined where that does not match. */
function wholeHead(row: Buffer, count: number, entryBytes: number): number | undefined {
  if (row.length < count + 2 + crcBytes) return undefined;
  const end = count + 2 + row.readUInt16BE(count) * entryBytes;
  if (end + crcBytes > row.length) return undefined;
  return crc32(row.subarray(0, end)) === row.readUInt32BE(end) ? end : undefined;
}

/** What the key still tells of a row whose head is damaged. */
export function withoutHead(row: OutboxRowKey): OutboxEntry[] {
  const lost = (source: number, completes: boolean): OutboxEntry => ({
    recordSequence: 0,
    capturedAtUs: row.capturedS * 1_000_000,
    index: 0,
    source,
    completes,
    replayed: false,
  });
  const entries = row.completed.flatMap(([source, completed]) =>
    Array.from({ length: completed }, () => lost(source, true)),
  );
  const source = row.completed[0]?.[0] ?? 0;
  while (entries.length < row.count) entries.push(lost(source, false));
  return entries.slice(0, row.count);
}

function writeSources(key: Buffer, from: number, sources: ReadonlyMap<number, number>): void {
  let at = from;
  for (const [source, count] of sources) {
    key.writeUInt16BE(source, at);
    key.writeUInt16BE(count, at + 2);
    at += 4;
  }
}

function readSources(key: Buffer, from: number): [number, number][] {
  const sources: [number, number][] = [];
  for (let at = from; at + 4 <= key.length; at += 4) {
    sources.push([key.readUInt16BE(at), key.readUInt16BE(at + 2)]);
  }
  return sources;
}
