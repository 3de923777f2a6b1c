/**
 * What somebody asks to be done with an appointment that is there (SRM but for S01): a Task. As an Appointment of that
 * number it would take the place of the one that was booked, at the reader's who stores by number.
 */
import type { ClinicalEvent, Resource, Schedule } from '../gen/hilum/v1/event.ts';
import { codeInTable, priorityTables } from '../hl7-table.ts';
import { concept, dateTime, identifier, logical, notes, period } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, present } from './json.ts';
import { location } from './location.ts';
import { inRole, practitioner } from './practitioner.ts';
import { priorityOf } from './service-request.ts';

/** True of a request about an appointment that was made before. */
export function asksForChange({ schedule, provenance }: ClinicalEvent): boolean {
  const action = schedule?.action ?? '';
  return action !== '' && action !== 'book' && /^SRM\b/.test(provenance?.messageType ?? '');
}

export function addAppointmentRequest(draft: Draft, from: Schedule): void {
  const { event } = draft;
  draft.add('schedule', {
    resourceType: 'Task',
    basedOn: [...draft.requests, ...event.identifiers.flatMap((one) => logical('ServiceRequest', one) ?? [])],
    status: 'requested',
    intent: 'order',
    priority: priorityOf(codeInTable(from.priority, ...priorityTables)),
    code: { text: `${from.action} appointment` },
    focus: logical('Appointment', from.filler ?? from.placer),
    for: draft.patient,
    encounter: draft.encounter,
    authoredOn: dateTime(event.times?.message),
    requester: inRole(draft, from.participants, 'ordering')[0],
    reasonCode: concept(from.eventReason ?? from.appointmentReason),
    note: notes(event.notes),
    input: inputs(draft, from),
  });
}

/** How the appointment is to be, and what of it the request is about. */
function inputs(draft: Draft, from: Schedule): Element[] {
  const { filler, placer, group, eventReason, appointmentReason, appointmentType } = from;
  const numbers = [filler === undefined ? undefined : placer, group, ...from.alternates];
  return present([
    ...numbers.map((one) => input('number', 'Identifier', identifier(one))),
    ...from.parents.map((one) => input('part of', 'Identifier', identifier(one))),
    ...from.requestedPeriods.map(({ start, end }) => input('time', 'Period', period(start, end))),
    input('duration', 'String', `${from.duration} ${from.durationUnit}`.trim() || undefined),
    input('type', 'CodeableConcept', concept(appointmentType)),
    input('reason', 'CodeableConcept', eventReason && concept(appointmentReason)),
    ...from.resources.map((one) => resource(draft, one)),
  ]);
}

function resource(draft: Draft, from: Resource): Element | undefined {
  const { kind, person, code } = from;
  const actor =
    person === undefined ? from.location && location(draft, from.location) : practitioner(draft, person);
  if (actor !== undefined) return input(kind, 'Reference', actor);
  return input(kind, 'CodeableConcept', concept(code));
}

function input(type: string, of: string, value: Json | undefined): Element | undefined {
  return value === undefined ? undefined : { type: { text: type }, [`value${of}`]: value };
}
