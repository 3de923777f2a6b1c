/** DFT and BAR: charges and accounts [HL7 6]. One event. */
import type {
  ChargeItem,
  ClinicalEvent,
  Code,
  Identifier,
  Person,
} from '../../../proto/gen/hilum/v1/event.ts';
import { lookup } from '../lookup.ts';
import { time, timeOf } from './clock.ts';
import { code, codes, tabled } from './coded.ts';
import { price } from './drg.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { cx, ei } from './identified.ts';
import type { Segment } from './message.ts';
import { location, participants } from './people.ts';
import { clinicalSegments, commonSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { fill, type Table, word, words } from './table.ts';

const ft1: Table<ChargeItem> = [
  [1, 'setId', word],
  [2, 'identifier', transaction],
  [3, 'batch', word],
  // DR from 2.6 on: the first time is the transaction's.
  [4, 'transacted', (segment, field) => timeOf(segment.parts(field).sub(1), 1, segment, field)],
  [4, 'transactedEnd', (segment, field) => timeOf(segment.parts(field).sub(2), 1, segment, field)],
  [5, 'posted', time],
  [6, 'type', tabled('0017')],
  [7, 'code', code],
  [8, 'description', word],
  [9, 'alternateDescription', word],
  [10, 'quantity', word],
  [11, 'amountExtended', price],
  [12, 'amountUnit', price],
  [13, 'department', code],
  [16, 'location', location],
  [17, 'feeSchedule', code],
  [19, 'diagnoses', codes],
  [20, 'participants', participants('performing')],
  [21, 'participants', participants('ordering')],
  [22, 'costUnit', price],
  [23, 'filler', ei('FILL')],
  [25, 'procedure', code],
  [26, 'procedureModifiers', codes],
  [29, 'drug', code],
  [30, 'payment', cx],
  [31, 'references', words],
];
/** CX from 2.8 on; where its check digit would be a word, that is the namespace of an EI, which some send before. */
function transaction(segment: Segment, field: number): Identifier | undefined {
  const parts = segment.parts(field);
  const named = parts.text(2).length > 2 && !parts.has(3) && !parts.has(4);
  return named ? ei()(segment, field) : cx(segment, field);
}

export const chargeTables = { FT1: ft1 };

const charges: Record<string, Handler> = {
  FT1(draft, segment) {
    draft.base.charge ??= fresh.charge();
    const item = fill(fresh.chargeItem(), ft1, segment);
    draft.base.charge.items.push(item);
    draft.seen.delete('DG1');
    draft.acting = item.participants;
    draft.ordered = '';
    draft.notes = item.notes;
  },
  PR1(draft, segment) {
    clinicalSegments.PR1?.(draft, segment);
    // Both structures have it in the group of its FT1, and there before any diagnosis [HL7 6.4.3, 6.4.5].
    const last = draft.seen.has('DG1') ? -1 : (draft.base.charge?.items.length ?? 0) - 1;
    const procedure = draft.current.procedures.at(-1);
    if (procedure !== undefined && last >= 0) procedure.ofCharge = `charge.items[${last}]`;
  },
  DG1(draft, segment) {
    clinicalSegments.DG1?.(draft, segment);
    draft.seen.add('DG1');
    const item = draft.base.charge?.items.at(-1);
    const of = draft.base.conditions.at(-1)?.code;
    // Every FT1 of a P11 has its own [HL7 6.4.5]; those of a P03 are the patient's, behind all of them.
    if (draft.trigger !== 'P11' || item === undefined || of === undefined) return;
    if (!item.diagnoses.some((known) => sameCode(known, of))) item.diagnoses.push(of);
  },
};

function sameCode(one: Code, other: Code): boolean {
  const [a, b] = [one.codings[0], other.codings[0]];
  return a === undefined || b === undefined
    ? one.text === other.text
    : a.code === b.code && a.system === b.system;
}

/** The account ends, or its records are purged [HL7 6.4.6, 6.4.2]. */
const accountStatus: Record<string, string> = lookup({ P06: 'completed', P02: 'entered-in-error' });

export const finance: Family = {
  name: 'finance',
  kind: 'charge',
  opens: new Set(),
  segments: handlers(commonSegments, charges),
  finish(event, draft) {
    event.charge ??= fresh.charge();
    const { charge } = event;
    charge.account = event.patient?.account;
    charge.guarantors = guarantors(event);
    event.status = accountStatus[draft.trigger] ?? event.status;
    event.times ??= fresh.times();
    event.times.observed ??=
      charge.items[0]?.transacted ?? event.movement?.occurred ?? event.movement?.recorded;
  },
};

/** DFT: without a transaction it says nothing of what it is about. */
export const charging: Family = { ...finance, about: ['FT1'] };

function guarantors(event: ClinicalEvent): Person[] {
  return event.relatedPersons
    .filter((one) => one.contactRole?.text === 'guarantor')
    .map((one) => fresh.person(one.identifiers, one.names[0]));
}
