/**
 * Context: what the site's own ADT last said of the patient and of the current stay, for events that do not
 * say it themselves. It stands in a block of its own, `context`, beside `patient` and `encounter`, which stay
 * what the message said; `enriched` lists every field with its source, record and age.
 *
 * Nothing is added
 * - past its age limit (config `enrichment.maxAge`),
 * - where the identity is in conflict, or identifiers of the event lead to persons with different birth dates,
 * - of a stay that the event does not belong to: it names another visit, or observes what was before the stay.
 *
 * Before a census was loaded `context.incomplete` is set where no ADT has spoken of the patient or of a stay: what
 * is not there was never told to this gateway.
 */
import type {
  ClinicalEvent,
  Context,
  Encounter,
  Identifier,
  Patient,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { PersonMemory, RememberedOrigin } from '../../../proto/gen/hilum/v1/journal.ts';
import { fresh } from '../hl7v2/shapes.ts';
import { censusNeed, isCensusLoaded, markCensus } from './census.ts';
import { currentIdentifiers } from './identity.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { About, EnrichmentLimits, MemoryRule, Need, Recall } from './memory.ts';
import { millisecondsOf } from './newness.ts';
import { originOf, personRow } from './person.ts';
import { sameVisit } from './stay.ts';

/** They are what others are completed from, or are about nobody. */
const never: ReadonlySet<string> = new Set(['admission', 'merge', 'master-file']);

export const context: MemoryRule = {
  name: 'context',
  // The rows of its identifiers, and of those that they were merged into, are named by the rule of identity.
  needs(event, about): readonly Need[] {
    if (about.censusEnd === true) return census;
    return isCompleted(event, about) && about.enrichment?.census === false ? census : [];
  },
  apply(event, about, recall) {
    if (about.censusEnd === true) markCensus(recall, originOf(event, about));
    const limits = about.enrichment;
    if (limits === undefined || !isCompleted(event, about)) return;
    const told = personsOf(event, recall).filter(({ patientFrom }) => patientFrom !== undefined);
    const knowsAll = limits.census || isCensusLoaded(recall);
    if (!knowsAll && !told.some(({ encounterFrom }) => encounterFrom !== undefined))
      event.context = { patient: undefined, encounter: undefined, incomplete: true };
    if (event.identityConflicts.length > 0 || isDivided(told)) return;
    const added = new Added(event, about, limits);
    addPatient(
      added,
      newest(told, ({ patientFrom }) => patientFrom),
    );
    addEncounter(
      added,
      newest(told, ({ encounterFrom }) => encounterFrom),
    );
    if (added.some) {
      event.context = { ...added.context, incomplete: event.context?.incomplete === true };
      event.provenance?.rules.push('memory/context');
    }
  },
};

const census = [censusNeed];

function isCompleted({ kind, patient }: ClinicalEvent, { enrichment }: About): boolean {
  return enrichment !== undefined && !never.has(kind) && patientIdentifiers(patient).length > 0;
}

class Added {
  readonly context: Context = { patient: undefined, encounter: undefined, incomplete: false };
  readonly event: ClinicalEvent;
  readonly limits: EnrichmentLimits;
  readonly #about: About;
  some = false;

  constructor(event: ClinicalEvent, about: About, limits: EnrichmentLimits) {
    this.event = event;
    this.limits = limits;
    this.#about = about;
  }

  get patient(): Patient {
    this.context.patient ??= fresh.patient();
    return this.context.patient;
  }

  get encounter(): Encounter {
    this.context.encounter ??= fresh.encounter();
    return this.context.encounter;
  }

  /** Seconds; what was captured later than this record is of age 0. */
  ageS({ capturedS }: RememberedOrigin): number {
    return Math.max(0, Math.floor(Number(this.#about.capturedAtUs / 1_000_000n) - capturedS));
  }

  mark(path: string, from: RememberedOrigin): void {
    this.some = true;
    const { source, record } = from;
    this.event.enriched.push({ path: `context.${path}`, source, ageS: BigInt(this.ageS(from)), record });
  }
}

function personsOf(event: ClinicalEvent, recall: Recall): PersonMemory[] {
  const rows: PersonMemory[] = [];
  for (const text of currentIdentifiers(event)) {
    const row = recall.find(personRow, text);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** Two persons could be meant. */
function isDivided(rows: readonly PersonMemory[]): boolean {
  const dates = rows.map(({ patient }) => patient?.birthDate.slice(0, 10) ?? '').filter((one) => one !== '');
  return dates.some((one) => dates.some((other) => !one.startsWith(other) && !other.startsWith(one)));
}

function newest(
  rows: readonly PersonMemory[],
  from: (row: PersonMemory) => RememberedOrigin | undefined,
): PersonMemory | undefined {
  const said = (row: PersonMemory) => from(row)?.saidMs ?? 0;
  return rows.reduce<PersonMemory | undefined>(
    (best, row) => (best === undefined || said(row) > said(best) ? row : best),
    undefined,
  );
}

function addPatient(added: Added, row: PersonMemory | undefined): void {
  const { patient: known, patientFrom: from } = row ?? {};
  if (known === undefined || from === undefined || added.ageS(from) > added.limits.patientS) return;
  const said = added.event.patient as Patient;
  const further = known.identifiers.filter((one) => !isSaid(one, said.identifiers));
  if (further.length > 0) {
    added.patient.identifiers = further;
    added.mark('patient.identifiers', from);
  }
  if (said.names.length === 0 && known.names.length > 0) {
    added.patient.names = known.names;
    added.mark('patient.names', from);
  }
  if (said.birthDate === '' && known.birthDate !== '') {
    added.patient.birthDate = known.birthDate;
    added.mark('patient.birthDate', from);
  }
  if (said.administrativeSex === '' && said.gender === '' && known.gender !== '') {
    added.patient.gender = known.gender;
    added.patient.administrativeSex = known.administrativeSex;
    added.mark('patient.gender', from);
  }
}

function addEncounter(added: Added, row: PersonMemory | undefined): void {
  const { encounter: known, encounterFrom: from } = row ?? {};
  if (known === undefined || from === undefined || added.ageS(from) > added.limits.encounterS) return;
  const said = added.event.encounter ?? fresh.encounter();
  if (!sameVisit(said, known) || isBefore(added.event, known)) return;
  if (said.identifiers.length === 0 && known.identifiers.length > 0) {
    added.encounter.identifiers = known.identifiers;
    added.mark('encounter.identifiers', from);
  }
  if (said.class === '' && known.class !== '') {
    added.encounter.class = known.class;
    added.mark('encounter.class', from);
  }
  if (said.location === undefined && known.location !== undefined) {
    added.encounter.location = known.location;
    added.mark('encounter.location', from);
  }
  const attending = known.participants;
  if (attending.length > 0 && !said.participants.some(({ role }) => role === 'attending')) {
    added.encounter.participants = attending;
    added.mark('encounter.participants', from);
  }
}

/** Observed before the stay began. */
function isBefore({ times }: ClinicalEvent, stay: Encounter): boolean {
  const observed = millisecondsOf(times?.observed);
  const start = millisecondsOf(stay.period?.start);
  return observed !== undefined && start !== undefined && observed < start;
}

function isSaid(identifier: Identifier, said: readonly Identifier[]): boolean {
  return said.some((one) => idText(one) === idText(identifier));
}
