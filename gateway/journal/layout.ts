/**
 * Where everything stands in the journal's LMDB environment. Keys are big-endian numbers
 * and never hold anything that was in a message.
 *
 *   table              key                                           value
 *   meta               name                                          text: format, epoch, counters
 *   segments           segment(4)                                    salt(16)
 *   sources            source number(2)                              source name
 *   records.<class>    sequence(8) source(2) captured s(4) size(4)   sealed JournalRecord, not normalized yet
 *   outbox.<lane>      lane sequence(8) source(2) flags(1) captured s(4) size(4)
 *                                                                    record(8) index(4) queued us(8) captured us(8) sealed Envelope
 *   quarantine         record sequence(8) source(2)                  sealed QuarantinedRecord
 *   quarantine-report  number(8)                                     sealed QuarantineEntry, until the centre has it
 *   audit-report       number(8)                                     AuditEntry, until the centre has it
 *   deliveries         destination(2) record sequence(8) part(2)     sealed LocalDelivery
 *   dead-letters       as deliveries: refused by their destination   sealed LocalDelivery
 *   destinations       destination number(2)                         destination name
 *   custody            source(2) hour(4)                             counts, 6 × 8 bytes
 *   local-custody      destination(2)                                counts, 3 × 8 bytes
 *   repeats            number(8)                                     packed entries of one round
 *
 * A record moves: capture writes it to records.<class guess>; normalization removes it
 * there and writes its events to the outbox (or the record to quarantine) in the same
 * transaction; the control plane's ack removes the events. What is in `records` is what
 * is not normalized, what is in `outbox` is what is not delivered: recovery is a scan of
 * keys, and custody's `pending` is a count of rows.
 */
import type { Class } from '../capture/intake.ts';

export const format = '1';
export const classes: readonly Class[] = ['stat', 'urgent', 'routine', 'bulk'];

export const tables = {
  meta: 'meta',
  segments: 'segments',
  sources: 'sources',
  quarantine: 'quarantine',
  quarantineReport: 'quarantine-report',
  auditReport: 'audit-report',
  deliveries: 'deliveries',
  deadLetters: 'dead-letters',
  destinations: 'destinations',
  custody: 'custody',
  localCustody: 'local-custody',
  repeats: 'repeats',
} as const;

export function recordsTable(guess: Class): string {
  return `records.${guess}`;
}

export function outboxTable(lane: Class): string {
  return `outbox.${lane}`;
}

export const outboxFlag = {
  /** The last event of a record whose delivery counts the record as delivered. */
  completes: 1,
} as const;

export interface RecordKey {
  sequence: number;
  source: number;
  capturedS: number;
  /** Bytes of the row's value. */
  size: number;
}

export function recordKey(sequence: number, source: number, capturedS: number, size: number): Buffer {
  const key = Buffer.allocUnsafe(18);
  writeUInt64(key, sequence, 0);
  key.writeUInt16BE(source, 8);
  key.writeUInt32BE(capturedS, 10);
  key.writeUInt32BE(size, 14);
  return key;
}

export function readRecordKey(key: Buffer): RecordKey {
  return {
    sequence: readUInt64(key, 0),
    source: key.readUInt16BE(8),
    capturedS: key.readUInt32BE(10),
    size: key.readUInt32BE(14),
  };
}

export interface OutboxKey extends RecordKey {
  flags: number;
}

export function outboxKey(
  sequence: number,
  source: number,
  flags: number,
  capturedS: number,
  size: number,
): Buffer {
  const key = Buffer.allocUnsafe(19);
  writeUInt64(key, sequence, 0);
  key.writeUInt16BE(source, 8);
  key[10] = flags;
  key.writeUInt32BE(capturedS, 11);
  key.writeUInt32BE(size, 15);
  return key;
}

export function readOutboxKey(key: Buffer): OutboxKey {
  return {
    sequence: readUInt64(key, 0),
    source: key.readUInt16BE(8),
    flags: key[10] ?? 0,
    capturedS: key.readUInt32BE(11),
    size: key.readUInt32BE(15),
  };
}

/** What stands before the sealed envelope in an outbox row. */
export const outboxHeaderBytes = 28;

export interface OutboxHeader {
  recordSequence: number;
  index: number;
  queuedAtUs: number;
  capturedAtUs: number;
}

export function outboxValue(header: OutboxHeader, sealed: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(outboxHeaderBytes + sealed.length);
  writeUInt64(value, header.recordSequence, 0);
  value.writeUInt32BE(header.index, 8);
  writeUInt64(value, header.queuedAtUs, 12);
  writeUInt64(value, header.capturedAtUs, 20);
  value.set(sealed, outboxHeaderBytes);
  return value;
}

export function readOutboxHeader(value: Buffer): OutboxHeader {
  return {
    recordSequence: readUInt64(value, 0),
    index: value.readUInt32BE(8),
    queuedAtUs: readUInt64(value, 12),
    capturedAtUs: readUInt64(value, 20),
  };
}

export function numberKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeUInt64(key, value, 0);
  return key;
}

export function shortKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(2);
  key.writeUInt16BE(value, 0);
  return key;
}

export function deliveryKey(destination: number, record: number, part: number): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeUInt16BE(destination, 0);
  writeUInt64(key, record, 2);
  key.writeUInt16BE(part, 10);
  return key;
}

/** The place that a sealed row is bound to; see seal.ts. */
export function place(table: string, epoch: bigint, sequence: number, part = 0): string {
  return `${table}|${epoch.toString(16)}|${sequence}|${part}`;
}

/** Sequences stay below 2^53: at a million a second that is 285 years. */
export function writeUInt64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeUInt32BE(Math.floor(value / 0x1_0000_0000), offset);
  buffer.writeUInt32BE(value >>> 0, offset + 4);
}

export function readUInt64(buffer: Uint8Array, offset: number): number {
  const view = buffer as Buffer;
  return view.readUInt32BE(offset) * 0x1_0000_0000 + view.readUInt32BE(offset + 4);
}
