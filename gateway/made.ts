/**
 * What became of records, as the journal takes it: from the normalizer's reply, or sealed here for the quarantine where the
 * normalizer could not even return them.
 */
import { JournalRecord, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/session.ts';
import type { Journal, Made } from './journal/journal.ts';
import { quarantineId } from './journal/layout.ts';
import type { TakenRecord } from './journal/records.ts';
import { nowUs } from './process/clock.ts';
import { Damaged } from './process/seal.ts';
import type { JobReply, Slice } from './worker-job.ts';

export function made({ lanes, rejects, deliveries, remembered, bytes, plain }: JobReply): Made {
  const stored = ({ offset, length }: Slice) => Buffer.from(bytes, offset, length);
  const bySequence = new Map<number, Made['deliveries'][number]>();
  for (const { sequence, destination, sealed } of deliveries) {
    const one = bySequence.get(sequence) ?? { sequence, made: [] };
    one.made.push({ destination, sealed: stored(sealed) });
    bySequence.set(sequence, one);
  }
  const journaled: Made = {
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
  };
  if (remembered !== undefined)
    journaled.remembered = { row: remembered.row, bytes: stored(remembered.slice) };
  return journaled;
}

export const ranOut = {
  code: 'mapping-failed',
  reason: 'The mapping ran out of its time or memory on this message.',
};

export const notTried = {
  code: 'mapping-circuit',
  reason:
    'The mapping of this source ran out of its time or memory on several messages in a row, so this one was not tried. Push a config that works, then replay it.',
};

export function giveUp(
  journal: Journal,
  { gateway, site }: { gateway: string; site: string },
  taken: TakenRecord,
  why: { code: string; reason: string },
): Made {
  const record = openOrBlank(journal, taken);
  const facts = {
    ...why,
    atUs: BigInt(nowUs()),
    urgent: taken.guess === 'stat' || taken.guess === 'urgent',
  };
  const quarantined = QuarantinedRecord.fromPartial({ record, ...facts });
  const sealed = journal.sealQuarantined(taken.sequence, taken.source, quarantined);
  const entry = QuarantineEntry.fromPartial({
    id: quarantineId(gateway, journal.epoch, taken.sequence),
    gateway,
    site,
    capturedAtUs: record.capturedAtUs,
    source: record.source,
    messageControlId: record.messageControlId,
    recordHash: Buffer.from(record.sha256).toString('hex'),
    recordEpoch: journal.epoch,
    recordSequence: BigInt(taken.sequence),
    ...facts,
    protocol: record.protocol,
    bytes: BigInt(record.raw.length),
  });
  const { sequence, source, capturedS } = taken;
  return { lanes: [], rejects: [{ sequence, source, capturedS, sealed, entry }], deliveries: [] };
}

function openOrBlank(journal: Journal, taken: TakenRecord): JournalRecord {
  try {
    return journal.openRecord(taken);
  } catch (error) {
    if (error instanceof Damaged) return JournalRecord.create();
    throw error;
  }
}
