/** RelatedPerson: next of kin, contacts and guarantors. */
import { address, concepts, dateText, identifiers, name, period, telecoms } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { genders } from './tables.ts';

export function addRelatedPersons(draft: Draft): void {
  draft.event.relatedPersons.forEach((from, at) => {
    draft.add(`relatedPersons/${at}`, {
      resourceType: 'RelatedPerson',
      identifier: identifiers(from.identifiers),
      patient: draft.subject,
      relationship: concepts([from.relationship, from.contactRole]),
      name: from.names.map(name),
      telecom: telecoms(from.telecoms),
      gender: genders.has(from.gender) ? from.gender : undefined,
      birthDate: dateText(from.birthDate),
      address: from.addresses.map(address),
      period: period(from.period?.start, from.period?.end),
    });
  });
}
