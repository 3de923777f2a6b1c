/** Patient, and the patients that an identity event joins or parts. */
import type { Address, ClinicalEvent, Code, Coding, Identifier, Patient } from '../gen/hilum/v1/event.ts';
import {
  address,
  concept,
  concepts,
  dateText,
  dateTime,
  dateTimeText,
  identifiers,
  logical,
  name,
  nameText,
  notStated,
  telecoms,
  textOf,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, type Json, lean, present, visible } from './json.ts';
import { directiveExtensions } from './own-extensions.ts';
import { organization, practitioner } from './practitioner.ts';
import { genders, table } from './tables.ts';

const extensions = 'http://hl7.org/fhir/StructureDefinition';

export function addPatient(draft: Draft): void {
  const { patient, merge, movement } = draft.event;
  if (merge !== undefined) {
    addMerged(draft);
    return;
  }
  if (patient !== undefined) {
    const active = movement?.action === 'delete-person' ? false : undefined;
    const link = followed(draft.event);
    draft.patient = draft.add('patient', { resourceType: 'Patient', ...body(draft, patient), active, link });
  }
}

/** What earlier merges and links made of the identifiers that the message names, and what holds of it. */
function followed({ identityLinks }: ClinicalEvent): Element[] {
  return identityLinks.flatMap(({ what, kind, surviving, linked, undoneBy }) => {
    const type = kind === 'link' ? 'seealso' : 'replaced-by';
    const [one] = kind === 'link' ? linked : surviving;
    const other = what === 'patient' && undoneBy === undefined ? logical('Patient', one) : undefined;
    return other === undefined ? [] : [{ other, type }];
  });
}

function body(draft: Draft, from: Patient): Record<string, Json> {
  const { birthDate } = from;
  return {
    extension: ownExtensions(from),
    identifier: [...identifiers(from.identifiers), ...account(from.account)],
    // An alias comes by its parts, or as a line alone.
    name: [
      ...from.names.map(name),
      ...(from.aliasNames.length > 0 ? from.aliasNames.map(name) : from.aliases.map((text) => ({ text }))),
    ],
    telecom: telecoms(from.telecoms),
    gender: genders.has(from.gender) ? from.gender : undefined,
    birthDate: dateText(birthDate),
    _birthDate: birthDate.includes('T') ? birthTime(birthDate) : undefined,
    ...deceased(from),
    address: from.addresses.filter((one) => one !== bornAt(from)).map(address),
    maritalStatus: concept(from.maritalStatus),
    ...multipleBirth(from),
    communication: concepts(from.language).map((language) => ({ language })),
    generalPractitioner: present([
      ...from.generalPractitioners.map((one) => practitioner(draft, one)),
      ...from.primaryCareOrganizations.map((one) => organization(draft, one.name, one.identifiers)),
    ]),
  };
}

/** PID-18 is an account number, where its type does not say so. */
function account(from: Identifier | undefined): Element[] {
  return from === undefined ? [] : identifiers([{ ...from, type: from.type || 'AN' }]);
}

/** PID-11 of the types of where it was, BDL and N; PID-23 says it in words. */
function bornAt({ addresses }: Patient): Address | undefined {
  const typed = (type: string) => addresses.find(({ use }) => use.toUpperCase() === type);
  return typed('BDL') ?? typed('N');
}

function birthPlace(from: Patient): Element {
  const place = bornAt(from);
  const text = from.birthPlace;
  return place === undefined ? { text } : { ...address(place), use: undefined, text };
}

function birthTime(text: string): Element | undefined {
  const valueDateTime = dateTimeText(text);
  if (valueDateTime === undefined || valueDateTime.length <= 10) return undefined;
  return { extension: [{ url: `${extensions}/patient-birthTime`, valueDateTime }] };
}

function deceased(from: Patient): Record<string, Json> {
  const at = dateTime(from.deceasedAt);
  // An explicit no counts more than a time: nobody is told dead.
  if (at !== undefined && from.deceased !== 'false') return { deceasedDateTime: at };
  if (from.deceased === 'true' || from.deceased === 'false') {
    return { deceasedBoolean: from.deceased === 'true' };
  }
  // Something was said that is neither.
  return from.deceased === '' ? {} : { _deceasedBoolean: notStated };
}

function multipleBirth(from: Patient): Record<string, Json> {
  const said = from.multipleBirth.toUpperCase();
  // Many send an order of 1 for who is no twin.
  if (said === 'N') return { multipleBirthBoolean: false };
  if (/^[1-9]\d?$/.test(from.birthOrder)) return { multipleBirthInteger: Number(from.birthOrder) };
  return said === 'Y' ? { multipleBirthBoolean: true } : {};
}

