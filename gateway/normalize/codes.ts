/**
 * Coding systems: the name a sender uses → the URI that the world uses. What is not known
 * belongs to its source, so that two sources' local codes never meet by accident.
 */
import { loincSystem, mdcSystem, snomedSystem, ucumSystem } from '../../proto/code-systems.ts';
import type { Code, Coding } from '../../proto/gen/hilum/v1/event.ts';
import { codingOf } from './coding.ts';
import { isOid } from './identity.ts';
import type { CodeTables } from './outcome.ts';

const systems = new Map<string, string>([
  ['LN', loincSystem],
  ['LOINC', loincSystem],
  ['SCT', snomedSystem],
  // SNOMED III, whose codes (T-28000) are none of SNOMED CT [HL7 table 0396].
  ['SNM3', 'urn:oid:2.16.840.1.113883.6.51'],
  ['SNOMED-CT', snomedSystem],
  ['SNOMEDCT', snomedSystem],
  ['UCUM', ucumSystem],
  ['I10', 'http://hl7.org/fhir/sid/icd-10'],
  ['I10C', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['ICD10CM', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['ICD-10-CM', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['I10G', 'http://fhir.de/CodeSystem/bfarm/icd-10-gm'],
  ['I10P', 'http://www.cms.gov/Medicare/Coding/ICD10'],
  ['I9', 'http://hl7.org/fhir/sid/icd-9'],
  ['I9C', 'http://hl7.org/fhir/sid/icd-9-cm'],
  ['I9CDX', 'http://hl7.org/fhir/sid/icd-9-cm'],
  ['I9CP', 'http://hl7.org/fhir/sid/icd-9-cm'],
  ['RXNORM', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
  ['NDC', 'http://hl7.org/fhir/sid/ndc'],
  ['CVX', 'http://hl7.org/fhir/sid/cvx'],
  ['MVX', 'http://hl7.org/fhir/sid/mvx'],
  ['C4', 'http://www.ama-assn.org/go/cpt'],
  ['CPT', 'http://www.ama-assn.org/go/cpt'],
  ['CPT4', 'http://www.ama-assn.org/go/cpt'],
  ['CPT-4', 'http://www.ama-assn.org/go/cpt'],
  ['CPTM', 'http://www.ama-assn.org/go/cpt'],
  ['CDCREC', 'urn:oid:2.16.840.1.113883.6.238'],
  ['ATC', 'http://www.whocc.no/atc'],
  ['MDC', mdcSystem],
  ['ISO3166_1', 'urn:iso:std:iso:3166'],
  ['ISO639', 'urn:ietf:bcp:47'],
  ['ISO+', 'http://terminology.hl7.org/CodeSystem/ISOPlus'],
  // The same systems by their OIDs.
  ['2.16.840.1.113883.6.1', loincSystem],
  ['2.16.840.1.113883.6.8', ucumSystem],
  ['2.16.840.1.113883.6.24', mdcSystem],
  ['2.16.840.1.113883.6.69', 'http://hl7.org/fhir/sid/ndc'],
  ['2.16.840.1.113883.6.88', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
  ['2.16.840.1.113883.6.90', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['2.16.840.1.113883.6.96', snomedSystem],
  ['2.16.840.1.113883.12.292', 'http://hl7.org/fhir/sid/cvx'],
]);
const perSource = new Map<string, string>();
const perSourceMax = 4096;

export function codingSystem(name: string, oid: string, source: string): string {
  const known = systems.get(name);
  if (known !== undefined) return known;
  if (name === '') return oid === '' ? `urn:hilum:${source}` : byOid(oid);
  const key = `${source}\n${name}\n${oid}`;
  const seen = perSource.get(key);
  if (seen !== undefined) return seen;
  if (perSource.size >= perSourceMax) perSource.clear();
  const found = systems.get(name.toUpperCase()) ?? worked(name, oid, source);
  perSource.set(key, found);
  return found;
}

/** What can be nothing but the name of a coding system: a known one, a table of HL7's, L or 99xxx [HL7 table 0396]. */
export function isSystemName(name: string): boolean {
  return systems.has(name.toUpperCase()) || /^(?:HL7-?\d{4}|L|99[A-Z\d]{1,8}|JC10)$/i.test(name);
}

function worked(name: string, oid: string, source: string): string {
  // HL7's own tables; from 9000 on they are those of sites [HL7 2.5.3.6], as Ontario's HL79901.
  const table = /^HL7-?([0-8]\d{3})$/i.exec(name)?.[1];
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  if (oid !== '') return byOid(oid);
  if (isOid(name)) return `urn:oid:${name}`;
  return /^(https?|urn):/.test(name) ? name : `urn:hilum:${source}:${name}`;
}

function byOid(oid: string): string {
  return systems.get(oid) ?? `urn:oid:${oid}`;
}

/** Adds what the running config's code tables say; the original codings stay first. */
export function addMapped(code: Code, tables: CodeTables, fired: (table: string) => void): void {
  const sent = code.codings.length;
  for (let i = 0; i < sent; i++) {
    const coding = code.codings[i] as Coding;
    // `urn:hilum:lab:L` is one source's L and wins over the table for everybody's.
    const found = tables.lookup(coding.system, coding.code) ?? tables.lookup(coding.name, coding.code);
    if (found === undefined) continue;
    fired(found.table);
    if (code.codings.some((other) => other.system === found.system && other.code === found.code)) continue;
    const { system, code: value, display } = found;
    code.codings.push(codingOf(system, value, display, true));
  }
}
