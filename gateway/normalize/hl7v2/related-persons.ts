/** NK1, GT1 and CON: the patient's relatives, guarantors and who consents [HL7 3.4.5, 6.5.5, 9.9.1]. */
import type {
  Code,
  HumanName,
  Organization,
  Participant,
  Person,
  RelatedPerson,
} from '../../../proto/gen/hilum/v1/event.ts';
import { address, addresses } from './addresses.ts';
import { dateText, span, time } from './clock.ts';
import { code, codeOf, codes, said } from './coded.ts';
import { cxs, organizations, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { flag, genderOnly } from './patient.ts';
import { names, organizationNames } from './people.ts';
import { furtherUnread } from './scope.ts';
import { fresh } from './shapes.ts';
import { type Table, word } from './table.ts';
import { telecoms, telecomsOf } from './telecoms.ts';

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
  [10, 'jobTitle', word],
  [11, 'jobCodes', jobCodes],
  [12, 'employeeIdentifiers', cxs],
  // The contact may be an organization itself, whose persons stand in NK1-30; else it is where the person works.
  [
    13,
    (to, segment, field) => {
      if (to.names.length > 0) to.employers.push(...organizations(segment, field));
      else to.names.push(...organizationNames(segment, field));
    },
  ],
  [14, 'maritalStatus', code],
  [15, 'gender', genderOnly],
  [16, 'birthDate', dateText],
  [17, 'livingDependency', codes],
  [18, 'ambulatoryStatus', codes],
  [19, 'citizenship', codes],
  [20, 'language', code],
  [21, 'livingArrangement', code],
  [22, 'publicity', code],
  [23, 'flags', (segment, field) => flag('NK1-23', segment.text(field))],
  [24, 'student', code],
  [25, 'religion', code],
  [26, 'mothersMaidenName', names],
  [27, 'nationality', code],
  [28, 'ethnicity', codes],
  [29, 'contactReasons', codes],
  [
    30,
    (to, segment, field) => {
      const found = names(segment, field);
      const contact = contactBeside(to, segment);
      if (contact === undefined) to.names.push(...found);
      else contact.person = named(found);
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
  [34, 'jobStatus', code],
  [35, 'race', codes],
  [36, 'handicap', code],
  [37, 'identifiers', typed('SS')],
  [38, 'birthPlace', word],
  [39, 'vip', code],
  [40, 'telecoms', telecoms],
  [
    41,
    (to, segment, field) =>
      void (contactBeside(to, segment) ?? to).telecoms.push(...telecoms(segment, field)),
  ],
];

/** JCC: the job and its class by their codes, and the job in words [HL7 2.A.38]. */
function jobCodes(segment: Segment, field: number): Code[] {
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  const words = parts.text(3);
  const found = [codeOf(parts.sub(1)), codeOf(parts.sub(2)), words === '' ? undefined : said(words)];
  return found.filter((one) => one !== undefined);
}

/** Of an organization (NK1-13) whoever is to be contacted speaks for it; beside a person it is somebody else [HL7 3.4.5]. */
function contactBeside(to: RelatedPerson, segment: Segment): Participant | undefined {
  return segment.has(2) ? contactOf(to) : undefined;
}

export const gt1: Table<RelatedPerson> = [
  [1, 'setId', word],
  [2, 'identifiers', cxs],
  [3, 'names', names],
  [4, 'spouseNames', names],
  [5, 'addresses', addresses],
  [6, 'telecoms', telecomsOf('home')],
  [7, 'telecoms', telecomsOf('work')],
  [8, 'birthDate', dateText],
  [9, 'gender', genderOnly],
  [10, 'type', code],
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
  [15, 'priority', word],
  // The employer: as a person, where to write and to call, and as what the guarantor is known there.
  [16, (to, segment, field) => void to.employers.push(...employersByName(segment, field))],
  [
    17,
    (to, segment, field) => {
      employerOf(to).address = address(segment, field);
    },
  ],
  [18, (to, segment, field) => void employerOf(to).telecoms.push(...telecomsOf('work')(segment, field))],
  [19, 'employeeIdentifiers', cxs],
  [20, 'employmentStatus', code],
  // Of a guarantor that is an organization [HL7 6.5.5.21].
  [21, 'names', organizationNames],
  [24, 'deceasedAt', time],
  [29, (to, segment, field) => void employerOf(to).identifiers.push(...cxs(segment, field))],
  [30, 'maritalStatus', code],
  [33, 'livingDependency', codes],
  [34, 'ambulatoryStatus', codes],
  [35, 'citizenship', codes],
  [36, 'language', code],
  [37, 'livingArrangement', code],
  [38, 'publicity', code],
  [39, 'flags', (segment, field) => flag('GT1-39', segment.text(field))],
  [40, 'student', code],
  [41, 'religion', code],
  [42, 'mothersMaidenName', names],
  [43, 'nationality', code],
  [44, 'ethnicity', codes],
  [
    45,
    (to, segment, field) => {
      contactOf(to).person = named(names(segment, field));
    },
  ],
  [46, (to, segment, field) => void contactOf(to).telecoms.push(...telecoms(segment, field))],
  [47, 'contactReasons', codes],
  [
    48,
    (to, segment, field) => {
      contactOf(to).roleCode = code(segment, field);
    },
  ],
  [49, 'jobTitle', word],
  [50, 'jobCodes', jobCodes],
  [51, (to, segment, field) => void to.employers.push(...organizations(segment, field))],
  [52, 'handicap', code],
  [53, 'jobStatus', code],
  [55, 'race', codes],
  [56, 'birthPlace', word],
  [57, 'vip', code],
];

function employersByName(segment: Segment, field: number): Organization[] {
  return names(segment, field).map((name) => ({
    ...fresh.organization(),
    name: [...name.prefix, ...name.given, name.family].filter(Boolean).join(' '),
  }));
}

/** Where a guarantor works, also where only its address is known. */
function employerOf(to: RelatedPerson): Organization {
  const known = to.employers[0];
  if (known !== undefined) return known;
  const one = fresh.organization();
  to.employers.push(one);
  return one;
}

/** Of the same person in other words, as in other scripts; some name several people. */
function named([name, ...others]: readonly HumanName[]): Person {
  return { ...fresh.person([], name), furtherNames: others };
}

/** Whom to ask in the guarantor's place. */
function contactOf(to: RelatedPerson): Participant {
  to.contact ??= fresh.participant('contact', undefined);
  return to.contact;
}
export const guarantor = said('guarantor');

/** Who consents, and what they are to the patient [HL7 9.9.1]. */
export const con: Table<RelatedPerson> = [
  [24, 'names', names],
  [25, 'relationship', code],
];
export const consenter = said('consenter');
