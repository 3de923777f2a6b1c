/**
 * The last results of one patient, report by report, the newest arrival first. A row stays as it is encoded: a new
 * report is written in front of the others, which are copied, and of those only what is asked for is read. Each
 * result of a patient passes here, so bytes are taken apart by hand.
 *
 *   row      version(1) epoch(8) report…
 *   report   length(2) order(8) sequence(6) captured s(4) flags(1) [epoch(8)] [specimen(2)] status(1)
 *            source, effective, effective ms(6) values(1) value…
 *   value    key(6) flags(1) value [unit] [status(1)] [effective, effective ms(6)]
 *   text     bytes(1), UTF-8
 *
 * Keys and orders stand as hashes: 48 bits tell the codes of a few hundred values apart, 64 bits the orders, 16 the
 * kinds of specimen. Version 1 knew none.
 */
import {
  has,
  type Key,
  ofValue,
  rowHeadBytes,
  type SeriesMemory,
  SeriesReader,
  statuses,
} from './series-row.ts';

/** One result as it was reported. */
export interface SeriesValue {
  key: Key;
  value: string;
  unit: string;
  status: string;
  effective: string;
  /** Milliseconds since 1970; 0 where not known. */
  effectiveMs: number;
}

export interface SeriesReport {
  /** Two halves of the hash of what the report is about. */
  order: readonly [number, number];
  sequence: number;
  /** 0 where it is that of the row. */
  epoch: bigint;
  capturedS: number;
  source: string;
  /** 16 bits of what was taken from the patient; 0 where not known. */
  specimen: number;
  /** The whole order was withdrawn: nothing that was reported before counts. */
  isWithdrawn: boolean;
  values: readonly SeriesValue[];
}

/** Longer texts are not kept. */
export const textBytesMax = 40;
/** Of one report. */
export const valuesMax = 60;
const version = 2;
const reportsMax = 16;
/** Beyond it the oldest go. */
const bytesMax = 1536;
/** Reports of each observation that are kept: its own order's, and the two that are told. */
const keptEach = 3;

