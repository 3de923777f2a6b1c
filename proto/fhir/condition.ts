/** Condition for diagnoses and problems, Goal for goals. */
import type { Condition, Observation } from '../gen/hilum/v1/event.ts';
import {
  coded,
  concept,
  date,
  dateTime,
  hl7System,
  identifiers,
  notes,
  notStated,
  textOf,
  word,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, present, tellsNothing } from './json.ts';
import { inRole } from './practitioner.ts';
import { labelsOf, restricted } from './security.ts';
import { table } from './tables.ts';
import { firstValue } from './value.ts';

export function addConditions(draft: Draft): void {
  draft.event.conditions.forEach((from, at) => {
    if (tellsNothing(from)) return;
    const path = `conditions/${at}`;
    const rows = rowsOf(draft, `conditions[${at}]`);
    if (from.type === 'goal') addGoal(draft, path, from, rows);
    // A risk or a request is no condition that somebody has.
    else if (from.mood === undefined) addCondition(draft, path, from, rows);
  });
}

interface Rows {
  /** References to what was found. */
  readonly found: Element[];
  /** What is aimed at, or may be. */
  readonly aims: readonly Observation[];
}

function rowsOf(draft: Draft, place: string): Rows {
  const found: Element[] = [];
  const aims: Observation[] = [];
  draft.event.observations.forEach((row, at) => {
    if (row.ofCondition !== place) return;
    if (row.mood === undefined) found.push(draft.reference('Observation', `observations/${at}`));
    else aims.push(row);
  });
  return { found, aims };
}

function addCondition(draft: Draft, path: string, from: Condition, { found }: Rows): void {
  const category = draft.event.kind === 'problem' ? 'problem-list-item' : 'encounter-diagnosis';
  const resource = {
    resourceType: 'Condition',
    identifier: identifiers([from.identifier, ...from.identifiers]),
    ...statuses(from),
    category: present([coded(hl7System('condition-category'), category), concept(from.kind)]),
    severity: concept(from.severity),
    code: concept(from.code) ?? word(from.text),
    subject: draft.subject,
    encounter: draft.visit(from.ofEncounter),
    ...onset(from),
    abatementDateTime: dateTime(from.resolved),
    recordedDate: dateTime(from.recorded),
    asserter: inRole(draft, from.participants, 'diagnosing')[0],
    evidence: found.length === 0 ? undefined : [{ detail: found }],
    note: remarksOn(from),
  };
  // DG1-18 says it of a diagnosis, PRB-25 of a problem.
  const labels = labelsOf(from.confidentiality);
  draft.add(path, resource, /^y/i.test(from.confidential) ? [...labels, restricted] : labels);
}

/** One of the two: words beside a time are a note. */
function onset(from: Condition): Record<string, Json> {
  const onsetDateTime = dateTime(from.onset);
  return onsetDateTime === undefined ? { onsetString: from.onsetText } : { onsetDateTime };
}

function remarksOn(from: Condition): Element[] {
  const onsetNote = dateTime(from.onset) === undefined ? '' : from.onsetText;
  const texts = [from.text === textOf(from.code) ? '' : from.text, onsetNote];
  return [...texts.map((text) => ({ text })), ...notes(from.notes)];
}

/** HL7 table 0052 → condition-ver-status. */
const verification = table({ F: 'confirmed', A: 'provisional', W: 'provisional' });

/** What PRB-13 says, where it is in FHIR's own words. */
const sureness = new Set(['confirmed', 'unconfirmed', 'provisional', 'differential', 'refuted']);

const clinical = new Set(['active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved']);

/** DG1-6 F is final, A and W are not yet; DG1-21 D and PRB-1 DE take the entry back [con-4, con-5]. */
function statuses(from: Condition): Record<string, Json> {
  const system = hl7System('condition-ver-status');
  if (from.action === 'D' || from.action === 'DE') {
    return { verificationStatus: coded(system, 'entered-in-error') };
  }
  const said = textOf(from.status).toLowerCase();
  const known = dateTime(from.resolved) !== undefined ? 'resolved' : clinical.has(said) ? said : undefined;
  const sure = textOf(from.verification).toLowerCase();
  const verified = sureness.has(sure) ? sure : verification[from.type.toUpperCase()];
  return {
    clinicalStatus: known === undefined ? undefined : coded(hl7System('condition-clinical'), known),
    verificationStatus: verified === undefined ? undefined : coded(system, verified),
  };
}

function addGoal(draft: Draft, path: string, from: Condition, { found, aims }: Rows): void {
  const deleted = from.action === 'DE';
  const said = textOf(from.status).toLowerCase();
  draft.add(path, {
    resourceType: 'Goal',
    identifier: identifiers([from.identifier, ...from.identifiers]),
    category: present([concept(from.kind)]),
    lifecycleStatus: deleted ? 'entered-in-error' : (goalStatus[said] ?? 'active'),
    description: describe(from),
    subject: draft.subject,
    startDate: date(from.onset),
    target: [{ dueDate: date(from.expected) }, ...aims.map(target)],
    statusDate: date(from.statusSince ?? from.recorded),
    outcomeReference: found,
    achievementStatus: concept(from.evaluation),
    note: [...from.evaluationComments.map((text) => ({ text })), ...notes(from.notes)],
  });
}

/** A detail needs what is measured [gol-1]. */
function target(row: Observation): Element {
  const measure = concept(row.code);
  if (measure === undefined) return {};
  const { valueQuantity, valueCodeableConcept, valueRange, valueRatio } = firstValue(row);
  const detailString =
    (valueQuantity ?? valueCodeableConcept ?? valueRange ?? valueRatio) ? undefined : row.value || undefined;
  return {
    measure,
    detailQuantity: valueQuantity,
    detailCodeableConcept: valueCodeableConcept,
    detailRange: valueRange,
    detailRatio: valueRatio,
    detailString,
  };
}

const goalStatus = table({
  active: 'active',
  proposed: 'proposed',
  planned: 'planned',
  accepted: 'accepted',
  completed: 'completed',
  cancelled: 'cancelled',
  rejected: 'rejected',
});

function describe(from: Condition): Element {
  return concept(from.code) ?? notStated;
}
