/** AL1, IAM, IAR, DG1, PR1, PRB, GOL and NTE. */
import type {
  Allergy,
  AllergyReaction,
  Condition,
  Note,
  Participant,
  Procedure,
} from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { time } from './clock.ts';
import { code, codes, codeWithMethod, fullCode, tabled } from './coded.ts';
import { ei, eis, organization } from './identified.ts';
import type { Segment } from './message.ts';
import { location, nameIn, names, participants, person } from './people.ts';
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
  [16, 'alertDevice', code],
  [17, 'clinicalStatus', code],
  ...did('verifying', { person: 18, organization: 19, time: 20 }),
  ...did('inactivating', { person: 21, organization: 30, time: 22 }),
  ...did('entering', { person: 23, organization: 28, time: 24 }),
  ...did('modifying', { person: 25, organization: 29, time: 26 }),
  [27, 'clinicianCode', code],
];

/** Who did something with the entry, for whom and when: three fields, whose order no rule of the standard keeps. */
function did(role: string, fields: { person: number; organization: number; time: number }): Table<Allergy> {
  const entry = (to: Allergy): Participant => {
    const known = to.participants.find((one) => one.role === role);
    if (known !== undefined) return known;
    const one = fresh.participant(role, undefined);
    to.participants.push(one);
    return one;
  };
  return [
    [
      fields.person,
      (to, segment, field) => {
        entry(to).person = person(segment, field);
      },
    ],
    [
      fields.organization,
      (to, segment, field) => {
        entry(to).organization = organization(segment, field);
      },
    ],
    [
      fields.time,
      (to, segment, field) => {
        entry(to).acted = time(segment, field);
      },
    ],
  ];
}

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
  [6, 'typeCode', fullCode],
  [15, 'priority', word],
  [16, 'participants', participants('diagnosing')],
  [17, 'classification', code],
  [18, 'confidential', word],
  [19, 'attested', time],
  [20, 'identifier', ei()],
  [21, 'action', word],
  [22, 'parent', ei()],
  [26, 'presentOnAdmission', code],
];

export const pr1: Table<Procedure> = [
  [1, 'setId', word],
  [3, 'code', codeWithMethod(2)],
  [4, 'text', word],
  [5, 'performed', time],
  [6, 'type', label],
  [6, 'typeCode', fullCode],
  [7, 'minutes', word],
  [8, 'participants', participants('assisting')],
  [9, 'anesthesia', code],
  [10, 'anesthesiaMinutes', word],
  [11, 'participants', participants('performing')],
  [12, 'participants', participants('performing')],
  [13, 'consent', code],
  [14, 'priority', word],
  [15, 'diagnosis', code],
  [16, 'modifiers', codes],
  [18, 'tissues', codes],
  [19, 'identifier', ei()],
  [20, 'action', word],
  [23, 'unit', location],
  [25, 'parent', ei()],
];

/** A number of the entry, and further ones. */
function numbers(to: Condition, segment: Segment, field: number): void {
  const [first, ...others] = eis()(segment, field);
  to.identifier = first;
  to.identifiers.push(...others);
}

/** Problem detail [HL7 12.4.2]. */
export const prb: Table<Condition> = [
  [1, 'action', word],
  [2, 'recorded', time],
  [3, 'code', code],
  [4, numbers],
  [5, 'episode', ei()],
  [6, 'listPriority', word],
  [7, 'established', time],
  [8, 'expected', time],
  [9, 'resolved', time],
  [10, 'kind', code],
  [11, 'disciplines', codes],
  [12, 'persistence', code],
  [13, 'verification', code],
  [14, 'status', code],
  [15, 'statusSince', time],
  [16, 'onset', time],
  [17, 'onsetText', word],
  [18, 'priority', word],
  [19, 'certainty', code],
  [20, 'probability', word],
  [21, 'patientAwareness', code],
  [22, 'prognosis', code],
  [23, 'prognosisAwareness', code],
  [24, 'familyAwareness', word],
  [25, 'confidentiality', code],
  [26, 'severity', code],
  [27, 'perspective', code],
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
  [4, numbers],
  [5, 'episode', ei()],
  [6, 'listPriority', word],
  [7, 'onset', time],
  [8, 'expected', time],
  [9, 'kind', code],
  [10, 'disciplines', codes],
  [11, 'reviewStatus', code],
  [12, 'reviewed', time],
  [13, 'nextReview', time],
  [14, 'previousReview', time],
  [16, 'evaluation', code],
  [17, 'evaluationComments', eachAsSent],
  [18, 'status', code],
  [19, 'statusSince', time],
  [20, 'targetTypes', codes],
  [21, 'targets', names],
  [22, 'mood', code],
];

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