/** The row, as a view; undefined where the bytes are not one of a version that is known. */
export function decodeSeries(bytes: Uint8Array): SeriesMemory | undefined {
  if (bytes.length < rowHeadBytes || (bytes[0] !== version && bytes[0] !== 1)) return undefined;
  let at = rowHeadBytes;
  while (at + 1 < bytes.length) {
    const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    if (length === 0) return undefined;
    at += length;
  }
  if (at !== bytes.length) return undefined;
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of one row at a time, which nobody reads on. */
const reader = new SeriesReader();

/** Larger than a row and a report of the most and longest values. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * The row with the report in front of what it had; the same row where records that are not older said all of it of
 * the same order: the report was here before. @param epoch of a new row
 */
export function withReport(row: SeriesMemory | undefined, report: SeriesReport, epoch: bigint): SeriesMemory {
  if (row !== undefined && isKnown(row, report)) return row;
  scratch[0] = version;
  scratch.writeBigUInt64BE(epoch, 1);
  if (row !== undefined) row.copy(scratch, 1, 1, rowHeadBytes);
  const end = writeReport(report, rowHeadBytes);
  const made = row === undefined ? end : writeUseful(row, report, end);
  const bytes = Buffer.allocUnsafe(made);
  scratch.copy(bytes, 0, 0, made);
  return bytes;
}

function isKnown(row: SeriesMemory, { order, sequence, epoch, isWithdrawn, values }: SeriesReport): boolean {
  reader.open(row);
  let left: Set<SeriesValue> | undefined;
  while (reader.nextReport()) {
    if (reader.orderHigh !== order[0] || reader.orderLow !== order[1] || reader.sequence < sequence) continue;
    if (reader.epoch !== (epoch === 0n ? row.readBigUInt64BE(1) : epoch)) continue;
    if (isWithdrawn && reader.isWithdrawn) return true;
    left ??= new Set(values);
    while (reader.nextValue()) for (const one of left) if (says(reader, one)) left.delete(one);
  }
  return !isWithdrawn && (left?.size ?? values.length) === 0;
}

function says(reader: SeriesReader, { key, value, status }: SeriesValue): boolean {
  return (
    reader.keyHigh === key.high &&
    reader.keyLow === key.low &&
    reader.status === status &&
    reader.value === value
  );
}

/** Copies the reports that are among the last of any of their observations; returns where they end. */
function writeUseful(row: SeriesMemory, report: SeriesReport, from: number): number {
  const counts = new Map<number, number>();
  for (const { key } of report.values) counts.set(countedAs(key.high, report.specimen), 1);
  reader.open(row);
  let at = from;
  let reports = 1;
  while (reader.nextReport() && reports < reportsMax) {
    const isOwn = reader.orderHigh === report.order[0] && reader.orderLow === report.order[1];
    if (isOwn && report.isWithdrawn) continue;
    let isUseful = reader.isWithdrawn && !isOwn;
    while (reader.nextValue()) {
      const counted = countedAs(reader.keyHigh, reader.specimen);
      const count = counts.get(counted) ?? 0;
      // Of one order the last word is enough.
      if (count >= keptEach || (isOwn && count > 0)) continue;
      counts.set(counted, count + 1);
      isUseful = true;
    }
    if (!isUseful) continue;
    if (at + reader.length > bytesMax) break;
    at += row.copy(scratch, at, reader.start, reader.start + reader.length);
    reports += 1;
  }
  return at;
}

/** Glucose of serum is not what glucose of liquor is followed by. */
function countedAs(keyHigh: number, specimen: number): number {
  return keyHigh * 0x1_0000 + specimen;
}

function writeReport(report: SeriesReport, from: number): number {
  const { order, sequence, epoch, capturedS, source, specimen, isWithdrawn, values } = report;
  const [first] = values;
  const status = first?.status ?? '';
  let at = write32(order[1], write32(order[0], from + 2));
  at = write32(capturedS, write48(sequence, at));
  scratch[at] =
    (epoch === 0n ? 0 : has.epoch) | (isWithdrawn ? has.withdrawn : 0) | (specimen === 0 ? 0 : has.specimen);
  at += 1;
  if (epoch !== 0n) at = scratch.writeBigUInt64BE(epoch, at);
  if (specimen !== 0) at = scratch.writeUInt16BE(specimen, at);
  scratch[at] = statusNumber(status);
  at = writeText(source, at + 1);
  at = write48(first?.effectiveMs ?? 0, writeText(first?.effective ?? '', at));
  scratch[at] = values.length;
  at += 1;
  let unit = '';
  for (const one of values) {
    const own = one.effective !== first?.effective || one.effectiveMs !== first?.effectiveMs;
    at = write32(one.key.high, at);
    scratch[at] = one.key.low >>> 8;
    scratch[at + 1] = one.key.low & 0xff;
    scratch[at + 2] =
      (one.unit === unit ? ofValue.sameUnit : 0) |
      (one.status === status ? 0 : ofValue.status) |
      (own ? ofValue.effective : 0);
    at = writeText(one.value, at + 3);
    if (one.unit !== unit) at = writeText(one.unit, at);
    unit = one.unit;
    if (one.status !== status) {
      scratch[at] = statusNumber(one.status);
      at += 1;
    }
    if (own) at = write48(one.effectiveMs, writeText(one.effective, at));
  }
  scratch[from] = (at - from) >>> 8;
  scratch[from + 1] = (at - from) & 0xff;
  return at;
}

function write32(value: number, at: number): number {
  scratch[at] = value >>> 24;
  scratch[at + 1] = value >>> 16;
  scratch[at + 2] = value >>> 8;
  scratch[at + 3] = value;
  return at + 4;
}

function write48(value: number, at: number): number {
  const high = Math.floor(value / 0x1_0000_0000);
  scratch[at] = high >>> 8;
  scratch[at + 1] = high;
  return write32(value % 0x1_0000_0000, at + 2);
}

function statusNumber(status: string): number {
  return Math.max(0, statuses.indexOf(status));
}

/** Short texts only: the caller sees to that. */
function writeText(text: string, at: number): number {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) {
      const length = scratch.write(text, at + 1);
      scratch[at] = length;
      return at + 1 + length;
    }
    scratch[at + 1 + index] = unit;
  }
  scratch[at] = text.length;
  return at + 1 + text.length;
}
