/**
 * Which device a row of an event is of [IHE DEV TF-2 B.8]: the one that the row itself names, else the outermost part
 * of the containment around it that has a number. One device may have several numbers.
 */
import { mdcSystem } from './code-systems.ts';
import type {
  ClinicalEvent,
  Device,
  DeviceComponent,
  Identifier,
  Observation,
} from './gen/hilum/v1/event.ts';

export interface RowDevice {
  /** The outermost part around the row that has a number, else the outermost; undefined where the row names another. */
  readonly part: DeviceComponent | undefined;
  readonly identifiers: readonly Identifier[];
}

/** Undefined: nothing says it of the row alone. */
export function devicesOfRows(
  components: readonly DeviceComponent[],
): (row: Observation) => RowDevice | undefined {
  const byPath = new Map<string, DeviceComponent>();
  const byNumber = new Numbers<DeviceComponent>();
  for (const part of components) {
    if (!byPath.has(part.path)) byPath.set(part.path, part);
    for (const one of part.identifiers) byNumber.add(one, part);
  }
  const around = (path: string): DeviceComponent[] => {
    const steps = path.split('.');
    return steps.flatMap((_, at) => byPath.get(steps.slice(0, at + 1).join('.')) ?? []);
  };
  return ({ equipment, devicePath }) => {
    const itself = equipment.map((one) => byNumber.get(one)).find((part) => part !== undefined);
    if (itself === undefined && equipment.length > 0) return { part: undefined, identifiers: equipment };
    const own = around(devicePath);
    const parts = itself === undefined || own.includes(itself) ? own : around(itself.path);
    const part = parts.find(({ identifiers }) => identifiers.length > 0) ?? parts[0];
    return part && { part, identifiers: part.identifiers };
  };
}

/** It is the device that the event names. */
export function isOfEvent(device: Device, { part, identifiers }: RowDevice): boolean {
  if (identifiers.length === 0) return part?.path.split('.')[0] === device.path.split('.')[0];
  const numbers = new Numbers<true>();
  for (const one of device.identifiers) numbers.add(one, true);
  return identifiers.some((one) => numbers.get(one));
}

/**
 * The devices that the rows are of, each with its numbers, none where it has none; a number without its authority is
 * the same as with one. Rows that tell of a device or of one of its parts, and of nobody's body, say no further one.
 */
export function devicesOf({ device, observations }: ClinicalEvent): Identifier[][] {
  const ofRow = devicesOfRows(device?.components ?? []);
  const byNumber = new Numbers<Identifier[]>();
  const devices: Identifier[][] = [];
  let unnamed = false;
  for (const row of observations) {
    if (tellsOfDevice(row)) continue;
    const said = ofRow(row);
    const ofEvent = device !== undefined && (said === undefined || isOfEvent(device, said));
    const numbers = ofEvent ? device.identifiers : (said?.identifiers ?? []);
    if (numbers.length === 0) {
      unnamed ||= said !== undefined && !ofEvent;
      continue;
    }
    let known = numbers.map((one) => byNumber.get(one)).find((one) => one !== undefined);
    if (known === undefined) {
      known = [];
      devices.push(known);
    }
    for (const one of numbers) {
      if (byNumber.has(one)) continue;
      byNumber.add(one, known);
      known.push(one);
    }
  }
  return unnamed ? [...devices, []] : devices;
}

/** Partition 1 has the objects and their attributes, 8 what a device is certified for [11073-10101]. */
function tellsOfDevice({ code }: Observation): boolean {
  const coding = code?.codings.find(({ system }) => system === mdcSystem);
  if (coding === undefined) return false;
  const partition = Number(/^\d+$/.test(coding.code) ? coding.code : coding.display) >>> 16;
  return partition === 1 || partition === 8;
}

/** By number: its authority counts where both have one. */
class Numbers<T> {
  private readonly exact = new Map<string, T>();
  private readonly byValue = new Map<string, T>();
  private readonly bare = new Map<string, T>();

  add(one: Identifier, of: T): void {
    if (!this.has(one)) this.exact.set(keyOf(one), of);
    if (isBare(one) && !this.bare.has(one.value)) this.bare.set(one.value, of);
    if (!this.byValue.has(one.value)) this.byValue.set(one.value, of);
  }

  has(one: Identifier): boolean {
    return this.exact.has(keyOf(one));
  }

  get(one: Identifier): T | undefined {
    if (isBare(one)) return this.byValue.get(one.value);
    return this.exact.get(keyOf(one)) ?? this.bare.get(one.value);
  }
}

/** Its system is that of its source, and says no authority. */
function isBare({ system, assigner }: Identifier): boolean {
  return assigner === '' && /^(?:urn:hilum:[^:]*)?$/.test(system);
}

function keyOf({ system, value }: Identifier): string {
  return `${system}|${value}`;
}
