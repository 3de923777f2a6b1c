/** The canonical event's parts as FHIR R4 data types. */
import { ucumSystem } from '../code-systems.ts';
import type {
  Address,
  ClinicalTime,
  Code,
  Coding,
  HumanName,
  Identifier,
  Note,
  Period,
  Telecom,
} from '../gen/hilum/v1/event.ts';
import { isUcum } from '../units/ucum.ts';
import { Decimal, type Element, type Json, lean, present, visible } from './json.ts';
import { addressType, addressUse, nameScript, nameUse } from './tables.ts';

const terminology = 'http://terminology.hl7.org/CodeSystem';

/** Stands where FHIR wants an element that the message did not have. */
export const notStated: Element = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
};

const checkDigitUrl = 'http://hl7.org/fhir/StructureDefinition/identifier-checkDigit';

/** An HL7 v2 table, or any other code system of HL7's terminology site. */
export function hl7System(name: string): string {
  return `${terminology}/${name}`;
}

export function identifier(from: Identifier | undefined): Element | undefined {
  if (from === undefined || lean(from.value) === undefined) return undefined;
  return {
    extension:
      lean(from.checkDigit) === undefined
        ? undefined
        : [{ url: checkDigitUrl, valueString: from.checkDigit }],
    type: from.type === '' ? undefined : identifierType(from.type),
    system: uri(from.system),
    value: from.value,
    period: periodText(from.start, from.end),
    assigner: { display: from.assigner || from.facility },
  };
}

/** The order numbers' types are of table 0203 but for the group's, which is a word of ours. */
function identifierType(type: string): Element {
  if (!/^[A-Z][A-Z0-9]{1,7}$/.test(type) || type === 'GROUP') return { text: type };
  return { coding: [{ system: hl7System('v2-0203'), code: type }] };
}

export function identifiers(from: readonly (Identifier | undefined)[]): Element[] {
  return present(from.map(identifier));
}

/** A reference by business identifier, to what the bundle does not have. */
export function logical(type: string, to: Identifier | undefined): Element | undefined {
  const found = identifier(to);
  return found === undefined ? undefined : { type, identifier: found };
}

export function concept(from: Code | undefined): Element | undefined {
  return from === undefined ? undefined : lean({ coding: from.codings.flatMap(suffixed), text: from.text });
}

/**
 * `71020&IMP` is the code of an examination and, apart from its system, what of the report the row holds
 * [HL7 7.1.4]; of LOINC both are codes of it. No terminology has the two as one; a sender's own system may.
 */
function suffixed(from: Coding): Element[] {
  const [, base, suffix] = /^([^&\s]+)&([A-Z0-9][A-Z0-9.-]*)$/i.exec(from.code) ?? [];
  const own = from.system === '' || from.system.startsWith('urn:hilum:');
  if (own || base === undefined || suffix === undefined) return [coding(from)];
  const system = /^\d+-\d$/.test(suffix) ? from.system : '';
  return [
    coding({ ...from, code: base, display: '' }),
    coding({ ...from, code: suffix, display: '', system, version: '' }),
  ];
}

export function concepts(from: readonly (Code | undefined)[]): Element[] {
  return present(from.map(concept));
}

function coding(from: Coding): Element {
  const written = code(from.code);
  return {
    system: uri(from.system),
    version: from.version,
    code: written,
    display: from.display || (written === undefined ? from.code : ''),
  };
}

/** A word as a concept: the code of a known table where it can be one, and always the text. */
export function word(text: string, system = ''): Element | undefined {
  if (lean(text) === undefined) return undefined;
  const known = system === '' ? undefined : code(text);
  return { coding: known === undefined ? undefined : [{ system, code: known }], text };
}

export function coded(system: string, value: string, display = ''): Element {
  return { coding: [{ system, code: value, display }] };
}

/**
 * FHIR's code has no white space at its ends and single spaces inside; undefined for any other text. A control
 * character is written as a blank (json.ts), so one inside leaves no code either.
 */
export function code(text: string): string | undefined {
  return /^[^\s\p{Cc}]+( [^\s\p{Cc}]+)*$/u.test(text) ? text : undefined;
}

/** A URI has no white space. */
export function uri(text: string): string | undefined {
  return text === '' ? undefined : text.replace(/[\s\u0000-\u001f]+/g, (gap) => encodeURIComponent(gap));
}

export function textOf(from: Code | undefined): string {
  return from === undefined ? '' : from.text || from.codings[0]?.display || from.codings[0]?.code || '';
}

export function name(from: HumanName): Element {
  return {
    extension: representation(from),
    use: nameUse[from.use.toUpperCase()],
    text: from.text,
    family: from.family,
    _family: familyParts(from),
    given: from.given,
    prefix: from.prefix,
    suffix: [...from.suffix, from.degree],
    period: periodText(from.start, from.end),
  };
}

/** FN-2 to FN-5: the person's own name and the partner's. */
function familyParts(from: HumanName): Element | undefined {
  const parts = [
    ['own-prefix', from.ownPrefix],
    ['own-name', from.ownFamily],
    ['partner-prefix', from.partnerPrefix],
    ['partner-name', from.partnerFamily],
  ] as const;
  const extension = parts
    .filter(([, valueString]) => lean(valueString) !== undefined)
    .map(([name, valueString]) => ({
      url: `http://hl7.org/fhir/StructureDefinition/humanname-${name}`,
      valueString,
    }));
  return extension.length === 0 ? undefined : { extension };
}

/** XPN-8 [HL7 table 0465]: the same name in another script. */
function representation(from: HumanName): Element[] | undefined {
  const valueCode = nameScript[from.representation.toUpperCase()];
  if (valueCode === undefined) return undefined;
  return [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode }];
}

