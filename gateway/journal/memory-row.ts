/**
 * One row of the memory: what one job of the normalizer remembered, in chunks that are sealed one by one, so
 * that reading one entry opens a few kilobytes. A row whose chunks are not sealed has the same form: so it
 * passes between the normalizer and the journal. Numbers are big-endian.
 *
 *   row     head, sealed chunk…
 *   head    length(4) written s(4) chunks(2) { length as it stands(4) entries(4) }… hash(8)… crc(4)
 *   chunk   { hash(16) kind(1) keep until s(4) length(4) value }…           before it is sealed
 *   index   number of the last row(8) bytes of the rows(8) { row(8) bytes(4) head }… crc(4)
 *
 * The head has the first half of each entry's hash, in the order of the entries; that is a keyed hash, which
 * tells nothing to whoever has no key [process/keyed-hash.ts]. An entry's whole hash stands inside of the seal,
 * and says whether it is the one that was looked for.
 */
import { crc32 } from 'node:zlib';
import { readUInt64, writeUInt64 } from './layout.ts';

const headBytes = 10;
const chunkHeadBytes = 8;
const entryHeadBytes = 25;
const indexHeadBytes = 16;
const indexEntryBytes = 12;
const crcBytes = 4;
/** A chunk is full from here on; one entry alone may be larger. */
const chunkBytesMin = 4096;
const scratchBytesMax = 1024 * 1024;

/** A value under its hash. */
export interface MemoryEntry {
  /** 16 bytes, as four words. */
  hash: ArrayLike<number>;
  kind: number;
  untilS: number;
  value: Uint8Array;
}

/** A chunk before it is sealed, and the first halves of the hashes in it. */
export interface Chunk {
  plain: Buffer;
  hashes: number[];
}

/** Collects entries into chunks. */
export class ChunkWriter {
  #chunks: Chunk[] = [];
  #hashes: number[] = [];
  #scratch = Buffer.allocUnsafeSlow(4 * chunkBytesMin);
  #bytes = 0;

