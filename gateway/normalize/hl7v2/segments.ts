/** What the segments that every family shares do to a draft. */
import type {
  Allergy,
  Coverage,
  RelatedPerson,
  Specimen,
  Timing,
} from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { act } from './acting.ts';
import { al1, dg1, iam, iar, noteOf, pr1 } from './clinical.ts';
import { tabled } from './coded.ts';
import { type Draft, repeatedBytesMax } from './draft.ts';
import { bytesOfSegment } from './draft-parts.ts';
import { drg } from './drg.ts';
import type { Handler } from './family.ts';
import { underHeading } from './heading.ts';
import { ipc, zds } from './imaging.ts';
import { certified, in1, in2, in3 } from './insurance.ts';
import { made, type Segment, says } from './message.ts';
import { nextBody, ownPatient, tellFurther } from './next-body.ts';
import { obr, orc } from './order.ts';
import { awaitsIts, beginHere, hasOrcAbove, opensHere } from './own-orc.ts';
import { arv, disabled, pd1, pid } from './patient.ts';
import { urge, urgency } from './priority.ts';
import { con, consenter, gt1, guarantor, nk1 } from './related-persons.ts';
import { obx, ofListed } from './result.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { describedBy, sac, specimenOf, spm } from './specimen.ts';
import { fill } from './table.ts';
import { tq1, tq2 } from './timing.ts';
import { evn, prt, pv1, pv2, rol } from './visit.ts';

export const patientSegments: Record<string, Handler> = {
  EVN(draft, segment) {
    const recorded = draft.recorded(nextBody(draft, 'EVN'));
    fill(recorded, evn, segment);
    // A ZBE before it, which is of this patient.
    const { movement } = draft.base;
    if (movement !== recorded && movement !== undefined) fill(movement, evn, segment);
  },
  PID(draft, segment) {
    ownPatient(draft);
    const { patient } = draft.base;
    if (patient !== undefined) draft.nextPatient();
    else draft.firstPatient();
    fill(draft.patient, pid, segment);
    if (patient !== undefined && draft.trigger === 'R25') visitOfAll(draft);
    draft.notes = draft.base.notes;
    draft.acting = undefined;
  },
  PD1(draft, segment) {
    tellFurther(draft, 'PD1');
    fill(draft.patient, pd1, segment);
  },
  DB1(draft, segment) {
    if (isPatients(segment)) disabled(draft.patient, segment);
    else remark(draft.message.scope, 'DB1: of somebody else than the patient, left out');
  },
  ARV(draft, segment) {
    const { patient, encounter, accessRestrictions } = draft.base;
    const what = patient === undefined ? 'message' : encounter === undefined ? 'patient' : 'visit';
    accessRestrictions.push(fill({ ...fresh.accessRestriction(), what }, arv, segment));
  },
  NK1(draft, segment) {
    relate(draft, fill(fresh.relatedPerson(), nk1, segment));
    // A note behind it is not the last result's, nor is whoever is named next.
    draft.notes = draft.base.notes;
    draft.acting = undefined;
  },
  CON(draft, segment) {
    const person = fresh.relatedPerson();
    person.contactRole = consenter;
    fill(person, con, segment);
    // 1 is the patient himself [HL7 table 0548]: one more name that he signs with.
    if (segment.text(25) === '1') draft.patient.aliasNames.push(...person.names);
    else if (person.names.length > 0) relate(draft, person);
  },
  PV1(draft, segment) {
    draft.acting = fill(draft.openVisit(awaitsIts(draft, segment)), pv1, segment).participants;
    draft.seen.delete('PV2');
    // A note behind it is not the last result's [REF^I12].
    draft.notes = draft.current.notes;
  },
  PV2(draft, segment) {
    tellFurther(draft, 'PV2');
    draft.acting = fill(draft.encounter, pv2, segment).participants;
  },
  PRT: (draft, segment) => act(draft, segment, prt),
  ROL(draft, segment) {
    draft.leaveResult();
    act(draft, segment, rol);
  },
};

