/**
 * The facts that another converter's Bundle states: the denominator. Each has a kind, a place in the
 * Bundle and what is said there. An element that is not there, and one without content, is no fact.
 */
import { createHash } from 'node:crypto';
import {
  type Bundle,
  type Concept,
  extension,
  type FhirCoding,
  type FhirIdentifier,
  type FhirName,
  type Quantity,
  type Resource,
  referred,
  resourcesOf,
} from './bundle.ts';

export const kinds = [
  'patient-identifier',
  'patient-name',
  'birth-date',
  'sex',
  'deceased-time',
  'visit-number',
  'visit-location',
  'visit-time',
  'order-number',
  'order-time',
  'report-code',
  'report-status',
  'report-time',
  'observation-code',
  'observation-value',
  'observation-unit',
  'observation-status',
  'observation-interpretation',
  'observation-time',
  'appointment-number',
  'appointment-status',
  'appointment-time',
] as const;
export type Kind = (typeof kinds)[number];

/** Patient identity, status and time: every one of these has to be preserved. */
export const vital: ReadonlySet<Kind> = new Set<Kind>([
  'patient-identifier',
  'patient-name',
  'birth-date',
  'sex',
  'deceased-time',
  'visit-time',
  'order-time',
  'report-status',
  'report-time',
  'observation-status',
  'observation-time',
  'appointment-status',
  'appointment-time',
]);

export type Said =
  | { is: 'identifier'; value: string; type: string; system: string; names: readonly string[] }
  | { is: 'name'; family: string; given: string[]; more: string[] }
  | { is: 'word'; value: string; letter: string }
  | { is: 'time'; value: string }
  | { is: 'place'; levels: string[]; value: string }
  | { is: 'place-id'; value: string }
  | { is: 'coding'; code: string; system: string; name: string }
  | { is: 'text'; value: string }
  | { is: 'quantity'; value: string; comparator: string }
  | { is: 'range' | 'ratio'; first: string; second: string }
  | { is: 'unit'; text: string; code: string; system: string };

export interface Fact {
  kind: Kind;
  /** Resource, its index among its type, and the element: `Observation[2].status`. */
  key: string;
  said: Said;
  /** Where a resource states several facts of one thing (the levels of one location), which one. */
  group: number;
}

/** One resource and what it states. */
export interface Subject {
  resource: Resource;
  facts: Fact[];
}

/** Resources that carry the numbers of an order. */
const ordered = [
  'ServiceRequest',
  'MedicationRequest',
  'MedicationDispense',
  'MedicationAdministration',
  'Immunization',
];

/** Subjects by what they are about, in the Bundle's order. */
export interface Stated {
  patients: Subject[];
  visits: Subject[];
  orders: Subject[];
  reports: Subject[];
  observations: Subject[];
  appointments: Subject[];
}

export function stated(bundle: Bundle): Stated {
  const reports = resourcesOf(bundle, 'DiagnosticReport');
  // An OBX that holds a document (ED, RP) is a report of its own in one of the converters.
  const documents = reports.filter((one) => one.presentedForm !== undefined);
  const subjects = (
    type: string,
    read: (add: Add, resource: Resource) => void,
    but?: Resource[],
  ): Subject[] =>
    resourcesOf(bundle, type).flatMap((resource, index) => {
      if (but?.includes(resource)) return [];
      const facts: Fact[] = [];
      const add: Add = (kind, path, said, group = 0) =>
        void facts.push({ kind, key: `${type}[${index}].${path}`, said, group });
      read(add, resource);
      return [{ resource, facts }];
    });
  const aside = reports.filter((one) => !documents.includes(one));
  return {
    patients: subjects('Patient', (add, one) => patient(add, one, bundle)),
    visits: subjects('Encounter', (add, one) => visit(add, one, bundle)),
    orders: ordered.flatMap((type) => subjects(type, (add, one) => order(add, one, bundle))),
    reports: subjects('DiagnosticReport', (add, one) => report(add, one, bundle), documents),
    observations: inBundleOrder(bundle, [
      ...subjects('Observation', observation),
      ...subjects('DiagnosticReport', observation, aside),
    ]),
    appointments: subjects('Appointment', (add, one) => appointment(add, one, bundle)),
  };
}

function inBundleOrder(bundle: Bundle, subjects: Subject[]): Subject[] {
  const place = ({ resource }: Subject): number =>
    bundle.entry?.findIndex((entry) => entry.resource === resource) ?? 0;
  return subjects.sort((a, b) => place(a) - place(b));
}

