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

/** 48 bits. */
export interface Key {
  high: number;
  /** 16 bits. */
  low: number;
}

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

/** A row as it is encoded. */
export type SeriesMemory = Buffer;

/** Longer texts are not kept. */
export const textBytesMax = 40;
/** Of one report. */
export const valuesMax = 60;
const version = 2;
const rowHeadBytes = 9;
const reportsMax = 16;
/** Beyond it the oldest go. */
const bytesMax = 1536;
/** Reports of each observation that are kept: its own order's, and the two that are told. */
const keptEach = 3;

const has = { epoch: 1, withdrawn: 2, specimen: 4 } as const;
const ofValue = { sameUnit: 1, status: 2, effective: 4 } as const;
/** By their place; what is not here is `unknown`. */
const statuses = [
  'unknown',
  'final',
  'preliminary',
  'corrected',
  'partial',
  'cancelled',
  'entered-in-error',
  'registered',
];
const [cancelled, enteredInError] = [statuses.indexOf('cancelled'), statuses.indexOf('entered-in-error')];

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

interface LastText {
  at: number;
  text: string;
}

/** Reads rows one after the other: reports from the newest on, and the values of each. */
export class SeriesReader {
  #bytes: Buffer = scratch;
  #end = 0;
  start = 0;
  length = 0;
  orderHigh = 0;
  orderLow = 0;
  sequence = 0;
  capturedS = 0;
  isWithdrawn = false;
  specimen = 0;
  #epochAt = 0;
  #status = 0;
  #sourceAt = 0;
  #effectiveAt = 0;
  #left = 0;
  #at = 0;
  // Of the value that was read last.
  keyHigh = 0;
  keyLow = 0;
  #valueAt = 0;
  #unitAt = 0;
  #ownStatus = 0;
  #ownEffectiveAt = 0;
  /** The results of a report share most of their texts: the last one at each place. */
  readonly #source: LastText = { at: 0, text: '' };
  readonly #effective: LastText = { at: 0, text: '' };
  readonly #unit: LastText = { at: 0, text: '' };

  open(row: SeriesMemory): this {
    this.#bytes = row;
    this.#end = row.length;
    this.start = rowHeadBytes;
    this.length = 0;
    for (const one of [this.#source, this.#effective, this.#unit]) one.at = 0;
    return this;
  }

  nextReport(): boolean {
    const bytes = this.#bytes;
    const start = this.start + this.length;
    if (start >= this.#end) return false;
    this.start = start;
    this.length = ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
    this.orderHigh = read32(bytes, start + 2);
    this.orderLow = read32(bytes, start + 6);
    this.sequence = read48(bytes, start + 10);
    this.capturedS = read32(bytes, start + 16);
    const flags = bytes[start + 20] as number;
    this.isWithdrawn = (flags & has.withdrawn) !== 0;
    let at = start + 21;
    this.#epochAt = (flags & has.epoch) === 0 ? 1 : at;
    if ((flags & has.epoch) !== 0) at += 8;
    this.specimen = (flags & has.specimen) === 0 ? 0 : bytes.readUInt16BE(at);
    if (this.specimen !== 0) at += 2;
    this.#status = bytes[at] as number;
    this.#sourceAt = at + 1;
    this.#effectiveAt = after(bytes, at + 1);
    at = after(bytes, this.#effectiveAt) + 6;
    this.#left = bytes[at] as number;
    this.#at = at + 1;
    this.#unitAt = 0;
    return true;
  }

  /** False after the last of the report. */
  nextValue(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    const bytes = this.#bytes;
    let at = this.#at;
    this.keyHigh = read32(bytes, at);
    this.keyLow = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number);
    const flags = bytes[at + 6] as number;
    this.#valueAt = at + 7;
    at = after(bytes, at + 7);
    if ((flags & ofValue.sameUnit) === 0) {
      this.#unitAt = at;
      at = after(bytes, at);
    }
    this.#ownStatus = this.#status;
    if ((flags & ofValue.status) !== 0) {
      this.#ownStatus = bytes[at] as number;
      at += 1;
    }
    this.#ownEffectiveAt = this.#effectiveAt;
    if ((flags & ofValue.effective) !== 0) {
      this.#ownEffectiveAt = at;
      at = after(bytes, at) + 6;
    }
    this.#at = at;
    return true;
  }

  get epoch(): bigint {
    return this.#bytes.readBigUInt64BE(this.#epochAt);
  }

  get source(): string {
    return this.#shared(this.#sourceAt, this.#source);
  }

  /** What was reported before is taken back. */
  get isGone(): boolean {
    return this.#ownStatus === cancelled || this.#ownStatus === enteredInError;
  }

  get status(): string {
    return statuses[this.#ownStatus] ?? 'unknown';
  }

  get effective(): string {
    return this.#shared(this.#ownEffectiveAt, this.#effective);
  }

  get effectiveMs(): number {
    return read48(this.#bytes, after(this.#bytes, this.#ownEffectiveAt));
  }

  get value(): string {
    return this.#text(this.#valueAt);
  }

  get unit(): string {
    return this.#unitAt === 0 ? '' : this.#shared(this.#unitAt, this.#unit);
  }

  #shared(at: number, last: LastText): string {
    if (last.at !== at) {
      last.at = at;
      last.text = this.#text(at);
    }
    return last.text;
  }

  #text(at: number): string {
    return this.#bytes.toString('utf8', at + 1, after(this.#bytes, at));
  }
}

function after(bytes: Buffer, textAt: number): number {
  return textAt + 1 + (bytes[textAt] as number);
}

function read32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function read48(bytes: Buffer, at: number): number {
  return (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) * 0x1_0000_0000 + read32(bytes, at + 2);
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

/** Of one row at a time, which nobody reads on. */
const reader = new SeriesReader();
