/**
 * Who lies in which bed, as the site's ADT tells it: one row a bed, written when a movement of an inpatient is
 * accepted as the current stay [stay.ts]. A bed may have two occupants: the second was placed there before
 * anybody said that the first has left. Then nobody can be told from the bed.
 */
import type {
  ClinicalEvent,
  ClinicalTime,
  Encounter,
  Identifier,
  Location,
} from '../../../proto/gen/hilum/v1/event.ts';
import { BedMemory, type Occupant, type RememberedOrigin } from '../../../proto/gen/hilum/v1/journal.ts';
import { endsOf, lookIn } from './identity-history.ts';
import { idText, patientIdentifiers } from './identity-steps.ts';
import type { Need, Recall, RowKind } from './memory.ts';
import { millisecondsOf } from './newness.ts';

const daysKept = 60;
const occupantsMax = 4;

export const bedRow: RowKind<BedMemory> = {
  number: 18,
  keepS: daysKept * 86_400,
  lasts: true,
  encode: (row) => BedMemory.encode(row).finish(),
  decode: (bytes) => BedMemory.decode(bytes),
};

/** PV1-2 of those who lie in a bed: inpatient, emergency, obstetrics [HL7 table 0004]. */
export const lying: ReadonlySet<string> = new Set(['I', 'E', 'B']);

/** Undefined without a bed: a room or a unit is nobody's. */
export function bedText(location: Location | undefined): string | undefined {
  if (location === undefined || location.bed === '') return undefined;
  const { pointOfCare, room, bed } = location;
  return [pointOfCare, room, bed].join('|');
}

/** False only where both name a facility, and another one. */
export function sameFacility(one: Location | undefined, other: Location | undefined): boolean {
  const [a, b] = [one?.facility ?? '', other?.facility ?? ''];
  return a === '' || b === '' || a === b;
}

export function bedNeeds(location: Location | undefined): Need[] {
  const text = bedText(location);
  return text === undefined ? [] : [{ kind: bedRow, text }];
}

/** Beds that an admission or movement names. */
export function bedsNamed({ kind, encounter }: ClinicalEvent): Need[] {
  if (kind !== 'admission') return [];
  return [...bedNeeds(encounter?.location), ...bedNeeds(encounter?.priorLocation)];
}

/**
 * The patient of the movement leaves the bed of the stay before and lies in the bed of the stay after: since the
 * movement (EVN-6, else ZBE-2, else EVN-2), and since the admission (PV1-44) only where this is one.
 */
export function moveBeds(
  event: ClinicalEvent,
  before: Encounter | undefined,
  after: Encounter | undefined,
  from: RememberedOrigin,
  recall: Recall,
): void {
  const patient = patientIdentifiers(event.patient);
  const look = lookIn(recall);
  const now = new Set(endsOf(patient, look).map(idText));
  const isOther = ({ patient: known }: Occupant) => !endsOf(known, look).some((one) => now.has(idText(one)));
  const bed = after !== undefined && lying.has(after.class) ? bedText(after.location) : undefined;
  const known = occupantsOf(bed, recall).find((one) => !isOther(one));
  for (const left of [before?.location, event.encounter?.priorLocation]) {
    const text = bedText(left);
    if (text === undefined || text === bed || !recall.has(bedRow, text)) continue;
    const occupants = occupantsOf(text, recall);
    if (!occupants.every(isOther)) recall.set(bedRow, text, { occupants: occupants.filter(isOther) });
  }
  if (bed === undefined || after?.location === undefined || !recall.has(bedRow, bed)) return;
  const occupant: Occupant = {
    patient,
    location: after.location,
    since: known?.since ?? sinceOf(event, before),
    from,
    dueMs: dueMs(event, known),
    away: after.status === 'onleave',
  };
  const others = occupantsOf(bed, recall).filter(isOther);
  recall.set(bedRow, bed, { occupants: [occupant, ...others].slice(0, occupantsMax) });
}

/** The stay in this bed is another patient's (A45); whoever else lies there stays. */
export function renameOccupant(
  location: Location | undefined,
  of: readonly Identifier[],
  patient: Identifier[],
  from: RememberedOrigin,
  recall: Recall,
): void {
  const bed = bedText(location);
  if (bed === undefined || !recall.has(bedRow, bed)) return;
  const look = lookIn(recall);
  const before = new Set(endsOf([...of], look).map(idText));
  const occupants = occupantsOf(bed, recall).map((one) =>
    endsOf(one.patient, look).some((id) => before.has(idText(id))) ? { ...one, patient, from } : one,
  );
  if (occupants.some((one) => one.from === from)) recall.set(bedRow, bed, { occupants });
}

export function occupantsOf(bed: string | undefined, recall: Recall): readonly Occupant[] {
  return bed === undefined ? [] : (recall.find(bedRow, bed)?.occupants ?? []);
}

/** PV1-44 counts where nothing is known of another place before: a visit goes on when its patient changes the bed. */
function sinceOf(
  { movement, times }: ClinicalEvent,
  before: Encounter | undefined,
): ClinicalTime | undefined {
  const moved = movement?.occurred ?? movement?.period?.start ?? movement?.recorded;
  return (before?.location === undefined ? times?.observed : moved) ?? times?.message;
}

/** A planned movement counts until it happens or is cancelled; an update does not touch it. */
function dueMs({ movement, encounter }: ClinicalEvent, known: Occupant | undefined): number {
  const action = movement?.action ?? '';
  if (action === 'pending-transfer' || action === 'pending-discharge')
    return millisecondsOf(movement?.planned) ?? millisecondsOf(encounter?.expectedDischarge) ?? 0;
  return action === 'update' || action === 'change-attending' ? (known?.dueMs ?? 0) : 0;
}
