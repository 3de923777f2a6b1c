/** Writes the field table of ClinicalEvent, for CEL and for the paths of a mapping; `npm run gen` runs it. */
import { readFileSync, writeFileSync } from 'node:fs';

/** What is found only after every predicate has been asked. */
const later = /^Once/;

/** Messages and fields of event.proto in CEL's words. Bytes are left out: no predicate looks into a document. */
function eventFieldsText(proto: string): string {
  const messages: string[] = [];
  for (const [, name, body] of proto.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    if (later.test(name!)) continue;
    const fields: string[] = [];
    for (const [, repeated, type, field] of body!.matchAll(/^ {2}(repeated )?([\w.]+) (\w+) = \d+;/gm)) {
      if (type === 'bytes' || later.test(type!)) continue;
      const cel = type === 'uint32' || type === 'uint64' ? 'int' : type!;
      fields.push(`    ${camelCase(field!)}: '${repeated === undefined ? cel : `list<${cel}>`}',\n`);
    }
    messages.push(`  ${name}: {\n${fields.join('')}  },\n`);
  }
  return `// Written by proto/event-fields.ts from proto/hilum/v1/event.proto; do not edit.

/** Every message of the canonical event: field in lowerCamelCase → CEL type. */
export const eventFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${messages.join('')}};
`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const [, , proto = '', to = ''] = process.argv;
writeFileSync(to, eventFieldsText(readFileSync(proto, 'utf8')));
