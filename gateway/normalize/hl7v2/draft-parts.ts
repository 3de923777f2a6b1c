/** What a draft hands on: from the patient and the visit to the orders, from one order to the next. */
import type {
  ClinicalEvent,
  Encounter,
  Medication,
  Note,
  Order,
  Participant,
  Patient,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { Family } from './family.ts';
import type { Segment } from './message.ts';
import { fresh } from './shapes.ts';

/** What a segment costs in an event, however short it is. */
const segmentBytes = 1024;

/** What one costs in each event that repeats it, about. */
export function bytesOfSegment(segment: Segment): number {
  return segmentBytes + segment.end(segment.count) - segment.start(0);
}

/** What an ORC says before several OBR. */
export interface Heading {
  readonly order: Order;
  readonly notes: readonly Note[];
  /** For the mappings of a config. */
  readonly segments: readonly Segment[];
}

/** Several administrations of one order. */
export interface Doses {
  /** What stands before them, and is told of each. */
  readonly medications: readonly Medication[];
  readonly notes: readonly Note[];
  /** What that costs in an event, about. */
  readonly bytes: number;
  /** Those that the next RXR is of. */
  unrouted: Medication[];
}

/** Who is named between the patient and the visit acts in that, but for who cares for the patient whatever the visit. */
export function toVisit(patient: Patient | undefined, { participants }: Encounter): void {
  if (patient === undefined || patient.participants.length === 0) return;
  const stays = ({ role }: Participant): boolean => role === 'primary-care';
  participants.push(...patient.participants.filter((one) => !stays(one)));
  patient.participants = patient.participants.filter(stays);
}

/** What a part repeats of the others, about. */
export function bytesOf({ order, notes }: ClinicalEvent, rows: number): number {
  const text = JSON.stringify([order, notes], (_, one: unknown) => (typeof one === 'bigint' ? 0 : one));
  return text.length + rows * segmentBytes;
}

/** As it is now, its lists its own. */
export function copied<T extends object>(one: T): T {
  const copy = { ...one };
  for (const [key, value] of Object.entries(copy)) {
    if (Array.isArray(value)) Object.assign(copy, { [key]: [...(value as unknown[])] });
  }
  return copy;
}

export function opened(family: Family): ClinicalEvent {
  const event = fresh.event();
  event.kind = family.kind;
  return event;
}

export function inherit(event: ClinicalEvent, base: ClinicalEvent): void {
  event.patient = base.patient;
  event.encounter ??= base.encounter;
  if (base.furtherEncounters.length > 0) event.furtherEncounters.push(...base.furtherEncounters);
  event.movement ??= base.movement;
  event.device ??= base.device;
  if (base.allergies.length > 0) event.allergies.push(...base.allergies);
  if (base.conditions.length > 0) event.conditions.unshift(...base.conditions);
  if (base.diagnosisGroups.length > 0) event.diagnosisGroups.unshift(...base.diagnosisGroups);
  if (base.procedures.length > 0) event.procedures.unshift(...base.procedures);
  if (base.relatedPersons.length > 0) event.relatedPersons.push(...base.relatedPersons);
  if (base.coverages.length > 0) event.coverages.push(...base.coverages);
  if (base.notes.length > 0) event.notes.unshift(...base.notes);
  if (base.accessRestrictions.length > 0) event.accessRestrictions.push(...base.accessRestrictions);
}

export const severalInOne =
  'OBR: several alarms in one group, told apart by OBX-4; they have its number and its times in common';
