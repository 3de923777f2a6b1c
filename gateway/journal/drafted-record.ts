/** A record as it is journaled, of what capture hands over. */
import type { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import type { RecordDraft } from '../capture/intake.ts';
import { sha256 } from '../process/keys.ts';

/** Every member, in one order: the same hidden class for each. */
export function draftedRecord(draft: RecordDraft): JournalRecord {
  return {
    source: draft.source,
    protocol: draft.protocol,
    raw: draft.raw,
    sha256: sha256(draft.raw),
    capturedAtUs: draft.capturedAtUs,
    classGuess: draft.classGuess,
    messageControlId: draft.messageControlId,
    topic: draft.topic ?? '',
    resend: false,
    resendOf: 0n,
    conflict: false,
    conflictWith: 0n,
    client: draft.client ?? '',
    qos: draft.qos ?? 0,
    will: draft.will ?? false,
    replays: 0,
    censusEnd: draft.censusEnd ?? false,
    deliveredParts: [],
    deliveredTo: [],
  };
}
