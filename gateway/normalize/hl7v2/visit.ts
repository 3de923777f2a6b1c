/** EVN, PV1, PV2 and the people of a visit (PRT, ROL) [HL7 3.4, 7.4.4, 15.4.7]. */
import {
  type Address,
  ClinicalTime,
  type Code,
  type Encounter,
  type Identifier,
  type Location,
  type Movement,
  type Organization,
  type Participant,
  type Period,
  type Telecom,
} from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { addresses } from './addresses.ts';
import { span, time, timeOf } from './clock.ts';
import { code, codeOf, codes, fullCode, tabled, textOf } from './coded.ts';
import { cx, cxs, eis, equipment, instance, organizations } from './identified.ts';
import type { Segment } from './message.ts';
import { location, locationOf, participants, persons } from './people.ts';
import { asSent, eachAsSent, label, type Table, word } from './table.ts';
import { telecoms } from './telecoms.ts';

export const evn: Table<Movement> = [
  [2, 'recorded', time],
  [3, 'planned', time],
  [4, 'reason', label],
  [4, 'reasonCode', code],
  [5, 'operators', persons],
  [6, 'occurred', time],
  [7, 'facility', asSent],
];

/** The movement itself [IHE ITI-31, Historic Movement Management]. */
export const zbe: Table<Movement> = [
  [1, 'identifiers', eis()],
  [2, (to, segment, field) => held(to, { start: time(segment, field), end: to.period?.end })],
  [3, (to, segment, field) => held(to, { start: to.period?.start, end: time(segment, field) })],
  [4, 'change', word],
  [5, 'historic', word],
  [6, 'originalTrigger', word],
  [7, 'wards', organizations],
  [8, 'wards', organizations],
  [9, 'nature', word],
];

/** An earlier movement is entered, corrected or cancelled: PV1 says where the patient was then [IHE ITI-31, ZBE-5]. */
export function isHistoric(movement: Movement | undefined): boolean {
  return movement?.historic.toUpperCase() === 'Y';
}

function held(to: { period?: Period | undefined }, period: Period): void {
  to.period = span(period.start, period.end);
}

/** A bed and where it stands, without a patient [HL7 3.3.20]. */
export const npu: Table<Encounter> = [
  [1, 'location', location],
  [2, 'bedStatus', code],
];

export const pv1: Table<Encounter> = [
  [2, 'class', tabled('0004')],
  [2, 'classCode', fullCode],
  [3, 'location', location],
  [4, 'type', code],
  [5, 'preadmitNumber', word],
  [5, 'preadmit', cx],
  [6, 'priorLocation', location],
  [7, 'participants', participants('attending')],
  [8, 'participants', participants('referring')],
  [9, 'participants', participants('consulting')],
  [10, 'hospitalService', code],
  [11, 'temporaryLocation', location],
  [12, 'preadmitTest', code],
  [13, 'reAdmission', label],
  [13, 'reAdmissionCode', code],
  [14, 'admitSource', code],
  [15, 'ambulatoryStatus', codes],
  [16, 'vip', label],
  [16, 'vipCode', code],
  [17, 'participants', participants('admitting')],
  [18, 'patientType', code],
  [19, 'identifiers', cxs],
  [20, 'financialClass', financialClasses],
  [20, 'financialClassSince', financialClassesSince],
  [36, 'dischargeDisposition', code],
  [37, 'dischargedTo', dischargedTo],
  [37, 'dischargedToAt', dischargedToAt],
  [38, 'diet', codes],
  [39, 'servicingFacility', location],
  [40, 'bedStatus', code],
  [41, 'accountStatus', code],
  [42, 'pendingLocation', location],
  [43, 'priorTemporaryLocation', location],
  [
    44,
    (to, segment, field) => {
      periodOf(to).start = time(segment, field);
    },
  ],
  [
    45,
    (to, segment, field) => {
      periodOf(to).end = time(segment, field);
    },
  ],
  [50, 'identifiers', cxs],
  [51, 'visitIndicator', word],
  [52, 'participants', participants('other')],
  [53, 'episodeDescription', word],
  [54, 'episode', cx],
];

export const pv2: Table<Encounter> = [
  [1, 'priorPendingLocation', location],
  [2, 'accommodation', code],
  [3, 'admitReason', code],
  [4, 'transferReason', code],
  [5, 'valuables', eachAsSent],
  [6, 'valuablesLocation', word],
  [8, 'expectedAdmit', time],
  [9, 'expectedDischarge', time],
  [10, 'expectedDays', word],
  [11, 'actualDays', word],
  [12, 'visitDescription', word],
  [13, 'participants', participants('referring')],
  [14, 'previousService', time],
  [15, 'flags', flagged],
  [18, 'specialProgram', code],
  [22, 'flags', flagged],
  [23, 'clinics', organizations],
  [24, 'patientStatus', code],
  [25, 'priority', code],
  [26, 'previousTreatment', time],
  [27, 'expectedDisposition', code],
  [29, 'firstIllness', time],
  [33, 'expectedSurgery', time],
  [36, 'flags', flagged],
  [37, 'flags', flagged],
  [38, 'modeOfArrival', label],
  [38, 'modeOfArrivalCode', fullCode],
  [39, 'recreationalDrugs', codes],
  [40, 'levelOfCare', code],
  [41, 'precautions', codes],
  [42, 'patientCondition', code],
  [43, 'flags', flagged],
  [44, 'flags', flagged],
  [45, 'advanceDirectives', codes],
  [46, 'patientStatusSince', time],
  [47, 'expectedReturn', time],
  [48, 'expectedTesting', time],
  [49, 'notifyClergy', codes],
  [50, 'advanceDirectivesVerified', time],
];

