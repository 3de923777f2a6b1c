/** Whose an order is: the patients that messages name under its number, as the memory of status compares them [status.ts]. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { currentIdentifiers } from './identity.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { About } from './memory.ts';

/** As the message names the patient, and as merges do by now. What people share or mistype (SSN) only where there is nothing else. */
export function patientOf(event: ClinicalEvent): string[] {
  const own = patientIdentifiers(event.patient);
  const said = (own.length > 0 ? own : (event.patient?.identifiers ?? [])).map(idText);
  const all = event.identityLinks.length === 0 ? said : [...said, ...currentIdentifiers(event)];
  return all.length < 2 ? all : [...new Set(all)];
}

/** Whose number it is may be left out. */
export function isOther(known: readonly string[], said: readonly string[], about: About): boolean {
  if (known.length === 0 || said.length === 0 || said.some((one) => known.includes(one))) return false;
  return !said.some((one) => known.some((other) => isSameNumber(one, other, about)));
}

/** @param patients by the identifiers of each; who has none may be any of them */
export function areOfSeveral(patients: readonly (readonly string[])[], about: About): boolean {
  return patients.some((one, at) => patients.slice(at + 1).some((other) => isOther(one, other, about)));
}

/** Without those that stand there with their authority, too: under another authority they are another patient's. */
export function withAuthority(identifiers: readonly string[], about: About): readonly string[] {
  if (identifiers.length < 2) return identifiers;
  return identifiers.filter(
    (one) =>
      !isBare(one, about) || !identifiers.some((other) => other !== one && isSameNumber(one, other, about)),
  );
}

function isSameNumber(one: string, other: string, about: About): boolean {
  return (isBare(one, about) || isBare(other, about)) && numberOf(one) === numberOf(other);
}

/** As the source sent it, without an authority [normalize/identity.ts]. */
function isBare(text: string, { source }: About): boolean {
  return text.startsWith(`urn:hilum:${source}|`);
}

function numberOf(text: string): string {
  return text.slice(text.indexOf('|') + 1);
}
