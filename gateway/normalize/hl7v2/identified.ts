/** Identifiers: CX, EI, EIP, HD and bare numbers [HL7 2.A.14, 2.A.28]. */
import type { Identifier, Organization } from '../../../proto/gen/hilum/v1/event.ts';
import { identifier, identifierSystem } from '../identity.ts';
import { timeOf } from './clock.ts';
import { codeOf } from './coded.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { furtherUnread, remark, unread } from './scope.ts';
import { fresh } from './shapes.ts';
import { word } from './table.ts';

/** The identifier's authority, an HD whose three elements begin at `from`. */
export function assigned(to: Identifier, parts: Parts, from: number): Identifier {
  if (parts.empty) return to;
  to.assigner = parts.text(from) || parts.text(from + 1);
  to.universalId = parts.text(from + 1);
  to.universalIdType = parts.text(from + 2);
  return to;
}

/** HD in `parts`, its three elements beginning at `from`. */
export function systemOf(parts: Parts, from: number): string {
  const { context } = parts.message.scope;
  const namespace = parts.text(from);
  const universal = parts.text(from + 1);
  return identifierSystem(context.source, context.authorities, namespace, universal, parts.text(from + 2));
}

export function cxs(segment: Segment, field: number): Identifier[] {
  return segment.each(field, cxOf);
}

export function cx(segment: Segment, field: number): Identifier | undefined {
  if (!segment.has(field)) return undefined;
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return cxOf(parts, segment, field);
}

/** Components that the event has no place for. */
function tellUnread(segment: Segment, field: number, parts: Parts, components: readonly number[]): void {
  for (const one of components) if (parts.has(one)) unread(segment, `${field}.${one}`);
}

/** Bare numbers whose field says what they are: PID-19 SS, PID-20 DL. */
export function typed(type: string): (segment: Segment, field: number) => Identifier[] {
  return (segment, field) => cxs(segment, field).map((one) => (one.type === '' ? { ...one, type } : one));
}

/** DLN: 1 number, 2 who issued it, 3 until when [HL7 2.A.21]; some senders write a CX. */
export function licence(segment: Segment, field: number): Identifier[] {
  const parts = segment.parts(field);
  const value = parts.text(1);
  const isCx = parts.has(4) || parts.has(5) || parts.has(9) || parts.has(10);
  if (value === '' || isCx) return typed('DL')(segment, field);
  const issuer = parts.text(2);
  const { source, authorities } = parts.message.scope.context;
  const found = identifier(value, 'DL', identifierSystem(source, authorities, issuer));
  found.assigner = issuer;
  found.end = timeOf(parts.sub(3), 1, segment, field)?.value ?? '';
  return [found];
}

function cxOf(parts: Parts, segment: Segment, field: number): Identifier | undefined {
  const value = parts.text(1);
  if (value === '') return undefined;
  const authority = parts.sub(4);
  const found = assigned(identifier(value, parts.text(5), systemOf(authority, 1)), authority, 1);
  found.facility = facilityIn(parts, 6, segment, field);
  found.checkDigit = parts.text(2);
  found.checkDigitScheme = parts.text(3);
  if (parts.reaches(9) && (parts.has(9) || parts.has(10))) {
    if (authority.empty) issuedIn(found, parts);
    else {
      found.jurisdiction = codeOf(parts.sub(9));
      found.agency = codeOf(parts.sub(10));
    }
  }
  if (parts.reaches(11)) tellUnread(segment, field, parts, [11, 12]);
  const start = parts.has(7) ? timeOf(parts.sub(7), 1, segment, field) : undefined;
  const end = parts.has(8) ? timeOf(parts.sub(8), 1, segment, field) : undefined;
  found.start = start?.value ?? '';
  found.end = end?.value ?? '';
  return found;
}

