/** A record that goes to quarantine: as it is kept, and what of it may be known outside. */
import { type JournalRecord, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/quarantine.ts';
import { quarantineId } from './journal/layout.ts';
import { looksUrgent } from './meaning.ts';
import { nowUs } from './process/clock.ts';

export interface Why {
  code: string;
  reason: string;
  controlIds?: readonly string[];
}

/** Both encoded. */
export function rejected(
  { gateway, site, epoch }: { gateway: string; site: string; epoch: bigint },
  sequence: number,
  record: JournalRecord,
  { code, reason, controlIds = [] }: Why,
): { record: Uint8Array; entry: Uint8Array } {
  const atUs = BigInt(nowUs());
  const kept = { record, code, reason, atUs, refusedControlIds: [...controlIds] };
  const entry = QuarantineEntry.fromPartial({
    id: quarantineId(gateway, epoch, sequence),
    gateway,
    site,
    source: record.source,
    messageControlId: record.messageControlId,
    recordHash: Buffer.from(record.sha256).toString('hex'),
    recordEpoch: epoch,
    recordSequence: BigInt(sequence),
    code,
    reason,
    atUs,
    urgent: looksUrgent(record),
    protocol: record.protocol,
    bytes: BigInt(record.raw.length),
    capturedAtUs: record.capturedAtUs,
    refusedControlIds: [...controlIds],
  });
  return { record: QuarantinedRecord.encode(kept).finish(), entry: QuarantineEntry.encode(entry).finish() };
}
