/** Referrals (REF), problems and goals (PPR …), master files (MFN) [HL7 11, 12, 8]. One event. */
import {
  type Authorization,
  type ClinicalEvent,
  type Code,
  type Condition,
  type MasterFile,
  MasterFileRecord,
  type Participant,
  type Referral,
} from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { identifier, identifierSystem } from '../identity.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { gol, prb } from './clinical.ts';
import { span, time, timeOf } from './clock.ts';
import { code, codes, textOf } from './coded.ts';
import type { Draft } from './draft.ts';
import { copied } from './draft-parts.ts';
import { price } from './drg.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { cx, ei } from './identified.ts';
import type { Segment } from './message.ts';
import { nextBody } from './next-body.ts';
import { addresses, location, names, person, telecoms } from './people.ts';
import { refuses, replySegments } from './reply.ts';
import { remark } from './scope.ts';
import { commonSegments, noteSegment } from './segments.ts';
import { fresh } from './shapes.ts';
import { eachAsSent, fill, label, type Table, word } from './table.ts';

const rf1: Table<Referral> = [
  [1, 'status', code],
  [2, 'priority', code],
  [3, 'type', code],
  [4, dispositions],
  [5, 'category', code],
  [6, 'originating', ei()],
  [7, 'effective', time],
  [8, 'expires', time],
  [9, 'processed', time],
  [10, 'reasons', codes],
  [11, 'external', ei()],
  [13, 'plannedEnd', time],
  [14, 'reasonText', word],
  [15, 'authorizedTreatments', amount],
  [16, 'usedTreatments', amount],
  [17, 'remainingTreatments', amount],
];

function dispositions(to: Referral, segment: Segment, field: number): void {
  const [first, ...others] = codes(segment, field);
  to.disposition = first;
  to.furtherDispositions = others;
}

/** CQ: 6 visits. */
function amount(segment: Segment, field: number): string {
  const unit = segment.parts(field).sub(2);
  return [segment.text(field), unit.text(2) || unit.text(1)].filter(Boolean).join(' ');
}

const aut: Table<Authorization> = [
  [1, 'plan', code],
  [2, 'company', code],
  [3, 'companyName', word],
  [4, 'start', time],
  [5, 'end', time],
  [6, 'identifier', ei()],
  [7, 'limit', price],
  [8, 'requestedTreatments', word],
  [9, 'authorizedTreatments', word],
  [10, 'processed', time],
  [14, 'status', code],
  [17, 'reasonText', word],
];

/** As PRD names its people, but for when they have their role [HL7 11.8.4]. */
const ctd: Table<Participant> = [
  [1, 'role', label],
  [1, 'roleCode', code],
  [
    2,
    (to, segment, field) => {
      personOf(to).name = names(segment, field)[0];
    },
  ],
  [3, 'addresses', addresses],
  [4, 'location', location],
  [5, 'telecoms', telecoms],
  [
    7,
    (to, segment, field) => {
      // PLN: 1 number, 2 type, 3 the state or whoever issued it, 4 until when [HL7 2.A.52].
      for (const parts of segment.repetitions(field)) {
        const { source, authorities } = parts.message.scope.context;
        const issuer = parts.text(3);
        const system = identifierSystem(source, authorities, issuer);
        const end = timeOf(parts.sub(4), 1, segment, field)?.value ?? '';
        personOf(to).identifiers.push({
          ...identifier(parts.text(1), parts.text(2), system),
          assigner: issuer,
          end,
        });
      }
    },
  ],
];

const prd: Table<Participant> = [
  ...ctd,
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
];

function personOf(to: Participant): NonNullable<Participant['person']> {
  to.person ??= fresh.person([], undefined);
  return to.person;
}

/** PRD-1 and CTD-1 repeat: who refers may be the patient's own doctor, too. */
function inEachRole(table: Table<Participant>, segment: Segment): Participant[] {
  const one = fill(fresh.participant('', undefined), table, segment);
  const roles = codes(segment, 1);
  if (roles.length < 2) return [one];
  return roles.map((roleCode) => ({ ...copied(one), role: textOf(roleCode), roleCode }));
}

const mfi: Table<MasterFile> = [
  [1, 'identifier', code],
  [3, 'event', word],
];
const mfe: Table<MasterFileRecord> = [
  [1, 'event', word],
  [2, 'controlId', word],
  [3, 'effective', time],
  [4, key],
  [4, 'keys', eachAsSent],
  [5, 'keyType', word],
];

/** MFE-5 says of which type the key is [HL7 8.5.2.5]. */
function key(to: MasterFileRecord, segment: Segment, field: number): void {
  switch (upper(segment.text(5))) {
    case 'PL':
      to.keyLocation = location(segment, field);
      return;
    case 'CX':
      to.keyIdentifier = cx(segment, field);
      return;
    case 'EI':
      to.keyIdentifier = ei()(segment, field);
      return;
    case 'XCN':
    case 'CNN':
      to.keyPerson = person(segment, field);
      return;
    default:
      to.key = code(segment, field);
  }
}

