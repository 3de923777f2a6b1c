/**
 * The events of one message while its segments are read in order.
 *
 *   base    what is said of the patient and the visit, before any order
 *   event   the open order group (ORC, OBR, RXA …), where the family makes one event per order
 *   done    closed groups
 *
 * A second patient closes the first one's groups [HL7 7.3.1: PATIENT_RESULT repeats].
 * A group's event gets what its patient's segments said.
 */
import type {
  ClinicalEvent,
  Encounter,
  Movement,
  Note,
  Observation,
  Order,
  Participant,
  Patient,
  Specimen,
  Times,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { Family } from './family.ts';
import type { Message, Segment } from './message.ts';
import { Owners } from './owners.ts';
import { noReply } from './reply.ts';
import { fresh } from './shapes.ts';

export interface Heading {
  readonly order: Order;
  readonly notes: readonly Note[];
  /** For the mappings of a config. */
  readonly segments: readonly Segment[];
}

export class Draft {
  readonly message: Message;
  readonly family: Family;
  readonly trigger: string;
  readonly done: ClinicalEvent[] = [];
  readonly owners = new Owners();
  base: ClinicalEvent;
  event: ClinicalEvent | undefined;
  /** Where an NTE goes: to what stands before it. */
  notes: Note[];
  /** Where a PRT or ROL goes. */
  acting: Participant[] | undefined;
  /** The specimen of the orders that follow it (OUL^R22, OML^O33). */
  specimen: Specimen | undefined;
  /** Comments on it; every one of its orders gets them. */
  specimenNotes: Note[] = [];
  /** True once the open event has said anything but its header. */
  said = false;
  /** How the message answers another one. */
  readonly reply = noReply();
  /** What an ORC said before its first OBR: it is that of the OBRs behind that one, too. */
  heading: Heading | undefined;
  /** The order that is being read in a family with one event, after the first. */
  furtherOrder: Order | undefined;
  /** Where the order stands in the event that the next results are of, in a family with one event; else empty. */
  ordered = '';
  /** What RGS-2 does with the resources behind it. */
  groupAction = '';
  /** Segments that the open group has had. */
  readonly seen = new Set<string>();
  /** What EVN says; it stands once and holds for every patient of the message. */
  private movement: Movement | undefined;
  private groups: ClinicalEvent[] = [];
  private visit: Encounter | undefined;
  private visited = false;

  constructor(message: Message, family: Family, trigger: string) {
    this.message = message;
    this.family = family;
    this.trigger = trigger;
    this.base = opened(family);
    this.notes = this.base.notes;
  }

  get current(): ClinicalEvent {
    return this.event ?? this.base;
  }

  get patient(): Patient {
    this.base.patient ??= fresh.patient();
    return this.base.patient;
  }

  /** The visit that PV2 and its people belong to. */
  get encounter(): Encounter {
    if (this.visit === undefined) {
      this.visit = fresh.encounter();
      this.base.encounter = this.visit;
    }
    return this.visit;
  }

  /** A second PV1 of one patient: of the orders that follow it (OML), else a further visit (BAR). */
  openVisit(): Encounter {
    // People (PRT, ROL) may have come before the visit itself.
    const first = !this.visited;
    this.visited = true;
    if (first) return this.encounter;
    this.closeGroup();
    this.visit = fresh.encounter();
    if (this.groups.length > 0) {
      for (const event of this.groups) event.encounter ??= this.base.encounter;
      this.base.encounter = this.visit;
    } else this.base.furtherEncounters.push(this.visit);
    return this.visit;
  }

  get order(): Order {
    const { current } = this;
    const further = this.furtherOrder;
    if (further !== undefined) return further;
    current.order ??= fresh.order();
    return current.order;
  }

  /** Where EVN is read to. */
  recorded(): Movement {
    this.movement ??= fresh.movement();
    this.base.movement = this.movement;
    return this.movement;
  }

  get times(): Times {
    const { current } = this;
    current.times ??= fresh.times();
    return current.times;
  }

  get lastObservation(): Observation | undefined {
    return this.current.observations.at(-1);
  }

  /** Opens the next order group. */
  openGroup(): void {
    this.closeGroup();
    this.event = opened(this.family);
    this.notes = this.event.notes;
    this.seen.clear();
    if (this.specimen === undefined) return;
    this.event.notes.push(...this.specimenNotes);
    // Each order may say more of it (OBR-14, OBR-15).
    const { identifiers, additives, roles, siteModifiers } = this.specimen;
    this.order.specimen = {
      ...this.specimen,
      identifiers: [...identifiers],
      additives: [...additives],
      roles: [...roles],
      siteModifiers: [...siteModifiers],
    };
    // What was observed of a specimen before its orders is told with the first of them.
    this.event.observations = this.base.observations;
    this.base.observations = [];
  }

  closeGroup(): void {
    if (this.event === undefined) return;
    this.groups.push(this.event);
    this.event = undefined;
  }

  /** Closes what was open for one patient. */
  closePatient(): void {
    this.closeGroup();
    const { base, groups } = this;
    if (groups.length === 0) {
      if (this.said) this.done.push(base);
    } else {
      // Results that stand before any order are the patient's; they are told once.
      groups[0]?.observations.unshift(...base.observations);
      for (const event of groups) {
        inherit(event, base);
        this.owners.inherits(event, base);
        this.done.push(event);
      }
    }
    this.groups = [];
    this.visit = undefined;
    this.visited = false;
    this.furtherOrder = undefined;
    this.ordered = '';
    this.heading = undefined;
    this.base = opened(this.family);
    // A copy, since what an event becomes is its own.
    if (this.movement !== undefined) this.base.movement = { ...this.movement };
    this.notes = this.base.notes;
    this.acting = undefined;
    this.specimen = undefined;
    this.said = false;
    this.seen.clear();
  }
}

function opened(family: Family): ClinicalEvent {
  const event = fresh.event();
  event.kind = family.kind;
  return event;
}

function inherit(event: ClinicalEvent, base: ClinicalEvent): void {
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
