/** ADT: admissions, transfers, discharges, updates, and identities joined or moved [HL7 3.3]. */
import type { ClinicalEvent, Identifier, Merge, Movement } from '../../../proto/gen/hilum/v1/event.ts';
import { mergeTriggers, retiredBy } from '../../../proto/merge-triggers.ts';
import { sameNumber } from '../identity.ts';
import { lookup } from '../lookup.ts';
import { hasEnded, time } from './clock.ts';
import type { Draft } from './draft.ts';
import { type Family, type Handler, handlers } from './family.ts';
import type { Segment } from './message.ts';
import { nextBody } from './next-body.ts';
import { db1, mrg, pd1, pid } from './patient.ts';
import { remark } from './scope.ts';
import {
  clinicalSegments,
  coverageSegments,
  isPatients,
  noteSegment,
  observationSegments,
  patientSegments,
} from './segments.ts';
import { fresh } from './shapes.ts';
import { fill } from './table.ts';
import { isHistoric, npu, pv1, pv2, zbe } from './visit.ts';

/** Trigger → action, and the FHIR Encounter.status where the trigger says it. */
const movements: Record<string, readonly [action: string, encounter?: string]> = lookup({
  A01: ['admit', 'in-progress'],
  A02: ['transfer', 'in-progress'],
  A03: ['discharge', 'finished'],
  A04: ['register', 'arrived'],
  A05: ['preadmit', 'planned'],
  A06: ['outpatient-to-inpatient', 'in-progress'],
  A07: ['inpatient-to-outpatient', 'in-progress'],
  A08: ['update'],
  A09: ['track'],
  A10: ['track'],
  A11: ['cancel-admit', 'cancelled'],
  A12: ['cancel-transfer', 'in-progress'],
  A13: ['cancel-discharge', 'in-progress'],
  A14: ['pending-admit', 'planned'],
  A15: ['pending-transfer', 'in-progress'],
  A16: ['pending-discharge', 'in-progress'],
  A17: ['swap', 'in-progress'],
  A20: ['bed-status'],
  A21: ['leave', 'onleave'],
  A22: ['return', 'in-progress'],
  A23: ['delete-visit', 'cancelled'],
  A25: ['cancel-pending-discharge', 'in-progress'],
  A26: ['cancel-pending-transfer', 'in-progress'],
  A27: ['cancel-pending-admit', 'cancelled'],
  A28: ['add-person'],
  A29: ['delete-person'],
  A31: ['update-person'],
  A32: ['cancel-track'],
  A33: ['cancel-track'],
  A38: ['cancel-preadmit', 'cancelled'],
  A52: ['cancel-leave', 'in-progress'],
  // The patient is still away.
  A53: ['cancel-return', 'onleave'],
  A54: ['change-attending', 'in-progress'],
  A55: ['cancel-change-attending', 'in-progress'],
  A60: ['update-allergy'],
  A61: ['change-consulting', 'in-progress'],
  A62: ['cancel-change-consulting', 'in-progress'],
  // An earlier movement is corrected [IHE ITI-31].
  Z99: ['update'],
});

const shared = [patientSegments, clinicalSegments, coverageSegments, noteSegment, observationSegments];

function merging(draft: Draft): Merge {
  const { base } = draft;
  base.merge ??= fresh.merge();
  return base.merge;
}

const mergeSegments: Record<string, Handler> = {
  PID(draft, segment) {
    // Linked and unlinked patients stand side by side; neither has an MRG.
    if (draft.base.patient === undefined || !parts.has(draft.trigger)) {
      patientSegments.PID?.(draft, segment);
      return;
    }
    draft.acting = undefined;
    if (merging(draft).other === undefined) merging(draft).other = fill(fresh.patient(), pid, segment);
    else {
      draft.seen.add(third);
      remark(draft.message.scope, 'PID: a third patient of one link, left out with what stands behind');
    }
  },
  MRG(draft, segment) {
    fill(merging(draft), mrg, segment);
  },
};

/** A24 and A37 [HL7 3.3.24, 3.3.37]: PID, PD1, PV1 and DB1 of the one, then of the other. */
const parts: ReadonlySet<string> = new Set(['A24', 'A37']);
/** Noted once one more than the two has come. */
const third = 'third PID';

