/** Places: one Location for each place that the event names, its parts on one line. */
import type { Address, Location } from '../gen/hilum/v1/event.ts';
import { address, identifiers, word } from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element } from './json.ts';

export function location(
  draft: Draft,
  from: Location | undefined,
  operationalStatus?: Element,
  at?: Address,
): Element | undefined {
  if (from === undefined) return at && draft.once({ resourceType: 'Location', address: address(at) });
  const { facility, building, floor, pointOfCare, room, bed } = from;
  const parts = [facility, building, floor, pointOfCare, room, bed].filter((part) => part !== '');
  const name = parts.join(' / ');
  const reference = draft.once({
    resourceType: 'Location',
    identifier: identifiers(from.identifiers),
    operationalStatus,
    name: name || from.description,
    description: name === '' ? undefined : from.description,
    type: from.type === '' ? undefined : [word(from.type)],
    address: at && address(at),
    physicalType: physicalType(from),
  });
  return reference && { ...reference, display: name || from.description };
}

/** The innermost part that is named says what the place is. */
function physicalType(from: Location): Element | undefined {
  const part = (
    [
      ['bed', 'bd', 'Bed'],
      ['room', 'ro', 'Room'],
      ['pointOfCare', 'wa', 'Ward'],
      ['floor', 'lvl', 'Level'],
      ['building', 'bu', 'Building'],
      ['facility', 'si', 'Site'],
    ] as const
  ).find(([name]) => from[name] !== '');
  if (part === undefined) return undefined;
  const system = 'http://terminology.hl7.org/CodeSystem/location-physical-type';
  return { coding: [{ system, code: part[1], display: part[2] }] };
}