export const referenceTables = {
  RF1: rf1,
  AUT: aut,
  PRD: prd,
  CTD: ctd,
  PRB: prb,
  GOL: gol,
  MFI: mfi,
  MFE: mfe,
};

/** Whom to ask about an order [HL7 4.4, 7.3.1]. */
export const contactSegment: Record<string, Handler> = {
  CTD(draft, segment) {
    draft.order.participants.push(...inEachRole(ctd, segment));
  },
};

const bodies: Record<string, Handler> = {
  RF1(draft, segment) {
    nextBody(draft, 'RF1');
    draft.base.referral ??= fresh.referral();
    fill(draft.base.referral, rf1, segment);
  },
  PRD(draft, segment) {
    draft.base.referral ??= fresh.referral();
    draft.base.referral.participants.push(...inEachRole(prd, segment));
  },
  CTD(draft, segment) {
    draft.base.referral ??= fresh.referral();
    draft.base.referral.participants.push(...inEachRole(ctd, segment));
  },
  AUT(draft, segment) {
    draft.base.referral ??= fresh.referral();
    draft.base.referral.authorizations.push(fill(fresh.authorization(), aut, segment));
  },
  PRB: (draft, segment) => listed(draft, fill(fresh.condition(), prb, segment)),
  GOL: (draft, segment) => listed(draft, { ...fill(fresh.condition(), gol, segment), type: 'goal' }),
  PTH(draft) {
    // Whoever follows acts in the pathway, and what is noted next is of it.
    draft.acting = [];
    draft.notes = draft.base.notes;
    remark(draft.message.scope, 'PTH: the pathway and its people are left out');
  },
};

function listed(draft: Draft, condition: Condition): void {
  draft.base.conditions.push(condition);
  draft.acting = condition.participants;
  draft.notes = condition.notes;
  // What is observed next is of the problem or goal itself.
  draft.ordered = '';
}

const files: Record<string, Handler> = {
  MFI(draft, segment) {
    nextBody(draft, 'MFI');
    draft.base.masterFile ??= fresh.masterFile();
    fill(draft.base.masterFile, mfi, segment);
  },
  MFE(draft, segment) {
    draft.base.masterFile ??= fresh.masterFile();
    const { entries, records } = draft.base.masterFile;
    const record = fill(MasterFileRecord.fromPartial({}), mfe, segment);
    entries.push(...record.keys);
    records.push(record);
  },
};

export const ref: Family = {
  name: 'ref',
  kind: 'referral',
  opens: new Set(),
  about: ['RF1'],
  segments: handlers(replySegments, commonSegments, bodies),
  finish(event, draft) {
    event.status = statusOf(event, draft);
    setTime(event, event.referral?.effective);
  },
};

function statusOf({ referral }: ClinicalEvent, draft: Draft): string {
  const { trigger, reply } = draft;
  const said = saidOf(referral?.status, draft);
  // What was asked for is mostly repeated as it was sent; of a referral that should have changed nobody knows more.
  if (refuses(reply)) {
    if (!['', 'requested', 'unknown'].includes(said)) return said;
    return trigger === 'I12' ? 'rejected' : 'unknown';
  }
  // I15 asks where it stands [HL7 11.3.5].
  return trigger === 'I14' ? 'cancelled' : said;
}

/** Empty where RF1-1 is. */
function saidOf(status: Code | undefined, { message }: Draft): string {
  if (status === undefined) return '';
  const words = [codeInTable(status, '0283'), textOf(status)].map(upper);
  const said = words.map((word) => referralStatus[word]).find((one) => one !== undefined);
  if (said === undefined)
    remark(message.scope, 'RF1-1: not a code of table 0283, the status of the referral is unknown');
  return said ?? 'unknown';
}

/** HL7 table 0283, and its words. Of one that expired nothing is to come, and nobody says that the patient was seen. */
const referralStatus: Record<string, string> = lookup({
  A: 'accepted',
  P: 'requested',
  R: 'rejected',
  E: 'cancelled',
  ACCEPTED: 'accepted',
  PENDING: 'requested',
  REJECTED: 'rejected',
  EXPIRED: 'cancelled',
});

/** A problem or a goal is taken out of the list [HL7 12.3]. Those of a pathway that is deleted (PCD, PCJ) stay. */
const deletes = new Set(['PC3', 'PC8']);

export const problem: Family = {
  name: 'problem',
  kind: 'problem',
  opens: new Set(),
  about: ['PRB', 'GOL', 'PTH'],
  segments: handlers(commonSegments, bodies),
  finish(event, draft) {
    if (deletes.has(draft.trigger)) event.status = 'entered-in-error';
    setTime(event, event.conditions[0]?.onset ?? event.conditions[0]?.recorded);
  },
};

export const masterFile: Family = {
  name: 'mfn',
  kind: 'master-file',
  opens: new Set(),
  segments: handlers(noteSegment, files),
};

function setTime(event: ClinicalEvent, observed: NonNullable<ClinicalEvent['times']>['observed']): void {
  event.times ??= fresh.times();
  event.times.observed ??= observed;
}
