/**
 * When two notations say the same. Each rule is exact: it names the notation on either side and
 * compares what stands behind it. Text is never compared loosely; what no rule covers is a difference.
 */
import type { ClinicalTime, Code, Coding, HumanName, Identifier } from '../../proto/gen/hilum/v1/event.ts';
import type { Bundle } from './bundle.ts';
import type { Said } from './facts.ts';

/**
 * Where a message gives no UTC offset a converter assumes one: UTC in ReportStream's Bundles (of type
 * message), the maker's own machine's in Microsoft's (of type batch). That is what a site's zone setting
 * is, and the messages are normalized with it.
 */
const zones: Record<string, string> = { message: 'UTC', batch: 'Asia/Kolkata' };

export function zoneOf(bundle: Bundle): string {
  return zones[bundle.type ?? ''] ?? 'UTC';
}

/** A system that one converter makes of a name: everything after the prefix is what the message says. */
const madeUp = /^http:\/\/example\.com\/v2-to-fhir-converter\/(?:Identifier|CodeSystem)\/(.*)$/;
/** ReportStream's one system for every local code (HL7 table 0396: L and 99zzz). */
const localSystem = 'https://terminology.hl7.org/CodeSystem-v2-0396.html#v2-0396-99zzzorL';
/** One converter's URI for the units of ISO 2955, which HL7 table 0396 calls ISO. */
const isoUnits = 'urn:iso:std:iso:3986';
const usSsn = 'http://hl7.org/fhir/sid/us-ssn';

/** Nothing said of the system is no statement about it. */
export function sameSystem(said: { system: string; name?: string }, ours: Coding): boolean {
  const { system, name = '' } = said;
  if (system === '' || system === ours.system) return true;
  const made = madeUp.exec(system)?.[1];
  if (made !== undefined) return made === hyphened(ours.name);
  if (system === localSystem) return name === ours.name && /^(L|99.*)$/.test(ours.name);
  if (system === isoUnits) return ours.name === 'ISO';
  // A name where a URI should stand (CWE-3, as sent).
  return system === ours.name;
}

export function sameIdentifier(said: Extract<Said, { is: 'identifier' }>, ours: Identifier): boolean {
  return said.value === ours.value && sameAuthority(said, ours);
}

function sameAuthority(said: Extract<Said, { is: 'identifier' }>, ours: Identifier): boolean {
  const { system, names } = said;
  const known = (name: string): boolean =>
    name === ours.assigner || name === ours.universalId || name === ours.system;
  if (!names.every(known)) return false;
  if (system === '' || system === ours.system || system === ours.assigner) return true;
  const made = madeUp.exec(system)?.[1];
  // With the authority's names given beside it, the system is made of the type of its id (HD-3).
  if (made !== undefined) return made === hyphened(names.length > 0 ? ours.universalIdType : ours.assigner);
  // Table 0203, SS: the number that the U.S. Social Security Administration gives; PID-19 holds no other.
  return system === usSsn && ours.type === 'SS';
}

/** A URI has no blanks; the converter writes hyphens for them. */
function hyphened(name: string): string {
  return name.replaceAll(' ', '-');
}

/**
 * The degree (XPN-6) is a suffix in FHIR [v2-to-FHIR, XPN]; the name that the person goes by (XPN-15)
 * is one more given name in one of the converters.
 */
export function sameName(said: Extract<Said, { is: 'name' }>, ours: HumanName): boolean {
  const more = [...ours.prefix, ...ours.suffix, ours.degree];
  return (
    said.family === ours.family &&
    [ours.given, [...ours.given, ours.calledBy]].some(
      (given) => given.join('\n') === said.given.join('\n'),
    ) &&
    said.more.every((one) => more.includes(one))
  );
}

/** The same day, month or year; or the same instant, however its offset is written. */
export function sameTime(said: string, ours: string): boolean {
  const [one, two] = [instantOf(said), instantOf(ours)];
  return one === undefined || two === undefined ? said === ours && said !== '' : one === two;
}

/** A Patient.birthDate has no time of day in FHIR: the day as the message says it is what counts. */
export function sameBirthDate(said: string, ours: string): boolean {
  return said !== '' && said === ours.slice(0, Math.max(said.length, Math.min(ours.length, 10)));
}

/** Seconds since 1970 and the fraction without its closing zeros. */
function instantOf(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, local, fraction = '', offset] = match;
  return `${Date.parse(`${local}${offset}`)}.${fraction.replace(/0+$/, '')}`;
}

export function timeText(time: ClinicalTime | undefined): string {
  return time?.value ?? '';
}

/** JSON has no digits behind a number: 850.00 and 850 are one number. Ours has to be a number at all. */
export function sameNumber(said: string, ours: string): boolean {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(ours) && Number(ours) === Number(said);
}

/** The code with its system, or where there is no code the text. */
export function sameCode(said: Said, ours: Code | undefined): boolean {
  if (ours === undefined) return false;
  if (said.is === 'text') return said.value === ours.text;
  if (said.is !== 'coding') return false;
  return ours.codings.some((coding) => coding.code === said.code && sameSystem(said, coding));
}

/** CWE.1 is the code of a unit and CWE.2 its text; a unit without a text is shown by its code. */
export function sameUnit(said: Extract<Said, { is: 'unit' }>, ours: Code | undefined): boolean {
  const coding = ours?.codings.find((one) => said.code === '' || one.code === said.code);
  if (coding === undefined) return false;
  const shown = [coding.code, coding.display, ours?.text ?? ''];
  return (said.text === '' || shown.includes(said.text)) && sameSystem(said, coding);
}

/**
 * FHIR wants a status in every Observation and DiagnosticReport, so a converter writes `unknown` where
 * FHIR has no word for what the message says. Letters of HL7 tables 0085 and 0123 without a word in the
 * official concept maps, and what they mean: ours has to keep the letter and to say just that.
 */
const wordless0085: Record<string, string[]> = {
  '': ['unknown'],
  A: ['corrected'],
  B: ['corrected'],
  I: ['registered'],
  N: ['cancelled'],
  O: ['registered'],
  R: ['preliminary'],
  S: ['partial'],
  U: ['final'],
  V: ['final'],
};

/** Also where the converter keeps the letter beside `unknown`: then it is that letter. */
export function sameResultStatus(
  said: { value: string; letter: string },
  letter: string,
  word: string,
): boolean {
  if (said.value !== 'unknown') return said.value === word;
  if (said.letter !== '' && said.letter !== letter) return false;
  return wordless0085[letter]?.includes(word) ?? word === 'unknown';
}

/**
 * OBR-25. Where it is empty nothing is said of the report, and ours says what its results say; letters
 * that are not in the table have no meaning.
 */
export function sameReportStatus(said: string, letter: string, ours: string, fromResults: string[]): boolean {
  if (said !== 'unknown') return said === ours;
  const meant: Record<string, string> = { A: 'partial', M: 'corrected', N: 'registered' };
  if (letter === '') return ours === 'unknown' || fromResults.includes(ours);
  return ours === (meant[letter] ?? 'unknown');
}

/** FHIR R4 has no word for an appointment that was moved: it is booked, at its new time. */
export function sameAppointmentStatus(said: string, ours: string): boolean {
  return said === ours || (said === 'booked' && ours === 'rescheduled');
}

/** A place's own number (PL-10), or the universal id of one of its parts, bare or as a URN. */
export function samePlaceId(said: string, ours: Identifier): boolean {
  const { universalId } = ours;
  return (
    said === ours.value || (universalId !== '' && (said === universalId || said === `urn:oid:${universalId}`))
  );
}
