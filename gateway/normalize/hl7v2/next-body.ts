/**
 * What a message is about stands in it once: EVN, SCH, ARQ, RF1, TXA, MFI. Some senders put several into one, as they put
 * several patients; then each is an event of its own.
 */
import type { Draft } from './draft.ts';
import { remark } from './scope.ts';

/** Noted where the patient is that of the body before, until the next PID. */
const kept = 'patient of the body before';

/** Before such a segment is read: closes the body before it, where there is one. True where there was. */
export function nextBody(draft: Draft, name: string): boolean {
  const { base, seen } = draft;
  const { patient, encounter, furtherEncounters, relatedPersons } = base;
  const leading = draft.leads?.get(name) ?? patient === undefined;
  draft.leads = (draft.leads ?? new Map()).set(name, leading);
  // Behind a body of several patients (SIU) the last one has it too, and no segment of its own.
  const next = seen.has(name) || (leading && patient !== undefined);
  if (next) {
    // Of what says nothing yet there is no event.
    if (!draft.said) remark(draft.message.scope, further(name));
    draft.closePatient();
    Object.assign(draft.base, {
      patient,
      encounter,
      furtherEncounters: [...furtherEncounters],
      relatedPersons: [...relatedPersons],
    });
    if (leading) draft.seen.add(kept);
  }
  draft.seen.add(name);
  return next;
}

/** Before a segment is read that adds to another one and stands behind it once. */
export function tellFurther({ seen, message }: Draft, name: string): void {
  if (seen.has(name)) remark(message.scope, further(name));
  seen.add(name);
}

function further(name: string): string {
  return `${name}: a further one, which stands for the one before`;
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
