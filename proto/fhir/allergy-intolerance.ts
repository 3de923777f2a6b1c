/** AllergyIntolerance: what the patient does not tolerate. */
import type { Allergy, AllergyReaction } from '../gen/hilum/v1/event.ts';
import { inTable } from '../hl7-table.ts';
import {
  coded,
  concept,
  dateTime,
  hl7System,
  identifiers,
  nameText,
  notes,
  notStated,
  textOf,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, tellsNothing } from './json.ts';
import { allergyCategory, allergyCriticality, allergyType, reactionSeverity } from './tables.ts';

export function addAllergies(draft: Draft): void {
  draft.event.allergies.forEach((from, at) => {
    if (tellsNothing(from)) return;
    const category = allergyCategory[sent(from.type, '0127')];
    draft.add(`allergies/${at}`, {
      resourceType: 'AllergyIntolerance',
      identifier: identifiers([from.identifier]),
      ...statuses(from),
      type: allergyType[sent(from.sensitivity, '0436')],
      category: category === undefined ? undefined : [category],
      criticality: allergyCriticality[sent(from.severity, '0128')],
      code: concept(from.code) ?? concept(from.group),
      patient: draft.subject,
      encounter: draft.visit(from.ofEncounter),
      ...onset(from),
      recordedDate: dateTime(from.reported),
      asserter: { display: nameText(from.reportedBy) },
      reaction: reactions(from),
      note: remarksOn(from),
    });
  });
}

/** One of the two: words beside a time are a note. */
function onset({ identified, onsetText }: Allergy): Record<string, Json> {
  const onsetDateTime = dateTime(identified);
  return onsetDateTime === undefined ? { onsetString: onsetText } : { onsetDateTime };
}

function remarksOn({ code, group, identified, onsetText, notes: said }: Allergy): Element[] {
  const one = concept(code) === undefined ? '' : textOf(group);
  const texts = [one === '' ? '' : `Group: ${one}`, dateTime(identified) === undefined ? '' : onsetText];
  return [...texts.map((text) => ({ text })), ...notes(said)];
}

/**
 * IAM-17 [HL7 table 0438]: U, P, S and D are not confirmed, C is, I is confirmed and no longer active, E was
 * an error; IAM-6 D takes the entry back. Without them the entry is active [ait-1, ait-2].
 */
function statuses(from: Allergy): Record<string, Json> {
  const said = sent(from.clinicalStatus, '0438');
  const verification = hl7System('allergyintolerance-verification');
  if (said === 'E' || sent(from.action, '0206', '0323') === 'D') {
    return { verificationStatus: coded(verification, 'entered-in-error') };
  }
  const verified = 'CI'.includes(said) ? 'confirmed' : 'UPSD'.includes(said) ? 'unconfirmed' : '';
  return {
    clinicalStatus: coded(hl7System('allergyintolerance-clinical'), said === 'I' ? 'inactive' : 'active'),
    verificationStatus: said === '' || verified === '' ? undefined : coded(verification, verified),
  };
}

function reactions(from: Allergy): Element[] {
  const severity = reactionSeverity[sent(from.severity, '0128')];
  const manifestation = from.reactions.filter((text) => text !== '').map((text) => ({ text }));
  const details = from.reactionDetails.map(detail);
  if (manifestation.length > 0) return [{ manifestation, severity }, ...details];
  if (details.length > 0) return details;
  return severity === undefined ? [] : [{ manifestation: [notStated], severity }];
}

function detail({ code, severity, management }: AllergyReaction): Element {
  return {
    manifestation: [concept(code) ?? notStated],
    severity: reactionSeverity[sent(severity, '0128')],
    note: management === '' ? undefined : [{ text: management }],
  };
}

function sent(code: Allergy['type'], ...tables: readonly string[]): string {
  return (inTable(code, ...tables)?.code ?? textOf(code)).toUpperCase();
}
