/**
 * A row of previous values as it is encoded [series-codec.ts], and how it is read: report by report, and of each only
 * what is asked for.
 */

/** 48 bits. */
export interface Key {
  high: number;
  /** 16 bits. */
  low: number;
}

/** A row as it is encoded. */
export type SeriesMemory = Buffer;

export const rowHeadBytes = 9;
export const has = { epoch: 1, withdrawn: 2, specimen: 4 } as const;
export const ofValue = { sameUnit: 1, status: 2, effective: 4 } as const;
/** By their place; what is not here is `unknown`. */
export const statuses = [
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

interface LastText {
  at: number;
  text: string;
}

/** Reads rows one after the other: reports from the newest on, and the values of each. */
export class SeriesReader {
  #bytes: Buffer = nothing;
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

const nothing = Buffer.alloc(0);
