/** Pharmacy: RDE, RDS, RAS, RGV, OMP and their kin [HL7 4A]. One event per order. */
import type { ClinicalEvent, Immunization, Medication } from '../../../proto/gen/hilum/v1/event.ts';
import { time, timings } from './clock.ts';
import { code, codes } from './coded.ts';
import {
  clinicalSegments,
  coverageSegments,
  noteSegment,
  observationSegments,
  orderSegments,
  patientSegments,
} from './common.ts';
import type { Draft } from './draft.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { ei } from './identified.ts';
import { locationOf, participants } from './people.ts';
import type { Segment } from './scanner.ts';
import { fresh } from './shapes.ts';
import { orderControl, orderStatus } from './status.ts';
import { eachAsSent, fill, label, type Table, word } from './table.ts';

const rxo: Table<Medication> = [
  [1, 'code', code],
  [2, 'amountMinimum', word],
  [3, 'amountMaximum', word],
  [4, 'unit', label],
  [5, 'dosageForm', code],
  [6, 'instructions', eachAsSent],
  [7, 'instructions', eachAsSent],
  [9, 'substitution', word],
  [11, 'dispenseAmount', word],
  [12, 'dispenseUnit', label],
  [13, 'refills', word],
  [18, 'strength', word],
  [19, 'strengthUnit', label],
  [20, 'indication', code],
  [21, 'rate', word],
  [22, 'rateUnit', label],
];

const rxe: Table<Medication> = [
  [1, 'timing', timings],
  [2, 'code', code],
  [3, 'amountMinimum', word],
  [4, 'amountMaximum', word],
  [5, 'unit', label],
  [6, 'dosageForm', code],
  [7, 'instructions', eachAsSent],
  [9, 'substitution', word],
  [10, 'dispenseAmount', word],
  [11, 'dispenseUnit', label],
  [12, 'refills', word],
  [15, 'prescription', ei()],
  [21, 'instructions', eachAsSent],
  [23, 'rate', word],
  [24, 'rateUnit', label],
  [25, 'strength', word],
  [26, 'strengthUnit', label],
  [27, 'indication', code],
];

const rxd: Table<Medication> = [
  [2, 'code', code],
  [3, 'dispensed', time],
  [4, 'dispenseAmount', word],
  [5, 'dispenseUnit', label],
  [6, 'dosageForm', code],
  [7, 'prescription', ei()],
  [8, 'refills', word],
  [9, 'instructions', eachAsSent],
  [10, 'participants', participants('dispensing')],
  [11, 'substitution', word],
  [15, 'instructions', eachAsSent],
  [16, 'strength', word],
  [17, 'strengthUnit', label],
  [18, 'lotNumber', word],
];

const rxg: Table<Medication> = [
  [3, 'timing', timings],
  [4, 'code', code],
  [5, 'amountMinimum', word],
  [6, 'amountMaximum', word],
  [7, 'unit', label],
  [8, 'dosageForm', code],
  [9, 'instructions', eachAsSent],
  [10, 'substitution', word],
  [14, 'instructions', eachAsSent],
  [15, 'rate', word],
  [16, 'rateUnit', label],
  [17, 'strength', word],
  [18, 'strengthUnit', label],
];

const rxaGiven: Table<Medication> = [
  [3, 'administered', time],
  [4, 'administeredEnd', time],
  [5, 'code', code],
  [6, 'amountMinimum', word],
  [7, 'unit', label],
  [8, 'dosageForm', code],
  [9, 'instructions', eachAsSent],
  [10, 'participants', participants('administering')],
  [12, 'rate', word],
  [13, 'strength', word],
  [14, 'strengthUnit', label],
  [15, 'lotNumber', word],
  [19, 'indication', code],
  [20, 'completionStatus', word],
];

/** RXA as a vaccination [CDC IG for immunization messaging]. */
const rxaVaccine: Table<Immunization> = [
  [2, 'doseNumber', word],
  [3, 'administered', time],
  [5, 'vaccine', code],
  [6, 'doseAmount', word],
  [7, 'doseUnit', label],
  [9, 'informationSource', codes],
  [10, 'participants', participants('administering')],
  [11, 'location', (segment, field) => locationOf(segment.parts(field))],
  [15, 'lotNumber', word],
  [16, 'expires', time],
  [17, 'manufacturer', code],
  [18, 'refusalReasons', codes],
  [19, 'indications', codes],
  [20, 'completionStatus', word],
  [21, 'action', word],
];

