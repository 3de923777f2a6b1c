/** What the journal takes of a job: views into the buffers that came back, or what stands for a reply that never came. */
import { JournalRecord, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import type { Journal, Made } from './journal/journal.ts';
import { quarantineId } from './journal/layout.ts';
import type { TakenRecord } from './journal/records.ts';
import { nowUs } from './process/clock.ts';
import { Damaged } from './process/seal.ts';
import type { Done, Slice } from './worker-job.ts';

export function made({ lanes, rejects, deliveries, remembered, bytes, plain }: Done): Made {
  const stored = ({ offset, length }: Slice) => Buffer.from(bytes, offset, length);
  const bySequence = new Map<number, Made['deliveries'][number]>();
  for (const { sequence, destination, sealed } of deliveries) {
    const one = bySequence.get(sequence) ?? { sequence, made: [] };
    one.made.push({ destination, sealed: stored(sealed) });
    bySequence.set(sequence, one);
  }
  return {
    lanes: lanes.map((one) => ({
      lane: one.lane,
      row: stored(one.row),
      plain: new Uint8Array(plain, one.plain.offset, one.plain.length),
    })),
    rejects: rejects.map(({ sealed, entry, ...record }) => ({
      ...record,
      sealed: stored(sealed),
      entry: QuarantineEntry.decode(entry),
    })),
    deliveries: [...bySequence.values()],
    remembered: remembered.map(({ key, value }) => ({ key: stored(key), value: stored(value) })),
  };
}

/** What becomes of a record that the worker cannot be done with. */
export function givenUp(
  journal: Journal,
  { gateway, site }: { gateway: string; site: string },
  taken: TakenRecord,
): Made {
  const record = openOrBlank(journal, taken);
  const atUs = BigInt(nowUs());
  const urgent = taken.guess === 'stat' || taken.guess === 'urgent';
  const reason = 'The mapping ran out of its time or memory on this message.';
  const code = 'mapping-failed';
  const sealed = journal.sealQuarantined(
    taken.sequence,
    QuarantinedRecord.fromPartial({ record, code, reason, atUs, urgent }),
  );
  const entry = QuarantineEntry.fromPartial({
    id: quarantineId(gateway, journal.epoch, taken.sequence),
    gateway,
    site,
    source: record.source,
    messageControlId: record.messageControlId,
    recordHash: Buffer.from(record.sha256).toString('hex'),
    recordEpoch: journal.epoch,
    recordSequence: BigInt(taken.sequence),
    code,
    reason,
    atUs,
    urgent,
    protocol: record.protocol,
    bytes: BigInt(record.raw.length),
  });
  const { sequence, source, capturedS } = taken;
  const rejects = [{ sequence, source, capturedS, sealed, entry }];
  return { lanes: [], rejects, deliveries: [], remembered: [] };
}

function openOrBlank(journal: Journal, taken: TakenRecord): JournalRecord {
  try {
    return journal.openRecord(taken);
  } catch (error) {
    if (error instanceof Damaged) return JournalRecord.create();
    throw error;
  }
}
