/**
 * How a device came to its patient. What the message or the config says is identity, and stands in the event's
 * `patient`. Whoever occupies the device's bed is a guess: it is told beside it, with its age, and never as identity.
 *
 * Pure: what the config declares and who occupies which bed come as arguments.
 */
import { span } from '../../proto/config/duration.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { Location } from '../../proto/gen/hilum/v1/event.ts';
import { ClinicalEvent, DeviceAssociation, Identifier } from '../../proto/gen/hilum/v1/event.ts';
import { devicesOf } from '../../proto/row-device.ts';
import { readDeviceTime } from './device/time.ts';

const rule = 'device/declared-association';

const torn = 'patient: the config declares one for some devices of the event, and not the same for all';

interface DeclaredPatient {
  system: string;
  value: string;
  type: string;
}

export interface DeclaredDevice {
  name: string;
  identifier: { system: string; value: string };
  /** Empty: every source. */
  sources: readonly string[];
  patient: DeclaredPatient | undefined;
  location: Location | undefined;
  since: string;
  /** From, and up to but without, milliseconds. */
  span: readonly [number, number];
}

export function compileDevices(config: Config): readonly DeclaredDevice[] {
  return Object.entries(config.devices).map(
    ([name, { identifier, sources, patient, location, since, until }]) => ({
      name,
      identifier,
      sources: sources ?? [],
      patient,
      location: location && place(location),
      since: since ?? '',
      span: span({ since, until }),
    }),
  );
}

function place({
  unit,
  room,
  bed,
  facility,
}: Record<'unit' | 'room' | 'bed' | 'facility', string>): Location {
  return DeviceAssociation.fromPartial({ location: { pointOfCare: unit, room, bed, facility } })
    .location as Location;
}

/** Changes device events in place: sets the association and, where the config declares it, the patient. */
export function associate(event: ClinicalEvent, devices: readonly DeclaredDevice[], source: string): void {
  if (!event.kind.startsWith('device-')) return;
  const { declared, patients, patient } = declaredFor(event, devices, source);
  const association = DeviceAssociation.fromPartial({
    location: declared?.location,
    declaredBy: declared?.name ?? '',
  });
  if (declared?.since) association.since = readDeviceTime(declared.since, false, 'UTC').time;
  event.deviceAssociation = association;
  const named = (event.patient?.identifiers.length ?? 0) > 0;
  if (named) {
    association.basis = 'explicit-message';
    const known = event.patient?.identifiers ?? [];
    const other = patients.some((declared) => !known.some((one) => same(one, declared)));
    // Which of the two is right cannot be known here; the message was nearer.
    if (other) event.provenance?.remarks.push('patient: the config declares another one for this device');
    if (patient !== undefined) association.since = undefined;
  } else if (patient !== undefined) {
    association.basis = 'declared';
    const identifier = Identifier.fromPartial(patient);
    event.patient = { ...(event.patient ?? nobody()), identifiers: [identifier] };
    event.provenance?.rules.push(rule);
  } else {
    association.basis = 'unassigned';
    if (patients.length > 0) event.provenance?.remarks.push(torn);
  }
}

function nobody(): NonNullable<ClinicalEvent['patient']> {
  return ClinicalEvent.fromPartial({ patient: {} }).patient as NonNullable<ClinicalEvent['patient']>;
}

interface Declared {
  /** Of the event's device, or of all that its rows are of. */
  declared: DeclaredDevice | undefined;
  /** Those of any of the devices. */
  patients: DeclaredPatient[];
  /** The one of all of them: a number that another device measured is not of the patient of this one. */
  patient: DeclaredPatient | undefined;
}

function declaredFor(event: ClinicalEvent, devices: readonly DeclaredDevice[], source: string): Declared {
  if (devices.length === 0) return { declared: undefined, patients: [], patient: undefined };
  const atMs = momentOf(event);
  const there = devices.filter(
    ({ sources, span: [since, until] }) =>
      (sources.length === 0 || sources.includes(source)) && since <= atMs && atMs < until,
  );
  const matching = (numbers: readonly Identifier[]): DeclaredDevice[] =>
    there.filter(({ identifier }) => numbers.some((one) => same(one, identifier)));
  const own = event.device?.identifiers ?? [];
  const measured = devicesOf(event);
  const found = (measured.length === 0 ? [own] : measured).map(matching);
  const patients = found.flat().flatMap((one) => one.patient ?? []);
  const [first] = patients;
  const agreed =
    found.every((declared) => declared.some((one) => one.patient !== undefined)) &&
    patients.every(({ system, value }) => system === first?.system && value === first.value);
  const declared = (own.length > 0 ? matching(own) : found.length === 1 || agreed ? found.flat() : [])[0];
  return { declared, patients, patient: agreed ? first : undefined };
}

/** When it was measured; where that has no time of day or offset, when it was captured. */
function momentOf(event: ClinicalEvent): number {
  const observed = event.times?.observed ?? event.alarm?.updated;
  const said = observed === undefined || observed.offset === '' ? Number.NaN : Date.parse(observed.value);
  return Number.isNaN(said) ? Number((event.times?.capturedAtUs ?? 0n) / 1_000n) : said;
}

/** A declared identifier without a system is meant whatever the system. */
function same(
  one: Pick<Identifier, 'system' | 'value'>,
  declared: { system: string; value: string },
): boolean {
  return one.value === declared.value && (declared.system === '' || declared.system === one.system);
}

/** Who occupies a place, as far as admissions and movements told. */
export interface Occupancy {
  patient: readonly Identifier[];
  location: Location;
  /** When it was last said that it is so, microseconds. */
  toldAtUs: bigint;
  since: DeviceAssociation['since'];
}

/**
 * For a device event that nobody was named for: who occupies its bed, as a candidate. Identity that is there is
 * left alone, and `patient` is never set. `atUs` is the moment that the age is counted to.
 */
export function suggestOccupant(event: ClinicalEvent, occupancy: Occupancy, atUs: bigint): void {
  const association = event.deviceAssociation;
  if (association === undefined || association.basis !== 'unassigned') return;
  const ageUs = atUs > occupancy.toldAtUs ? atUs - occupancy.toldAtUs : 0n;
  association.basis = 'derived-location';
  association.since = occupancy.since;
  association.ageS = ageUs / 1_000_000n;
  association.candidates = [...occupancy.patient];
  association.location = occupancy.location;
}