const ofOther: Record<string, (merge: Merge, draft: Draft, segment: Segment) => void> = lookup({
  PD1({ other }, _draft, segment) {
    if (other !== undefined) fill(other, pd1, segment);
  },
  DB1({ other }, _draft, segment) {
    if (other !== undefined && isPatients(segment)) fill(other, db1, segment);
  },
  PV1(merge, draft, segment) {
    if (merge.otherEncounter !== undefined) {
      remark(draft.message.scope, 'PV1: a further visit of the second patient, left out');
      draft.acting = [];
      return;
    }
    merge.otherEncounter = fresh.encounter();
    draft.acting = fill(merge.otherEncounter, pv1, segment).participants;
  },
  PV2(merge, draft, segment) {
    merge.otherEncounter ??= fresh.encounter();
    draft.acting = fill(merge.otherEncounter, pv2, segment).participants;
  },
});

/** What follows the second patient of a link is none of the first one's. */
function besideOther(segments: ReadonlyMap<string, Handler>): ReadonlyMap<string, Handler> {
  const guarded = new Map<string, Handler>();
  for (const [name, first] of segments) {
    if (name === 'EVN' || name === 'PID' || name === 'MRG') guarded.set(name, first);
    else guarded.set(name, (draft, segment) => aside(draft, segment, first));
  }
  return guarded;
}

function aside(draft: Draft, segment: Segment, first: Handler): void {
  const { merge } = draft.base;
  if (draft.seen.has(third)) {
    remark(draft.message.scope, `${segment.name}: of the third patient, left out`);
    return;
  }
  const second = ofOther[segment.name];
  const acts = (segment.name === 'ROL' || segment.name === 'PRT') && draft.acting !== undefined;
  if (merge?.other === undefined || acts) first(draft, segment);
  else if (second !== undefined) second(merge, draft, segment);
  else remark(draft.message.scope, `${segment.name}: of the second patient, left out`);
}

/** CANCEL in IHE's profile, DELETE in the German one. */
const undoing = new Set(['CANCEL', 'DELETE']);

const movementSegments: Record<string, Handler> = {
  NPU(draft, segment) {
    // Each bed is one of its own.
    nextBody(draft, 'NPU');
    fill(draft.encounter, npu, segment);
  },
  ZBE(draft, segment) {
    // EVN is of every patient of the message; this is of one.
    if (draft.seen.has('ZBE'))
      remark(draft.message.scope, 'ZBE: a further movement of the patient, which stands for the one before');
    draft.seen.add('ZBE');
    const movement = { ...(draft.base.movement ?? fresh.movement()), identifiers: [], wards: [] };
    draft.base.movement = fill<Movement>(movement, zbe, segment);
  },
};

export const adt: Family = {
  name: 'adt',
  kind: 'admission',
  opens: new Set(),
  // A06 and A07 give the account that ends with the change of class in an MRG [HL7 3.3.6].
  segments: handlers(...shared, movementSegments, { MRG: mergeSegments.MRG as Handler }),
  finish(event, draft) {
    finishMovement(event, draft);
    finishChange(event, draft);
    const status = movements[draft.trigger]?.[1];
    if (event.encounter !== undefined && status !== undefined && !isHistoric(event.movement))
      event.encounter.status = status;
    const action = event.movement?.action ?? '';
    const undone = action.startsWith('cancel-') || undoing.has(event.movement?.change.toUpperCase() ?? '');
    if (undone) event.status = 'cancelled';
    if (action.startsWith('delete-')) event.status = 'entered-in-error';
  },
};

export const adtMerge: Family = {
  name: 'adt-merge',
  kind: 'merge',
  opens: new Set(),
  segments: besideOther(handlers(...shared, movementSegments, mergeSegments)),
  finish(event, draft) {
    finishMovement(event, draft);
    event.merge ??= fresh.merge();
    const { merge } = event;
    merge.action = mergeTriggers.get(draft.trigger)?.action ?? 'merge';
    merge.trigger = draft.trigger;
    merge.surviving = [...(event.patient?.identifiers ?? [])];
    if (merge.action === 'move') {
      // What is moved stays what it is, and so does whom it is moved from.
      merge.movedFrom = merge.retired;
      merge.retired = [];
    } else if (parts.has(draft.trigger)) partOther(merge);
    else if (retiredBy(draft.trigger).includes('patient')) {
      keepSurviving(merge, dayOf(event, draft));
      tellIdle(merge, draft);
    } else nobodyEnds(merge, draft);
  },
};

