/** Persons who act, and organizations. */
import type { Address, Identifier, Participant, Person, Telecom } from '../gen/hilum/v1/event.ts';
import { address, coded, hl7System, identifiers, name, nameText, telecoms } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, present, visible } from './json.ts';
import { participation } from './tables.ts';

/** @param at where the person is to be written to in what is told of them */
export function practitioner(
  draft: Draft,
  person: Person | undefined,
  at: readonly Address[] = [],
): Element | undefined {
  if (person === undefined) return undefined;
  const reference = draft.once({
    resourceType: 'Practitioner',
    identifier: identifiers(person.identifiers),
    name: present([person.name, ...person.furtherNames].map((one) => one && name(one))),
    address: at.map(address),
  });
  return reference && { ...reference, display: nameText(person.name) };
}

/** The people with one of these roles, in the order in which they were named. */
export function inRole(draft: Draft, participants: readonly Participant[], ...roles: string[]): Element[] {
  const those = participants.filter(({ role }) => roles.includes(role));
  return present(those.map(({ person, addresses }) => practitioner(draft, person, addresses)));
}

/** As `inRole`, and the organizations with one of the roles, where nobody acts for them. */
export function actors(draft: Draft, participants: readonly Participant[], ...roles: string[]): Element[] {
  return present(participants.filter(({ role }) => roles.includes(role)).map((one) => actor(draft, one)));
}

export function actor(
  draft: Draft,
  { person, organization: from, addresses }: Participant,
): Element | undefined {
  if (person !== undefined || from === undefined) return practitioner(draft, person, addresses);
  const { address } = from;
  return organization(draft, from.name, from.identifiers, address && [address], from.telecoms);
}

/** A canonical role as a concept: v3-ParticipationType where it is one. */
export function roleOf(role: string): Element | undefined {
  if (role === '') return undefined;
  const known = participation[role];
  if (known === undefined) return { text: role };
  return { ...coded(hl7System('v3-ParticipationType'), known), text: role };
}

export function organization(
  draft: Draft,
  name: string,
  numbers: readonly Identifier[] = [],
  at: readonly Address[] = [],
  numbersToCall: readonly Telecom[] = [],
): Element | undefined {
  const identifier = identifiers(numbers);
  const unnamed = identifier.length === 0 && !visible(name);
  if (unnamed && at.length === 0) return undefined;
  const reference = draft.once({
    resourceType: 'Organization',
    identifier,
    name: unnamed ? 'not stated' : name, // with a number or a name [org-1]
    telecom: telecoms(numbersToCall),
    address: at.map(address),
  });
  return reference && { ...reference, display: name };
}
