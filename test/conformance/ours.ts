/** Our events of one message, laid out as the other converter lays out its Bundle. */
import type {
  ClinicalEvent,
  Encounter,
  HumanName,
  Identifier,
  Location,
  Observation,
  Order,
  Patient,
} from '../../proto/gen/hilum/v1/event.ts';
import type { Subject } from './facts.ts';

export interface Ours {
  events: ClinicalEvent[];
  patients: Patient[];
  visits: Encounter[];
  orders: OurOrder[];
  observations: Observation[];
}

/** An order and the event that tells of it: the report's status and times are the event's. */
export interface OurOrder {
  order: Order;
  event: ClinicalEvent;
}

export function laidOut(events: ClinicalEvent[]): Ours {
  const visits = events.flatMap((one) => [
    ...(one.encounter ? [one.encounter] : []),
    ...one.furtherEncounters,
  ]);
  const patients = events.flatMap(({ patient, merge }) => [
    ...(patient ? [patient] : []),
    ...(merge?.other ? [merge.other] : []),
  ]);
  const orders = events.flatMap((event) =>
    [...(event.order ? [event.order] : []), ...event.furtherOrders].map((order) => ({ order, event })),
  );
  return {
    events,
    patients: [...new Set(patients)],
    visits: [...new Set(visits)],
    orders,
    observations: events.flatMap((event) => event.observations),
  };
}

/** A patient of theirs is the one of ours that shares an identifier, else the one in the same place. */
export function samePatient(theirs: Subject, index: number, ours: Ours): Patient | undefined {
  return byNumber(theirs, ours.patients, (one) => one.identifiers) ?? ours.patients[index];
}

/** Names that are the patient's own, aliases, and the Medicaid case's, which one converter takes for a name. */
export function namesOf(patient: Patient, ours: Ours): HumanName[] {
  const events = ours.events.filter((event) => event.patient === patient);
  const cases = events.flatMap(({ coverages }) => coverages.flatMap((one) => one.medicaidCaseName ?? []));
  return [...patient.names, ...patient.aliasNames, ...cases];
}

export function sameVisit(theirs: Subject, index: number, ours: Ours): Encounter | undefined {
  return byNumber(theirs, ours.visits, (one) => one.identifiers) ?? ours.visits[index];
}

/** In the same place where their numbers agree, else by a number, else in the same place. */
export function sameOrder(theirs: Subject, index: number, ours: Ours): OurOrder | undefined {
  const here = ours.orders[index];
  if (here !== undefined && byNumber(theirs, [here], orderNumbers) !== undefined) return here;
  return byNumber(theirs, ours.orders, orderNumbers) ?? here;
}

export function orderNumbers({ order, event }: OurOrder): Identifier[] {
  const { placer, filler, group, parents, alternates } = order;
  const own = [placer, filler, group, event.immunization?.identifier].filter((one) => one !== undefined);
  return [...own, ...parents, ...alternates];
}

/** Observations go by their code, each of ours once, both sides in the message's order. */
export function alignedObservations(theirs: Subject[], ours: Ours): (Observation | undefined)[] {
  const left = [...ours.observations];
  return theirs.map((subject) => {
    const at = left.findIndex((one) => hasCode(subject, one));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
}

function hasCode(theirs: Subject, ours: Observation): boolean {
  const { code } = theirs.resource;
  const codes = (code?.coding ?? []).flatMap((coding) => coding.code ?? []);
  if (codes.length > 0) return codes.some((one) => ours.code?.codings.some((coding) => coding.code === one));
  return (code?.text ?? '') === (ours.code?.text ?? '');
}

function byNumber<T>(theirs: Subject, ours: T[], numbers: (one: T) => Identifier[]): T | undefined {
  const values = new Set(theirs.resource.identifier?.map(({ value }) => value));
  return ours.find((one) => numbers(one).some(({ value }) => values.has(value)));
}

export function placesOf(visit: Encounter): Location[] {
  const { location, priorLocation, temporaryLocation, pendingLocation } = visit;
  const { priorTemporaryLocation, priorPendingLocation } = visit;
  return [
    location,
    priorLocation,
    temporaryLocation,
    pendingLocation,
    priorTemporaryLocation,
    priorPendingLocation,
  ].filter((one) => one !== undefined);
}
