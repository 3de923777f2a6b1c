/**
 * What the memory holds of one order, and its encoding: an order is remembered with every result, so this is
 * most of what the memory writes. Results of one message share nearly all of their times and their record;
 * a state therefore says only in what it differs from the one before it.
 *
 *   order   version(1) one [placer { one placer }…]                            counts before each list
 *   one     epoch(8) { patient }… state… { key state… }…
 *   state   flags(1) what is not as before                                     numbers zigzag, of varying length
 *   text    bytes × 2 + 1 where it is not ASCII, then the bytes
 */
import { loincSystem, mdcSystem, snomedSystem } from '../../../proto/code-systems.ts';

/** One state of an order or an observation, as one record said it. */
export interface RememberedState {
  sequence: number;
  /** Of the record; 0 where it is that of the order. */
  epoch: bigint;
  status: string;
  /** Milliseconds since 1970; 0 where not known. */
  issuedMs: number;
  effectiveMs: number;
  analyzedMs: number;
  messageMs: number;
  /** Seconds since 1970. */
  capturedS: number;
  /** Short values only; longer ones as their hash, of 16 bytes. */
  value: string;
  digest: Uint8Array;
  unit: string;
  effective: string;
}

export interface RememberedObservation {
  /** Code, sub-id and place among equals. */
  key: string;
  /** The newest first. */
  states: readonly RememberedState[];
}

export interface OrderMemory {
  /** Of the journal, where a state does not say another one. */
  epoch: bigint;
  /** system|value of the patient's identifiers, from the newest records. */
  patient: readonly string[];
  /** The newest first. */
  states: readonly RememberedState[];
  observations: readonly RememberedObservation[];
  /** Which of those that go by the number it is [which-order.ts]; empty where none was named. */
  placer: string;
  /** Others that go by the same number, the newest first; they have no others. */
  others: readonly OrderMemory[];
}

const version = 1;
const same = { record: 1, status: 2, issued: 4, message: 8, effective: 16, unit: 32 } as const;
const has = { epoch: 64, analyzed: 128 } as const;
const digestBytes = 16;
/** What keys of observations mostly begin with. */
const prefixes = ['', `${loincSystem}|`, `${mdcSystem}|`, `${snomedSystem}|`];

const blank: RememberedState = {
  sequence: 0,
  epoch: 0n,
  status: '',
  issuedMs: 0,
  effectiveMs: 0,
  analyzedMs: 0,
  messageMs: 0,
  capturedS: 0,
  value: '',
  digest: new Uint8Array(0),
  unit: '',
  effective: '',
};

/** Overwritten by the next call. */
export function encodeOrder(order: OrderMemory): Uint8Array {
  const writer = orderWriter;
  writer.clear();
  writer.byte(version);
  writeOrder(writer, order);
  if (order.placer === '' && order.others.length === 0) return writer.bytes();
  writer.text(order.placer, 0);
  writer.number(order.others.length);
  for (const other of order.others) {
    writeOrder(writer, other);
    writer.text(other.placer, 0);
  }
  return writer.bytes();
}

function writeOrder(writer: Writer, order: OrderMemory): void {
  writer.wide(order.epoch);
  writer.number(order.patient.length);
  for (const one of order.patient) writer.text(one, 0);
  let before = blank;
  writer.number(order.states.length);
  for (const state of order.states) {
    writeState(writer, state, before);
    before = state;
  }
  writer.number(order.observations.length);
  for (const { key, states } of order.observations) {
    const prefix = prefixOf(key);
    writer.byte(prefix);
    writer.text(key, prefix === 0 ? 0 : (prefixes[prefix] as string).length);
    writer.number(states.length);
    for (const state of states) {
      writeState(writer, state, before);
      before = state;
    }
  }
}

/** @throws RangeError where the bytes are not an order of this version */
export function decodeOrder(bytes: Uint8Array): OrderMemory {
  const reader = new Reader(bytes);
  if (reader.byte() !== version) throw new RangeError('not an order of this version');
  const order = readOrder(reader);
  if (reader.ended) return order;
  return {
    ...order,
    placer: reader.text(),
    others: list(reader, () => ({ ...readOrder(reader), placer: reader.text() })),
  };
}

function readOrder(reader: Reader): OrderMemory {
  const epoch = reader.wide();
  const patient = list(reader, () => reader.text());
  let before = blank;
  const state = () => {
    before = readState(reader, before);
    return before;
  };
  const states = list(reader, state);
  const observations = list(reader, () => {
    const prefix = prefixes[reader.byte()] ?? '';
    return { key: prefix + reader.text(), states: list(reader, state) };
  });
  return { epoch, patient, states, observations, placer: '', others: [] };
}

function prefixOf(key: string): number {
  for (let at = 1; at < prefixes.length; at += 1) if (key.startsWith(prefixes[at] as string)) return at;
  return 0;
}