const rxrGiven: Table<Medication> = [
  [1, 'routes', codes],
  [2, 'sites', codes],
  [4, 'methods', codes],
];

const rxrVaccine: Table<Immunization> = [
  [1, 'route', code],
  [2, 'site', code],
];

const rxc: Table<Medication> = [[2, 'components', codes]];

export const rxTables = { RXO: rxo, RXE: rxe, RXD: rxd, RXG: rxg, RXC: rxc };
export const administeredTables = { RXA: rxaGiven, RXR: rxrGiven };
export const vaccineTables = { RXA: rxaVaccine, RXR: rxrVaccine };

export const rxSegments: Record<string, Handler> = {
  RXO: (draft, segment) => medicate(draft, segment, rxo, 'order'),
  RXE: (draft, segment) => medicate(draft, segment, rxe, 'encoded-order'),
  RXD: (draft, segment) => medicate(draft, segment, rxd, 'dispense'),
  RXG: (draft, segment) => medicate(draft, segment, rxg, 'give'),
  RXA(draft, segment) {
    // Several administrations of one order are several events.
    if (draft.seen.has('RXA') || draft.event === undefined) again(draft);
    draft.seen.add('RXA');
    medicate(draft, segment, rxaGiven, 'administration');
  },
  RXR(draft, segment) {
    fill(medication(draft), rxrGiven, segment);
  },
  RXC(draft, segment) {
    fill(medication(draft), rxc, segment);
  },
};

function medication(draft: Draft): Medication {
  const { current } = draft;
  current.medication ??= fresh.medication();
  return current.medication;
}

function medicate(draft: Draft, segment: Segment, table: Table<Medication>, act: string): void {
  const { current } = draft;
  // As ordered, as encoded, as dispensed: each is kept, the last one leads.
  if (current.medication !== undefined && current.medication.act !== '') {
    current.furtherMedications.push(current.medication);
    current.medication = undefined;
  }
  const to = medication(draft);
  to.act = act;
  fill(to, table, segment);
  draft.acting = to.participants;
  draft.notes = draft.current.notes;
}

/** A new group of the same order. */
export function again(draft: Draft): void {
  const { order } = draft.current;
  draft.openGroup();
  if (order !== undefined && draft.event !== undefined) draft.event.order = order;
}

export const vaccineSegments: Record<string, Handler> = {
  RXA(draft, segment) {
    if (draft.seen.has('RXA') || draft.event === undefined) again(draft);
    draft.seen.add('RXA');
    const to = immunization(draft);
    fill(to, rxaVaccine, segment);
    draft.acting = to.participants;
    draft.notes = draft.current.notes;
  },
  RXR(draft, segment) {
    fill(immunization(draft), rxrVaccine, segment);
  },
};

function immunization(draft: Draft): Immunization {
  const { current } = draft;
  current.immunization ??= fresh.immunization();
  return current.immunization;
}

export function finishMedication(event: ClinicalEvent): void {
  const { order, medication } = event;
  event.times ??= fresh.times();
  event.times.observed ??=
    medication?.administered ?? medication?.dispensed ?? order?.requested ?? medication?.timing[0]?.start;
  event.status = medicationStatus(event);
}

const completion: Record<string, string> = {
  CP: 'completed',
  PA: 'partial',
  RE: 'rejected',
  NA: 'cancelled',
};

function medicationStatus(event: ClinicalEvent): string {
  const { order, medication } = event;
  const done = completion[medication?.completionStatus ?? ''];
  if (done !== undefined) return done;
  const said = orderStatus[order?.orderStatus ?? ''];
  if (said !== undefined) return said;
  if (medication?.act === 'administration' || medication?.act === 'dispense') return 'completed';
  return orderControl[order?.control ?? ''] ?? 'requested';
}

const base = [
  patientSegments,
  clinicalSegments,
  coverageSegments,
  noteSegment,
  orderSegments,
  observationSegments,
];

export const rx: Family = {
  name: 'rx',
  kind: 'medication',
  opens: new Set(['ORC', 'RXA']),
  segments: handlers(...base, rxSegments),
  finish: finishMedication,
};
