/** Notes about the patient or the visit, where the event has no resource with a note of its own. */
import { notes } from './datatypes.ts';
import type { Draft } from './draft.ts';

/** Their notes stand on the request, the drug, the dose or the appointment. */
const told = new Set(['medication', 'immunization', 'schedule']);

export function addNotes(draft: Draft): void {
  const { kind, notes: about } = draft.event;
  const texts = notes(about);
  const elsewhere = told.has(kind) || draft.requests.length > 0 || draft.prescriptions.length > 0;
  if (texts.length === 0 || elsewhere) return;
  draft.add('notes', {
    resourceType: 'Communication',
    status: 'completed',
    subject: draft.patient,
    encounter: draft.encounter,
    payload: texts.map(({ text }) => ({ contentString: text })),
  });
}
