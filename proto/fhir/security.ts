/** Meta.security: what the message says of who may see it. */
import type { ClinicalEvent, Code } from '../gen/hilum/v1/event.ts';
import { codeInTable } from '../hl7-table.ts';
import { concept, hl7System } from './datatypes.ts';
import type { Element, Json } from './json.ts';

export const restricted: Element = {
  system: hl7System('v3-Confidentiality'),
  code: 'R',
  display: 'restricted',
};

/** Of a resource by what it is: what holds for the message holds for each. ARV, PD1-12, PV2-22. */
export function securityOf(event: ClinicalEvent, resourceType: string): Element[] {
  const { patient, encounter, accessRestrictions } = event;
  const labels: Element[] = [];
  for (const { what, action, value } of accessRestrictions) {
    const whose = what === 'patient' ? 'Patient' : what === 'visit' ? 'Encounter' : resourceType;
    if (whose === resourceType && !isTakenBack(action)) labels.push(...labelsOf(value));
  }
  const isProtected =
    (resourceType === 'Patient' && patient?.flags.some((one) => /^PD1-12=Y/i.test(one))) ||
    (resourceType === 'Encounter' && encounter?.flags.some((one) => /^PV2-22=Y/i.test(one)));
  if (isProtected) labels.push(restricted);
  return labels;
}

/** The labels that a code is: its codings, else its text. */
export function labelsOf(from: Code | undefined): Element[] {
  const { coding, text } = concept(from) ?? {};
  if (Array.isArray(coding)) return coding as Element[];
  return text === undefined ? [] : [{ display: text as Json }];
}

function isTakenBack(action: Code | undefined): boolean {
  return codeInTable(action, '0206', '0323') === 'D';
}
