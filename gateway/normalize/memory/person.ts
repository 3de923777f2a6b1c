/**
 * A person as one identifier knows them: birth date and sex as they were said, and what the site's own ADT
 * last told of the person and of the stay. One row an identifier; ADT writes those that it names. What ADT said earlier
 * than what is known counts as what others say.
 *
 * Birth date and sex are kept until something contradicts them. ADT settles: what it says is from then on
 * what others are compared with, and the ADT message that changes it is itself flagged. While no ADT has
 * spoken, each of two that differ is flagged.
 */
import type {
  ClinicalEvent,
  Encounter,
  Identifier,
  IdentityConflict,
  Patient,
  RecordPosition,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { IdentityStep } from '../../../proto/gen/hilum/v1/identity.ts';
import {
  PersonMemory,
  type RememberedFact,
  type RememberedOrigin,
} from '../../../proto/gen/hilum/v1/journal.ts';
import { endsSomething } from '../../../proto/merge-triggers.ts';
import { fresh } from '../hl7v2/shapes.ts';
import { moveBeds, renameOccupant } from './bed.ts';
import { historyText, lookIn, samePosition } from './identity-history.ts';
import { idText, keptIdentifiers, ofPatient, otherOf, patientIdentifiers, saidOf } from './identity-steps.ts';
import type { About, Recall, RowKind } from './memory.ts';
import { enteredMs } from './newness.ts';
import { isTakenBack, sameVisit, stayAfter } from './stay.ts';

const daysKept = 400;
/** Of a birth date or a sex: what was said, and what contradicted it. */
const factsMax = 4;
const conflictsMax = 8;

export const personRow: RowKind<PersonMemory> = {
  number: 17,
  keepS: daysKept * 86_400,
  lasts: true,
  encode: (row) => PersonMemory.encode(row).finish(),
  decode: (bytes) => PersonMemory.decode(bytes),
};

type Field = 'birth-date' | 'sex';
const fields: readonly Field[] = ['birth-date', 'sex'];
const placeOf = { 'birth-date': 'PID-7', sex: 'PID-8' } as const satisfies Record<Field, string>;

/** What the event says of its patient against what was said before under the same identifier, or the surviving one. */
export function conflictsOf(event: ClinicalEvent, about: About, recall: Recall): IdentityConflict[] {
  const conflicts: IdentityConflict[] = [];
  const said = patientIdentifiers(event.patient);
  const surviving: Identifier[] = [];
  for (const link of event.identityLinks) if (link.what === 'patient') surviving.push(...link.surviving);
  for (const identifier of surviving.length === 0 ? said : [...said, ...surviving]) {
    const row = personAt(recall, identifier);
    if (row === undefined) continue;
    for (const field of fields) {
      const value = saidValue(event.patient, field);
      const other = contradicted(factsOf(row, field), field, value, about);
      if (other?.from === undefined) continue;
      if (conflicts.some((one) => one.field === field && samePosition(one.other, other.from?.record)))
        continue;
      const ours = said.includes(identifier) ? identifier : said[0];
      conflicts.push(conflict(field, ours, about, other.from));
    }
  }
  return conflicts.length > conflictsMax ? conflicts.slice(0, conflictsMax) : conflicts;
}

/** The two patients of a merge against each other. */
export function mergeConflicts(step: IdentityStep, about: About, recall: Recall): IdentityConflict[] {
  const conflicts: IdentityConflict[] = [];
  for (const identifier of step.from) {
    for (const into of step.into) {
      const [retired, kept] = [personAt(recall, identifier), personAt(recall, into)];
      for (const field of fields) {
        const [one] = factsOf(retired, field);
        const [other] = factsOf(kept, field);
        if (one?.from === undefined || other === undefined || !differ(field, one.value, other.value))
          continue;
        if (!conflicts.some((known) => known.field === field && samePosition(known.other, one.from?.record)))
          conflicts.push(conflict(field, identifier, about, one.from));
      }
    }
  }
  return conflicts.slice(0, conflictsMax);
}

/** Writes what the event tells of its person into the rows of its identifiers. */
export function rememberPerson(event: ClinicalEvent, about: About, recall: Recall): void {
  const byAdt = event.kind === 'admission' || event.kind === 'merge';
  // Mostly nothing is new, and nobody asks for it.
  let made: RememberedOrigin | undefined;
  const from = () => {
    made ??= originOf(event, about);
    return made;
  };
  const kept = keptIdentifiers(event);
  for (const identifier of kept) {
    const known = personAt(recall, identifier);
    let row = known ?? PersonMemory.create();
    const isNewest = byAdt && (row.patientFrom === undefined || row.patientFrom.saidMs <= from().saidMs);
    const factsAfter = (field: Field) => {
      const facts = factsOf(row, field);
      if (!isNewest || !isTakenBack(event, placeOf[field]))
        return withFact(facts, field, saidValue(event.patient, field), from, isNewest);
      return facts.length === 0 ? facts : [];
    };
    const [birthDates, sexes] = [factsAfter('birth-date'), factsAfter('sex')];
    if (birthDates !== row.birthDates || sexes !== row.sexes) row = { ...row, birthDates, sexes };
    if (isNewest) row = { ...row, patient: told(event, kept, row.patient), patientFrom: from() };
    if (byAdt) {
      const after = stayAfter(row, event, from());
      if (after !== row) moveBeds(event, row.encounter, after.encounter, from(), recall);
      row = after;
    }
    if (row !== known && (known !== undefined || row.birthDates.length + row.sexes.length > 0 || byAdt))
      recall.set(personRow, idText(identifier), row);
  }
  if (event.merge === undefined) return;
  moveStay(event, from, recall);
  inheritStay(event, recall);
  partStays(event, about, recall);
  forgetRetired(event, recall);
}

/** Identifiers that ADT told beside retired ones, as an enterprise number beside the record number. */
export function companionsOf({ merge }: ClinicalEvent, recall: Recall): Identifier[] {
  if (merge === undefined || !endsSomething(merge.action)) return [];
  const retired = patientIdentifiers({ ...fresh.patient(), identifiers: merge.retired });
  return retired.flatMap((one) => personAt(recall, one)?.patient?.identifiers ?? []);
}

/** Nobody is completed with an identifier that is retired: what stands for it is told again by the next ADT. */
function forgetRetired(event: ClinicalEvent, recall: Recall): void {
  const gone = new Set((event.merge?.retired ?? []).map(idText));
  for (const companion of companionsOf(event, recall)) {
    const row = personAt(recall, companion);
    const { patient } = row ?? {};
    if (row === undefined || patient === undefined || gone.has(idText(companion))) continue;
    const identifiers = patient.identifiers.filter((one) => !gone.has(idText(one)));
    if (identifiers.length < patient.identifiers.length)
      recall.set(personRow, idText(companion), { ...row, patient: { ...patient, identifiers } });
  }
}

export function originOf(event: ClinicalEvent, about: About): RememberedOrigin {
  return {
    source: about.source,
    record: positionOf(about),
    capturedS: Math.floor(Number(about.capturedAtUs / 1_000_000n)),
    saidMs: enteredMs(event),
  };
}

export function personAt(recall: Recall, identifier: Identifier): PersonMemory | undefined {
  return recall.find(personRow, idText(identifier));
}

export function positionOf({ epoch, sequence }: About): RecordPosition {
  return { epoch, sequence };
}

/** The visit that lasts is another patient's from now on (A45), and so is its bed. */
function moveStay(event: ClinicalEvent, from: () => RememberedOrigin, recall: Recall): void {
  const { merge } = event;
  if (merge?.trigger !== 'A45') return;
  const source = ofPatient(merge.movedFrom);
  const patient = patientIdentifiers(event.patient);
  const others = otherOf(event, 'visit');
  const visits = new Set((others.length > 0 ? others : saidOf(event, 'visit')).map(idText));
  for (const identifier of source) {
    const row = personAt(recall, identifier);
    const stay = row?.encounter;
    if (row === undefined || stay === undefined) continue;
    if (!stay.identifiers.some((one) => visits.has(idText(one)))) continue;
    // Said later: something newer is known of the stay than whose it was.
    if ((row.encounterFrom?.saidMs ?? 0) > from().saidMs) continue;
    recall.set(personRow, idText(identifier), { ...row, encounter: undefined, encounterFrom: from() });
    const said = saidOf(event, 'visit');
    const moved = said.length > 0 ? { ...stay, identifiers: said } : stay;
    for (const one of patient) {
      const known = personAt(recall, one);
      if (known !== undefined && (known.encounterFrom?.saidMs ?? 0) <= from().saidMs)
        recall.set(personRow, idText(one), { ...known, encounter: moved, encounterFrom: from() });
    }
    renameOccupant(stay.location, source, patient, from(), recall);
  }
}

/** The surviving patient lies where the retired one lay, unless ADT has said something else of them since. */
function inheritStay({ merge, patient, identityConflicts }: ClinicalEvent, recall: Recall): void {
  if (merge === undefined || !endsSomething(merge.action) || identityConflicts.length > 0) return;
  const stays = patientIdentifiers({ ...(patient as Patient), identifiers: merge.retired })
    .map((one) => personAt(recall, one))
    .filter((row) => row?.encounter !== undefined);
  const [stay] = stays;
  if (stay === undefined) return;
  for (const identifier of patientIdentifiers(patient)) {
    const row = personAt(recall, identifier);
    // A stay that ended before this one began says nothing of it: who comes in unknown is merged into a known patient.
    const isOlder = (row?.encounterFrom?.saidMs ?? 0) < (stay.encounterFrom?.saidMs ?? 0);
    if (row !== undefined && (row.encounterFrom === undefined || (row.encounter === undefined && isOlder)))
      recall.set(personRow, idText(identifier), {
        ...row,
        encounter: stay.encounter as Encounter,
        encounterFrom: stay.encounterFrom,
      });
  }
}

/**
 * Two that are parted again (A37) do not both lie where one of them lies: what the surviving one has from the merge alone
 * is the other one's again. Of what ADT said of a stay while they were one nobody can tell whose it is, until it says more.
 */
function partStays(event: ClinicalEvent, about: About, recall: Recall): void {
  if (event.merge?.action !== 'unlink') return;
  const forget = (identifier: Identifier) => {
    const row = personAt(recall, identifier);
    if (row !== undefined)
      recall.set(personRow, idText(identifier), { ...row, encounter: undefined, encounterFrom: undefined });
  };
  for (const { into, from } of undoneSteps(event, about, recall)) {
    for (const [retired, kept] of from.flatMap((one) => into.map((other) => [one, other] as const))) {
      const [own, other] = [personAt(recall, retired), personAt(recall, kept)];
      if (own?.encounter === undefined || other?.encounterFrom === undefined) continue;
      const isInherited = samePosition(own.encounterFrom?.record, other.encounterFrom.record);
      const isLater = other.encounterFrom.saidMs >= (own.encounterFrom?.saidMs ?? 0);
      if (!isInherited && !isLater) continue;
      if (other.encounter !== undefined && sameVisit(own.encounter, other.encounter)) forget(kept);
      if (!isInherited) forget(retired);
    }
  }
}

/** Merges that this record has undone, each once. */
function undoneSteps(event: ClinicalEvent, about: About, recall: Recall): IdentityStep[] {
  const look = lookIn(recall);
  const steps = [...saidOf(event, 'patient'), ...otherOf(event, 'patient')].flatMap(
    (one) => look(historyText('patient', one))?.steps ?? [],
  );
  const undone = steps.filter(
    ({ action, undoneBy }) => action === 'merge' && samePosition(undoneBy, positionOf(about)),
  );
  return undone.filter(
    (step, at) => undone.findIndex(({ record }) => samePosition(record, step.record)) === at,
  );
}

/** Of the person what may complete other events, and nothing more; a field that ADT leaves out stays known, and one that it takes back does not. */
function told(event: ClinicalEvent, identifiers: Identifier[], known: Patient | undefined): Patient {
  const { names, birthDate, gender, administrativeSex } = event.patient as Patient;
  const knows = (field: string) => (isTakenBack(event, field) ? undefined : known);
  const sex = administrativeSex === '' ? knows('PID-8') : undefined;
  return {
    ...fresh.patient(),
    identifiers,
    names: names.length > 0 ? names.slice(0, 2) : (knows('PID-5')?.names ?? []),
    birthDate: birthDate || (knows('PID-7')?.birthDate ?? ''),
    gender: administrativeSex === '' ? (sex?.gender ?? '') : gender,
    administrativeSex: administrativeSex || (sex?.administrativeSex ?? ''),
  };
}

function factsOf(row: PersonMemory | undefined, field: Field): RememberedFact[] {
  return (field === 'sex' ? row?.sexes : row?.birthDates) ?? [];
}

function saidValue(patient: Patient | undefined, field: Field): string {
  if (field === 'birth-date') return patient?.birthDate ?? '';
  // Unknown, other and not applicable contradict nothing.
  return patient?.gender === 'male' || patient?.gender === 'female' ? patient.gender : '';
}

/** A birth date that is known to the year contradicts none of that year. */
function differ(field: Field, one: string, other: string): boolean {
  if (one === '' || other === '' || one === other) return false;
  if (field === 'sex') return one !== other;
  const [a, b] = [one.slice(0, 10), other.slice(0, 10)];
  return !a.startsWith(b) && !b.startsWith(a);
}

/** The fact that this value contradicts; as it was before this record, which may have been here already. */
function contradicted(
  facts: readonly RememberedFact[],
  field: Field,
  value: string,
  about: About,
): RememberedFact | undefined {
  if (!facts.some((fact) => differ(field, fact.value, value))) return undefined;
  const own = facts.findIndex(({ from }) => samePosition(from?.record, positionOf(about)));
  const before = facts.slice(own + 1);
  const [newest] = before;
  const compared = newest?.settled === true ? [newest] : before;
  return compared.find((fact) => differ(field, fact.value, value));
}

/** The same array where nothing new was said. */
function withFact(
  facts: RememberedFact[],
  field: Field,
  value: string,
  from: () => RememberedOrigin,
  settled: boolean,
): RememberedFact[] {
  if (value === '') return facts;
  const [newest] = facts;
  const known = facts.find((fact) => !differ(field, fact.value, value));
  if (known !== undefined && known === newest && (known.settled || !settled)) return facts;
  // What others say after ADT is flagged on their event, and is not what is known.
  if (!settled && (known !== undefined || newest?.settled === true)) return facts;
  const fact = { value, from: from(), settled };
  return [fact, ...facts.filter((one) => one !== known)].slice(0, factsMax);
}

function conflict(
  field: Field,
  identifier: Identifier | undefined,
  about: About,
  { record, source }: RememberedOrigin,
): IdentityConflict {
  return { field, identifier, record: positionOf(about), other: record, otherSource: source };
}
