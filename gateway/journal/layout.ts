/**
 * Where everything stands in the journal's LMDB environment. Keys are big-endian numbers
 * and never hold anything that was in a message.
 *
 *   table              key                                        value
 *   state              name                                       format, epoch, counters, counts (state.ts)
 *   segments           segment(4)                                 salts and key check; see process/segments.ts
 *   segments-copy      as segments
 *   sources            source number(2)                           source name
 *   records.<class>    first last captured s bytes [source count] RecordRow: records not normalized yet
 *   outbox.<lane>      first count captured s bytes [source done] OutboxRow: events not delivered yet
 *   quarantine         record sequence … [quarantine.ts]          sealed QuarantinedRecord
 *   quarantine-report  number(8)                                  sealed QuarantineEntry, until the centre has it
 *   audit-report       number(8)                                  AuditEntry, until the centre has it
 *   delivery-report    number(8)                                  DeliveryEntry, until the centre has it
 *   deliveries         destination(2) record sequence(8) part(2)  sealed LocalDelivery
 *   dead-letters       as deliveries: refused by their destination
 *   destinations       destination number(2)                      destination name
 *   repeats            number(8)                                  packed entries of one round
 *   sessions           HMAC(16)                                   when a session connected last (kept-sessions.ts)
 *   memory             row(8)                                     what one job remembered (memory-row.ts)
 *   memory-index       last row(8)                                heads of rows of the memory
 *
 * A row holds what one commit round brought of one class, or what one job of the normalizer made for
 * one lane: a flush is paid once and a tree is walked once for many messages. Inside a row each
 * message has a digest of its own [process/seal.ts], so damage costs one message. What a restart has to know of a row stands in
 * its key, so that recovery and custody's `pending` are a walk over keys.
 *
 * A record moves: capture writes its row to records.<class guess>; normalization removes the row and
 * writes what became of its records (events to the outbox, records to quarantine) in the same
 * transaction; the control plane's ack removes the events.
 */
import { wireLimits } from '../../proto/limits.ts';
import type { Class } from '../capture/intake.ts';

export const format = '3';
/** A key that says more is damaged: no number is made from it. */
export const sequenceMax = Number(wireLimits.sequenceMax);

export const tables = {
  state: 'state',
  sources: 'sources',
  quarantine: 'quarantine',
  quarantineReport: 'quarantine-report',
  auditReport: 'audit-report',
  deliveryReport: 'delivery-report',
  deliveries: 'deliveries',
  deadLetters: 'dead-letters',
  destinations: 'destinations',
  repeats: 'repeats',
  sessions: 'sessions',
  memory: 'memory',
  memoryIndex: 'memory-index',
} as const;

export function recordsTable(guess: Class): string {
  return `records.${guess}`;
}

export function outboxTable(lane: Class): string {
  return `outbox.${lane}`;
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

/** How a record in quarantine is called everywhere; without a name before the enrollment. */
export function quarantineId(gateway: string, epoch: bigint, sequence: bigint | number): string {
  return `${gateway}.${epoch.toString(16)}.record.${sequence}`;
}