/** The visit that stands before all patients is that of each [HL7 7.3.12, OPU_R25]. */
function visitOfAll(draft: Draft): void {
  for (const segment of draft.message.segments) {
    // A message that repeats too much is refused in the end.
    if (segment.name === 'PID' || draft.repeatedBytes > repeatedBytesMax) return;
    if (segment.name !== 'PV1' && segment.name !== 'PV2') continue;
    draft.repeatedBytes += bytesOfSegment(segment);
    patientSegments[segment.name]?.(draft, segment);
  }
}

/** DB1-2 says whose a disability is [HL7 table 0334]; a guarantor's is none of the patient's. */
export function isPatients(segment: Segment): boolean {
  const whose = tabled('0334')(segment, 2);
  return whose === '' || whose === 'PT';
}

export const clinicalSegments: Record<string, Handler> = {
  AL1(draft, segment) {
    addAllergy(draft, fill(fresh.allergy(), al1, segment));
  },
  IAM(draft, segment) {
    addAllergy(draft, fill(fresh.allergy(), iam, segment));
  },
  IAR(draft, segment) {
    const reaction = fill(fresh.allergyReaction(), iar, segment);
    const last = draft.current.allergies.at(-1) ?? fresh.allergy();
    if (draft.current.allergies.length === 0) addAllergy(draft, last);
    last.reactionDetails.push(reaction);
    draft.notes = last.notes;
  },
  DG1(draft, segment) {
    const condition = fill(fresh.condition(), dg1, segment);
    condition.ofEncounter = draft.ofEncounter;
    draft.current.conditions.push(condition);
    draft.notes = condition.notes;
    beside(draft);
  },
  DRG(draft, segment) {
    const { ofEncounter } = draft;
    draft.current.diagnosisGroups.push({ ...fill(fresh.diagnosisGroup(), drg, segment), ofEncounter });
  },
  PR1(draft, segment) {
    const procedure = fill(fresh.procedure(), pr1, segment);
    procedure.ofEncounter = draft.ofEncounter;
    draft.current.procedures.push(procedure);
    draft.acting = procedure.participants;
    draft.notes = procedure.notes;
  },
};

function addAllergy(draft: Draft, allergy: Allergy): void {
  allergy.ofEncounter = draft.ofEncounter;
  draft.current.allergies.push(allergy);
  draft.notes = allergy.notes;
  beside(draft);
}

/** Who is named behind an allergy or a diagnosis acts in the order or the visit, and not in a result further up. */
function beside(draft: Draft): void {
  draft.acting = draft.event?.order?.participants;
}

export const coverageSegments: Record<string, Handler> = {
  IN1(draft, segment) {
    const coverage = fill(nextCoverage(draft), in1, segment);
    draft.acting = coverage.participants;
    draft.notes = coverage.notes;
  },
  IN2: (draft, segment) => {
    fill(lastCoverage(draft), in2, segment);
  },
  IN3: (draft, segment) => {
    const coverage = fill(lastCoverage(draft), in3, segment);
    coverage.certificationDetails.push(fill(fresh.certification(), certified, segment));
  },
  GT1(draft, segment) {
    const person = fresh.relatedPerson();
    person.contactRole = guarantor;
    relate(draft, fill(person, gt1, segment));
    draft.notes = draft.base.notes;
  },
};

function nextCoverage({ base, ofEncounter }: Draft): Coverage {
  const next = { ...fresh.coverage(), ofEncounter };
  base.coverages.push(next);
  return next;
}

function lastCoverage(draft: Draft): Coverage {
  const last = draft.base.coverages.at(-1);
  return last?.ofEncounter === draft.ofEncounter ? last : nextCoverage(draft);
}

function relate({ base, ofEncounter }: Draft, person: RelatedPerson): void {
  base.relatedPersons.push(Object.assign(person, { ofEncounter }));
}

export const noteSegment: Record<string, Handler> = {
  NTE(draft, segment) {
    // One without a field is a separator of the sender's; a numbered empty one is a blank line of its text.
    if (!says(segment)) return;
    draft.notes.push(noteOf(segment));
    draft.ofSpecimen(segment);
  },
};