/** A name on one line, for a display. */
export function nameText(from: HumanName | undefined): string {
  if (from === undefined) return '';
  return from.text || [...from.prefix, ...from.given, from.family, ...from.suffix].filter(Boolean).join(' ');
}

export function address(from: Address): Element {
  const { line, city, district, state, postalCode, country } = from;
  return {
    use: addressUse[from.use.toUpperCase()],
    type: addressType[from.use.toUpperCase()],
    line,
    city,
    district,
    state,
    postalCode,
    country,
    period: periodText(from.start, from.end),
  };
}

const contactSystems = new Set(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other']);
const contactUses = new Set(['home', 'work', 'temp', 'old', 'mobile']);

function telecom(from: Telecom): Element | undefined {
  if (from.value === '') return undefined;
  return {
    system: contactSystems.has(from.system) ? from.system : 'other', // a value needs a system [cpt-2]
    value: from.extension === '' ? from.value : `${from.value} ext. ${from.extension}`,
    use: contactUses.has(from.use) ? from.use : undefined,
    rank: /^[1-9]\d{0,3}$/.test(from.preference) ? Number(from.preference) : undefined,
    period: periodText(from.start, from.end),
  };
}

export function telecoms(from: readonly Telecom[]): Element[] {
  return present(from.map(telecom));
}

export function note(from: Note): Element | undefined {
  if (!visible(from.text)) return undefined;
  const { name, identifiers: numbers } = from.enteredBy ?? {};
  return {
    authorString: nameText(name) || numbers?.[0]?.value,
    time: dateTime(from.entered),
    text: from.text,
  };
}

export function notes(...from: readonly Note[][]): Element[] {
  return present(from.flat().map(note));
}

export function dateTime(from: ClinicalTime | undefined): string | undefined {
  return dateTimeText(from?.value ?? '');
}

const year = '(?!0000)\\d{4}';
const day = `${year}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])`;
const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?';
const zone = '(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d|[+-]14:00)';
const dateForm = new RegExp(`^${year}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\\d|3[01]))?)?$`);
const instantForm = new RegExp(`^${day}T${clock}${zone}$`);

/** As precise as it was said. A time of day without an offset is no FHIR time: its day is. */
export function dateTimeText(text: string): string | undefined {
  if (instantForm.test(text)) return text;
  const at = text.indexOf('T');
  const date = at < 0 ? text : text.slice(0, at);
  return dateForm.test(date) ? date : undefined;
}

export function date(from: ClinicalTime | undefined): string | undefined {
  return dateText(from?.value ?? '');
}

export function dateText(text: string): string | undefined {
  return dateTimeText(text.slice(0, 10));
}

const clocked = new Set(['minute', 'second', 'fraction']);

/** An instant has a time of day: seconds may be filled with zeros, minutes may not. */
export function instant(from: ClinicalTime | undefined): string | undefined {
  if (from === undefined || !clocked.has(from.precision)) return undefined;
  return instantForm.test(from.value) ? from.value : undefined;
}

/** Microseconds since 1970 as an instant; undefined for none. */
export function instantOf(us: bigint): string | undefined {
  if (us <= 0n || us >= 253_402_300_800_000_000n) return undefined;
  const second = new Date(Number(us / 1_000_000n) * 1000).toISOString().slice(0, 19);
  return `${second}.${String(us % 1_000_000n).padStart(6, '0')}Z`;
}

/** An end that lies before its start is left out [per-1]; the event still has it. */
export function period(start: ClinicalTime | undefined, end: ClinicalTime | undefined): Element | undefined {
  return periodText(start?.value ?? '', end?.value ?? '');
}

function periodText(start: string, end: string): Element | undefined {
  const from = dateTimeText(start);
  let to = dateTimeText(end);
  if (from !== undefined && to !== undefined && Date.parse(to) < Date.parse(from)) to = undefined;
  return from === undefined && to === undefined ? undefined : { start: from, end: to };
}

/** `name`DateTime or `name`Period, whichever two times make. */
export function timed(
  name: string,
  start: ClinicalTime | undefined,
  end: ClinicalTime | undefined,
): Record<string, Json> {
  if (dateTime(end) === undefined) return { [`${name}DateTime`]: dateTime(start) };
  return { [`${name}Period`]: period(start, end) };
}

export function periodOf(name: string, from: Period | undefined): Record<string, Json> {
  return timed(name, from?.start, from?.end);
}

/** A quantity from texts, undefined where the value is not a decimal number. */
export function quantity(value: string, unit: string, unitCode?: Code): Element | undefined {
  const number = Decimal.of(value);
  if (number === undefined) return undefined;
  return { value: number, ...unitOf(unit, unitCode) };
}

/** The unit's text, and its code: in UCUM where it has one, else in the first system that was named. */
export function unitOf(unit: string, unitCode?: Code): Element {
  const codings = unitCode?.codings ?? [];
  // What we read it as, else what the sender called UCUM and is; anything else is not told as UCUM.
  const found =
    codings.find((one) => one.system === ucumSystem && one.mapped) ??
    codings.find((one) => one.system === ucumSystem && isUcum(one.code)) ??
    codings.find((one) => one.system !== ucumSystem);
  const value = code(found?.code ?? '');
  if (found === undefined || value === undefined || found.system === '') return { unit };
  return { unit: unitCode?.text || found.display || unit, system: uri(found.system), code: value };
}

/** A code with what modifies it in its text, which every reader shows: the left one is not the right one. */
export function modified(code: Code | undefined, modifiers: readonly Code[]): Element | undefined {
  const said = modifiers.map(textOf).filter(visible);
  if (said.length === 0) return concept(code);
  return { ...concept(code), text: [textOf(code), ...said].filter(visible).join(', ') };
}
