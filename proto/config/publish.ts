/**
 * Writes what is derived here and committed: the JSON Schema of the config (for editors) and
 * the field table of ClinicalEvent (for CEL). Run after a change of schema.ts or event.proto:
 * `node --import=tsx proto/config/publish.ts`, from the root of the project.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toJsonSchema } from './document.ts';
import { configSchema } from './schema.ts';

export const publishedFiles = {
  schema: 'proto/config/config.schema.json',
  fields: 'proto/config/event-fields.ts',
} as const;

/** The two files as they should be, by path. */
export function published(root: string): Record<string, string> {
  const proto = readFileSync(join(root, 'proto/hilum/v1/event.proto'), 'utf8');
  return { [publishedFiles.schema]: jsonSchemaText(), [publishedFiles.fields]: eventFieldsText(proto) };
}

function jsonSchemaText(): string {
  const { $schema, ...rest } = toJsonSchema(configSchema);
  const schema = { $schema, $id: 'urn:hilum:config:1', title: 'Hilum config', ...rest };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

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
  return `// Written by proto/config/publish.ts from proto/hilum/v1/event.proto; do not edit.

/** Every message of the canonical event: field in lowerCamelCase → CEL type. */
export const eventFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${messages.join('')}};
`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, text] of Object.entries(published('.'))) writeFileSync(path, text);
}