export const orderSegments: Record<string, Handler> = {
  ORC(draft, segment) {
    draft.beginOrder(earlierControls.has(upper(segment.text(1))));
    if (draft.family.opens.has('ORC')) {
      if (opensHere(draft, segment)) draft.openGroup();
    } else if (draft.seen.has('ORC') || draft.seen.has('OBR')) further(draft);
    draft.seen.add('ORC');
    draft.ordered = placeOf(draft);
    draft.ofCondition = '';
    const { order } = draft;
    draft.headings = undefined;
    made(order, segment);
    fill(order, orc, segment);
    draft.acting = order.participants;
    draft.notes = draft.current.notes;
  },
  OBR(draft, segment) {
    // An order that is asked for has an ORC.
    if (draft.event === undefined) draft.beginOrder(true);
    if (draft.family.opens.has('OBR')) {
      if (draft.family.name === 'orders') underHeading(draft, segment);
      else if (!hasOrcAbove(draft, segment) && (draft.seen.has('OBR') || draft.event === undefined))
        draft.openGroup();
    } else if (draft.seen.has('OBR')) further(draft);
    draft.seen.add('OBR');
    draft.ordered = placeOf(draft);
    draft.ofCondition = '';
    const { order } = draft;
    made(order, segment);
    if (draft.family.opens.size > 0) {
      fill({ order, times: draft.times }, obr, segment);
    } else {
      const times = fresh.times();
      fill({ order, times }, obr, segment);
      if (times.observed !== undefined || times.observedEnd !== undefined) {
        order.performed = { start: times.observed, end: times.observedEnd };
      }
      draft.times.issued ??= times.issued;
    }
    draft.acting = order.participants;
    draft.notes = draft.current.notes;
  },
  TQ1(draft, segment) {
    beginHere(draft, segment);
    const timing = fill(fresh.timing(), tq1, segment);
    const to = timingsOf(draft);
    to.push(timing);
    if (to !== draft.order.timing) return;
    // Of a dose now and the others by routine, it is the one that cannot wait which the order waits for.
    const { order, seen } = draft;
    if (!seen.has('TQ1-9') || urgency(timing.priority) > urgency(order.priority)) {
      urge(order, timing.priority, segment, 9);
      if (timing.priority !== '') seen.add('TQ1-9');
    }
  },
  TQ2(draft, segment) {
    const to = timingsOf(draft);
    const last = to.at(-1) ?? fresh.timing();
    if (to.length === 0) to.push(last);
    last.sequences.push(fill(fresh.orderSequence(), tq2, segment));
  },
  IPC(draft, segment) {
    beginHere(draft, segment);
    draft.order.imagingSteps.push(fill(fresh.imagingStep(), ipc, segment));
  },
  ZDS(draft, segment) {
    fill(draft.order, zds, segment);
  },
  SPM(draft, segment) {
    // Before its orders a specimen belongs to all of them; after one, to that one.
    if (draft.event === undefined || (draft.ahead.specimen !== undefined && draft.seen.has('OBR'))) {
      draft.closeGroup();
      if (draft.family.opens.size > 0) {
        draft.openSpecimen(fill(fresh.specimen(), spm, segment));
        draft.notes = draft.ahead.notes;
        return;
      }
    }
    addSpecimen(draft, segment);
    // A note after it is not the last result's.
    draft.notes = draft.current.notes;
    draft.acting = draft.order.participants;
  },
  SAC(draft, segment) {
    const { specimen } = draft.ahead;
    // A container before its orders (OUL^R21, OML^O35) is that of those; the next one ends them.
    const next = draft.event === undefined || (draft.seen.has('OBR') && specimen !== undefined);
    if (draft.family.opens.size > 0 && next) {
      draft.ahead.openContainer(draft.event !== undefined);
      if (draft.event !== undefined) draft.ahead.specimen = withoutContainer(specimen);
      draft.closeGroup();
      draft.ahead.specimen ??= fresh.specimen();
      fill(draft.ahead.specimen, sac, segment);
      return;
    }
    // Of several specimens it is that of the last.
    fill(draft.order.furtherSpecimens.at(-1) ?? specimenOf(draft.order), sac, segment);
  },
};