/** Nobody is retired; some senders name the other patient in an MRG. */
function partOther(merge: Merge): void {
  const { retired, priorNames } = merge;
  const [account, ...accounts] = merge.retiredAccounts;
  if (retired.length + priorNames.length > 0 || account !== undefined) {
    merge.other ??= fresh.patient();
    merge.other.identifiers.push(...retired);
    merge.other.names.push(...priorNames);
    const further = merge.other.account === undefined ? accounts : merge.retiredAccounts;
    merge.other.account ??= account;
    merge.other.identifiers.push(...further);
  }
  if (merge.retiredVisits.length > 0) {
    merge.otherEncounter ??= fresh.encounter();
    merge.otherEncounter.identifiers.push(...merge.retiredVisits);
  }
  Object.assign(merge, { retired: [], priorNames: [], retiredAccounts: [], retiredVisits: [] });
}

/**
 * Who survives is not retired: an enterprise number that both have, in whatever spelling. A sender may list the retired
 * number in PID-3, with its end (CX-8), beside the one of the same authority that it ends in; then it lists all of them
 * so. Any other end there is that of a card, which both still have.
 */
function keepSurviving(merge: Merge, day: string): void {
  const { retired, surviving } = merge;
  const lists = retired.every((one) => surviving.some((other) => isSame(one, other)));
  const into = surviving.filter(
    (one) => !hasEnded(one.end, day) && !retired.some((other) => isSame(one, other)),
  );
  const ends = (one: Identifier): boolean =>
    lists && hasEnded(one.end, day) && into.some(({ system }) => system === one.system);
  const lasting = surviving.filter((one) => !ends(one));
  merge.retired = retired.filter((one) => !lasting.some((other) => isSame(one, other)));
  merge.surviving = surviving.filter((one) => !merge.retired.some((other) => isSame(one, other)));
}

/** A bare number of one type is not that of another type which an authority gave. */
function isSame(one: Identifier, other: Identifier): boolean {
  if (one.value === other.value && one.system === other.system) return true;
  const alike = one.type === '' || other.type === '' || one.type === other.type;
  return alike && sameNumber(one, other);
}

/** Nothing follows from it, and whoever sent it believes that something does. */
function tellIdle({ retired, surviving }: Merge, { message }: Draft): void {
  if (retired.length === 0) remark(message.scope, 'MRG: no number that ends, so that nobody is retired');
  else if (surviving.length === 0)
    remark(message.scope, 'PID-3: nobody into whom the patient of MRG could be merged');
}

/** YYYY-MM-DD of EVN-2, else of MSH-7; empty where neither says a day, and then nothing has ended. */
function dayOf(event: ClinicalEvent, { message }: Draft): string {
  const header = message.segments[0];
  const said = event.movement?.recorded ?? (header && time(header, 7));
  return said?.value.slice(0, 10) ?? '';
}

/** An account or a visit ends, no patient: MRG-1 repeats his number, in whatever spelling, or names somebody else. */
function nobodyEnds(merge: Merge, { message }: Draft): void {
  const { retired, surviving } = merge;
  merge.retired = [];
  merge.movedFrom = retired.filter((one) => !surviving.some((other) => sameNumber(one, other)));
  if (merge.movedFrom.length > 0)
    remark(message.scope, 'MRG-1: another number than in PID-3, which this event does not retire');
}

function finishChange(event: ClinicalEvent, draft: Draft): void {
  const { merge } = event;
  if (merge === undefined) return;
  merge.action = 'change-identifier';
  merge.trigger = draft.trigger;
  merge.surviving = [...(event.patient?.identifiers ?? [])];
  nobodyEnds(merge, draft);
}

/** What happens at the time that PV1-44 says. */
const begins = new Set([
  'admit',
  'register',
  'preadmit',
  'pending-admit',
  'outpatient-to-inpatient',
  'inpatient-to-outpatient',
]);

function finishMovement(event: ClinicalEvent, draft: Draft): void {
  event.movement ??= fresh.movement();
  const { movement } = event;
  movement.trigger = draft.trigger;
  movement.action = movements[draft.trigger]?.[0] ?? 'other';
  event.times ??= fresh.times();
  // PV1-44 says when the visit began also where something later happened to it.
  const { period } = event.encounter ?? {};
  const visit =
    movement.action === 'discharge' ? period?.end : begins.has(movement.action) ? period?.start : undefined;
  event.times.observed = movement.occurred ?? movement.period?.start ?? visit ?? movement.recorded;
  event.times.issued = movement.recorded;
}
