/**
 * What a message is about stands in it once: SCH, ARQ, RF1, TXA, MFI. Some senders put several into one, as they put
 * several patients; then each is an event of its own.
 */
import type { Draft } from './draft.ts';

/** Noted where the patient is that of the body before, until the next PID. */
const kept = 'patient of the body before';

/** Before `segment` is read: closes the body before it, where there is one of the same kind. */
export function nextBody(draft: Draft, name: string): void {
  const { base, seen } = draft;
  const { patient, encounter, furtherEncounters, relatedPersons } = base;
  draft.leads ??= patient === undefined;
  // Behind a body of several patients (SIU) the last one has it too, and no segment of its own.
  if (seen.has(name) || (draft.leads && patient !== undefined)) {
    draft.closePatient();
    Object.assign(draft.base, {
      patient,
      encounter,
      furtherEncounters: [...furtherEncounters],
      relatedPersons: [...relatedPersons],
    });
    if (draft.leads) draft.seen.add(kept);
  }
  draft.seen.add(name);
}

/** Before a PID is read: where bodies stand before their patients, it begins that of the body before it. */
export function ownPatient(draft: Draft): void {
  if (!draft.seen.delete(kept)) return;
  Object.assign(draft.base, {
    patient: undefined,
    encounter: undefined,
    furtherEncounters: [],
    relatedPersons: [],
  });
}
