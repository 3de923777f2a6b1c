import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { jsonSchemaText, publishedFile } from '../../proto/config/publish.ts';
import { eventFields } from '../../proto/gen/event-fields.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { projectRoot } from '../kit/paths.ts';

const stale = 'run: node --import=tsx proto/config/publish.ts';
const file = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

t.test('config schema - the published one is not stale', async (t) => {
  // The formatter lays JSON out in its own way, so the content is compared.
  t.same(JSON.parse(file(publishedFile)), JSON.parse(jsonSchemaText()), stale);
});

t.test(
  'event fields - are those of the generated code, but what is found after every predicate',
  async (t) => {
    const fields = Object.keys(ClinicalEvent.fromPartial({})).filter((name) => name !== '_unknownFields');
    t.same([...Object.keys(eventFields.ClinicalEvent!), 'once'].sort(), fields.sort());
  },
);
