/**
 * Writes what is derived here and committed: the JSON Schema of the config (for editors). Run after a change
 * of schema.ts: `node --import=tsx proto/config/publish.ts`, from the root of the project.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { toJsonSchema } from './document.ts';
import { configSchema } from './schema.ts';

export const publishedFile = 'proto/config/config.schema.json';

/** The file as it should be. */
export function jsonSchemaText(): string {
  const { $schema, ...rest } = toJsonSchema(configSchema);
  const schema = { $schema, $id: 'urn:hilum:config:1', title: 'Hilum config', ...rest };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(publishedFile, jsonSchemaText());
