/** Names and people: XPN, XCN, NDL, and PL for where they are. */
import type { HumanName, Location, Participant, Person } from '../../../proto/gen/hilum/v1/event.ts';
import { identifier, identifierSystem } from '../identity.ts';
import { upper } from '../text.ts';
import { span, timeOf } from './clock.ts';
import { codeOf } from './coded.ts';
import { assigned, eiOf, facilityIn, systemOf } from './identified.ts';
import type { Segment } from './message.ts';
import { Parts } from './parts.ts';
import { nameOfHd, runningText } from './running-text.ts';
import { furtherUnread, unread } from './scope.ts';
import { inScripts } from './scripts.ts';
import { fresh } from './shapes.ts';

export function names(segment: Segment, field: number): HumanName[] {
  return segment.each(field, xpn);
}

/** XPN: what it has beyond an XCN are its script, the times of its use, and the name that the person goes by. */
function xpn(parts: Parts, segment: Segment, field: number): HumanName | undefined {
  const name = nameOf(parts, 1, 7, segment, field);
  // Most names end before component 8.
  if (name === undefined || !parts.reaches(8)) return name;
  name.representation = parts.text(8);
  name.context = codeOf(parts.sub(9));
  name.assemblyOrder = parts.text(11);
  const range = parts.sub(10);
  const at = (time: Parts): string => timeOf(time, 1, segment, field)?.value ?? '';
  name.start = at(parts.sub(12)) || at(range.sub(1));
  name.end = at(parts.sub(13)) || at(range.sub(2));
  push(name.suffix, parts.text(14));
  name.calledBy = parts.text(15);
  return name;
}

export function nameIn(segment: Segment, field: number): HumanName | undefined {
  furtherUnread(segment, field, segment.parts(field).end);
  return names(segment, field)[0];
}

/** A name as one line, for aliases. */
export function nameLines(segment: Segment, field: number): string[] {
  return names(segment, field).map((name) =>
    [...name.prefix, ...name.given, name.family].filter(Boolean).join(' '),
  );
}

/** XON: the organization's name, on one line [HL7 2.A.87]. */
export function organizationNames(segment: Segment, field: number): HumanName[] {
  return segment.each(field, (parts) => {
    const text = parts.text(1);
    return text === '' ? undefined : { ...fresh.name(), text };
  });
}

/** XPN from component 1, XCN from 2: family, given, middle, suffix, prefix, degree [HL7 2.A.89]. */
function nameOf(
  parts: Parts,
  from: number,
  use: number,
  segment: Segment,
  field: number,
): HumanName | undefined {
  const name = fresh.name();
  const family = parts.sub(from);
  name.family = family.text(1);
  if (family.reaches(2)) {
    const text = runningText(family, segment, field);
    if (text === '') familyParts(name, family);
    else name.family = text;
  }
  push(name.given, parts.text(from + 1));
  push(name.given, parts.text(from + 2));
  push(name.suffix, parts.text(from + 3));
  push(name.prefix, parts.text(from + 4));
  name.degree = parts.text(from + 5);
  name.use = parts.text(use);
  const some = name.family || name.degree || name.given.length || name.suffix.length || name.prefix.length;
  // A pseudonym or a masked name may be a use and nothing else.
  return some || name.use ? name : undefined;
}

/** FN: 1 the name as it is used, 2 and 3 the person's own with what stands before it, 4 and 5 the partner's [HL7 2.A.30]. */
function familyParts(name: HumanName, family: Parts): void {
  name.ownPrefix = family.text(2);
  name.ownFamily = family.text(3);
  name.partnerPrefix = family.text(4);
  name.partnerFamily = family.text(5);
  const { ownPrefix, ownFamily, partnerPrefix, partnerFamily } = name;
  name.family ||= [ownPrefix, ownFamily, partnerPrefix, partnerFamily].filter(Boolean).join(' ');
}

/** XCN: 1 id, 2-7 name, 8 source table, 9 authority, 10 use, 13 type, 14 facility [HL7 2.A.88]. */
export function persons(segment: Segment, field: number): Person[] {
  const found = segment.each(field, xcn);
  return found.length < 2 ? found : inScripts(found, itself);
}

function xcn(parts: Parts, segment: Segment, field: number): Person | undefined {
  return personOf(parts, 9, segment, field);
}

