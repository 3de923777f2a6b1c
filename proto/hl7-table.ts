/**
 * A field that is read against a table of HL7's may have a code of the sender's own before that of the table: 1-3, 4-6
 * and 10-12 of a CWE are codings of one thing, in any order [HL7 2.A.13]. Pure; both ends run it.
 */
import type { Code, Coding } from './gen/hilum/v1/event.ts';

/** Those that say how urgent a field without a table of its own is. */
export const priorityTables = ['0485', '0027'] as const;

/** The coding in one of the tables (`0206`), else the first one. */
export function inTable(from: Code | undefined, ...tables: readonly string[]): Coding | undefined {
  return from?.codings.find((one) => tables.some((table) => isOfTable(one, table))) ?? from?.codings[0];
}

/** Its code; empty where there is none. */
export function codeInTable(from: Code | undefined, ...tables: readonly string[]): string {
  return inTable(from, ...tables)?.code ?? '';
}

/** HL70206, HL7-0206, `HL7 0206`, 0206; by its URI or its OID. */
const spelling =
  /^(?:(?:HL7|v2)?[-_ ]?(?:table)?[-_ ]?(\d{4})|(?:https?:\/\/terminology\.hl7\.org\/CodeSystem\/v2-|https?:\/\/hl7\.org\/fhir\/v2\/|(?:urn:oid:)?2\.16\.840\.1\.113883\.12\.)(\d{1,4}))$/i;

export function isOfTable({ system, name }: Coding, table: string): boolean {
  return isTable(system, table) || isTable(name, table);
}

/** @param text how a system is called */
export function isTable(text: string, table: string): boolean {
  const [, named, numbered] = spelling.exec(text) ?? [];
  return (named ?? numbered)?.padStart(4, '0') === table;
}
