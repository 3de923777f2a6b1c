/** PID, PD1, DB1, ARV and MRG [HL7 3.4]. */
import type { AccessRestriction, Disability, Merge, Patient } from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { addresses } from './addresses.ts';
import { period, span, time } from './clock.ts';
import { code, codes, fullCode, tabled } from './coded.ts';
import { cx, cxs, licence, organizations, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { isOfNobody } from './odd-years.ts';
import { nameLines, names, persons } from './people.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { asSent, eachAsSent, fill, label, type Table, word, words } from './table.ts';
import { telecoms, telecomsOf } from './telecoms.ts';

const sexes: Record<string, string> = lookup({
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  N: 'other',
  // Neither of the two, in Germany (divers) and in some registers.
  D: 'other',
  X: 'other',
  U: 'unknown',
  // The table's own words, where a sender writes these.
  MALE: 'male',
  FEMALE: 'female',
  OTHER: 'other',
  AMBIGUOUS: 'other',
  UNKNOWN: 'unknown',
});

/** ISO 5218, which some send instead: 9 is not applicable. */
const isoSexes: Record<string, string> = lookup({ 0: 'unknown', 1: 'male', 2: 'female', 9: 'unknown' });

const sex = tabled('0001');

export function gender(segment: Segment, field: number): string {
  const said = sex(segment, field);
  const known = sexes[upper(said)];
  if (known !== undefined || said === '') return known ?? 'unknown';
  const read = isBare(segment, field) ? isoSexes[said] : undefined;
  const why = read === undefined ? 'not a sex that is known' : 'read as a code of ISO 5218';
  remark(segment.message.scope, `${segment.name}-${field}: ${why}`);
  return read ?? 'unknown';
}

/** Of whom no more is kept than the sex. */
export function genderOnly(segment: Segment, field: number): string {
  word(segment, field);
  return gender(segment, field);
}

/** A number with a text, or of a system, is a code of the sender's own, whose 1 may be a woman. */
function isBare(segment: Segment, field: number): boolean {
  const parts = segment.parts(field);
  return (!parts.has(2) && !parts.has(3)) || parts.text(3).includes('5218');
}

/** Table 0136, and how systems write it that do not keep to it. */
const yesNo: Record<string, string> = lookup({
  Y: 'true',
  YES: 'true',
  TRUE: 'true',
  1: 'true',
  N: 'false',
  NO: 'false',
  FALSE: 'false',
  0: 'false',
});

export const pid: Table<Patient> = [
  [2, 'identifiers', cxs],
  [3, 'identifiers', cxs],
  [4, 'identifiers', cxs],
  [5, 'names', names],
  [6, 'mothersMaidenName', names],
  [
    7,
    (to, segment, field) => {
      const said = time(segment, field);
      const value = said?.value ?? '';
      const isNone = isOfNobody(value, segment.message.scope.day);
      to.birthDate = isNone ? '' : value;
      to.birthDateOriginal = isNone ? segment.text(field) : (said?.original ?? '');
    },
  ],
  [
    8,
    (to, segment, field) => {
      to.administrativeSex = sex(segment, field);
      to.gender = gender(segment, field);
      to.administrativeSexCode = fullCode(segment, field);
    },
  ],
  [9, 'aliases', nameLines],
  [9, 'aliasNames', names],
  [10, 'race', codes],
  [12, 'county', word],
  [11, 'addresses', addresses],
  [13, 'telecoms', telecomsOf('home')],
  [14, 'telecoms', telecomsOf('work')],
  [15, 'language', codes],
  [16, 'maritalStatus', code],
  [17, 'religion', code],
  [18, 'account', cx],
  [19, 'identifiers', typed('SS')],
  [20, 'identifiers', licence],
  [21, 'mothersIdentifiers', cxs],
  [22, 'ethnicity', codes],
  [23, 'birthPlace', label],
  [24, 'multipleBirth', word],
  [25, 'birthOrder', word],
  [26, 'citizenship', codes],
  [27, 'veteranStatus', label],
  [27, 'veteranStatusCode', fullCode],
  [28, 'nationality', codes],
  [29, 'deceasedAt', time],
  [
    30,
    (to, segment, field) => {
      const said = segment.text(field);
      const known = yesNo[upper(said)];
      if (known === undefined && said !== '') remark(segment.message.scope, 'PID-30: neither yes nor no');
      if (known === 'false' && (to.deceasedAt?.value ?? '') !== '')
        remark(segment.message.scope, 'PID-30: not dead, although PID-29 has a time of death');
      to.deceased = known ?? said;
    },
  ],
  [31, 'flags', (segment, field) => flag('PID-31', word(segment, field))],
  [32, 'flags', (segment, field) => eachAsSent(segment, field).flatMap((one) => flag('PID-32', one))],
  [33, 'lastUpdated', time],
  [34, 'lastUpdatedBy', asSent],
  [35, 'species', code],
  [36, 'breed', code],
  [37, 'strain', word],
  [38, 'productionClass', code],
  [39, 'tribalCitizenship', codes],
  [40, 'telecoms', telecoms],
];

export const pd1: Table<Patient> = [
  [1, 'livingDependency', codes],
  [2, 'livingArrangement', code],
  [3, 'primaryCareOrganizations', organizations],
  [4, 'generalPractitioners', persons],
  [5, 'student', code],
  [6, 'handicap', code],
  [7, 'flags', (segment, field) => flag('PD1-7', word(segment, field))],
  [8, 'flags', (segment, field) => flag('PD1-8', word(segment, field))],
  [9, 'flags', (segment, field) => flag('PD1-9', word(segment, field))],
  [10, 'duplicates', cxs],
  [11, 'flags', (segment, field) => flag('PD1-11', word(segment, field))],
  [12, 'flags', (segment, field) => flag('PD1-12', word(segment, field))],
  [13, 'protectionSince', time],
  [14, 'placesOfWorship', organizations],
  [15, 'advanceDirectives', codes],
  [16, 'registryStatus', code],
  [17, 'registrySince', time],
  [18, 'publicitySince', time],
  [19, 'militaryBranch', code],
  [20, 'militaryRank', code],
  [21, 'militaryStatus', code],
  [22, 'advanceDirectivesVerified', time],
];

/** Disability, where it is the patient's [HL7 3.4.11]. */
export const db1: Table<Patient> = [
  [3, 'identifiers', cxs],
  [4, 'flags', (segment, field) => flag('DB1-4', word(segment, field))],
];

export const disability: Table<Disability> = [
  [3, 'identifiers', cxs],
  [4, 'indicator', word],
  [
    5,
    (to, segment, field) => {
      to.period = span(time(segment, field), to.period?.end);
    },
  ],
  [
    6,
    (to, segment, field) => {
      to.period = span(to.period?.start, time(segment, field));
    },
  ],
  [7, 'returnToWork', time],
];

/** Each DB1 is one; what it says of somebody else is none of the patient's. */
export function disabled(to: Patient, segment: Segment): void {
  fill(to, db1, segment);
  to.disabilities.push(fill(fresh.disability(), disability, segment));
}

export function flag(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}=${value}`];
}

/** Access restrictions [HL7 2.8 3.4.14]. */
export const arv: Table<AccessRestriction> = [
  [1, 'setId', word],
  [2, 'action', code],
  [3, 'value', code],
  [4, 'reasons', codes],
  [5, 'instructions', words],
  [6, 'period', period],
];

export const mrg: Table<Merge> = [
  [1, 'retired', cxs],
  [2, 'retired', cxs],
  [3, 'retiredAccounts', cxs],
  [4, 'retired', cxs],
  [5, 'retiredVisits', cxs],
  [6, 'retiredVisits', cxs],
  [7, 'priorNames', names],
];