export function factsOf(all: Stated): Fact[] {
  return Object.values(all).flatMap((subjects: Subject[]) => subjects.flatMap(({ facts }) => facts));
}

/** What is said, as 16 hexadecimal digits: the corpus itself is not copied into the project. */
export function hashOf(said: Said): string {
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16);
}

type Add = (kind: Kind, path: string, said: Said, group?: number) => void;

function patient(add: Add, one: Resource, bundle: Bundle): void {
  identifiers(add, 'patient-identifier', one, bundle);
  for (const [index, name] of (Array.isArray(one.name) ? one.name : []).entries()) {
    const { family = '', given = [], prefix = [], suffix = [] } = name as FhirName;
    const more = [...prefix, ...suffix];
    if (family === '' && given.length === 0 && more.length === 0) continue;
    add('patient-name', `name[${index}]`, { is: 'name', family, given, more });
  }
  time(add, 'birth-date', 'birthDate', one.birthDate);
  if (one.gender) add('sex', 'gender', { is: 'word', value: one.gender, letter: '' });
  time(add, 'deceased-time', 'deceasedDateTime', one.deceasedDateTime);
}

function visit(add: Add, one: Resource, bundle: Bundle): void {
  identifiers(add, 'visit-number', one, bundle);
  time(add, 'visit-time', 'period.start', one.period?.start);
  time(add, 'visit-time', 'period.end', one.period?.end);
  for (const [index, { location }] of (one.location ?? []).entries()) {
    for (const place of placesOf(bundle, referred(bundle, location))) {
      const levels = levelsOf(place);
      const value = typeof place.name === 'string' ? place.name : (place.identifier?.[0]?.value ?? '');
      if (value === '' || levels.length === 0) continue;
      const path = `location[${index}].${levels.join('+')}`;
      add('visit-location', path, { is: 'place', levels, value }, index);
      for (const [at, id] of (place.identifier ?? []).entries())
        if (id.value && id.value !== value)
          add('visit-location', `${path}.identifier[${at}]`, { is: 'place-id', value: id.value }, index);
    }
  }
}

/** The location that is referred to, what it is part of, and what is part of it under the same description. */
function placesOf(bundle: Bundle, named: Resource | undefined): Resource[] {
  if (named === undefined) return [];
  const found = [named];
  for (let up = referred(bundle, named.partOf); up !== undefined && !found.includes(up); ) {
    found.push(up);
    up = referred(bundle, up.partOf);
  }
  const all = resourcesOf(bundle, 'Location');
  for (let grown = true; grown; ) {
    const below = all.filter(
      (one) =>
        !found.includes(one) &&
        one.description === named.description &&
        found.includes(referred(bundle, one.partOf) as Resource),
    );
    found.push(...below);
    grown = below.length > 0;
  }
  return found;
}

function levelsOf(place: Resource): string[] {
  return (place.physicalType?.coding ?? []).map((coding) => coding.code ?? 'poc');
}

function order(add: Add, one: Resource, bundle: Bundle): void {
  identifiers(add, 'order-number', one, bundle);
  time(add, 'order-time', 'authoredOn', one.authoredOn);
}

function report(add: Add, one: Resource, bundle: Bundle): void {
  identifiers(add, 'order-number', one, bundle);
  codings(add, 'report-code', 'code', one.code);
  if (one.status) add('report-status', 'status', { is: 'word', value: one.status, letter: '' });
  time(add, 'report-time', 'effectiveDateTime', one.effectiveDateTime);
  time(add, 'report-time', 'effectivePeriod.start', one.effectivePeriod?.start);
  time(add, 'report-time', 'effectivePeriod.end', one.effectivePeriod?.end);
  time(add, 'report-time', 'issued', one.issued);
}

function observation(add: Add, one: Resource): void {
  codings(add, 'observation-code', 'code', one.code);
  // Beside FHIR's word one of the converters keeps the letter of table 0085.
  const letter = extension(one, 'Observation_Status')?.valueCodeableConcept?.coding?.[0]?.code ?? '';
  if (one.status) add('observation-status', 'status', { is: 'word', value: one.status, letter });
  for (const [index, concept] of (one.interpretation ?? []).entries())
    for (const { code = '' } of concept.coding ?? [])
      if (code !== '')
        add('observation-interpretation', `interpretation[${index}]`, {
          is: 'word',
          value: code,
          letter: '',
        });
  time(add, 'observation-time', 'effectiveDateTime', one.effectiveDateTime);
  time(add, 'observation-time', 'effectivePeriod.start', one.effectivePeriod?.start);
  values(add, '', one);
  for (const [index, part] of (one.component ?? []).entries()) values(add, `component[${index}].`, part);
  for (const [index, { url }] of (one.presentedForm ?? []).entries())
    if (url) add('observation-value', `presentedForm[${index}].url`, { is: 'text', value: url });
}