/** The namespace of an HD; what else it says of the facility is told. */
export function facilityIn(parts: Parts, part: number, segment: Segment, field: number): string {
  const facility = parts.sub(part);
  if (facility.reaches(2)) unread(segment, `${field}.${part}`);
  return facility.text(1) || facility.text(2);
}

/** CX-9 and CX-10: the state or the agency that issued it, where no authority is named [HL7 2.A.14]. */
function issuedIn(to: Identifier, parts: Parts): void {
  const [jurisdiction, agency] = [9, 10].map((part) => {
    const named = parts.sub(part);
    return named.text(1) || named.text(2);
  });
  const issuer = jurisdiction || agency || '';
  const { source, authorities } = parts.message.scope.context;
  to.system = identifierSystem(source, authorities, issuer);
  to.assigner = issuer;
  if (jurisdiction) to.facility ||= agency ?? '';
}

/** XON: 3 or 10 the number, 6 its authority, 7 its type [HL7 2.A.87]. */
export function organizationNumber(parts: Parts): Identifier | undefined {
  const value = parts.text(10) || parts.text(3);
  if (value === '') return undefined;
  const authority = parts.sub(6);
  const found = assigned(identifier(value, parts.text(7), systemOf(authority, 1)), authority, 1);
  found.facility = parts.sub(8).text(1) || parts.sub(8).text(2);
  found.checkDigit = parts.text(4);
  found.checkDigitScheme = parts.text(5);
  return found;
}

/** XON by its name and its number [HL7 2.A.87]. */
export function organizationOf(parts: Parts, segment: Segment, field: number): Organization | undefined {
  if (parts.sub(8).reaches(2)) unread(segment, `${field}.8`);
  if (parts.has(9)) unread(segment, `${field}.9`);
  const id = organizationNumber(parts);
  const name = parts.text(1);
  if (id === undefined && name === '') return undefined;
  const found = { ...fresh.organization(), name, nameType: codeOf(parts.sub(2)) };
  if (id !== undefined) found.identifiers.push(id);
  // Before 2.5 the number was one.
  if (parts.has(3) && parts.has(10) && parts.text(3) !== parts.text(10))
    found.identifiers.push({ ...(id as Identifier), value: parts.text(3) });
  return found;
}

export function organization(segment: Segment, field: number): Organization | undefined {
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  return organizationOf(parts, segment, field);
}

export function organizations(segment: Segment, field: number): Organization[] {
  return segment.each(field, organizationOf);
}

/** The first that says anything, where the event has one. */
export function firstOrganization(segment: Segment, field: number): Organization | undefined {
  const [first, second] = organizations(segment, field);
  if (second !== undefined) unread(segment, `${field}[2]`);
  return first;
}

/** EI: value, namespace, universal id, its type; `type` is ours (PLAC, FILL …). */
export function ei(type = ''): (segment: Segment, field: number) => Identifier | undefined {
  return (segment, field) => {
    if (!segment.has(field)) return undefined;
    const parts = segment.parts(field);
    furtherUnread(segment, field, parts.end);
    return eiOf(parts, type);
  };
}

export function eis(type = ''): (segment: Segment, field: number) => Identifier[] {
  const read = (parts: Parts): Identifier | undefined => eiOf(parts, type);
  return (segment, field) => segment.each(field, read);
}

/** EIP: a placer's and a filler's EI, each in subcomponents. */
export function eips(segment: Segment, field: number): Identifier[] {
  return segment.repetitions(field).flatMap(eipOf);
}

function eipOf(parts: Parts): Identifier[] {
  if (isWhole(parts)) {
    const found = eiOf(parts, 'FILL');
    return found === undefined ? [] : [{ ...found, type: '' }];
  }
  const both = [eiOf(parts.sub(1), 'PLAC'), eiOf(parts.sub(2), 'FILL')];
  return both.filter((one) => one !== undefined);
}

