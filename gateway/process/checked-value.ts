/**
 * A short value under a key, with a checksum over both: of counters and salts one bit alone would make another that
 * looks as good. Builds before the checksum wrote the value alone, which is taken as it is.
 */
import { crc32 } from 'node:zlib';

const crcBytes = 4;

export function checkedRow(key: string | Uint8Array, value: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(value.length + crcBytes);
  row.set(value);
  row.writeUInt32BE(crc32(value, crc32(key)), value.length);
  return row;
}

/** Undefined where there is no row, or it is not what was written. */
export function valueIn(
  row: Buffer | undefined,
  key: string | Uint8Array,
  valueBytes: number,
): Buffer | undefined {
  if (row === undefined || row.length < valueBytes) return undefined;
  const value = row.subarray(0, valueBytes);
  return row.length === valueBytes || row.equals(checkedRow(key, value)) ? Buffer.from(value) : undefined;
}