export function person(segment: Segment, field: number): Person | undefined {
  return persons(segment, field)[0];
}

function personOf(parts: Parts, authority: number, segment: Segment, field: number): Person | undefined {
  const value = parts.text(1);
  const name = nameOf(parts, 2, 10, segment, field);
  if (name !== undefined && parts.reaches(15)) furtherOfXcn(name, parts, segment, field);
  if (value === '' && name === undefined) return undefined;
  const found = fresh.person([], name);
  if (value !== '') {
    const by = parts.sub(authority);
    const id = assigned(identifier(value, parts.text(13), systemOf(by, 1)), by, 1);
    id.facility = facilityIn(parts, 14, segment, field);
    if (parts.has(11) || parts.has(12)) {
      id.checkDigit = parts.text(11);
      id.checkDigitScheme = parts.text(12);
    }
    if (parts.reaches(22)) {
      id.jurisdiction = codeOf(parts.sub(22));
      id.agency = codeOf(parts.sub(23));
    }
    if (parts.has(8) && !by.empty) unread(segment, `${field}.8`);
    else if (parts.has(8)) {
      // The table that the number is of says who gave it, where no authority is named [HL7 2.A.88.8].
      const { source, authorities } = parts.message.scope.context;
      id.assigner = parts.sub(8).text(1);
      id.system = identifierSystem(source, authorities, id.assigner, '', '');
    }
    found.identifiers.push(id);
  }
  return found;
}

/** XCN-15 on; of a PPN, whose 15 is a time, everything stands one further [HL7 2.A.55]. */
function furtherOfXcn(name: HumanName, parts: Parts, segment: Segment, field: number): void {
  const isPpn = /^\d{8}/.test(parts.text(15));
  const from = isPpn ? 1 : 0;
  name.representation = parts.text(15 + from);
  name.context = codeOf(parts.sub(16 + from));
  const range = parts.sub(17 + from);
  name.assemblyOrder = parts.text(18 + from);
  const at = (time: Parts): string => timeOf(time, 1, segment, field)?.value ?? '';
  name.start = at(parts.sub(19 + from)) || at(range.sub(1));
  name.end = at(parts.sub(20 + from)) || at(range.sub(2));
  push(name.suffix, parts.text(21 + from));
}

/** Whose role the type of the number says (XCN.13), where it is one of `roles`. */
export function participantsByType(
  usual: string,
  roles: Readonly<Record<string, string>>,
): (segment: Segment, field: number) => Participant[] {
  return (segment, field) =>
    segment.each(field, (parts) => {
      const person = personOf(parts, 9, segment, field);
      return person && fresh.participant(roles[upper(parts.text(13))] ?? usual, person);
    });
}

/** PPN: an XCN whose component 15 is when the person acted [HL7 2.A.55]. */
export function signers(role: string): (segment: Segment, field: number) => Participant[] {
  return (segment, field) =>
    segment.each(field, (parts) => {
      const person = personOf(parts, 9, segment, field);
      const acted = timeOf(parts.sub(15), 1, segment, field);
      return person && { ...fresh.participant(role, person), acted };
    });
}

export function participants(role: string): (segment: Segment, field: number) => Participant[] {
  const read = (parts: Parts, segment: Segment, field: number): Participant | undefined => {
    const person = personOf(parts, 9, segment, field);
    return person && fresh.participant(role, person);
  };
  return (segment, field) => {
    const found = segment.each(field, read);
    return found.length < 2 ? found : inScripts(found, ({ person }) => person);
  };
}

const itself = (person: Person): Person => person;

/** NDL [HL7 2.A.47]: the person is one component of subcomponents; old senders write an XCN. */
export function namedWithLocation(role: string): (segment: Segment, field: number) => Participant[] {
  return (segment, field) =>
    segment.repetitions(field).flatMap((parts) => {
      const inside = parts.sub(1);
      const named = inside.has(2) || !parts.has(2) || /^\d{8}/.test(parts.text(2));
      const person = named ? cnn(inside, segment, field) : personOf(parts, 9, segment, field);
      if (person === undefined) return [];
      const found = fresh.participant(role, person);
      // NDL: 2 and 3 are when the person began and ended [HL7 2.A.45].
      if (named) {
        found.period = span(timeOf(parts.sub(2), 1, segment, field), timeOf(parts.sub(3), 1, segment, field));
        if (parts.reaches(4)) found.location = placeOfNdl(parts, segment, field);
      }
      return [found];
    });
}