/** One number as EI where an EIP should be, `S1^LAB^1.2.3^ISO`: an EIP has no third component, an EI no subcomponents. */
function isWhole(parts: Parts): boolean {
  return (parts.has(3) || parts.has(4)) && !inSubcomponents(parts);
}

function inSubcomponents(parts: Parts): boolean {
  return parts.sub(1).has(2) || parts.sub(2).has(2);
}

/** A number that is an EI, or from 2.9 on an EIP: the placer's, else the filler's. */
export function eiOrEip(segment: Segment, field: number): Identifier | undefined {
  if (!segment.has(field)) return undefined;
  const parts = segment.parts(field);
  furtherUnread(segment, field, parts.end);
  if (!inSubcomponents(parts)) return eiOf(parts, '');
  const [first, second] = eipOf(parts);
  if (second !== undefined) unread(segment, `${field}.2`);
  return first;
}

/**
 * EIP beside the numbers of the order itself (2, 3). Some senders write the one number as EI, `A100^MON^0009FB^EUI-64`:
 * an EIP has no third component, and its second is no namespace.
 */
export function parentsIn(segment: Segment, field: number): Identifier[] {
  const [placer, filler] = [segment.text(2, 1, 2), segment.text(3, 1, 2)];
  return segment.repetitions(field).flatMap((parts) => {
    const namespace = parts.text(2);
    const known = namespace !== '' && (namespace === filler || namespace === placer);
    if (!known || inSubcomponents(parts)) return eipOf(parts);
    const found = eiOf(parts, namespace === placer && placer !== filler ? 'PLAC' : 'FILL');
    return found === undefined ? [] : [found];
  });
}

export function eiOf(parts: Parts, type: string): Identifier | undefined {
  // Some senders leave the first component out and name only the universal id.
  const value = parts.text(1) || parts.text(3);
  if (value === '') return undefined;
  // Where the authority has its name too, or is a device by its EUI-64, the id is the authority's, of all its orders.
  const ofAuthority = parts.has(2) || parts.text(4).toUpperCase() === 'EUI-64';
  if (type !== '' && !parts.has(1) && ofAuthority) {
    remark(parts.message.scope, 'an order number that names its authority and no number');
    return undefined;
  }
  return assigned(identifier(value, type, systemOf(parts, 2)), parts, 2);
}

/** IEEE's register of EUI-64; RFC 3986 for what is a URI itself. */
const eui64System = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680';
const uriSystem = 'urn:ietf:rfc3986';

/** Equipment instances (OBX-18, PRT-10): an EUI-64 names one device in the world, beside its local name. */
export function equipment(segment: Segment, field: number): Identifier[] {
  return segment.repetitions(field).flatMap((parts) => {
    const local = parts.text(1);
    const universal = parts.text(3);
    const type = parts.text(4).toUpperCase();
    // Some senders put the type where the namespace belongs: 0123456789ABCDEF^EUI-64.
    if (universal === '' && parts.text(2).toUpperCase() === 'EUI-64') {
      return local === '' ? [] : [identifier(local, '', eui64System)];
    }
    if ((type === 'URN' || type === 'URI') && (local === universal || local === '') && universal !== '') {
      return [identifier(universal, '', uriSystem)];
    }
    if (type !== 'EUI-64' || universal === '') return eiOf(parts, '') ?? [];
    const world = identifier(universal, '', eui64System);
    if (local === '' || local === universal) return [world];
    const { source, authorities } = parts.message.scope.context;
    const named = identifier(local, '', identifierSystem(source, authorities, parts.text(2)));
    named.assigner = parts.text(2);
    return [named, world];
  });
}

/** A bare number of the kind that its field says (PRT-16 UDI, PRT-20 serial number). */
export function instance(type: string): (segment: Segment, field: number) => Identifier[] {
  return (segment, field) => {
    const value = word(segment, field);
    return value === '' ? [] : [identifier(value, type, `urn:hilum:${segment.message.scope.context.source}`)];
  };
}
