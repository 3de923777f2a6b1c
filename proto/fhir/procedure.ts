/** Procedure: what was done to the patient. */
import { concepts, dateTime, hl7System, identifiers, modified, notes, textOf, word } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { tellsNothing } from './json.ts';
import { practitioner, roleOf } from './practitioner.ts';

export function addProcedures(draft: Draft): void {
  draft.event.procedures.forEach((from, at) => {
    if (tellsNothing(from)) return;
    const performed = dateTime(from.performed);
    draft.add(`procedures/${at}`, {
      resourceType: 'Procedure',
      identifier: identifiers([from.identifier]),
      // PR1-20 D takes the entry back [HL7 table 0206].
      status:
        from.action.toUpperCase() === 'D'
          ? 'entered-in-error'
          : performed === undefined
            ? 'unknown'
            : 'completed',
      category: word(from.type, hl7System('v2-0230')),
      code: modified(from.code, from.modifiers) ?? word(from.text),
      reasonCode: concepts([from.diagnosis]),
      subject: draft.subject,
      encounter: draft.visit(from.ofEncounter),
      performedDateTime: performed,
      performer: from.participants.flatMap(({ role, person }) => {
        const actor = practitioner(draft, person);
        return actor === undefined ? [] : [{ function: roleOf(role), actor }];
      }),
      note: [...(from.text === textOf(from.code) ? [] : [{ text: from.text }]), ...notes(from.notes)],
    });
  });
}
