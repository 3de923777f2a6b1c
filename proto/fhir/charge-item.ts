/** ChargeItem and the Account that it goes to. */
import type { ChargeItem, Code } from '../gen/hilum/v1/event.ts';
import {
  concept,
  concepts,
  dateTime,
  identifiers,
  modified,
  notes,
  notStated,
  quantity,
  timed,
  word,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { Decimal, type Element, tellsNothing } from './json.ts';
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
    const kind = from.type.toUpperCase();
    const other = otherThanCharge[kind];
    draft.add(`charge/items/${at}`, {
      resourceType: 'ChargeItem',
      identifier: identifiers([from.identifier, from.filler, from.payment]),
      status: kind === 'CG' ? 'billable' : 'unknown', // HL7 table 0017
      code: modified(charged(from), from.procedureModifiers) ?? word(from.description) ?? notStated,
      subject: draft.subject,
      context: draft.encounter,
      ...timed('occurrence', from.transacted, from.transactedEnd),
      performer: from.participants.flatMap(({ role, person }) => {
        const actor = practitioner(draft, person);
        return actor === undefined ? [] : [{ function: roleOf(role), actor }];
      }),
      quantity: quantity(from.quantity, ''),
      // A reader who adds up what is charged must not add what was paid or given back.
      priceOverride: other === undefined ? money(from) : undefined,
      enteredDate: dateTime(from.posted),
      reason: concepts(from.diagnoses),
      productCodeableConcept: concept(from.drug),
      service: services(draft, at),
      account: account === undefined ? undefined : [account],
      supportingInformation: from.references.map((one) => chargeNamed(draft, one)),
      note: [
        { text: kindOf(from, other) },
        { text: from.description },
        { text: from.alternateDescription },
        ...notes(from.notes),
      ],
    });
  });
}

/** BAR^P06 ends it, BAR^P02 takes it back. */
const accountStatus = table({ completed: 'inactive', 'entered-in-error': 'entered-in-error' });

/** HL7 table 0017. */
const otherThanCharge = table({ CD: 'credit', PY: 'payment', AJ: 'adjustment', CO: 'co-payment' });

/** What the line is where it is no charge, with its amount; a site's own word for it as sent. */
function kindOf(from: ChargeItem, other: string | undefined): string {
  if (other !== undefined) return `${other} ${amountOf(from)}`.trim();
  return from.type.toUpperCase() === 'CG' ? '' : from.type;
}

/** What was done for it. */
function services(draft: Draft, at: number): Element[] {
  const { procedures } = draft.event;
  const own = procedures.flatMap((one, index) =>
    one.ofCharge === `charge.items[${at}]` && !tellsNothing(one) ? [index] : [],
  );
  return own.map((index) => draft.reference('Procedure', `procedures/${index}`));
}

/** What is charged by the code of the house (FT1-7) and by that of the procedure (FT1-25), which may be one. */
function charged({ code, procedure }: ChargeItem): Code | undefined {
  if (code === undefined || procedure === undefined) return code ?? procedure;
  const further = procedure.codings.filter(
    (one) => !code.codings.some((known) => known.code === one.code && known.system === one.system),
  );
  return { text: code.text, codings: [...code.codings, ...further] };
}

/** By its ordinal or its number in the event, else as it was named. */
function chargeNamed(draft: Draft, name: string): Element {
  const items = draft.event.charge?.items ?? [];
  const at = items.findIndex(({ setId, identifier }) => setId === name || identifier?.value === name);
  return at < 0 ? { type: 'ChargeItem', display: name } : draft.reference('ChargeItem', `charge/items/${at}`);
}

function amountOf(from: ChargeItem): string {
  return from.amountExtended || from.amountUnit;
}

/** `120 EUR`: the currency is a code of ISO 4217 or left out. */
function money(from: ChargeItem): Element | undefined {
  const [amount = '', currency = ''] = amountOf(from).split(' ');
  const value = Decimal.of(amount);
  return value && { value, currency: /^[A-Z]{3}$/.test(currency) ? currency : undefined };
}