export const observationSegments: Record<string, Handler> = {
  OBX(draft, segment) {
    const observation = fill(fresh.observation(), obx, segment);
    if (observation.status === '') observation.status = 'unknown';
    observation.ofOrder = draft.ordered;
    observation.ofEncounter = draft.ofEncounter;
    if (draft.ofCondition !== '') ofListed(draft, observation, segment);
    // A report's results stand before its specimens [HL7 7.3.1]; those of OUL^R24 behind them.
    const behind = draft.seen.has('SPM') && draft.family.name !== 'oul';
    if (behind || draft.bySpecimen) observation.ofSpecimen = specimensOf(draft);
    if (behind || draft.event === undefined) draft.setAside(observation);
    made(observation, segment);
    draft.leaveResult();
    draft.beforeResult = draft.acting;
    draft.current.observations.push(observation);
    draft.ofSpecimen(segment, observation);
    draft.seen.add('OBX');
    draft.notes = observation.notes;
    draft.acting = observation.performers;
  },
};

/** What most families read. */
export const commonSegments: Record<string, Handler> = {
  ...patientSegments,
  ...clinicalSegments,
  ...coverageSegments,
  ...noteSegment,
  ...orderSegments,
  ...observationSegments,
};

/** What each of several orders repeats in its event. */
export const repeatedSegments: ReadonlySet<string> = new Set([
  'MSH',
  ...[patientSegments, clinicalSegments, coverageSegments].flatMap(Object.keys),
]);

/** ORC-1 of an earlier result beside orders [HL7 table 0119]: previous results, observations to follow. */
const earlierControls = new Set(['PR', 'RE']);

/** Behind what is to be given at one time it says when that is [HL7 4A.3.10]; else it is the order's. */
function timingsOf({ current, order }: Draft): Timing[] {
  const { medication } = current;
  return medication?.act === 'give' ? medication.timing : order.timing;
}

/** The same specimen for its next container; one that only containers told of is another with each. */
function withoutContainer(specimen: Specimen | undefined): Specimen | undefined {
  if (specimen === undefined || (specimen.type === undefined && specimen.roles.length === 0))
    return undefined;
  const identifiers = specimen.identifiers.filter(({ type }) => type !== 'ACSN' && !type.startsWith('CNTNR'));
  return {
    ...specimen,
    identifiers,
    registered: undefined,
    dilution: '',
    substances: [],
    container: undefined,
  };
}

function addSpecimen(draft: Draft, segment: Segment): void {
  const { order, seen } = draft;
  if (order.specimen === undefined) order.specimen = fill(fresh.specimen(), spm, segment);
  else if (!seen.has('SPM') && draft.ahead.specimen === undefined)
    order.specimen = describedBy(order.specimen, segment);
  else {
    // Rows between two specimens are of the first; then those behind the second are of that [HL7 7.3.11, OUL^R24].
    if (draft.family.name === 'oul' && draft.rowsOfSpecimen(specimensOf(draft))) draft.bySpecimen = true;
    order.furtherSpecimens.push(fill(fresh.specimen(), spm, segment));
  }
  seen.add('SPM');
  draft.specimenFrom = draft.current.observations.length;
}

function specimensOf({ order }: Draft): number {
  return order.specimen === undefined ? 0 : 1 + order.furtherSpecimens.length;
}

/** Families with one event: its first order is the event's own. */
function further(draft: Draft): void {
  draft.furtherOrder = fresh.order();
  draft.current.furtherOrders.push(draft.furtherOrder);
  draft.seen.delete('OBR');
  draft.seen.delete('ORC');
  draft.seen.delete('SPM');
}

/** Of the order that is being read, in a family with one event. */
function placeOf({ family, furtherOrder, current }: Draft): string {
  if (family.opens.size > 0) return '';
  return furtherOrder === undefined ? 'order' : `furtherOrders[${current.furtherOrders.length - 1}]`;
}
