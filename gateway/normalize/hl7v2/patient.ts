/** PID, PD1, NK1, GT1 and MRG [HL7 3.4]. */
import type {
  AccessRestriction,
  Merge,
  Participant,
  Patient,
  RelatedPerson,
} from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { dateText, period, span, time } from './clock.ts';
import { code, codes, said, tabled } from './coded.ts';
import { cx, cxs, licence, organizations, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { isOfNobody } from './odd-years.ts';
import { addresses, nameLines, names, organizationNames, persons, telecoms, telecomsOf } from './people.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { eachAsSent, label, type Table, word, words } from './table.ts';

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

function gender(segment: Segment, field: number): string {
  const said = sex(segment, field);
  const known = sexes[upper(said)];
  if (known !== undefined || said === '') return known ?? 'unknown';
  const read = isBare(segment, field) ? isoSexes[said] : undefined;
  const why = read === undefined ? 'not a sex that is known' : 'read as a code of ISO 5218';
  remark(segment.message.scope, `${segment.name}-${field}: ${why}`);
  return read ?? 'unknown';
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
    },
  ],
  [9, 'aliases', nameLines],
  [9, 'aliasNames', names],
  [10, 'race', codes],
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
  [31, 'flags', (segment, field) => flag('PID-31', segment.text(field))],
  [32, 'flags', (segment, field) => eachAsSent(segment, field).flatMap((one) => flag('PID-32', one))],
  [33, 'lastUpdated', time],
  [35, 'species', code],
  [36, 'breed', code],
  [37, 'strain', word],
  [39, 'tribalCitizenship', codes],
  [40, 'telecoms', telecoms],
];

export const pd1: Table<Patient> = [
  [3, 'primaryCareOrganizations', organizations],
  [4, 'generalPractitioners', persons],
  [7, 'flags', (segment, field) => flag('PD1-7', segment.text(field))],
  [8, 'flags', (segment, field) => flag('PD1-8', segment.text(field))],
  [11, 'flags', (segment, field) => flag('PD1-11', segment.text(field))],
  [12, 'flags', (segment, field) => flag('PD1-12', segment.text(field))],
  [13, 'protectionSince', time],
  [15, 'advanceDirectives', codes],
  [16, 'registryStatus', code],
  [17, 'registrySince', time],
  [18, 'publicitySince', time],
];

/** Disability, where it is the patient's [HL7 3.4.11]. */
export const db1: Table<Patient> = [
  [3, 'identifiers', cxs],
  [4, 'flags', (segment, field) => flag('DB1-4', segment.text(field))],
];

function flag(name: string, value: string): string[] {
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

export const nk1: Table<RelatedPerson> = [
  [1, 'setId', word],
  [2, 'names', names],
  [3, 'relationship', code],
  [4, 'addresses', addresses],
  [5, 'telecoms', telecomsOf('home')],
  [6, 'telecoms', telecomsOf('work')],
  [7, 'contactRole', code],
  [
    8,
    (to, segment, field) => {
      to.period = span(time(segment, field), to.period?.end);
    },
  ],
  [
    9,
    (to, segment, field) => {
      to.period = span(to.period?.start, time(segment, field));
    },
  ],
  // The contact may be an organization itself, whose persons stand in NK1-30; else it is where the person works.
  [
    13,
    (to, segment, field) => {
      if (to.names.length > 0) to.employers.push(...organizations(segment, field));
      else to.names.push(...organizationNames(segment, field));
    },
  ],
  [15, 'gender', gender],
  [16, 'birthDate', dateText],
  [23, 'flags', (segment, field) => flag('NK1-23', segment.text(field))],
  [
    30,
    (to, segment, field) => {
      const found = names(segment, field);
      const contact = contactBeside(to, segment);
      if (contact === undefined) to.names.push(...found);
      else contact.person = fresh.person([], found[0]);
    },
  ],
  [
    31,
    (to, segment, field) => {
      (contactBeside(to, segment) ?? to).telecoms.push(...telecoms(segment, field));
    },
  ],
  [
    32,
    (to, segment, field) => {
      (contactBeside(to, segment) ?? to).addresses.push(...addresses(segment, field));
    },
  ],
  [33, 'identifiers', cxs],
  [37, 'identifiers', typed('SS')],
  [40, 'telecoms', telecoms],
];

/** Of an organization (NK1-13) whoever is to be contacted speaks for it; beside a person it is somebody else [HL7 3.4.5]. */
function contactBeside(to: RelatedPerson, segment: Segment): Participant | undefined {
  if (!segment.has(2)) return undefined;
  to.contact ??= fresh.participant('contact', undefined);
  return to.contact;
}

export const gt1: Table<RelatedPerson> = [
  [1, 'setId', word],
  [2, 'identifiers', cxs],
  [3, 'names', names],
  [5, 'addresses', addresses],
  [6, 'telecoms', telecomsOf('home')],
  [7, 'telecoms', telecomsOf('work')],
  [8, 'birthDate', dateText],
  [9, 'gender', gender],
  [11, 'relationship', code],
  [12, 'identifiers', typed('SS')],
  [
    13,
    (to, segment, field) => {
      to.period = span(time(segment, field), to.period?.end);
    },
  ],
  [
    14,
    (to, segment, field) => {
      to.period = span(to.period?.start, time(segment, field));
    },
  ],
  // Of a guarantor that is an organization [HL7 6.5.5.21].
  [21, 'names', organizationNames],
];
export const guarantor = said('guarantor');

/** Who consents, and what they are to the patient [HL7 9.9.1]. */
export const con: Table<RelatedPerson> = [
  [24, 'names', names],
  [25, 'relationship', code],
];
export const consenter = said('consenter');

export const mrg: Table<Merge> = [
  [1, 'retired', cxs],
  [2, 'retired', cxs],
  [3, 'retiredAccounts', cxs],
  [4, 'retired', cxs],
  [5, 'retiredVisits', cxs],
  [6, 'retiredVisits', cxs],
  [7, 'priorNames', names],
];
