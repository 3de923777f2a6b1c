/** Addresses: XAD, and what of LA2 is one. */
import type { Address } from '../../../proto/gen/hilum/v1/event.ts';
import { timeOf } from './clock.ts';
import { codeOf } from './coded.ts';
import { eiOf } from './identified.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { push } from './people.ts';
import { runningText } from './running-text.ts';
import { furtherUnread, unread } from './scope.ts';
import { fresh } from './shapes.ts';

/** XAD: 1 street, 2 other, 3 city, 4 state, 5 zip, 6 country, 7 use, 8 other, 9 county, 12-14 when [HL7 2.A.86]. */
export function addresses(segment: Segment, field: number): Address[] {
  return segment.each(field, xad);
}

/** Of a field that the event has one address for. */
export function address(segment: Segment, field: number): Address | undefined {
  furtherUnread(segment, field, segment.parts(field).end);
  return addresses(segment, field)[0];
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
  if (parts.reaches(10)) furtherOf(address, parts, segment, field);
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

/** XAD-10 on, but for when it holds [HL7 2.A.86]. */
function furtherOf(to: Address, parts: Parts, segment: Segment, field: number): void {
  to.censusTract = parts.text(10);
  if (parts.has(11)) unread(segment, `${field}.11`);
  if (!parts.reaches(15)) return;
  to.expirationReason = codeOf(parts.sub(15));
  to.temporary = parts.text(16).toUpperCase() === 'Y';
  to.bad = parts.text(17).toUpperCase() === 'Y';
  to.purpose = parts.text(18);
  to.addressee = parts.text(19);
  to.comment = parts.text(20);
  to.preference = parts.text(21);
  to.protection = codeOf(parts.sub(22));
  to.identifier = eiOf(parts.sub(23), '');
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
