/**
 * How a device came to its patient. What the message or the config says is identity, and stands in the event's
 * `patient`. Whoever occupies the device's bed is a guess: it is told beside it, with its age, and never as identity.
 *
 * Pure: what the config declares and who occupies which bed come as arguments.
 */
import { span } from '../../proto/config/check-devices.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { Location } from '../../proto/gen/hilum/v1/event.ts';
import { ClinicalEvent, DeviceAssociation, Identifier } from '../../proto/gen/hilum/v1/event.ts';
import { readDeviceTime } from './device/time.ts';

const rule = 'device/declared-association';

export interface DeclaredDevice {
  name: string;
  identifier: { system: string; value: string };
  /** Empty: every source. */
  sources: readonly string[];
  patient: { system: string; value: string; type: string } | undefined;
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
  const declared = declaredFor(event, devices, source);
  const association = DeviceAssociation.fromPartial({
    location: declared?.location,
    declaredBy: declared?.name ?? '',
  });
  if (declared?.since) association.since = readDeviceTime(declared.since, false, 'UTC').time;
  event.deviceAssociation = association;
  const named = (event.patient?.identifiers.length ?? 0) > 0;
  const patient = declared?.patient;
  if (named) {
    association.basis = 'explicit-message';
    const other = patient !== undefined && !event.patient?.identifiers.some((one) => same(one, patient));
    // Which of the two is right cannot be known here; the message was nearer.
    if (other) event.provenance?.remarks.push('patient: the config declares another one for this device');
    if (patient !== undefined) association.since = undefined;
  } else if (patient !== undefined) {
    association.basis = 'declared';
    const identifier = Identifier.fromPartial(patient);
    event.patient = { ...(event.patient ?? nobody()), identifiers: [identifier] };
    event.provenance?.rules.push(rule);
  } else association.basis = 'unassigned';
}

function nobody(): NonNullable<ClinicalEvent['patient']> {
  return ClinicalEvent.fromPartial({ patient: {} }).patient as NonNullable<ClinicalEvent['patient']>;
}

function declaredFor(
  event: ClinicalEvent,
  devices: readonly DeclaredDevice[],
  source: string,
): DeclaredDevice | undefined {
  const identifiers = event.device?.identifiers ?? [];
  if (devices.length === 0 || identifiers.length === 0) return undefined;
  const atMs = momentOf(event);
  return devices.find(
    ({ identifier, sources, span: [since, until] }) =>
      (sources.length === 0 || sources.includes(source)) &&
      since <= atMs &&
      atMs < until &&
      identifiers.some((one) => same(one, identifier)),
  );
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
