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
import { Containment, type Part } from './containment.ts';
import {
  bytesOf,
  bytesOfSegment,
  copied,
  type Doses,
  type Heading,
  inherit,
  opened,
  severalInOne,
  toVisit,
} from './draft-parts.ts';
import type { Family } from './family.ts';
import type { Message, Segment } from './message.ts';
import { NamedOrders } from './named-orders.ts';
import { Owners } from './owners.ts';
import { noReply } from './reply.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { forOrder, SpecimenAhead } from './specimen-ahead.ts';

/** Every order's event repeats its patient and its specimen, so that a small message could become a huge one. */
export const repeatedBytesMax = 64 * 1024 * 1024;

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
  /** Where it went before the results that were read last. */
  beforeResult: Participant[] | undefined;
  /** Who acts in every order of the message, being named before any patient (OPL^O37). */
  readonly ofEveryOrder: Participant[] = [];
  /** The specimen of the orders that follow it, and what is said of it before them. */
  ahead = new SpecimenAhead(undefined);
  /** Rows that tell of the patient or a specimen, not of what was ordered. */
  private aside: Set<Observation> | undefined;
  /** Rows of the open order from here on stand behind its last specimen. */
  specimenFrom = 0;
  /** Rows of the open order are told apart by the specimen that they stand behind. */
  bySpecimen = false;
  /** What orders repeat of their specimens, about. */
  repeatedBytes = 0;
  /** True once the open event has said anything but its header. */
  said = false;
  /** How the message answers another one. */
  readonly reply = noReply();
  /** What an ORC said before its first OBR, RXE …: it is that of those behind that one, too. */
  headings: Map<string, Heading | undefined> | undefined;
  /** The order that is being read in a family with one event, after the first. */
  furtherOrder: Order | undefined;
  /** Where the order stands in the event that the next results are of, in a family with one event; else empty. */
  ordered = '';
  ofCondition = '';
  /** Of the order that is being read. */
  doses: Doses | undefined;
  /** There are several patients, and orders before the first: nobody knows whose the others are. */
  unclear = false;
  /** Whether what the message is about (SCH, RF1, TXA) stands before its patient; not known before it comes. */
  leads: Map<string, boolean> | undefined;
  /** What RGS-2 does with the resources behind it. */
  groupAction = '';
  /** Segments that the open group has had. */
  readonly seen = new Set<string>();
  /** What EVN says; it stands once and holds for every patient of the message. */
  private movement: Movement | undefined;
  private groups: ClinicalEvent[] = [];
  private containment: Containment | undefined;
  /** Behind a second PID among orders: whose the orders before it were, and whether earlier results stand under it. */
  private asked: { base: ClinicalEvent; visit: Encounter | undefined; earlier: boolean } | undefined;
  /** Orders stand before the first patient. */
  private behind = false;
  private visit: Encounter | undefined;
  private visited = false;
  readonly named = new NamedOrders();

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
      toVisit(this.base.patient, this.visit);
    }
    return this.visit;
  }

  /** Whom a PRT or ROL is about that stands behind nothing with people of its own: the visit, before any the patient. */
  get others(): Participant[] {
    const { patient, encounter } = this.base;
    const ofPatient = patient !== undefined && encounter === undefined && this.event === undefined;
    return ofPatient ? patient.participants : this.encounter.participants;
  }

  /**
   * A second PV1 of one patient: of the orders that follow it (OML), else a further visit (BAR).
   * @param within of the open order, whose ORC it stands behind, too
   */
  openVisit(within: boolean): Encounter {
    // People (PRT, ROL) may have come before the visit itself.
    const first = !this.visited;
    this.visited = true;
    if (first) return this.encounter;
    if (!within) this.closeGroup();
    const before = this.base.encounter;
    this.visit = fresh.encounter();
    if (within || this.groups.length > 0) {
      for (const event of this.groups) event.encounter ??= before;
      this.base.encounter = this.visit;
      // No order is of the visit before.
      if (this.groups.length === 0 && before !== undefined) this.base.furtherEncounters.push(before);
    } else this.base.furtherEncounters.push(this.visit);
    return this.visit;
  }

  /** Where the visit stands that is being told of, where it is not the first; else empty. */
  get ofEncounter(): string {
    const at = this.visit === undefined ? -1 : this.base.furtherEncounters.indexOf(this.visit);
    return at < 0 ? '' : `furtherEncounters[${at}]`;
  }

  get order(): Order {
    const { current } = this;
    const further = this.furtherOrder;
    if (further !== undefined) return further;
    current.order ??= fresh.order();
    return current.order;
  }

  /** Where EVN is read to. @param anew true for one behind the patient of another */
  recorded(anew: boolean): Movement {
    if (anew) {
      this.movement = undefined;
      this.base.movement = undefined;
    }
    this.movement ??= fresh.movement();
    this.base.movement ??= this.movement;
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

  /** Of a message about a patient, a visit or a list no ROL is a result's: it is of what stands before the results. */
  leaveResult(): void {
    const performers = this.family.opens.size > 0 ? undefined : this.lastObservation?.performers;
    if (performers !== undefined && this.acting === performers) this.acting = this.beforeResult;
  }

  /** Opens the next order group. */
  openGroup(): void {
    this.closeGroup();
    const event = opened(this.family);
    this.open(event);
    this.notes = event.notes;
    if (this.ofEveryOrder.length > 0) this.order.participants.push(...this.ofEveryOrder.map(copied));
    const { specimen, notes, bytes } = this.ahead;
    if (specimen === undefined) return;
    event.notes.push(...notes);
    this.order.specimen = forOrder(specimen);
    // A message that repeats too much is refused in the end; until then it costs nothing more.
    this.repeatedBytes += bytes;
    const told = this.ahead.tell();
    const again = this.repeatedBytes > repeatedBytesMax ? [] : told;
    event.observations = [...again.map((row) => this.copied(row)), ...this.base.observations];
    this.base.observations = [];
  }

  private open(event: ClinicalEvent): void {
    this.event = event;
    this.bySpecimen = false;
    this.specimenFrom = 0;
    if (this.seen.size > 0) this.seen.clear();
  }

  /**
   * The next specimen, of the orders that follow it. What no order tells of the one before it, as of a control that was
   * measured or of one that was rejected, is an event of its own: with the next order it would be said of another
   * specimen, and of another person's maybe.
   */
  openSpecimen(next: Specimen | undefined): void {
    const { base } = this;
    const { specimen, notes } = this.ahead;
    const rows = this.ahead.untold();
    this.ahead = new SpecimenAhead(next);
    if (rows === undefined) return;
    const event = opened(this.family);
    event.order = { ...fresh.order(), specimen };
    event.notes.push(...notes);
    event.observations = rows;
    const told = new Set(rows);
    base.observations = base.observations.filter((row) => !told.has(row));
    this.groups.push(event);
  }

  /** A row or a note, where it stands between a specimen and its orders. */
  ofSpecimen(segment: Segment, row?: Observation): void {
    if (this.event !== undefined || this.ahead.specimen === undefined) return;
    this.ahead.add(bytesOfSegment(segment), row);
  }

  /** Rows behind the order's last specimen are of that one; false where there are none. */
  rowsOfSpecimen(number: number): boolean {
    const rows = this.current.observations.slice(this.specimenFrom);
    for (const row of rows) row.ofSpecimen = number;
    return rows.length > 0;
  }

  /** The row is of the patient or a specimen (an index, a volume). */
  setAside(row: Observation): void {
    this.aside = (this.aside ?? new Set()).add(row);
  }

  /** What was found of the order itself; where nothing was, all that is there. */
  ownRows({ observations }: ClinicalEvent): Observation[] {
    const own = observations.filter((row) => this.aside?.has(row) !== true);
    return own.length > 0 ? own : observations;
  }

  /** What earlier events of its patient named of the devices that the event's rows hang below. */
  partsAround(event: ClinicalEvent, own: readonly Part[]): Part[] {
    // One that repeats too much is refused in the end.
    if (this.done.length < 2 || this.repeatedBytes > repeatedBytesMax) return [];
    this.containment ??= new Containment();
    const parts = this.containment.around(event.patient, event.observations, own);
    if (parts.length > 0) this.repeatedBytes += JSON.stringify(parts).length;
    return parts;
  }

  /** Puts in place of an event those that it is. */
  divide(apart: NonNullable<Family['apart']>): void {
    const { done, owners, message } = this;
    for (const event of done.splice(0)) {
      const groups = apart(event);
      if (groups.length < 2) {
        done.push(event);
        continue;
      }
      remark(message.scope, severalInOne, event);
      const told = new Set<Observation>();
      for (const rows of groups) {
        const part = copied(event);
        part.order = event.order && this.copied(event.order);
        part.times = event.times && { ...event.times };
        part.observations = rows.map((row) => (told.has(row) ? this.copied(row) : row));
        for (const row of rows) told.add(row);
        // A message that repeats too much is refused in the end.
        if (this.repeatedBytes <= repeatedBytesMax) this.repeatedBytes += bytesOf(part, rows.length);
        owners.inherits(part, event);
        done.push(part);
      }
    }
  }

  /** Each order's is its own: what is found of it later (earlier values, critical marks) differs. */
  private copied<T extends Observation | Order>(one: T): T {
    const copy = copied(one);
    if (this.aside?.has(one as Observation)) this.setAside(copy as Observation);
    const { segmentsOf } = this.message;
    const segments = segmentsOf?.get(one);
    if (segments !== undefined) segmentsOf?.set(copy, segments);
    return copy;
  }

  closeGroup(): void {
    const { event } = this;
    if (event === undefined) return;
    this.groups.push(event);
    this.event = undefined;
    if (this.family.name === 'oru') this.named.add(event, this.seen);
  }

  /** Opens again the order that an ORC named by these numbers, and nothing told of yet; false where there is none. */
  resume(placer: string, filler: string): boolean {
    const event = this.named.take(placer, filler);
    if (event === undefined) return false;
    this.closeGroup();
    this.groups.splice(this.groups.indexOf(event), 1);
    this.open(event);
    this.seen.add('ORC');
    return true;
  }

  /** The first PID. */
  firstPatient(): void {
    this.behind = this.event !== undefined || this.groups.length > 0;
  }

  /** Another PID. Among orders it may be that of earlier results only [HL7 2.5.1 4.4.6, PATIENT_PRIOR]. */
  nextPatient(): void {
    const { base, visit } = this;
    this.unclear ||= this.behind;
    const ordered = this.family.name === 'orders' && (this.event !== undefined || this.groups.length > 0);
    this.closePatient();
    if (ordered) this.asked ??= { base, visit, earlier: false };
  }

  /** An order begins. Behind earlier results under a PID of their own it is the first patient's again. */
  beginOrder(earlier: boolean): void {
    const { asked } = this;
    if (asked === undefined) return;
    if (earlier) {
      asked.earlier = true;
      return;
    }
    this.asked = undefined;
    if (!asked.earlier) return;
    this.closePatient();
    this.base = { ...asked.base, observations: [] };
    this.visit = asked.visit;
    this.visited = true;
    this.notes = this.base.notes;
    this.owners.inherits(this.base, asked.base);
  }

  /** Closes what was open for one patient. */
  closePatient(): void {
    this.closeGroup();
    this.openSpecimen(undefined);
    const { base, groups } = this;
    if (groups.length === 0) {
      if (this.said) this.done.push(base);
    } else {
      // Results that stand before any order are the patient's; they are told once.
      if (base.observations.length > 0) groups[0]?.observations.unshift(...base.observations);
      for (const event of groups) {
        inherit(event, base);
        this.owners.inherits(event, base);
        this.done.push(event);
      }
    }
    this.groups = [];
    this.named.clear();
    this.visit = undefined;
    this.visited = false;
    this.furtherOrder = undefined;
    this.ordered = '';
    this.ofCondition = '';
    this.headings = undefined;
    this.base = opened(this.family);
    // A copy, since what an event becomes is its own.
    if (this.movement !== undefined) this.base.movement = { ...this.movement };
    this.notes = this.base.notes;
    this.acting = undefined;
    this.said = false;
    if (this.seen.size > 0) this.seen.clear();
  }
}
