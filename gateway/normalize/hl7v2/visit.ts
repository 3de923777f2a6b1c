/** EVN, PV1, PV2 and the people of a visit (PRT, ROL) [HL7 3.4, 7.4.4, 15.4.7]. */
import type {
  Address,
  Code,
  Encounter,
  Identifier,
  Location,
  Movement,
  Organization,
  Participant,
  Period,
  Telecom,
} from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { span, time } from './clock.ts';
import { code, codeOf, codes, tabled, textOf } from './coded.ts';
import { cx, cxs, eis, equipment, instance, organizations } from './identified.ts';
import type { Segment } from './message.ts';
import { addresses, location, locationOf, participants, persons, telecoms } from './people.ts';
import { asSent, label, type Table, word } from './table.ts';

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
  [36, 'dischargeDisposition', code],
  [37, 'dischargedTo', dischargedTo],
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
  [52, 'participants', participants('other')],
  [54, 'episode', cx],
];

export const pv2: Table<Encounter> = [
  [1, 'priorPendingLocation', location],
  [2, 'accommodation', code],
  [3, 'admitReason', code],
  [8, 'expectedAdmit', time],
  [9, 'expectedDischarge', time],
  [12, 'visitDescription', word],
  [13, 'participants', participants('referring')],
  [22, 'flags', (segment, field) => [`PV2-22=${segment.text(field)}`]],
  [38, 'modeOfArrival', label],
  [45, 'advanceDirectives', codes],
  [47, 'expectedReturn', time],
];

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

/** FC: the class and since when [HL7 2.A.32]; only the class is kept. */
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