  /** Copies the value; gives the number of the chunk that it is in. */
  add({ hash, kind, untilS, value }: MemoryEntry): number {
    const end = this.#bytes + entryHeadBytes + value.length;
    if (end > this.#scratch.length) {
      const larger = Buffer.allocUnsafeSlow(end * 2);
      larger.set(this.#scratch.subarray(0, this.#bytes));
      this.#scratch = larger;
    }
    let at = this.#bytes;
    for (let word = 0; word < 4; word += 1) at = this.#scratch.writeUInt32BE(hash[word] as number, at);
    this.#scratch[at] = kind;
    this.#scratch.writeUInt32BE(untilS, at + 1);
    this.#scratch.writeUInt32BE(value.length, at + 5);
    this.#scratch.set(value, at + 9);
    this.#bytes = end;
    this.#hashes.push(hash[0] as number, hash[1] as number);
    const chunk = this.#chunks.length;
    if (end >= chunkBytesMin) this.#close();
    return chunk;
  }

  /** The chunks since the last call. */
  take(): Chunk[] {
    if (this.#bytes > 0) this.#close();
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  #close(): void {
    const plain = Buffer.allocUnsafeSlow(this.#bytes);
    plain.set(this.#scratch.subarray(0, this.#bytes));
    this.#chunks.push({ plain, hashes: this.#hashes });
    this.#hashes = [];
    this.#bytes = 0;
    if (this.#scratch.length > scratchBytesMax) this.#scratch = Buffer.allocUnsafeSlow(4 * chunkBytesMin);
  }
}

/** Every entry of an opened chunk; values are views into it. */
export function* entriesOf(plain: Buffer): Generator<MemoryEntry> {
  for (let at = 0; at + entryHeadBytes <= plain.length; ) {
    const hash = Uint32Array.of(
      plain.readUInt32BE(at),
      plain.readUInt32BE(at + 4),
      plain.readUInt32BE(at + 8),
      plain.readUInt32BE(at + 12),
    );
    const length = plain.readUInt32BE(at + 21);
    const from = at + entryHeadBytes;
    yield {
      hash,
      kind: plain[at + 16] as number,
      untilS: plain.readUInt32BE(at + 17),
      value: plain.subarray(from, from + length),
    };
    at = from + length;
  }
}

/** The entry with this hash; of several the last. */
export function entryIn(plain: Buffer, hash: ArrayLike<number>): MemoryEntry | undefined {
  let found = -1;
  for (let at = 0; at + entryHeadBytes <= plain.length; ) {
    const same =
      plain.readUInt32BE(at) === hash[0] &&
      plain.readUInt32BE(at + 4) === hash[1] &&
      plain.readUInt32BE(at + 8) === hash[2] &&
      plain.readUInt32BE(at + 12) === hash[3];
    if (same) found = at;
    at += entryHeadBytes + plain.readUInt32BE(at + 21);
  }
  if (found < 0) return undefined;
  const from = found + entryHeadBytes;
  return {
    hash,
    kind: plain[found + 16] as number,
    untilS: plain.readUInt32BE(found + 17),
    value: plain.subarray(from, from + plain.readUInt32BE(found + 21)),
  };
}

/** @param chunks sealed or not */
export function memoryRow(
  chunks: readonly { bytes: Uint8Array; hashes: readonly number[] }[],
  writtenS: number,
): Buffer {
  let head = headBytes + crcBytes;
  let body = 0;
  for (const { bytes, hashes } of chunks) {
    head += chunkHeadBytes + hashes.length * 4;
    body += bytes.length;
  }
  const row = Buffer.allocUnsafe(head + body);
  row.writeUInt32BE(head, 0);
  row.writeUInt32BE(writtenS, 4);
  row.writeUInt16BE(chunks.length, 8);
  let at = headBytes;
  for (const { bytes, hashes } of chunks) {
    row.writeUInt32BE(bytes.length, at);
    row.writeUInt32BE(hashes.length / 2, at + 4);
    at += chunkHeadBytes;
  }
  for (const { hashes } of chunks) for (const word of hashes) at = row.writeUInt32BE(word, at);
  at = row.writeUInt32BE(crc32(row.subarray(0, at)), at);
  for (const { bytes } of chunks) {
    row.set(bytes, at);
    at += bytes.length;
  }
  return row;
}

/** The row with other bytes in the place of each chunk: sealed ones for plain ones, or the reverse; undefined where its head is damaged. */
export function withChunks(
  row: Buffer,
  other: (bytes: Buffer, chunk: number) => Uint8Array,
): Buffer | undefined {
  const head = headOf(row);
  if (head === undefined) return undefined;
  const chunks = chunksOf(row).map((bytes, chunk) => other(bytes, chunk));
  const bodies = Buffer.from(head);
  for (const [chunk, { length }] of chunks.entries())
    bodies.writeUInt32BE(length, headBytes + chunk * chunkHeadBytes);
  const end = bodies.length - crcBytes;
  bodies.writeUInt32BE(crc32(bodies.subarray(0, end)), end);
  return Buffer.concat([bodies, ...chunks]);
}

/** The head of a row, as a view; undefined where it is damaged. */
export function headOf(row: Buffer): Buffer | undefined {
  if (row.length < headBytes + crcBytes) return undefined;
  const length = row.readUInt32BE(0);
  if (length < headBytes + crcBytes || length > row.length) return undefined;
  const end = length - crcBytes;
  return crc32(row.subarray(0, end)) === row.readUInt32BE(end) ? row.subarray(0, length) : undefined;
}

export function writtenS(head: Buffer): number {
  return head.readUInt32BE(4);
}

/** A chunk of a row, as a view; undefined where the row has no such chunk. */
export function chunkOf(row: Buffer, chunk: number): Buffer | undefined {
  const head = headOf(row);
  if (head === undefined || chunk >= head.readUInt16BE(8)) return undefined;
  let from = head.length;
  for (let one = 0; one < chunk; one += 1) from += head.readUInt32BE(headBytes + one * chunkHeadBytes);
  return row.subarray(from, from + head.readUInt32BE(headBytes + chunk * chunkHeadBytes));
}

export function chunksOf(row: Buffer): Buffer[] {
  const count = headOf(row)?.readUInt16BE(8) ?? 0;
  return Array.from({ length: count }, (_, chunk) => chunkOf(row, chunk) as Buffer);
}

/** Each entry's hash and the chunk that it is in. */
export function readHead(head: Buffer, visit: (high: number, low: number, chunk: number) => void): void {
  const chunks = head.readUInt16BE(8);
  let at = headBytes + chunks * chunkHeadBytes;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const entries = head.readUInt32BE(headBytes + chunk * chunkHeadBytes + 4);
    for (let entry = 0; entry < entries; entry += 1) {
      visit(head.readUInt32BE(at), head.readUInt32BE(at + 4), chunk);
      at += 8;
    }
  }
}

export interface IndexedRow {
  row: number;
  /** Length of the whole row. */
  bytes: number;
  head: Buffer;
}

/** Heads of many rows in one, so that a start reads these and not the rows. */
export function indexRow(rows: readonly IndexedRow[]): Buffer {
  const parts: Buffer[] = [];
  const start = Buffer.allocUnsafe(indexHeadBytes);
  let bytes = 0;
  for (const { row, bytes: length, head } of rows) {
    const one = Buffer.allocUnsafe(indexEntryBytes);
    writeUInt64(one, row, 0);
    one.writeUInt32BE(length, 8);
    parts.push(one, head);
    bytes += length;
  }
  writeUInt64(start, rows.at(-1)?.row ?? 0, 0);
  writeUInt64(start, bytes, 8);
  const end = Buffer.allocUnsafe(crcBytes);
  const whole = Buffer.concat([start, ...parts, end]);
  whole.writeUInt32BE(crc32(whole.subarray(0, whole.length - crcBytes)), whole.length - crcBytes);
  return whole;
}

/** Undefined where it is damaged. */
export function readIndexRow(index: Buffer): IndexedRow[] | undefined {
  const end = index.length - crcBytes;
  if (end < indexHeadBytes || crc32(index.subarray(0, end)) !== index.readUInt32BE(end)) return undefined;
  const rows: IndexedRow[] = [];
  for (let at = indexHeadBytes; at < end; ) {
    const length = index.readUInt32BE(at + indexEntryBytes);
    const from = at + indexEntryBytes;
    rows.push({
      row: readUInt64(index, at),
      bytes: index.readUInt32BE(at + 8),
      head: index.subarray(from, from + length),
    });
    at = from + length;
  }
  return rows;
}