/** NDL: 4 point of care, 5 room, 6 bed, 7 facility, 8 status, 9 type, 10 building, 11 floor [HL7 2.A.45]. */
function placeOfNdl(parts: Parts, segment: Segment, field: number): Location | undefined {
  const place = {
    ...fresh.location(),
    pointOfCare: parts.text(4),
    room: parts.text(5),
    bed: parts.text(6),
    facility: facilityIn(parts, 7, segment, field),
    status: parts.text(8),
    type: parts.text(9),
    building: parts.text(10),
    floor: parts.text(11),
  };
  return Object.values(place).some((one) => typeof one === 'string' && one !== '') ? place : undefined;
}

function cnn(parts: Parts, segment: Segment, field: number): Person | undefined {
  const value = parts.text(1);
  const name = nameOf(parts, 2, 99, segment, field);
  if (value === '' && name === undefined) return undefined;
  const id = assigned(identifier(value, '', systemOf(parts, 9)), parts, 9);
  return fresh.person(value === '' ? [] : [id], name);
}

/** PL: 1 point of care, 2 room, 3 bed, 4 facility, 5 status, 6 type, 7 building, 8 floor, 9 text, 10 EI. */
export function location(segment: Segment, field: number): Location | undefined {
  if (!segment.has(field)) return undefined;
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return locationOf(parts, segment, field);
}

export function locations(segment: Segment, field: number): Location[] {
  return segment.each(field, locationOf);
}

export function locationOf(parts: Parts, segment: Segment, field: number): Location | undefined {
  if (parts.empty) return undefined;
  const place = fresh.location();
  const part = (component: number, type: string): string => {
    if (!parts.has(component)) return '';
    const hd = parts.sub(component);
    const text = hd.has(2) ? nameOfHd(hd, segment, field) : '';
    if (text !== '') return text;
    const name = hd.text(1) || hd.text(2);
    // An HD with more than a namespace is an identifier of its own.
    if (hd.has(2)) place.identifiers.push(assigned(identifier(name, type, systemOf(hd, 1)), hd, 1));
    return name;
  };
  place.pointOfCare = part(1, 'poc');
  place.room = part(2, 'ro');
  place.bed = part(3, 'bd');
  place.facility = part(4, 'si');
  place.status = parts.text(5);
  place.type = parts.text(6);
  place.building = part(7, 'bu');
  place.floor = part(8, 'lvl');
  place.description = parts.text(9);
  const whole = eiOf(parts.sub(10), '');
  // PL.11 is the authority that names the place, where the facility is left out.
  if (place.facility !== '' && parts.has(11) && (whole?.assigner ?? '?') !== '')
    unread(segment, `${field}.11`);
  place.facility ||= named(parts, 11);
  if (whole !== undefined) {
    const authority = parts.sub(11);
    // EI-2 to EI-4 are the identifier's own authority; PL.11 is for where they are empty.
    place.identifiers.push(
      whole.assigner === '' && !authority.empty
        ? assigned({ ...whole, system: systemOf(authority, 1) }, authority, 1)
        : whole,
    );
  }
  const { pointOfCare, room, bed, facility, status, type, building, floor, description } = place;
  const some = pointOfCare || room || bed || facility || status || type || building || floor || description;
  return some || whole ? place : undefined;
}

/** LA2 [HL7 2.A.40]: the first eight components are those of PL, then come those of an address. */
export function locationOfAddress(segment: Segment, field: number): Location | undefined {
  const parts = segment.parts(field);
  const { start, end, message, separator } = parts;
  let stop = start;
  for (let left = 8; stop < end; stop++) if (message.bytes[stop] === separator && --left === 0) break;
  return locationOf(new Parts(message, start, stop, separator), segment, field);
}

/** HD as a name: the namespace, else the universal id. */
function named(parts: Parts, part: number): string {
  if (!parts.has(part)) return '';
  const name = parts.sub(part);
  return name.text(1) || name.text(2);
}

export function push(to: string[], text: string): void {
  if (text !== '') to.push(text);
}
