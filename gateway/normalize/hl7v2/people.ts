/** Names, addresses, phones and people: XPN, XAD, XTN, XCN, NDL, and PL for where they are. */

import type {
  Address,
  HumanName,
  Location,
  Participant,
  Person,
  Telecom,
} from '../../../proto/gen/hilum/v1/event.ts';
import { identifier } from '../identity.ts';
import { lookup } from '../lookup.ts';
import { upper } from '../text.ts';
import { span, timeOf } from './clock.ts';
import { assigned, eiOf, systemOf } from './identified.ts';
import type { Segment } from './message.ts';
import { Parts } from './parts.ts';
import { nameOfHd, runningText } from './running-text.ts';
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
  const range = parts.sub(10);
  const at = (time: Parts): string => timeOf(time, 1, segment, field)?.value ?? '';
  name.start = at(parts.sub(12)) || at(range.sub(1));
  name.end = at(parts.sub(13)) || at(range.sub(2));
  push(name.suffix, parts.text(14));
  name.calledBy = parts.text(15);
  return name;
}

export function nameIn(segment: Segment, field: number): HumanName | undefined {
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

/** XAD: 1 street, 2 other, 3 city, 4 state, 5 zip, 6 country, 7 use, 8 other, 9 county, 12-14 when [HL7 2.A.86]. */
export function addresses(segment: Segment, field: number): Address[] {
  return segment.each(field, xad);
}

function xad(parts: Parts, segment: Segment, field: number): Address | undefined {
  const address = fresh.address();
  const street = parts.sub(1);
  push(address.line, (street.has(2) && runningText(street, segment, field)) || streetLine(street));
  push(address.line, parts.text(2));
  push(address.line, parts.text(8));
  address.city = parts.text(3);
  address.state = parts.text(4);
  address.postalCode = parts.text(5);
  address.country = parts.text(6);
  address.use = parts.text(7);
  address.district = parts.text(9);
  if (parts.reaches(12)) {
    const range = parts.sub(12);
    const at = (time: Parts): string => timeOf(time, 1, segment, field)?.value ?? '';
    address.start = at(parts.sub(13)) || at(range.sub(1));
    address.end = at(parts.sub(14)) || at(range.sub(2));
  }
  const { city, state, postalCode, country, district } = address;
  return address.line.length || city || state || postalCode || country || district || address.use
    ? address
    : undefined;
}

/** SAD: 1 the line, 2 the street, 3 the number; some put only the street or only the number in the first. */
function streetLine(street: Parts): string {
  const line = street.text(1);
  const named = street.text(2);
  const number = street.text(3);
  const isWhole = line !== '' && line.includes(named);
  const whole = isWhole ? line : [line || number, named].filter(Boolean).join(' ');
  // "17" is not the number of a "Straße des 17. Juni".
  const beside = isWhole ? line.replace(named, ' ') : line;
  return line === '' || number === '' || holds(beside, number) ? whole : `${whole} ${number}`;
}

/** True where the number stands in the text by itself: 7 in "7-9", 7b in "7 b", and not 3 in "13". */
function holds(text: string, number: string): boolean {
  const letters = (one: string): string[] => one.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const words = letters(text);
  const wanted = letters(number);
  return words.join('') === wanted.join('') || wanted.every((one) => words.includes(one));
}

const equipment: Record<string, string> = lookup({
  PH: 'phone',
  CP: 'phone',
  SAT: 'phone',
  FX: 'fax',
  BP: 'pager',
  INTERNET: 'email',
  'X.400': 'email',
  MD: 'other',
  TDD: 'other',
  TTY: 'other',
});
const uses: Record<string, string> = lookup({
  PRN: 'home',
  ORN: 'home',
  VHN: 'temp',
  WPN: 'work',
  ASN: 'work',
  PRS: 'mobile',
  // Whose it is the field says, and not that it is at home or at work.
  EMR: '',
  BPN: '',
});

/** XTN: 1 text, 2 use, 3 equipment, 4 address, 5 country, 6 area, 7 local, 8 extension, 13-14 when, 18 rank [HL7 2.A.90]. */
export function telecomsOf(usual: string): (segment: Segment, field: number) => Telecom[] {
  return (segment, field) =>
    segment.repetitions(field).flatMap((parts) => telecomOf(parts, usual, segment, field));
}

export const telecoms = telecomsOf('');

function telecomOf(parts: Parts, usual: string, segment: Segment, field: number): Telecom[] {
  const code = parts.text(2).toUpperCase();
  const kind = parts.text(3).toUpperCase();
  const electronic = parts.text(4);
  const local = [parts.text(6), parts.text(7)].filter(Boolean).join(' ');
  const country = parts.text(5);
  // Beside an address the country alone is no number of its own.
  const composed = local === '' && electronic !== '' ? '' : [country, local].filter(Boolean).join(' ');
  const number = parts.text(1) || parts.text(12) || composed || parts.text(9);
  const use = kind === 'CP' ? 'mobile' : (uses[code] ?? usual);
  const system = equipment[kind] ?? (code === 'NET' ? 'email' : code === 'BPN' ? 'pager' : 'phone');
  const at = (part: number): string => timeOf(parts.sub(part), 1, segment, field)?.value ?? '';
  // Most end before component 13.
  const validity = parts.reaches(13) ? { start: at(13), end: at(14), preference: parts.text(18) } : {};
  const found: Telecom[] = [];
  const add = (value: string, system: string): void => {
    const telecom = fresh.telecom();
    telecom.value = value;
    telecom.system = system;
    telecom.use = use;
    telecom.extension = parts.text(8);
    telecom.sentUse = parts.text(2);
    Object.assign(telecom, validity);
    found.push(telecom);
  };
  // From 2.7 on XTN-4 is the address of whatever equipment XTN-3 names, a number of a telephone too [HL7 2.7 2.A.89.4].
  const called = system === 'email' ? 'phone' : system;
  const written = equipment[kind] ?? 'email';
  if (electronic !== '')
    add(electronic, addressed(electronic) ?? (dialled.test(electronic) ? called : written));
  // XTN-1 was all there was before XTN-4, and some fill both.
  if (number !== '' && number !== electronic) add(number, addressed(number) ?? called);
  return found;
}

/** What an address is by its own form. */
function addressed(text: string): string | undefined {
  return isUrl.test(text) ? 'url' : text.includes('@') ? 'email' : undefined;
}

const dialled = /^[+(]?\d[\d\s()./-]*$/;
const isUrl = /^(?:[a-z][a-z0-9+.-]*:\/\/|www\.)/i;

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
  if (name !== undefined && parts.reaches(15)) {
    name.representation = parts.text(15);
    push(name.suffix, parts.text(21));
  }
  if (value === '' && name === undefined) return undefined;
  const found = fresh.person([], name);
  if (value !== '') {
    const by = parts.sub(authority);
    const id = assigned(identifier(value, parts.text(13), systemOf(by, 1)), by, 1);
    id.facility = parts.sub(14).text(1);
    found.identifiers.push(id);
  }
  return found;
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
      if (person?.name !== undefined) person.name.representation = '';
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
      }
      return [found];
    });
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
  return segment.has(field) ? locationOf(segment.parts(field), segment, field) : undefined;
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

/** LA2: 9 street, 10 other, 11 city, 12 state, 13 zip, 14 country, 15 use. */
export function addressOfLocation(segment: Segment, field: number): Address | undefined {
  const parts = segment.parts(field);
  if (!parts.reaches(9)) return undefined;
  const address = fresh.address();
  push(address.line, parts.text(9));
  push(address.line, parts.text(10));
  address.city = parts.text(11);
  address.state = parts.text(12);
  address.postalCode = parts.text(13);
  address.country = parts.text(14);
  address.use = parts.text(15);
  const { line, city, state, postalCode, country } = address;
  return line.length || city || state || postalCode || country ? address : undefined;
}

/** HD as a name: the namespace, else the universal id. */
function named(parts: Parts, part: number): string {
  if (!parts.has(part)) return '';
  const name = parts.sub(part);
  return name.text(1) || name.text(2);
}

function push(to: string[], text: string): void {
  if (text !== '') to.push(text);
}