function values(add: Add, at: string, one: Resource): void {
  const { valueQuantity, valueRange, valueRatio, valuePeriod } = one;
  if (valueQuantity?.value !== undefined) {
    const { value, comparator = '' } = valueQuantity;
    add('observation-value', `${at}valueQuantity`, { is: 'quantity', value: String(value), comparator });
  }
  unit(add, `${at}valueQuantity.unit`, valueQuantity);
  pair(add, `${at}valueRange`, 'range', valueRange?.low, valueRange?.high);
  pair(add, `${at}valueRatio`, 'ratio', valueRatio?.numerator, valueRatio?.denominator);
  codings(add, 'observation-value', `${at}valueCodeableConcept`, one.valueCodeableConcept);
  const { valueString, valueTime } = one;
  if (valueString) add('observation-value', `${at}valueString`, { is: 'text', value: valueString });
  if (valueTime) add('observation-value', `${at}valueTime`, { is: 'text', value: valueTime });
  time(add, 'observation-value', `${at}valueDateTime`, one.valueDateTime);
  time(add, 'observation-value', `${at}valuePeriod.start`, valuePeriod?.start);
  time(add, 'observation-value', `${at}valuePeriod.end`, valuePeriod?.end);
}

function pair(add: Add, path: string, is: 'range' | 'ratio', one?: Quantity, two?: Quantity): void {
  if (one?.value === undefined && two?.value === undefined) return;
  const [first, second] = [one, two].map((some) => (some?.value === undefined ? '' : String(some.value)));
  add('observation-value', path, { is, first: first ?? '', second: second ?? '' });
  unit(add, `${path}.unit`, one ?? two);
}

function unit(add: Add, path: string, quantity: Quantity | undefined): void {
  const { unit: text = '', code = '', system = '' } = quantity ?? {};
  if (text !== '' || code !== '') add('observation-unit', path, { is: 'unit', text, code, system });
}

function appointment(add: Add, one: Resource, bundle: Bundle): void {
  identifiers(add, 'appointment-number', one, bundle);
  if (one.status) add('appointment-status', 'status', { is: 'word', value: one.status, letter: '' });
  time(add, 'appointment-time', 'start', one.start);
  time(add, 'appointment-time', 'end', one.end);
}

function time(add: Add, kind: Kind, path: string, value: string | undefined): void {
  if (value) add(kind, path, { is: 'time', value });
}

function codings(add: Add, kind: Kind, path: string, concept: Concept | undefined): void {
  for (const [index, coding] of (concept?.coding ?? []).entries()) {
    const { code = '', system = '' } = coding;
    if (code !== '')
      add(kind, `${path}.coding[${index}]`, { is: 'coding', code, system, name: systemName(coding) });
  }
  // A text without any code is all that is said.
  if (concept?.text && !concept.coding?.some(({ code }) => code))
    add(kind, `${path}.text`, { is: 'text', value: concept.text });
}

/** The coding system as the message named it, where the converter kept that. */
function systemName(coding: FhirCoding): string {
  return extension(coding, 'cwe-coding-system')?.valueString ?? '';
}

function identifiers(add: Add, kind: Kind, one: Resource, bundle: Bundle): void {
  for (const [index, id] of (one.identifier ?? []).entries()) {
    if ((id.value ?? '').trim() === '') continue;
    const type = id.type?.coding?.[0]?.code ?? '';
    const said: Said = {
      is: 'identifier',
      value: id.value ?? '',
      type,
      system: id.system ?? '',
      names: authorityNames(id, bundle),
    };
    add(kind, `identifier[${index}]`, said);
  }
}

/** Namespace and universal id of the authority, where the converter put them beside the system. */
function authorityNames(id: FhirIdentifier, bundle: Bundle): string[] {
  const assigner = referred(bundle, id.assigner)?.identifier?.map(({ value }) => value ?? '') ?? [];
  const parts = extension(id, 'assigning-authority')?.extension ?? [];
  const extended = parts
    .filter(({ url }) => url?.endsWith('/namespace-id') || url?.endsWith('/universal-id'))
    .map(({ valueString }) => valueString ?? '');
  return [...new Set([...assigner, ...extended])].filter(Boolean);
}
