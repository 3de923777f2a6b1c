/**
 * Identifier systems. An identifier belongs to whoever assigned it; without a universal or a
 * configured name for that authority it belongs to the source it came from.
 */
import type { Identifier } from '../../proto/gen/hilum/v1/event.ts';

export function identifier(value: string, type: string, system: string): Identifier {
  return {
    system,
    value,
    type,
    assigner: '',
    facility: '',
    start: '',
    end: '',
    universalId: '',
    universalIdType: '',
    checkDigit: '',
  };
}

/** Namespace, universal id and universal id type as sent (HD: 1, 2, 3) [HL7 2.A.33]. */
export function identifierSystem(
  source: string,
  authorities: ReadonlyMap<string, string>,
  namespace: string,
  universal = '',
  type = '',
): string {
  // Most numbers of a message.
  if (namespace === '' && universal === '') return ownSystem(source);
  if (universal !== '') {
    switch (type.toUpperCase()) {
      case 'ISO':
        return `urn:oid:${universal}`;
      case 'UUID':
      case 'GUID':
        return `urn:uuid:${universal.toLowerCase()}`;
      case 'URI':
      case 'URL':
      case 'URN':
      case 'DNS':
        return universal;
    }
  }
  const configured =
    authorities.size === 0 ? undefined : (authorities.get(namespace) ?? authorities.get(universal));
  if (configured !== undefined) return configured;
  // An OID is one also where its type was left out, and where it stands in the place of a name.
  if (isOid(universal) && (type === '' || type.toUpperCase() === 'OID')) return `urn:oid:${universal}`;
  if (isOid(namespace)) return `urn:oid:${namespace}`;
  if (/^urn:(?:oid|uuid):/.test(namespace)) return namespace;
  return namedSystem(source, namespace || universal);
}

/**
 * One may leave out the authority that the other names, or its universal id: 7, 7^^^HOSP and 7^^^HOSP&1.2.3&ISO. Two
 * that name different authorities are two numbers.
 */
export function sameNumber(one: Identifier, other: Identifier): boolean {
  if (one.value !== other.value) return false;
  if (one.system === other.system || one.assigner === '' || other.assigner === '') return true;
  return one.assigner === other.assigner && (one.universalId === '' || other.universalId === '');
}

/** 1.2.40.0.10, as an authority or as a code system. */
export function isOid(text: string): boolean {
  return /^[012](?:\.\d+)+$/.test(text);
}

let own = { source: '', system: 'urn:hilum:' };

/** Made once for many numbers: a concatenation is put together anew by each who reads it. */
function ownSystem(source: string): string {
  if (own.source !== source) own = { source, system: `urn:hilum:${source}` };
  return own.system;
}

let named = { source: '', name: '', system: 'urn:hilum::' };

/** The same for the authority that was named last: mostly one names them all. */
function namedSystem(source: string, name: string): string {
  if (named.name !== name || named.source !== source)
    named = { source, name, system: `urn:hilum:${source}:${name}` };
  return named.system;
}
