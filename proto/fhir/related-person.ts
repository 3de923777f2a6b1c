/** RelatedPerson: next of kin, contacts and guarantors. */
import { address, concepts, dateText, identifiers, name, period, telecoms } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { tellsNothing } from './json.ts';
import { restricted } from './security.ts';
import { genders } from './tables.ts';

export function addRelatedPersons(draft: Draft): void {
  draft.event.relatedPersons.forEach((from, at) => {
    // That a GT1 is of a guarantor is a word of ours.
    if (tellsNothing(from, from.contactRole?.codings.length === 0 ? ['contactRole'] : [])) return;
    const resource = {
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
      communication: concepts([from.language]).map((language) => ({ language })),
    };
    const isProtected = from.flags.some((one) => /^(?:NK1-23|GT1-39)=Y/i.test(one));
    draft.add(`relatedPersons/${at}`, resource, isProtected ? [restricted] : []);
  });
}
