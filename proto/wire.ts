/**
 * A Batch that is made of envelopes which are encoded already. Protocol buffers let a message be the
 * concatenation of its fields, so an envelope is stored, kept in memory and sent as one element
 *
 *   tag of Batch.envelopes(1) length(varint) envelope
 *
 * and a batch is the elements behind the frame's few other fields: no event is encoded or copied twice.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Field 4 of Batch, length-delimited [protobuf encoding]. */
export const envelopesTag = (4 << 3) | 2;
/** Field of GatewayFrame that holds a Batch. */
const batchField = 2;

export interface EncodedBatch {
  epoch: bigint;
  lane: string;
  firstSequence: bigint;
  queuedAtUs: readonly number[];
  sentAtUs: bigint;
  /** Elements, in sequence. */
  chunks: readonly Uint8Array[];
}

export function lengthBytes(length: number): number {
  let bytes = 1;
  for (let left = length; left > 0x7f; left = Math.floor(left / 128)) bytes += 1;
  return bytes;
}

/** Writes tag and length of an element; returns where its envelope begins. */
export function writeElementHead(target: Uint8Array, at: number, length: number): number {
  let to = at;
  target[to++] = envelopesTag;
  let left = length;
  for (; left > 0x7f; left >>>= 7) target[to++] = (left & 0x7f) | 0x80;
  target[to++] = left;
  return to;
}

export function batchElement(envelope: Uint8Array): Buffer {
  const element = Buffer.allocUnsafe(1 + lengthBytes(envelope.length) + envelope.length);
  element.set(envelope, writeElementHead(element, 0, envelope.length));
  return element;
}

/** Where the element that begins at `at` ends. */
export function batchElementEnd(elements: Uint8Array, at: number): number {
  let from = at + 1;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = elements[from++] as number;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return from + length;
  }
}

/** The envelopes of elements that follow each other, as views. */
export function envelopesOf(elements: Uint8Array): Uint8Array[] {
  const envelopes: Uint8Array[] = [];
  for (let at = 0; at < elements.length; ) {
    let from = at + 1;
    while ((elements[from] as number) >= 0x80) from += 1;
    at = batchElementEnd(elements, at);
    envelopes.push(elements.subarray(from + 1, at));
  }
  return envelopes;
}

/** A GatewayFrame with this batch in it. */
export function encodeBatchFrame(batch: EncodedBatch): Buffer {
  const writer = new BinaryWriter();
  writer.uint32((1 << 3) | 0).uint64(batch.epoch);
  writer.uint32((2 << 3) | 2).string(batch.lane);
  writer.uint32((3 << 3) | 0).uint64(batch.firstSequence);
  writer.uint32((5 << 3) | 2).fork();
  for (const atUs of batch.queuedAtUs) writer.uint64(atUs);
  writer.join();
  writer.uint32((6 << 3) | 0).uint64(batch.sentAtUs);
  const head = writer.finish();
  let elements = 0;
  for (const chunk of batch.chunks) elements += chunk.length;
  const outer = new BinaryWriter()
    .uint32((batchField << 3) | 2)
    .uint32(head.length + elements)
    .finish();
  const frame = Buffer.allocUnsafe(outer.length + head.length + elements);
  frame.set(outer, 0);
  frame.set(head, outer.length);
  let at = outer.length + head.length;
  for (const chunk of batch.chunks) {
    frame.set(chunk, at);
    at += chunk.length;
  }
  return frame;
}
