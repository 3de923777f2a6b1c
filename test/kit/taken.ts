import { ok } from 'node:assert/strict';
import type { TakenRecord } from '../../gateway/journal/records.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';

/** What the journal hands to the normalizer, decoded; throws where there is none or it is damaged. */
export function recordOf(taken: TakenRecord | undefined): JournalRecord {
  ok(taken, 'no record was handed out');
  ok(taken.damaged === '', taken.damaged);
  return JournalRecord.decode(taken.bytes);
}
