/** DRG: the group that a stay is billed by, and amounts of money [HL7 6.5.3, 2.A.12, 2.A.42]. */
import type { DiagnosisGroup } from '../../../proto/gen/hilum/v1/event.ts';
import { time } from './clock.ts';
import { code } from './coded.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { furtherUnread, unread } from './scope.ts';
import { label, type Table, word } from './table.ts';

export const drg: Table<DiagnosisGroup> = [
  [1, 'code', code],
  [2, 'assigned', time],
  [3, 'approved', word],
  [4, 'review', word],
  [5, 'outlierType', code],
  [6, 'outlierDays', word],
  [7, 'outlierCost', price],
  [8, 'payor', word],
  [9, 'outlierReimbursement', price],
  [10, 'confidential', word],
  [13, 'grouperStatus', code],
  [14, 'complexity', code],
  [15, 'weight', word],
  [16, 'amount', money],
  [18, 'grouper', word],
  [19, 'grouperVersion', word],
];

/** CP: the quantity and its currency, `12.50 EUR` [HL7 2.A.12]; some senders write an MO, and no type of price has three letters. */
export function price(segment: Segment, field: number): string {
  const parts = segment.parts(field);
  const money = parts.sub(1);
  const second = parts.text(2);
  const currency = money.text(2) || (/^[A-Z]{3}$/.test(second) ? second : '');
  furtherUnread(segment, field, parts.end);
  // CP-2 to CP-6: the kind of price and for which quantity it holds.
  for (let part = currency === second ? 3 : 2; parts.reaches(part); part++)
    if (parts.has(part)) unread(segment, `${field}.${part}`);
  return [money.text(1), currency].filter(Boolean).join(' ') || label(segment, field);
}

/** MO: the same two, each a component [HL7 2.A.42]. */
function money(segment: Segment, field: number): string {
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return moneyOf(parts);
}

export function moneyOf(parts: Parts): string {
  return [parts.text(1), parts.text(2)].filter(Boolean).join(' ');
}