function writeState(writer: Writer, state: RememberedState, before: RememberedState): void {
  const flags =
    (state.sequence === before.sequence && state.capturedS === before.capturedS ? same.record : 0) |
    (state.status === before.status ? same.status : 0) |
    (state.issuedMs === before.issuedMs ? same.issued : 0) |
    (state.messageMs === before.messageMs ? same.message : 0) |
    (state.effectiveMs === before.effectiveMs && state.effective === before.effective ? same.effective : 0) |
    (state.unit === before.unit ? same.unit : 0) |
    (state.epoch === 0n ? 0 : has.epoch) |
    (state.analyzedMs === 0 ? 0 : has.analyzed);
  writer.byte(flags);
  if ((flags & same.record) === 0) {
    writer.number(state.sequence);
    writer.number(state.capturedS);
  }
  if ((flags & same.status) === 0) writer.text(state.status, 0);
  if ((flags & same.issued) === 0) writer.number(state.issuedMs);
  if ((flags & same.message) === 0) writer.number(state.messageMs);
  if ((flags & same.effective) === 0) {
    writer.number(state.effectiveMs);
    writer.text(state.effective, 0);
  }
  if ((flags & same.unit) === 0) writer.text(state.unit, 0);
  if (state.epoch !== 0n) writer.wide(state.epoch);
  if (state.analyzedMs !== 0) writer.number(state.analyzedMs);
  writer.text(state.value, 0);
  writer.byte(state.digest.length);
  if (state.digest.length > 0) writer.raw(state.digest);
}

function readState(reader: Reader, before: RememberedState): RememberedState {
  const flags = reader.byte();
  const record = (flags & same.record) !== 0;
  const sequence = record ? before.sequence : reader.number();
  const capturedS = record ? before.capturedS : reader.number();
  const status = (flags & same.status) !== 0 ? before.status : reader.text();
  const issuedMs = (flags & same.issued) !== 0 ? before.issuedMs : reader.number();
  const messageMs = (flags & same.message) !== 0 ? before.messageMs : reader.number();
  const effect = (flags & same.effective) !== 0;
  const effectiveMs = effect ? before.effectiveMs : reader.number();
  const effective = effect ? before.effective : reader.text();
  const unit = (flags & same.unit) !== 0 ? before.unit : reader.text();
  const epoch = (flags & has.epoch) !== 0 ? reader.wide() : 0n;
  const analyzedMs = (flags & has.analyzed) !== 0 ? reader.number() : 0;
  const value = reader.text();
  const length = reader.byte();
  if (length > digestBytes) throw new RangeError('not a digest');
  const digest = length === 0 ? blank.digest : reader.raw(length);
  return {
    sequence,
    epoch,
    status,
    issuedMs,
    effectiveMs,
    analyzedMs,
    messageMs,
    capturedS,
    value,
    digest,
    unit,
    effective,
  };
}

function list<One>(reader: Reader, read: () => One): One[] {
  const count = reader.number();
  const made: One[] = [];
  for (let at = 0; at < count; at += 1) made.push(read());
  return made;
}

/** Its buffer is kept: a new one would cost more than what is written. */
class Writer {
  #buffer = Buffer.allocUnsafeSlow(4096);
  #at = 0;

  clear(): void {
    this.#at = 0;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }

  wide(value: bigint): void {
    this.#room(8);
    this.#at = this.#buffer.writeBigUInt64BE(value, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A whole number, small ones in few bytes. */
  number(value: number): void {
    this.#room(9);
    let left = value < 0 ? -2 * value - 1 : 2 * value;
    while (left > 0x7f) {
      this.#buffer[this.#at] = (left % 128) | 0x80;
      this.#at += 1;
      left = Math.floor(left / 128);
    }
    this.#buffer[this.#at] = left;
    this.#at += 1;
  }

  /** From a character on. Short texts are copied here: a call into the runtime costs more. */
  text(text: string, from: number): void {
    const length = text.length - from;
    this.#room(9 + length * 3);
    const start = this.#at;
    this.number(length * 2);
    for (let at = from; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) {
        this.#at = start;
        const bytes = Buffer.from(text.slice(from));
        this.number(bytes.length * 2 + 1);
        this.raw(bytes);
        return;
      }
      this.#buffer[this.#at] = unit;
      this.#at += 1;
    }
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow((this.#at + bytes) * 2);
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

const orderWriter = new Writer();

class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get ended(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    const value = this.#buffer[this.#at];
    if (value === undefined) throw new RangeError('cut short');
    this.#at += 1;
    return value;
  }

  wide(): bigint {
    const value = this.#buffer.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  raw(length: number): Buffer {
    if (this.#at + length > this.#buffer.length) throw new RangeError('cut short');
    this.#at += length;
    // A copy: what is read outlives the chunk that it stood in.
    return Buffer.from(this.#buffer.subarray(this.#at - length, this.#at));
  }

  number(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.number();
    const bytes = length >> 1;
    const from = this.#at;
    if (from + bytes > this.#buffer.length) throw new RangeError('cut short');
    this.#at += bytes;
    return this.#buffer.toString(length % 2 === 0 ? 'latin1' : 'utf8', from, this.#at);
  }
}
