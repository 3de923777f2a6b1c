/** Appointment: when, with whom and where. */
import type { ClinicalTime, Period, Resource, Schedule } from '../gen/hilum/v1/event.ts';
import { codeInTable, priorityTables } from '../hl7-table.ts';
import { addAppointmentRequest, asksForChange } from './appointment-request.ts';
import { concept, concepts, identifiers, instant, logical, notStated, period, textOf } from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element, Json } from './json.ts';
import { location } from './location.ts';
import { timingExtensions } from './own-extensions.ts';
import { practitioner, roleOf } from './practitioner.ts';
import { priorityOf } from './service-request.ts';
import { appointmentStatus, participantStatus, table } from './tables.ts';

export function addAppointment(draft: Draft): void {
  const { event } = draft;
  const { schedule: from } = event;
  if (from === undefined) return;
  if (asksForChange(event)) {
    addAppointmentRequest(draft, from);
    return;
  }
  const status = statusOf(event.status, from);
  const off = status === 'cancelled' || status === 'noshow';
  const reasons = concepts([from.appointmentReason]);
  const why = concept(from.eventReason);
  draft.add('schedule', {
    resourceType: 'Appointment',
    extension: timingExtensions(from.timings),
    identifier: identifiers([from.placer, from.filler, from.group, ...from.alternates]),
    status,
    cancelationReason: off ? why : undefined, // only of what does not take place [app-4]
    serviceType: concepts(
      from.resources.flatMap(({ kind, code }) => (kind === 'service' && code ? [code] : [])),
    ),
    appointmentType: concept(from.appointmentType),
    reasonCode: off || why === undefined ? reasons : [...reasons, why],
    priority: ranks[priorityOf(codeInTable(from.priority, ...priorityTables)) ?? ''],
    ...times(from, status),
    supportingInformation: from.parents.flatMap((one) => logical('Appointment', one) ?? []),
    minutesDuration: minutes(from),
    requestedPeriod: [...dayOf(from), ...from.requestedPeriods].map(({ start, end }) => period(start, end)),
    comment: [...from.resources.flatMap(needs), ...event.notes.map(({ text }) => text)].join('\n'),
    basedOn: [...draft.requests, ...event.identifiers.flatMap((one) => logical('ServiceRequest', one) ?? [])],
    participant: participants(draft, from, status),
  });
}

/** What a service needs beside its time: with contrast, fasting. */
function needs({ code, supplements }: Resource): string[] {
  const texts = supplements.map(textOf).filter((text) => text !== '');
  return texts.length === 0 ? [] : [`${textOf(code)}: ${texts.join(', ')}`];
}

/** RequestPriority → iCalendar's PRIORITY, whose 1 is the highest and 5 the usual one [RFC 5545 3.8.1.9]. */
const ranks = table<number>({ stat: 1, asap: 2, urgent: 3, routine: 5 });

function statusOf(said: string, from: Schedule): string {
  const filler = textOf(from.fillerStatus).toUpperCase();
  if (said === 'requested' && filler === 'WAITLIST') return 'waitlist';
  // Nobody has given it a time [app-3].
  if (said === 'requested' && from.period === undefined && from.requestedPeriods.length > 0)
    return 'proposed';
  return appointmentStatus[said] ?? 'pending';
}

/** Both or neither; what takes place has both [app-2, app-3], so an end may be worked out from the duration. */
function times(from: Schedule, status: string): Record<string, Json> {
  const placed = from.resources.find((one) => one.start !== undefined);
  const begin = instant(from.period?.start) ?? instant(placed?.start);
  const end =
    instant(from.period?.end) ??
    ended(begin, from.duration, from.durationUnit) ??
    ended(begin, placed?.duration ?? '', placed?.durationUnit ?? '');
  const ordered = end !== undefined && begin !== undefined && Date.parse(end) >= Date.parse(begin);
  if (ordered) return { start: begin, end };
  const free = begin === undefined && ['cancelled', 'waitlist', 'proposed'].includes(status);
  if (free) return {};
  return { start: begin, _start: begin === undefined ? notStated : undefined, _end: notStated };
}

/** Known to the day only, which is no instant: the range that it lies in. */
function dayOf({ period: known }: Schedule): Period[] {
  if (known === undefined || instant(known.start) !== undefined) return [];
  return [known];
}

/** AIS-8 and SCH-10 as sent: a number of minutes, hours, seconds or days. */
const unitMs = table<number>({
  S: 1_000,
  SEC: 1_000,
  SECONDS: 1_000,
  M: 60_000,
  MIN: 60_000,
  MINUTE: 60_000,
  MINUTES: 60_000,
  H: 3_600_000,
  HR: 3_600_000,
  HOUR: 3_600_000,
  HOURS: 3_600_000,
  D: 86_400_000,
});

function durationMs(amount: string, unit: string): number | undefined {
  const ms = unitMs[unit.toUpperCase()];
  return ms === undefined || !/^\d{1,5}(?:\.\d{1,4})?$/.test(amount)
    ? undefined
    : Math.round(Number(amount) * ms);
}

function ended(begin: string | undefined, amount: string, unit: string): string | undefined {
  const ms = durationMs(amount, unit);
  if (begin === undefined || ms === undefined) return undefined;
  return new Date(Date.parse(begin) + ms).toISOString();
}

function minutes(from: Schedule): number | undefined {
  const ms = durationMs(from.duration, from.durationUnit) ?? 0;
  return ms >= 60_000 && ms % 60_000 === 0 ? ms / 60_000 : undefined;
}

/** The patient, the people and the places; an appointment has at least one participant. */
function participants(draft: Draft, from: Schedule, status: string): Element[] {
  const accepted = ['booked', 'arrived', 'fulfilled', 'checked-in'].includes(status);
  const usual = accepted ? 'accepted' : 'needs-action';
  const found: Element[] = [];
  if (draft.patient !== undefined) found.push({ actor: draft.patient, status: usual });
  for (const { role, person } of from.participants) {
    const actor = practitioner(draft, person);
    if (actor !== undefined) found.push({ type: [roleOf(role)], actor, status: usual });
  }
  for (const one of from.resources) {
    const actor = actorOf(draft, one);
    if (actor === undefined) continue;
    const role = concept(one.role);
    found.push({
      type: role === undefined ? undefined : [role],
      actor,
      // Taken out of it.
      status: one.action === 'D' ? 'declined' : (participation(one) ?? usual),
      period: periodOf(one.start, one),
    });
  }
  return found.length > 0 ? found : [{ type: [{ text: 'not stated' }], status: usual }];
}

/** The table's words stand as the code, or as its text [HL7 table 0278]. */
function participation({ status }: Resource): string | undefined {
  const said = [codeInTable(status, '0278'), textOf(status)].map(
    (one) => participantStatus[one.toUpperCase()],
  );
  return said.find((one) => one !== undefined);
}

function actorOf(draft: Draft, from: Resource): Element | undefined {
  if (from.person !== undefined) return practitioner(draft, from.person);
  if (from.location !== undefined) return location(draft, from.location);
  const display = textOf(from.code);
  if (display === '') return undefined;
  return { type: from.kind === 'service' ? 'HealthcareService' : 'Device', display };
}

function periodOf(start: ClinicalTime | undefined, from: Resource): Element | undefined {
  const begin = instant(start);
  return begin === undefined
    ? undefined
    : { start: begin, end: ended(begin, from.duration, from.durationUnit) };
}
