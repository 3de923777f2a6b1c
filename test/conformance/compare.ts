/** Is each fact of theirs in our events? One verdict a fact, in the order of the Bundle. */
import { reportStatus } from '../../gateway/normalize/hl7v2/status.ts';
import type { Encounter, Location, Observation, Patient } from '../../proto/gen/hilum/v1/event.ts';
import {
  sameAppointmentStatus,
  sameBirthDate,
  sameCode,
  sameIdentifier,
  sameName,
  sameNumber,
  samePlaceId,
  sameReportStatus,
  sameResultStatus,
  sameTime,
  sameUnit,
  timeText,
} from './equivalences.ts';
import type { Fact, Said, Stated, Subject } from './facts.ts';
import {
  alignedObservations,
  namesOf,
  type OurOrder,
  type Ours,
  orderNumbers,
  placesOf,
  sameOrder,
  samePatient,
  sameVisit,
} from './ours.ts';

export interface Verdict {
  fact: Fact;
  equal: boolean;
  /** What we have in its place, for a person to read. */
  ours: unknown;
}

export function compared(theirs: Stated, ours: Ours): Verdict[] {
  const observations = alignedObservations(theirs.observations, ours);
  return [
    ...each(theirs.patients, (fact, subject, at) => patient(fact, samePatient(subject, at, ours), ours)),
    ...each(theirs.visits, (fact, subject, at) => visit(fact, sameVisit(subject, at, ours), subject)),
    ...each(theirs.orders, (fact, subject, at) => order(fact, sameOrder(subject, at, ours))),
    ...each(theirs.reports, (fact, subject, at) => report(fact, sameOrder(subject, at, ours))),
    ...each(theirs.observations, (fact, _, at) => observation(fact, observations[at])),
    ...each(theirs.appointments, (fact) => appointment(fact, ours)),
  ];
}

type Outcome = readonly [equal: boolean, ours: unknown];

function each(subjects: Subject[], look: (fact: Fact, subject: Subject, at: number) => Outcome): Verdict[] {
  return subjects.flatMap((subject, at) =>
    subject.facts.map((fact) => {
      const [equal, ours] = look(fact, subject, at);
      return { fact, equal, ours };
    }),
  );
}

function patient({ kind, said }: Fact, ours: Patient | undefined, all: Ours): Outcome {
  if (ours === undefined) return [false, undefined];
  if (said.is === 'identifier') return among(said, ours.identifiers);
  if (said.is === 'name') {
    const names = namesOf(ours, all);
    return [names.some((one) => sameName(said, one)), names];
  }
  if (kind === 'sex') return [said.is === 'word' && said.value === ours.gender, ours.gender];
  const [value, same] =
    kind === 'birth-date' ? [ours.birthDate, sameBirthDate] : [timeText(ours.deceasedAt), sameTime];
  return [said.is === 'time' && same(said.value, value), value];
}

function among(said: Said, ours: Parameters<typeof sameIdentifier>[1][]): Outcome {
  return [said.is === 'identifier' && ours.some((one) => sameIdentifier(said, one)), ours];
}

function visit(fact: Fact, ours: Encounter | undefined, subject: Subject): Outcome {
  const { said } = fact;
  if (ours === undefined) return [false, undefined];
  if (said.is === 'identifier') return among(said, ours.identifiers);
  if (said.is === 'time') {
    const value = timeText(fact.key.endsWith('.end') ? ours.period?.end : ours.period?.start);
    return [sameTime(said.value, value), value];
  }
  // All levels of one location of theirs are sought in one location of ours: the one that has most.
  const levels = subject.facts.filter((one) => one.kind === fact.kind && one.group === fact.group);
  const score = (place: Location): number => levels.filter((one) => atLevel(one.said, place)).length;
  const [best] = placesOf(ours).sort((a, b) => score(b) - score(a));
  return [best !== undefined && atLevel(said, best), best];
}

/** PL's components by FHIR's location-physical-type; one converter calls both PL.1 and PL.8 a level. */
function atLevel(said: Said, place: Location): boolean {
  if (said.is === 'place-id') return place.identifiers.some((one) => samePlaceId(said.value, one));
  if (said.is !== 'place') return false;
  const { pointOfCare, room, bed, facility, building, floor } = place;
  const at: Record<string, string[]> = {
    poc: [pointOfCare],
    lvl: [pointOfCare, floor],
    ro: [room],
    bd: [bed],
    si: [facility],
    bu: [building],
  };
  return said.levels.every((level) => at[level]?.includes(said.value));
}

function order(fact: Fact, ours: OurOrder | undefined): Outcome {
  const { said } = fact;
  if (ours === undefined) return [false, undefined];
  if (said.is === 'identifier') return numbered(said, ours);
  const value = timeText(ours.order.requested);
  return [said.is === 'time' && sameTime(said.value, value), value];
}

