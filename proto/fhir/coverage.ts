/** Coverage: who pays for the patient. */
import type { Coverage } from '../gen/hilum/v1/event.ts';
import { coded, concept, hl7System, identifiers, nameText, notStated, period, textOf } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, tellsNothing, visible } from './json.ts';
import { organization } from './practitioner.ts';

export function addCoverages(draft: Draft): void {
  draft.event.coverages.forEach((from, at) => {
    if (tellsNothing(from)) return;
    const insured = nameText(from.insured);
    draft.add(`coverages/${at}`, {
      resourceType: 'Coverage',
      identifier: identifiers(from.identifiers),
      status: 'active',
      type: concept(from.planType),
      policyHolder: insured === '' ? undefined : { display: insured },
      subscriberId: from.policyNumber,
      beneficiary: draft.subject,
      relationship: concept(from.relationship),
      period: period(from.start, from.end),
      payor: [insurer(draft, from) ?? notStated],
      class: classes(from),
      // From 1, as FHIR wants it.
      order: /^[1-9]\d{0,3}$/.test(from.coordinationOrder) ? Number(from.coordinationOrder) : undefined,
    });
  });
}

function insurer(draft: Draft, from: Coverage): Element | undefined {
  const { companyName, company, companyAddresses, companyTelecoms } = from;
  return organization(draft, companyName, company, companyAddresses, companyTelecoms);
}

function classes(from: Coverage): Element[] {
  const system = hl7System('coverage-class');
  const plan = from.plan?.codings[0]?.code ?? textOf(from.plan);
  return [
    { type: coded(system, 'plan'), value: plan, name: textOf(from.plan) },
    { type: coded(system, 'group'), value: from.groupNumber || from.groupName, name: from.groupName },
  ].filter(({ value }) => visible(value));
}
