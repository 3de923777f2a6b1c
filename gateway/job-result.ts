/** What the main thread counts of one record that was normalized: shares, the sender's clock, what rules did. */
import type { ClinicalEvent } from '../proto/gen/hilum/v1/event.ts';
import type { JournalRecord } from '../proto/gen/hilum/v1/journal.ts';
import type { Class } from './capture/intake.ts';
import { onceCounts } from './normalize/memory/once.ts';
import type { Normalized } from './normalize/outcome.ts';
import { senderTime } from './normalize/sender-time.ts';
import type { JobRecord, JobResult } from './worker-job.ts';

/** @param lane of the record; routine where it has no event */
export function resultOf(
  { sequence }: JobRecord,
  record: JournalRecord,
  { events, unmapped, critical }: Normalized,
  lane: Class,
): JobResult {
  let [results, unflagged] = [0, 0];
  for (const event of events) {
    if (!isResult(event)) continue;
    results += 1;
    if (!isFlagged(event)) unflagged += 1;
  }
  const capturedAtUs = Number(record.capturedAtUs);
  const result: JobResult = { sequence, lane, capturedAtUs, results, unflagged };
  if (unmapped !== undefined) result.unmapped = unmapped;
  if (critical !== undefined) result.critical = critical;
  const once = onceCounts(events);
  if (once !== undefined) result.once = once;
  if (record.replays > 0) result.replayed = true;
  addClock(result, record, events);
  return result;
}

/** What comes a second time, or was written beforehand, says nothing of the sender's clock now. */
function addClock(result: JobResult, record: JournalRecord, events: readonly ClinicalEvent[]): void {
  if (record.resend || record.will || record.replays > 0 || record.protocol === 'file') return;
  const sent = senderTime(events);
  if (sent === undefined) return;
  result.aheadMs = sent.ms - result.capturedAtUs / 1000;
  result.stepMs = sent.stepMs;
  if (sent.assumed !== '') result.assumed = sent.assumed;
}

function isResult(event: ClinicalEvent): boolean {
  return event.kind === 'observation' && event.observations.length > 0;
}

function isFlagged(event: ClinicalEvent): boolean {
  return event.observations.some(({ interpretation }) => interpretation !== '');
}