/** A result's event has the report's status as its own; beside another body (an order, a charge) it is OBR-25. */
function reportWord({ order, event }: OurOrder): string {
  const own = event.kind === 'observation' || event.kind === 'device-observation';
  return own ? event.status : (reportStatus[order.resultStatus] ?? 'unknown');
}

/** The placer's number is the placer's, the filler's the filler's. */
const numberTypes: Record<string, string[]> = {
  PLAC: ['PLAC'],
  FILL: ['FILL'],
  PGN: ['GROUP'],
  FGN: ['GROUP'],
};

function numbered(said: Extract<Said, { is: 'identifier' }>, ours: OurOrder): Outcome {
  const types = numberTypes[said.type];
  const numbers = orderNumbers(ours);
  const candidates = numbers.filter((one) => types === undefined || types.includes(one.type));
  return [candidates.some((one) => sameIdentifier(said, one)), numbers];
}

function report(fact: Fact, ours: OurOrder | undefined): Outcome {
  const { kind, said, key } = fact;
  if (ours === undefined) return [false, undefined];
  if (said.is === 'identifier') return numbered(said, ours);
  if (kind === 'report-code') return [sameCode(said, ours.order.service), ours.order.service];
  if (said.is === 'word') {
    const { observations } = ours.event;
    const status = reportWord(ours);
    const results = observations.map((one) => one.status);
    return [sameReportStatus(said.value, ours.order.resultStatus, status, results), status];
  }
  const { observed, observedEnd, issued } = ours.event.times ?? {};
  const { performed } = ours.order;
  const value = timeText(
    key.endsWith('.issued')
      ? issued
      : key.endsWith('.end')
        ? (performed?.end ?? observedEnd)
        : (performed?.start ?? observed),
  );
  return [said.is === 'time' && sameTime(said.value, value), value];
}

function observation(fact: Fact, ours: Observation | undefined): Outcome {
  const { kind, said } = fact;
  if (ours === undefined) return [false, undefined];
  switch (kind) {
    case 'observation-code':
      return [sameCode(said, ours.code), ours.code];
    case 'observation-status':
      return [
        said.is === 'word' && sameResultStatus(said, ours.resultStatus, ours.status),
        `${ours.status} (${ours.resultStatus})`,
      ];
    case 'observation-interpretation':
      return [said.is === 'word' && ours.interpretations.includes(said.value), ours.interpretations];
    case 'observation-unit':
      return [said.is === 'unit' && sameUnit(said, ours.unitCode), ours.unitCode];
    case 'observation-time':
      return [said.is === 'time' && sameTime(said.value, timeText(ours.effective)), timeText(ours.effective)];
    default:
      return value(fact, ours);
  }
}

function value({ said, key }: Fact, ours: Observation): Outcome {
  const { structured, valuePeriod } = ours;
  const index = Number(/component\[(\d+)\]/.exec(key)?.[1] ?? 0);
  const text = [ours.value, ...ours.furtherValues][index] ?? '';
  switch (said.is) {
    case 'quantity':
      if (structured === undefined) return [said.comparator === '' && sameNumber(said.value, text), text];
      return [
        said.comparator === comparatorOf(structured.comparator) && sameNumber(said.value, structured.number1),
        structured,
      ];
    case 'range':
    case 'ratio': {
      const separators = said.is === 'range' ? ['-'] : [':', '/'];
      const same =
        structured !== undefined &&
        separators.includes(structured.separator) &&
        sameNumber(said.first, structured.number1) &&
        sameNumber(said.second, structured.number2);
      return [same, structured ?? text];
    }
    case 'coding': {
      const codes = [ours.valueCode, ...ours.furtherValueCodes];
      return [codes.some((one) => sameCode(said, one)), codes];
    }
    case 'time': {
      const period = key.endsWith('.end') ? valuePeriod?.end : valuePeriod?.start;
      const found = timeText(key.includes('valuePeriod') ? period : ours.valueTime);
      return [sameTime(said.value, found), found];
    }
    default:
      return [said.is === 'text' && said.value === text, text];
  }
}

/** `=` is what a number without a comparator says [HL7 2.A.71]. */
function comparatorOf(sent: string): string {
  return sent === '=' ? '' : sent;
}

function appointment(fact: Fact, ours: Ours): Outcome {
  const { said, key } = fact;
  const event = ours.events.find((one) => one.schedule !== undefined);
  if (event?.schedule === undefined) return [false, undefined];
  const { placer, filler, period, resources } = event.schedule;
  if (said.is === 'identifier')
    return among(
      said,
      [placer, filler].filter((one) => one !== undefined),
    );
  if (said.is === 'word') return [sameAppointmentStatus(said.value, event.status), event.status];
  const start = period?.start ?? resources.find((one) => one.start)?.start;
  const found = timeText(key.endsWith('.end') ? period?.end : start);
  return [said.is === 'time' && sameTime(said.value, found), found];
}
