/** IN1, IN2 and IN3: who pays, and what the insurer certified [HL7 6.5.6 to 6.5.8]. */
import type { Certification, Coverage } from '../../../proto/gen/hilum/v1/event.ts';
import { addresses } from './addresses.ts';
import { dateText, span, time, timeOf } from './clock.ts';
import { code } from './coded.ts';
import { price } from './drg.ts';
import { cx, cxs, firstOrganization, organizations, typed } from './identified.ts';
import { nameIn, names, participants } from './people.ts';
import { unread } from './scope.ts';
import { asSent, type Table, word } from './table.ts';
import { telecoms, telecomsOf } from './telecoms.ts';
import { flagged } from './visit.ts';

/** Each IN3 is one. */
export const certified: Table<Certification> = [
  [2, 'identifier', cx],
  [3, 'participants', participants('verifying')],
  [4, 'required', word],
  [6, 'certified', time],
  [7, 'changed', time],
  [
    9,
    (to, segment, field) => {
      to.period = span(time(segment, field), to.period?.end);
    },
  ],
  [
    10,
    (to, segment, field) => {
      to.period = span(to.period?.start, time(segment, field));
    },
  ],
  [11, 'days', asSent],
  [12, 'concurrence', code],
  [14, 'participants', participants('reviewing')],
  [16, 'contact', word],
  [17, 'telecoms', telecoms],
  [18, 'case', code],
  [25, 'participants', participants('case-manager')],
];

export const in1: Table<Coverage> = [
  [1, 'setId', word],
  [2, 'plan', code],
  [3, 'company', cxs],
  [
    4,
    (to, segment, field) => {
      const first = firstOrganization(segment, field);
      to.companyName = first?.name ?? '';
      to.company.push(...(first?.identifiers ?? []));
      if (first?.nameType !== undefined) unread(segment, `${field}.2`);
    },
  ],
  [5, 'companyAddresses', addresses],
  [6, 'contacts', names],
  [7, 'companyTelecoms', telecoms],
  [8, 'groupNumber', word],
  [9, 'groupName', word],
  [10, 'employerIdentifiers', cxs],
  [11, 'employers', organizations],
  [12, 'start', time],
  [13, 'end', time],
  // AUI: 1 number, 2 day, 3 who [HL7 2.A.4].
  [14, 'authorization', (segment, field) => segment.text(field)],
  [14, 'authorized', (segment, field) => timeOf(segment.parts(field).sub(2), 1, segment, field)],
  [14, 'authorizationSource', (segment, field) => segment.text(field, 1, 3)],
  [15, 'planType', code],
  [16, 'insured', nameIn],
  [17, 'relationship', code],
  [18, 'insuredBirthDate', dateText],
  [19, 'insuredAddresses', addresses],
  [20, 'assignment', code],
  [21, 'coordination', code],
  [22, 'coordinationOrder', word],
  [23, 'flags', flagged],
  [24, 'admissionNotified', time],
  [25, 'flags', flagged],
  [26, 'eligibilityReported', time],
  [27, 'release', code],
  [28, 'preadmissionCertificate', word],
  [29, 'verified', time],
  [30, 'participants', participants('verifying')],
  [31, 'agreement', code],
  [32, 'billingStatus', code],
  [35, 'companyPlan', code],
  [36, 'policyNumber', word],
  [37, 'deductible', price],
  [38, 'limit', price],
  [39, 'limitDays', word],
  [42, 'employmentStatus', code],
  [43, 'insuredSex', code],
  [44, 'employerAddresses', addresses],
  [45, 'verificationStatus', word],
  [46, 'priorPlan', code],
  [47, 'type', code],
  [49, 'identifiers', typed('MB')],
  [54, 'planIdentifiers', cxs],
  [55, 'action', word],
];

/** Numbers and names of public insurance [HL7 6.5.7]. */
export const in2: Table<Coverage> = [
  [1, 'insuredIdentifiers', typed('EN')],
  [2, 'insuredIdentifiers', typed('SS')],
  [6, 'identifiers', typed('MC')],
  [7, 'medicaidCaseName', nameIn],
  [8, 'identifiers', typed('MA')],
  [25, 'company', cxs],
  [26, 'insuredIdentifiers', typed('SN')],
  [61, 'identifiers', typed('MB')],
  [63, 'insuredTelecoms', telecomsOf('home')],
  [64, 'insuredTelecoms', telecomsOf('work')],
  [69, 'employers', organizations],
  [72, 'patientRelationship', code],
];

/** Certification [HL7 6.5.8]. */
export const in3: Table<Coverage> = [[2, 'certifications', cxs]];
