/**
 * FHIR's JSON form [FHIR R4, JSON]. A decimal keeps the digits that were sent: `7.40` is written as the
 * number 7.40, which a double could not hold, so numbers with a fraction are carried as text until they are written.
 */

/** A number as its JSON text. */
export class Decimal {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /**
   * Reads a decimal number; undefined where the text is none (`1,5`, `1e3x`, `NaN`), or most readers of JSON would have
   * infinity or 0 of it (`1e400`). A plus sign and leading zeros, which JSON does not write and HL7 calls not
   * significant, are left off; every other digit stays.
   */
  static of(text: string): Decimal | undefined {
    const [, sign = '', whole, fraction = '', exponent = ''] =
      /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?([eE][+-]?\d{1,3})?$/.exec(text) ?? [];
    if (whole === undefined || (exponent !== '' && !isInDouble(text, whole + fraction))) return undefined;
    const digits = whole.replace(/^0+(?=\d)/, '') || '0';
    return new Decimal(
      `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`,
    );
  }
}

function isInDouble(text: string, digits: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(digits));
}

export type Json = string | number | boolean | Decimal | undefined | readonly Json[] | Element;

/** An element or a resource: its members by FHIR's names. Undefined and empty members are not written. */
export interface Element {
  readonly [name: string]: Json;
}

export interface Resource extends Element {
  readonly resourceType: string;
}

/** The elements that are there. */
export function present(elements: readonly (Element | undefined)[]): Element[] {
  return elements.filter((one) => one !== undefined);
}

/** The JSON text of a resource, on one line, without anything empty [FHIR R4 ele-1]. */
export function fhirText(resource: Resource): string {
  return textOf(lean(resource) ?? {});
}

/** The same without what FHIR does not allow to stand there: empty strings, lists and elements. */
export function lean<T extends Json>(value: T): T | undefined;
export function lean(value: Json): Json {
  if (typeof value === 'string') return cleaned(value);
  if (typeof value !== 'object' || value instanceof Decimal) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => lean(item as Json)).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  const members: Record<string, Json> = {};
  let some = false;
  for (const [name, member] of Object.entries(value)) {
    const kept = lean(member as Json);
    if (kept === undefined) continue;
    members[name] = kept;
    some = true;
  }
  return some ? members : undefined;
}

/** True where a part of an event says nothing but its ordinal: every field of it was sent as null, or not at all. */
export function tellsNothing(from: object, aside: readonly string[] = []): boolean {
  return Object.entries(from).every(([name, value]: [string, unknown]) => {
    if (notTelling.has(name) || aside.includes(name)) return true;
    return (
      value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
    );
  });
}

/** Where a part stands is no word of the sender's. */
const notTelling = new Set(['setId', '_unknownFields', 'ofEncounter', 'ofCharge']);

/** Is there something to see? A text without is not written. */
export function visible(text: string): boolean {
  return cleaned(text) !== undefined;
}

/** A FHIR string has no control characters but tab and line ends, and something to see. */
function cleaned(text: string): string | undefined {
  const clean = text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, ' ')
    .replace(/\p{Surrogate}/gu, '\ufffd');
  return clean.trim() === '' ? undefined : clean;
}

function textOf(value: Json): string {
  if (value instanceof Decimal) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`);
  return `{${members.join(',')}}`;
}
