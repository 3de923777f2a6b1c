/** SIU and SRM: appointments and their resources [HL7 10]. One event. */
import type {
  ClinicalEvent,
  Code,
  Location,
  Participant,
  Period,
  Person,
  Resource,
  Schedule,
} from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable, priorityTables } from '../../../proto/hl7-table.ts';
import { placeResources, scheduleActions, statusOf } from './appointment.ts';
import { span, time, timeOf } from './clock.ts';
import { code, codes, unitWord } from './coded.ts';
import type { Draft } from './draft.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { ei, eis } from './identified.ts';
import type { Segment } from './message.ts';
import { nextBody } from './next-body.ts';
import { sentTimings, timedBy, wantedRepeats } from './occurrences.ts';
import { addresses, location, locations, participants, persons, telecoms } from './people.ts';
import { urgency } from './priority.ts';
import { clinicalSegments, noteSegment, observationSegments, patientSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { fill, type Table, word } from './table.ts';

/** A number, and others of the same kind behind it. */
function numbers(
  key: 'placer' | 'filler',
  type: string,
): (to: Schedule, segment: Segment, field: number) => void {
  return (to, segment, field) => {
    const [first, ...others] = eis(type)(segment, field);
    to[key] = first;
    to.alternates.push(...others);
  };
}

/** Whose an address or a place is. Of several people nobody knows it: then it stands by itself, in their role. */
function contact(to: Schedule, role: string): Participant {
  const named = to.participants.filter((one) => one.role === role);
  const known = named.length === 1 ? named[0] : named.find(({ person }) => person === undefined);
  if (known !== undefined) return known;
  const alone = fresh.participant(role, undefined);
  to.participants.push(alone);
  return alone;
}

function addressOf(role: string): (to: Schedule, segment: Segment, field: number) => void {
  return (to, segment, field) => {
    const found = addresses(segment, field);
    if (found.length > 0) contact(to, role).addresses.push(...found);
  };
}

function placeOf(role: string): (to: Schedule, segment: Segment, field: number) => void {
  return (to, segment, field) => {
    const found = location(segment, field);
    if (found !== undefined) contact(to, role).location = found;
  };
}

/** How SCH and ARQ begin. */
const alike: Table<Schedule> = [
  [1, numbers('placer', 'PLAC')],
  [2, numbers('filler', 'FILL')],
  [3, 'occurrenceNumber', word],
  [4, 'group', ei('GROUP')],
  [5, 'scheduleId', code],
  [6, 'eventReason', code],
  [7, 'appointmentReason', code],
  [8, 'appointmentType', code],
  [9, 'duration', word],
];

const sch: Table<Schedule> = [
  ...alike,
  [
    10,
    (to, segment, field) => {
      to.durationUnit = unitWord(segment, field);
      // Some senders are one field early with their timing.
      if (to.durationUnit === '' && segment.parts(field).has(4)) sentTimings(to, segment, field);
    },
  ],
  [11, sentTimings],
  [12, 'participants', participants('ordering')],
  [13, 'contacts', telecoms],
  [14, addressOf('ordering')],
  [15, placeOf('ordering')],
  [16, 'participants', participants('contact')],
  [17, 'contacts', telecoms],
  [18, addressOf('contact')],
  [19, placeOf('contact')],
  [20, 'participants', participants('entering')],
  [21, 'contacts', telecoms],
  [22, placeOf('entering')],
  [23, 'parents', eis('PLAC')],
  [24, 'parents', eis('FILL')],
  [25, 'fillerStatus', code],
];
const schOrders: Table<Pick<ClinicalEvent, 'identifiers'>> = [
  [26, 'identifiers', eis('PLAC')],
  [27, 'identifiers', eis('FILL')],
];

/** When it is needed and for how long, what may stand for it, and its status: seven fields in the order of each. */
function timedFrom(first: number): Table<Resource> {
  return [
    [first, 'start', time],
    [first + 1, 'offset', word],
    [first + 2, 'offsetUnit', unitWord],
    [first + 3, 'duration', word],
    [first + 4, 'durationUnit', unitWord],
    [first + 5, 'substitution', code],
    [first + 6, 'status', code],
  ];
}

const ais: Table<Resource> = [
  [1, 'setId', word],
  [2, 'action', word],
  [3, 'code', code],
  ...timedFrom(4),
  [11, 'supplements', codes],
  [12, 'supplements', codes],
];
const aig: Table<Resource> = [
  [1, 'setId', word],
  [2, 'action', word],
  [3, 'code', code],
  [4, 'role', code],
  [5, 'group', code],
  [6, 'quantity', word],
  [7, 'quantityUnit', unitWord],
  ...timedFrom(8),
];
/** AIL and AIP, but for what is in their third field. */
const placed: Table<Resource> = [
  [1, 'setId', word],
  [2, 'action', word],
  [4, 'role', code],
  [5, 'group', code],
  ...timedFrom(6),
];
/** What a resource is, where several may be named. */
const places: Table<{ found: Location[] }> = [[3, 'found', locations]];
const people: Table<{ found: Person[] }> = [[3, 'found', persons]];
export const scheduleTables = {
  SCH: [...sch, ...schOrders],
  AIS: ais,
  AIG: aig,
  AIL: [...placed, ...places],
  AIP: [...placed, ...people],
};

function resource(kind: string, table: Table<Resource>): Handler {
  return (draft, segment) => add(draft, kind, table, segment, []);
}

/** One for each of the places or people that the segment names. */
function add(
  draft: Draft,
  kind: string,
  table: Table<Resource>,
  segment: Segment,
  named: readonly Partial<Resource>[],
): void {
  draft.base.schedule ??= fresh.schedule();
  const one = fill({ ...fresh.resource(), kind, action: draft.groupAction }, table, segment);
  for (const name of named.length > 0 ? named : [{}]) {
    draft.base.schedule.resources.push({ ...one, ...name });
  }
  draft.notes = draft.base.notes;
}

/** Of several TQ1, and of what ARQ-12 asked for, the most urgent one. */
function prioritized(schedule: Schedule, said: Code | undefined): void {
  const rank = (one: Code | undefined): number => urgency(codeInTable(one, ...priorityTables));
  if (schedule.priority === undefined || rank(said) > rank(schedule.priority)) schedule.priority = said;
}

/** Noted where the appointment is that of the patient before. */
const inherited = 'appointment of the patient before';

/** An appointment of its own, also where the patient before had one. */
function opened(draft: Draft, { name }: Segment): Schedule {
  nextBody(draft, name);
  const { base } = draft;
  if (draft.seen.delete(inherited)) {
    Object.assign(base, { schedule: undefined, identifiers: [], notes: [] });
    draft.notes = base.notes;
  }
  base.schedule ??= fresh.schedule();
  return base.schedule;
}

const appointments: Record<string, Handler> = {
  // Each of the patients has the appointment, and its resources, which follow them all [HL7 10.4, SIU_S12].
  PID(draft, segment) {
    const { patient, schedule, identifiers, notes } = draft.base;
    patientSegments.PID?.(draft, segment);
    if (patient === undefined) return;
    Object.assign(draft.base, { schedule, identifiers, notes });
    draft.notes = notes;
    if (schedule !== undefined) draft.seen.add(inherited);
  },
  SCH(draft, segment) {
    fill(opened(draft, segment), sch, segment);
    draft.groupAction = '';
    fill(draft.base, schOrders, segment);
    draft.notes = draft.base.notes;
  },
  TQ1(draft, segment) {
    draft.base.schedule ??= fresh.schedule();
    if (timedBy(draft.base.schedule, segment, draft.seen.has('TQ1-7'))) draft.seen.add('TQ1-7');
    prioritized(draft.base.schedule, code(segment, 9));
  },
  // The action is that of the group's resources, where they say none of their own [HL7 10.6.3.2].
  RGS(draft, segment) {
    draft.groupAction = segment.text(2);
  },
  AIS: resource('service', ais),
  AIG: resource('general', aig),
  AIL: (draft, segment) => {
    const { found } = fill({ found: [] as Location[] }, places, segment);
    add(
      draft,
      'location',
      placed,
      segment,
      found.map((location) => ({ location })),
    );
  },
  AIP: (draft, segment) => {
    const { found } = fill({ found: [] as Person[] }, people, segment);
    add(
      draft,
      'person',
      placed,
      segment,
      found.map((person) => ({ person })),
    );
  },
};

/** SRM asks with an ARQ what a SIU answers with a SCH [HL7 10.6.1]. */
const arq: Table<Schedule> = [
  ...alike,
  [10, 'durationUnit', unitWord],
  [11, 'requestedPeriods', wishes],
  [12, 'priority', code],
  [13, wantedRepeats('repeat')],
  [14, wantedRepeats('duration')],
  [15, 'participants', participants('ordering')],
  [16, 'contacts', telecoms],
  [17, addressOf('ordering')],
  [18, placeOf('ordering')],
  [19, 'participants', participants('entering')],
  [20, 'contacts', telecoms],
  [21, placeOf('entering')],
  [22, 'parents', eis('PLAC')],
  [23, 'parents', eis('FILL')],
];
/** The time is not taken yet: it is to lie in one of these. */
function wishes(segment: Segment, field: number): Period[] {
  const found: Period[] = [];
  for (const parts of segment.repetitions(field)) {
    const one = span(timeOf(parts.sub(1), 1, segment, field), timeOf(parts.sub(2), 1, segment, field));
    if (one !== undefined) found.push(one);
  }
  return found;
}

const arqOrders: Table<Pick<ClinicalEvent, 'identifiers'>> = [
  [24, 'identifiers', eis('PLAC')],
  [25, 'identifiers', eis('FILL')],
];
export const requestTables = { ARQ: [...arq, ...arqOrders] };
const requests: Record<string, Handler> = {
  ARQ(draft, segment) {
    fill(opened(draft, segment), arq, segment);
    fill(draft.base, arqOrders, segment);
    draft.groupAction = '';
  },
};

const shared = [patientSegments, clinicalSegments, noteSegment, observationSegments];

/** What the patients of one message share, each his own. */
function own(event: ClinicalEvent): void {
  const { schedule } = event;
  if (schedule === undefined) return;
  const { participants, contacts, resources, timings, parents, alternates } = schedule;
  event.schedule = {
    ...schedule,
    participants: [...participants],
    contacts: [...contacts],
    resources: resources.map((one) => ({ ...one })),
    timings: [...timings],
    parents: [...parents],
    alternates: [...alternates],
  };
  event.identifiers = [...event.identifiers];
  event.notes = [...event.notes];
}

export const siu: Family = {
  name: 'siu',
  kind: 'schedule',
  opens: new Set(),
  about: ['SCH', 'ARQ'],
  segments: handlers(...shared, appointments, requests),
  finish(event, draft) {
    event.schedule ??= fresh.schedule();
    if (draft.done.length > 1) own(event);
    const { schedule } = event;
    schedule.action = scheduleActions[draft.trigger] ?? '';
    event.status = statusOf(draft.trigger, schedule.fillerStatus, draft.message.scope);
    placeResources(schedule);
    event.times ??= fresh.times();
    event.times.observed =
      schedule.period?.start ??
      schedule.resources.find((one) => one.start)?.start ??
      schedule.requestedPeriods[0]?.start;
  },
};
