/** AL1, IAM, IAR, DG1, PR1, PRB, GOL, IN1 and NTE. */
import type {
  Allergy,
  AllergyReaction,
  Condition,
  Coverage,
  Note,
  Procedure,
} from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { dateText, time, timeOf } from './clock.ts';
import { code, codes, codeWithMethod, tabled } from './coded.ts';
import { cxs, ei, organizations, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { addresses, nameIn, participants, person, telecoms } from './people.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { eachAsSent, fill, label, type Table, word } from './table.ts';

export const al1: Table<Allergy> = [
  [1, 'setId', word],
  [2, 'type', code],
  [3, 'code', code],
  [4, 'severity', code],
  [5, 'reactions', eachAsSent],
  [6, 'identified', time],
];

export const iam: Table<Allergy> = [
  [1, 'setId', word],
  [2, 'type', code],
  [3, 'code', code],
  [4, 'severity', code],
  [5, 'reactions', eachAsSent],
  [6, 'action', code],
  [7, 'identifier', ei()],
  [8, 'actionReason', word],
  [9, 'sensitivity', code],
  [10, 'group', code],
  [11, 'identified', time],
  [12, 'onsetText', word],
  [13, 'reported', time],
  [14, 'reportedBy', nameIn],
  [15, 'reporterRelationship', code],
  [17, 'clinicalStatus', code],
];

/** One reaction of the allergy before it [HL7 2.8 3.4.15]. */
export const iar: Table<AllergyReaction> = [
  [1, 'code', code],
  [2, 'severity', code],
  [3, 'sensitivity', code],
  [4, 'management', word],
];

export const dg1: Table<Condition> = [
  [1, 'setId', word],
  [3, 'code', codeWithMethod(2)],
  [4, 'text', word],
  [5, 'recorded', time],
  [6, 'type', tabled('0052')],
  [15, 'priority', word],
  [16, 'participants', participants('diagnosing')],
  [18, 'confidential', word],
  [20, 'identifier', ei()],
  [21, 'action', word],
  [26, 'presentOnAdmission', code],
];

export const pr1: Table<Procedure> = [
  [1, 'setId', word],
  [3, 'code', codeWithMethod(2)],
  [4, 'text', word],
  [5, 'performed', time],
  [6, 'type', label],
  [8, 'participants', participants('assisting')],
  [11, 'participants', participants('performing')],
  [12, 'participants', participants('performing')],
  [14, 'priority', word],
  [15, 'diagnosis', code],
  [16, 'modifiers', codes],
  [19, 'identifier', ei()],
  [20, 'action', word],
];

/** Problem detail [HL7 12.4.2]. */
export const prb: Table<Condition> = [
  [1, 'action', word],
  [2, 'recorded', time],
  [3, 'code', code],
  [4, 'identifier', ei()],
  [7, 'established', time],
  [8, 'expected', time],
  [9, 'resolved', time],
  [12, 'persistence', code],
  [13, 'verification', code],
  [14, 'status', code],
  [16, 'onset', time],
  [17, 'onsetText', word],
  [18, 'priority', word],
  [25, 'confidentiality', code],
  [26, 'severity', code],
  [28, mood],
];

/** HL7 table 0725: whatever is not an event is no problem that the patient has. */
function mood(to: Condition, segment: Segment, field: number): void {
  const said = code(segment, field);
  if (said === undefined || upper(said.codings[0]?.code ?? '') === 'EVN') return;
  to.mood = said;
  remark(
    segment.message.scope,
    `${segment.name}-${field}: a risk, a request or the like, and no problem that is there`,
  );
}

/** Goal detail [HL7 12.4.1]. */
export const gol: Table<Condition> = [
  [1, 'action', word],
  [2, 'recorded', time],
  [3, 'code', code],
  [4, 'identifier', ei()],
  [7, 'onset', time],
  [8, 'expected', time],
  [16, 'evaluation', code],
  [17, 'evaluationComments', eachAsSent],
  [18, 'status', code],
  [22, 'mood', code],
];

export const in1: Table<Coverage> = [
  [1, 'setId', word],
  [2, 'plan', code],
  [3, 'company', cxs],
  [4, 'companyName', word],
  [5, 'companyAddresses', addresses],
  [7, 'companyTelecoms', telecoms],
  [8, 'groupNumber', word],
  [9, 'groupName', word],
  [10, 'employerIdentifiers', cxs],
  [11, 'employers', organizations],
  [12, 'start', time],
  [13, 'end', time],
  // AUI: 1 number, 2 day, 3 who [HL7 2.A.4].
  [14, 'authorization', word],
  [14, 'authorized', (segment, field) => timeOf(segment.parts(field).sub(2), 1, segment, field)],
  [14, 'authorizationSource', (segment, field) => segment.text(field, 1, 3)],
  [16, 'insured', nameIn],
  [17, 'relationship', code],
  [18, 'insuredBirthDate', dateText],
  [36, 'policyNumber', word],
  [49, 'identifiers', typed('MB')],
];

/** Numbers and names of public insurance [HL7 6.5.7]. */
export const in2: Table<Coverage> = [
  [6, 'identifiers', typed('MC')],
  [7, 'medicaidCaseName', nameIn],
  [8, 'identifiers', typed('MA')],
  [61, 'identifiers', typed('MB')],
];

/** Certification [HL7 6.5.8]. */
export const in3: Table<Coverage> = [[2, 'certifications', cxs]];

export const nte: Table<Note> = [
  [1, 'setId', word],
  [2, 'source', word],
  [3, 'text', linesOf],
  [4, 'type', code],
  [5, 'enteredBy', person],
  [6, 'entered', time],
];

/** A comment's repetitions are its lines. */
function linesOf(segment: Segment, field: number): string {
  return segment
    .repetitions(field, true)
    .map((parts) => parts.whole().trimEnd())
    .join('\n');
}

/** Some leave out the source, or the number too, and the comment stands in its place: it is no code of table 0105. */
export function noteOf(segment: Segment): Note {
  const note = fill(fresh.note(), nte, segment);
  if (note.text !== '' || (segment.count > 2 && segment.end(3) > segment.start(3))) return note;
  const field = [2, 1].find((one) => /\s|.{9}/.test(segment.text(one)));
  if (field === undefined) return note;
  remark(segment.message.scope, `NTE-${field}: a comment that should stand in NTE-3`);
  note[field === 2 ? 'source' : 'setId'] = '';
  note.text = linesOf(segment, field);
  return note;
}
