/** ChargeItem and the Account that it goes to. */
import type { ChargeItem } from '../gen/hilum/v1/event.ts';
import {
  concept,
  concepts,
  dateTime,
  identifiers,
  notes,
  notStated,
  quantity,
  timed,
  word,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { Decimal, type Element } from './json.ts';
import { practitioner, roleOf } from './practitioner.ts';
import { table } from './tables.ts';

export function addCharges(draft: Draft): void {
  const { charge } = draft.event;
  if (charge === undefined) return;
  const account =
    charge.account &&
    draft.add('charge/account', {
      resourceType: 'Account',
      identifier: identifiers([charge.account]),
      status: accountStatus[draft.event.status] ?? 'active',
      subject: draft.patient === undefined ? undefined : [draft.patient],
    });
  charge.items.forEach((from, at) => {
    draft.add(`charge/items/${at}`, {
      resourceType: 'ChargeItem',
      identifier: identifiers([from.identifier, from.filler]),
      status: from.type.toUpperCase() === 'CG' ? 'billable' : 'unknown', // HL7 table 0017
      code: concept(from.code) ?? word(from.description) ?? notStated,
      subject: draft.subject,
      context: draft.encounter,
      ...timed('occurrence', from.transacted, from.transactedEnd),
      performer: from.participants.flatMap(({ role, person }) => {
        const actor = practitioner(draft, person);
        return actor === undefined ? [] : [{ function: roleOf(role), actor }];
      }),
      quantity: quantity(from.quantity, ''),
      priceOverride: money(from),
      enteredDate: dateTime(from.posted),
      reason: concepts(from.diagnoses),
      productCodeableConcept: concept(from.drug),
      account: account === undefined ? undefined : [account],
      note: [{ text: from.description }, ...notes(from.notes)],
    });
  });
}

/** BAR^P06 ends it, BAR^P02 takes it back. */
const accountStatus = table({ completed: 'inactive', 'entered-in-error': 'entered-in-error' });

/** `120 EUR`: the currency is a code of ISO 4217 or left out. */
function money(from: ChargeItem): Element | undefined {
  const [amount = '', currency = ''] = (from.amountExtended || from.amountUnit).split(' ');
  const value = Decimal.of(amount);
  return value && { value, currency: /^[A-Z]{3}$/.test(currency) ? currency : undefined };
}
