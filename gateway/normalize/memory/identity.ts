/**
 * Identity: who an event is about, after everything that ADT said of its identifiers. What the message says
 * stays as it is; the event gains
 *
 *   identityLinks       what stands now for identifiers that were merged, moved or linked, by which record
 *   identityConflicts   another birth date or sex under the same identifier, a merge that goes in a circle
 *
 * A merge counts from the moment it was normalized: what is normalized later follows it here, whenever it
 * was captured. What was normalized before and still waits in the outbox is not searched: the control
 * plane follows the same steps when an event is read [control-plane/persons].
 *
 * An identifier belongs to its authority, and where none was sent to its source [normalize/identity.ts]: two
 * sources that number patients alike never meet here.
 */
import type { ClinicalEvent, Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { bedNeeds, bedsNamed, occupantsOf } from './bed.ts';
import {
  applySteps,
  follow,
  historyRow,
  historyText,
  type Look,
  lookIn,
  reach,
  reachFrom,
} from './identity-history.ts';
import {
  idText,
  ofPatient,
  otherOf,
  patientIdentifiers,
  saidOf,
  stepsOf,
  type What,
  whats,
} from './identity-steps.ts';
import type { About, MemoryRule, Need, Recall } from './memory.ts';
import { companionsOf, conflictsOf, mergeConflicts, personAt, personRow, rememberPerson } from './person.ts';

export const identity: MemoryRule = {
  name: 'identity',
  needs(event): readonly Need[] {
    const needs: Need[] = [];
    for (const what of whats) {
      for (const identifier of saidOf(event, what)) addNeeds(needs, what, identifier);
      for (const identifier of otherOf(event, what)) addNeeds(needs, what, identifier);
    }
    for (const bed of bedsNamed(event)) needs.push(bed);
    return needs;
  },
  follow(event, _about, recall): readonly Need[] {
    const beds =
      event.kind === 'admission' || event.merge?.trigger === 'A45'
        ? [
            ...bedsNamed(event),
            ...[...patientIdentifiers(event.patient), ...ofPatient(event.merge?.movedFrom ?? [])].flatMap(
              (one) => bedOf(one, recall),
            ),
          ]
        : [];
    const occupants = beds.flatMap(({ text }) => occupantsOf(text, recall)).flatMap(({ patient }) => patient);
    const rows = reach(event, lookIn(recall)).flatMap((text) => {
      const history = { kind: historyRow, text };
      return text.startsWith(patientRow)
        ? [history, { kind: personRow, text: text.slice(patientRow.length) }]
        : [history];
    });
    const companions = companionsOf(event, recall).map((one) => ({ kind: personRow, text: idText(one) }));
    const histories = reachFrom(occupants.map(idText), lookIn(recall));
    return [...rows, ...beds, ...companions, ...histories.map((text) => ({ kind: historyRow, text }))];
  },
  apply(event, about, recall) {
    const look = lookIn(recall);
    followMerge(event, about, recall, look);
    const { links, cut } = follow(event, look);
    event.identityLinks = links;
    if (cut) event.provenance?.remarks.push('the chain of merges is longer than is followed');
    event.identityConflicts.push(...conflictsOf(event, about, recall));
    rememberPerson(event, about, recall);
    if (links.length > 0 || event.identityConflicts.length > 0)
      event.provenance?.rules.push('memory/identity');
  },
};

const patientRow = 'patient|';

function addNeeds(needs: Need[], what: What, identifier: Identifier): void {
  needs.push({ kind: historyRow, text: historyText(what, identifier) });
  if (what === 'patient') needs.push({ kind: personRow, text: idText(identifier) });
}

/** The bed that the patient leaves with this movement. */
function bedOf(identifier: Identifier, recall: Recall): Need[] {
  return bedNeeds(personAt(recall, identifier)?.encounter?.location);
}

function followMerge(event: ClinicalEvent, about: About, recall: Recall, look: Look): void {
  if (event.merge === undefined) return;
  const put = (text: string, row: ReturnType<Look> & object) => recall.set(historyRow, text, row);
  const steps = stepsOf(event, about);
  // Before the steps are taken: what the two say apart from each other.
  for (const { what, step } of steps) {
    if (what === 'patient' && step.action !== 'link' && step.action !== 'unlink' && step.into.length > 0)
      event.identityConflicts.push(...mergeConflicts(step, about, recall));
  }
  event.identityConflicts.push(...applySteps(steps, look, put));
}

/** Identifiers of the person that the event is about now, its own first. */
export function currentIdentifiers(event: ClinicalEvent): string[] {
  const said = patientIdentifiers(event.patient);
  if (event.identityLinks.length === 0) return said.map(idText);
  const links = event.identityLinks.filter(({ what, kind }) => what === 'patient' && kind !== 'link');
  const retired = new Set(links.flatMap((link) => (link.surviving.length > 0 ? link.said.map(idText) : [])));
  const kept = said.map(idText).filter((one) => !retired.has(one));
  return [...new Set([...links.flatMap(({ surviving }) => surviving.map(idText)), ...kept])];
}