/** What FHIR defines as extensions of Patient, and US Core's race and ethnicity. */
function ownExtensions(from: Patient): Element[] {
  const { religion, species, breed } = from;
  return present([
    ...from.mothersMaidenName.map((one) => extension('patient-mothersMaidenName', 'String', nameText(one))),
    extension('patient-birthPlace', 'Address', birthPlace(from)),
    extension('patient-religion', 'CodeableConcept', concept(religion)),
    ...concepts(from.citizenship).map((one) => nested('patient-citizenship', { code: one })),
    ...concepts(from.nationality).map((one) => nested('patient-nationality', { code: one })),
    species && nested('patient-animal', { species: concept(species), breed: concept(breed) }),
    usCore('race', from.race, 5),
    usCore('ethnicity', from.ethnicity, 1),
    ...directiveExtensions(from.advanceDirectives),
  ]);
}

/** With a value or not at all [ext-1]. */
function extension(name: string, type: string, value: Json, base = extensions): Element | undefined {
  const url = base === '' ? name : `${base}/${name}`;
  return lean(value) === undefined ? undefined : { url, [`value${type}`]: value };
}

function nested(name: string, parts: Record<string, Element | undefined>): Element | undefined {
  const inner = Object.entries(parts).map(([url, value]) => extension(url, 'CodeableConcept', value, ''));
  const some = present(inner);
  return some.length === 0 ? undefined : { url: `${extensions}/${name}`, extension: some };
}

/** At most `categoriesMax` of the broad categories; every other code of the CDC is a detailed one. */
function usCore(name: string, from: readonly Code[], categoriesMax: number): Element | undefined {
  const text = extension('text', 'String', from.map(textOf).filter(visible).join(', '), '');
  const sent = new Map<string, Coding>();
  for (const { codings } of from) for (const one of codings) if (isCdc(one)) sent.set(one.code, one);
  const coded = (url: string, { code, display }: Coding) =>
    extension(url, 'Coding', { system: cdc, code, display }, '');
  const all = [...sent.values()];
  const broad = all.filter(({ code }) => categories.has(code)).slice(0, categoriesMax);
  const inner = [
    ...broad.map((one) => coded('ombCategory', one)),
    ...all.filter(({ code }) => !categories.has(code)).map((one) => coded('detailed', one)),
  ];
  const url = `http://hl7.org/fhir/us/core/StructureDefinition/us-core-${name}`;
  return text && { url, extension: present([...inner, text]) };
}

/** Race and ethnicity as the CDC numbers them; the categories of the OMB, which HL7 table 0005 has too. */
const cdc = 'urn:oid:2.16.840.1.113883.6.238';
const categories = new Set(['1002-5', '2028-9', '2054-5', '2076-8', '2106-3', '2135-2', '2186-5']);

function isCdc({ system, name, code }: Coding): boolean {
  return system === cdc ? /^\d{4}-\d$/.test(code) : name === 'HL70005' && categories.has(code);
}

/**
 * merge              the surviving patient replaces the retired one, which is no longer active; where only accounts or
 *                    visits are merged nobody is replaced
 * link               each sees also the other
 * change-identifier  one patient; the retired identifiers are old
 * move, unlink       two patients, and no link between them
 */
function addMerged(draft: Draft): void {
  const { patient, merge } = draft.event;
  if (merge === undefined) return;
  const surviving = patient === undefined ? {} : body(draft, patient);
  const known = patient === undefined ? { identifier: identifiers(merge.surviving) } : surviving;
  // A patient whom something was moved from keeps the number.
  const retires = merge.action === 'merge' || merge.action === 'change-identifier';
  const old = [
    ...identifiers(merge.retired).map((one): Element => (retires ? { ...one, use: 'old' } : one)),
    ...(merge.action === 'change-identifier' ? [] : identifiers(merge.movedFrom)),
  ];
  if (merge.action === 'change-identifier') {
    const both = [...((known.identifier as Element[] | undefined) ?? []), ...old];
    draft.patient = draft.add('patient', { resourceType: 'Patient', ...known, identifier: both });
    return;
  }
  // Nobody is replaced by nobody.
  const ends = merge.action === 'merge' && merge.retired.length > 0 && merge.surviving.length > 0;
  // MRG-7 alone is no other patient where it is an account or a visit that is merged.
  const named = merge.action !== 'merge' && merge.priorNames.length > 0;
  const others = merge.other !== undefined || old.length > 0 || named;
  const [ours, theirs] = merge.action === 'merge' && !ends ? [] : (linkTypes[merge.action] ?? []);
  const link = (path: string, type: string | undefined): Element[] | undefined =>
    type === undefined || !others ? undefined : [{ other: draft.reference('Patient', path), type }];
  if (patient !== undefined || merge.surviving.length > 0)
    draft.patient = draft.add('patient', {
      resourceType: 'Patient',
      ...known,
      link: link('merge/other', ours),
    });
  if (!others) return;
  const other =
    merge.other === undefined
      ? { identifier: old, name: merge.priorNames.map(name) }
      : body(draft, merge.other);
  draft.add('merge/other', {
    resourceType: 'Patient',
    ...other,
    active: ends ? false : undefined,
    link: link('patient', theirs),
  });
}

const linkTypes = table<readonly [ours: string, theirs: string]>({
  merge: ['replaces', 'replaced-by'],
  link: ['seealso', 'seealso'],
});
