/** What became of records, as the journal takes it: from the normalizer's reply, or told here where it could not even return them. */
import { JournalRecord, QuarantinedRecord } from '../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../proto/gen/hilum/v1/quarantine.ts';
import type { Journal, Made } from './journal/journal.ts';
import { quarantineId } from './journal/layout.ts';
import { damagedCode } from './journal/quarantine.ts';
import type { TakenRecord } from './journal/records.ts';
import { unpackEntries } from './journal/rows.ts';
import { looksUrgent } from './meaning.ts';
import { nowUs } from './process/clock.ts';
import type { JobReply, Slice } from './worker-job.ts';

export function made({ lanes, rejects, deliveries, remembered, bytes, plain }: JobReply): Made {
  const part = ({ offset, length }: Slice) => Buffer.from(bytes, offset, length);
  const bySequence = new Map<number, Made['deliveries'][number]>();
  for (const { sequence, destination, delivery } of deliveries) {
    const one = bySequence.get(sequence) ?? { sequence, made: [] };
    one.made.push({ destination, delivery: part(delivery) });
    bySequence.set(sequence, one);
  }
  const journaled: Made = {
    lanes: lanes.map((one) => ({
      lane: one.lane,
      entries: unpackEntries(one.entries),
      plain: new Uint8Array(plain, one.plain.offset, one.plain.length),
    })),
    rejects: rejects.map(({ record, entry, ...where }) => ({
      ...where,
      record: part(record),
      entry: QuarantineEntry.decode(entry),
    })),
    deliveries: [...bySequence.values()],
  };
  if (remembered !== undefined) journaled.remembered = remembered.row;
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

/** Those that can be read; what becomes of those that their disk has damaged goes to `aside`: each costs itself alone. */
export function sortOut(
  journal: Journal,
  gateway: { gateway: string; site: string },
  group: TakenRecord[],
  aside: Made[],
): TakenRecord[] {
  return group.filter((record) => {
    if (record.damaged === '') return true;
    const why = { code: damagedCode, reason: `Damaged on disk: ${record.damaged}.` };
    aside.push(giveUp(journal, gateway, record, why));
    return false;
  });
}

export function giveUp(
  journal: Journal,
  { gateway, site }: { gateway: string; site: string },
  taken: TakenRecord,
  why: { code: string; reason: string },
): Made {
  // Of what cannot be read no record is kept: nothing is left to be tried.
  const kept = taken.damaged === '' ? JournalRecord.decode(taken.bytes) : undefined;
  const record = kept ?? JournalRecord.create({ capturedAtUs: BigInt(taken.capturedS) * 1_000_000n });
  const facts = { ...why, atUs: BigInt(nowUs()) };
  const quarantined = QuarantinedRecord.encode({ ...facts, record: kept, refusedControlIds: [] }).finish();
  const entry = QuarantineEntry.fromPartial({
    id: quarantineId(gateway, journal.epoch, taken.sequence),
    gateway,
    site,
    capturedAtUs: record.capturedAtUs,
    source: journal.sourceName(taken.source),
    messageControlId: record.messageControlId,
    recordHash: Buffer.from(record.sha256).toString('hex'),
    recordEpoch: journal.epoch,
    recordSequence: BigInt(taken.sequence),
    ...facts,
    urgent: looksUrgent({ ...record, classGuess: taken.guess }),
    protocol: record.protocol,
    bytes: BigInt(record.raw.length),
  });
  const { sequence, source, capturedS } = taken;
  journal.noteQuarantined(sequence, source);
  return {
    lanes: [],
    rejects: [{ sequence, source, capturedS, record: quarantined, entry }],
    deliveries: [],
  };
}
