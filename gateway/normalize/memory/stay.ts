/** The current stay of a person, as ADT tells it: who is where, under which visit number. */
import type { ClinicalEvent, Encounter } from '../../../proto/gen/hilum/v1/event.ts';
import type { PersonMemory, RememberedOrigin } from '../../../proto/gen/hilum/v1/journal.ts';
import { fresh } from '../hl7v2/shapes.ts';
import { isHistoric } from '../hl7v2/visit.ts';
import { lying } from './bed.ts';
import { idText } from './identity-steps.ts';

/** Actions after which the patient is not here under this visit. */
const ends: ReadonlySet<string> = new Set(['discharge', 'cancel-admit', 'delete-visit', 'delete-person']);

/** Actions that say where the patient is now, whatever was known. */
const places: ReadonlySet<string> = new Set([
  'admit',
  'transfer',
  'register',
  'outpatient-to-inpatient',
  'inpatient-to-outpatient',
  'cancel-transfer',
  'cancel-discharge',
  'swap',
  'leave',
  'return',
  'cancel-leave',
  'cancel-return',
  'track',
  'cancel-track',
]);

/** Actions that tell more of a visit that goes on; of another visit they say nothing about where the patient is. */
const tells: ReadonlySet<string> = new Set([
  'update',
  'change-attending',
  'cancel-change-attending',
  'pending-transfer',
  'pending-discharge',
  'cancel-pending-transfer',
  'cancel-pending-discharge',
]);

const attendingMax = 2;

/** The row after this movement; the same where it says nothing of a stay, or is older than what is known. */
export function stayAfter(row: PersonMemory, event: ClinicalEvent, from: RememberedOrigin): PersonMemory {
  const { movement, encounter } = event;
  if (movement === undefined || event.kind !== 'admission' || isHistoric(movement)) return row;
  if (row.encounterFrom !== undefined && row.encounterFrom.saidMs > from.saidMs) return row;
  const { action } = movement;
  const known = row.encounter;
  const another = known !== undefined && encounter !== undefined && !sameVisit(known, encounter);
  const ended = encounter?.period?.end !== undefined && tells.has(action);
  if (ends.has(action) || ended) {
    // The end of another visit says nothing of this one.
    return another ? row : { ...row, encounter: undefined, encounterFrom: from };
  }
  if (encounter === undefined) return row;
  // An outpatient visit of somebody who lies here.
  if (action === 'register' && another && isVisitBeside(encounter, known)) return row;
  if (places.has(action))
    return { ...row, encounter: told(event, encounter, another ? undefined : known), encounterFrom: from };
  if (!tells.has(action) || another) return row;
  // An update after the end does not begin it again.
  if (known === undefined && row.encounterFrom !== undefined) return row;
  return { ...row, encounter: told(event, encounter, known, true), encounterFrom: from };
}

/** Who lies here as an inpatient registers for nothing else; who came by way of another one may be admitted by an A04. */
function isVisitBeside(encounter: Encounter, known: Encounter): boolean {
  return known.class === 'I' || (lying.has(known.class) && !lying.has(encounter.class));
}

/** False only where both have numbers and share none. */
export function sameVisit(one: Encounter, other: Encounter): boolean {
  if (one.identifiers.length === 0 || other.identifiers.length === 0) return true;
  return one.identifiers.some((a) => other.identifiers.some((b) => idText(a) === idText(b)));
}

/**
 * What may complete other events: number, class, location, attending, and the time that it began.
 * @param goesOn nothing is said of where the visit stands: who is on leave stays so when the attending changes
 */
function told(
  event: ClinicalEvent,
  encounter: Encounter,
  known: Encounter | undefined,
  goesOn = false,
): Encounter {
  const attending = encounter.participants
    .filter(({ role, action }) => role === 'attending' && action !== 'DE')
    .slice(0, attendingMax);
  const start = encounter.period?.start ?? known?.period?.start;
  const knows = (field: string) => (isTakenBack(event, field) ? undefined : known);
  return {
    ...fresh.encounter(),
    identifiers:
      encounter.identifiers.length > 0 ? encounter.identifiers.slice(0, 4) : (known?.identifiers ?? []),
    class: encounter.class || (known?.class ?? ''),
    status: (goesOn && known?.status) || encounter.status || (known?.status ?? ''),
    location: encounter.location ?? knows('PV1-3')?.location,
    participants: attending.length > 0 ? attending : (knows('PV1-7')?.participants ?? []),
    period: start === undefined ? undefined : { start, end: undefined },
  };
}

/** The sender writes "" there: what it said before holds no longer [HL7 2.5.3]. */
export function isTakenBack({ kind, nulls }: ClinicalEvent, field: string): boolean {
  if (nulls.length === 0) return false;
  if (nulls.includes(field)) return true;
  // Of several patients in one message each has an event, with what is of its own; of a link or a merge one has both.
  return kind === 'admission' && nulls.some((one) => one.replace(numberOfSegment, '-') === field);
}

const numberOfSegment = /\[\d+\]-/;