/** <field>=<value as sent> */
export function flagged(segment: Segment, field: number): string[] {
  return [`${segment.name}-${field}=${word(segment, field)}`];
}

function periodOf(encounter: Encounter): Period {
  encounter.period ??= { start: undefined, end: undefined };
  return encounter.period;
}

/** DLD: a code of the place and when [HL7 2.A.19]; some senders write a PL. */
function dischargedTo(segment: Segment, field: number): Location | undefined {
  const parts = segment.parts(field);
  const place = locationOf(parts, segment, field);
  const dated = place !== undefined && /^\d{8,14}/.test(place.room) && !parts.reaches(3);
  return dated ? { ...place, room: '' } : place;
}

/** DLD-2, where it is one. */
function dischargedToAt(segment: Segment, field: number): ClinicalTime | undefined {
  const parts = segment.parts(field);
  const dated = /^\d{8,14}/.test(parts.text(2)) && !parts.reaches(3);
  return dated ? timeOf(parts.sub(2), 1, segment, field) : undefined;
}

/** FC-2: since when, of each class; empty where none of them says it. */
function financialClassesSince(segment: Segment, field: number): ClinicalTime[] {
  const all = segment.repetitions(field).filter((parts) => !parts.sub(1).empty);
  if (!all.some((parts) => parts.has(2))) return [];
  return all.map((parts) => timeOf(parts.sub(2), 1, segment, field) ?? unknownTime());
}

function unknownTime(): ClinicalTime {
  return ClinicalTime.fromPartial({});
}

/** FC: the class and since when [HL7 2.A.32]. */
function financialClasses(segment: Segment, field: number): Code[] {
  return segment.repetitions(field).flatMap((parts) => codeOf(parts.sub(1)) ?? []);
}

export interface Acting {
  /** The role as sent. */
  code: string;
  action: string;
  reason: Code | undefined;
  period: Period | undefined;
  role: string;
  roleCode: Code | undefined;
  organizations: Organization[];
  participants: Participant[];
  devices: Identifier[];
  telecoms: Telecom[];
  location: Location | undefined;
  addresses: Address[];
}

/** The role (4) comes before the person (5), so that it is known when the person is read. PRT-10 on: a device. */
export const prt: Table<Acting> = [
  [2, 'action', word],
  [3, 'reason', code],
  [4, 'role', (segment, field) => role(code(segment, field))],
  [4, 'roleCode', fullCode],
  [4, 'code', (segment, field) => upper(tabled(...roleTables)(segment, field))],
  [5, 'participants', (segment, field) => participants('')(segment, field)],
  [8, 'organizations', organizations],
  [9, 'location', location],
  [10, 'devices', equipment],
  [11, (to, segment, field) => held(to, { start: time(segment, field), end: to.period?.end })],
  [12, (to, segment, field) => held(to, { start: to.period?.start, end: time(segment, field) })],
  [14, 'addresses', addresses],
  [15, 'telecoms', telecoms],
  [16, 'devices', instance('UDI')],
  [20, 'devices', instance('SNO')],
];

export const rol: Table<Acting> = [
  [2, 'action', word],
  [3, 'role', (segment, field) => role(code(segment, field))],
  [3, 'roleCode', fullCode],
  [4, 'participants', (segment, field) => participants('')(segment, field)],
  [5, (to, segment, field) => held(to, { start: time(segment, field), end: to.period?.end })],
  [6, (to, segment, field) => held(to, { start: to.period?.start, end: time(segment, field) })],
  [11, 'addresses', addresses],
  [12, 'telecoms', telecoms],
  [13, 'location', location],
];

const roleTables = ['0912', '0443'] as const;

/** Their roles. */
const roles: Record<string, string> = lookup({
  AT: 'attending',
  ATTP: 'attending',
  AP: 'administering',
  AD: 'admitting',
  AUT: 'originating',
  CLP: 'collector',
  CP: 'consulting',
  DP: 'dispensing',
  RP: 'referring',
  OP: 'ordering',
  EP: 'entering',
  FHCP: 'primary-care',
  PO: 'performing',
  PP: 'primary-care',
  PI: 'interpreting',
  PRI: 'interpreting',
  AI: 'assisting',
  ARI: 'assisting',
  TR: 'transcribing',
  SC: 'collector',
  VP: 'verifying',
  RCT: 'copy-to',
});

function role(from: Code | undefined): string {
  return roles[codeInTable(from, ...roleTables)] ?? textOf(from);
}
