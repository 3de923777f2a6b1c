/**
 * proto/EVENT.md: every field of the canonical event, what it means and where it comes from, out of the comments
 * of event.proto. Such a comment is one sentence or more of meaning, and then its sources:
 *
 *   // When it was reported.
 *   // HL7 v2: OBR-22, TXA-6 · FHIR: DiagnosticReport.issued
 *
 * A source is one of `sources`; `Hilum:` names the part of Hilum that sets a field which no message has.
 * `npm run gen` runs this: node --import=tsx proto/reference.ts DESCRIPTOR_SET MARKDOWN
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

const sources = ['HL7 v2', 'FHIR', 'IHE', 'Device JSON', 'Hilum'] as const;
type Source = (typeof sources)[number];

export interface Message {
  readonly name: string;
  readonly meaning: string;
  readonly fields: readonly Field[];
}

export interface Field {
  /** The name in the JSON form. */
  readonly name: string;
  readonly number: number;
  /** In words of JSON, a message as a link. */
  readonly type: string;
  readonly meaning: string;
  readonly sources: Partial<Record<Source, string>>;
}

/** The messages of event.proto in their order, from a descriptor set that includes source info. */
export function readReference(descriptorSet: Uint8Array): Message[] {
  const set = fromBinary(FileDescriptorSetSchema, descriptorSet);
  const file = set.file.find(({ name }) => name === 'hilum/v1/event.proto');
  if (file === undefined) throw new Error('the descriptor set has no hilum/v1/event.proto');
  const comments = commentsOf(file);
  return file.messageType.map((message, at) => ({
    name: message.name,
    meaning: comments.get(`4,${at}`) ?? '',
    fields: message.field.map((field, index) => ({
      name: field.jsonName,
      number: field.number,
      type: typeOf(field),
      ...split(comments.get(`4,${at},2,${index}`) ?? ''),
    })),
  }));
}

/** What is missing, as `Patient.strain: no source`; empty when nothing is. */
export function gaps(reference: readonly Message[]): string[] {
  return reference.flatMap(({ name, meaning, fields }) => [
    ...(meaning === '' ? [`${name}: no meaning`] : []),
    ...fields.flatMap((field) => [
      ...(/\w/.test(field.meaning) ? [] : [`${name}.${field.name}: no meaning`]),
      ...(Object.keys(field.sources).length > 0 ? [] : [`${name}.${field.name}: no source`]),
    ]),
  ]);
}

export function markdown(reference: readonly Message[]): string {
  const count = reference.reduce((sum, { fields }) => sum + fields.length, 0);
  const links = reference.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ');
  return `<!-- Written by npm run gen from proto/hilum/v1/event.proto; do not edit. -->

# The canonical event

What consumers read instead of HL7 v2, device payloads or FHIR: a protobuf message with a lossless proto3 JSON form
(\`hilumctl events -o jsonl\`) and a projection to a FHIR R4 Bundle (\`-o fhir\`). Names below are those of the JSON form;
a field that is absent there has its default: an empty text, an empty list, 0 or false. 64-bit numbers are strings.
"As sent" means untouched. FHIR says where the projection puts a field, or the datatype that it corresponds to; a
field without one stays in the event. ${count} fields in ${reference.length} messages:

${links}

${reference.map(section).join('\n')}`;
}

function section({ name, meaning, fields }: Message): string {
  const rows = fields.map((field) => {
    const own = ([source, text]: readonly [string, string]): string => `${source}: ${text}`;
    const { 'HL7 v2': hl7 = '', FHIR: fhir = '', IHE: ihe = '', ...rest } = field.sources;
    const others = [ihe, ...Object.entries(rest).map(own)].filter((text) => text !== '').join(' · ');
    const cells = [`\`${field.name}\``, String(field.number), field.type];
    return `| ${[...cells, field.meaning, hl7, fhir, others].map(cell).join(' | ')} |`;
  });
  return `## ${name}

${cell(meaning)}

| field | no. | type | meaning | HL7 v2 | FHIR R4 | IHE and others |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

/** Leading comments by the path of what they stand above, on one line each. */
function commentsOf(file: FileDescriptorProto): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, leadingComments } of file.sourceCodeInfo?.location ?? []) {
    if (leadingComments !== '') found.set(path.join(','), leadingComments.replace(/\s+/g, ' ').trim());
  }
  return found;
}

/** The sources begin at the first of their labels. */
function split(comment: string): Pick<Field, 'meaning' | 'sources'> {
  const labels = sources.join('|');
  const at = comment.search(new RegExp(`(?:^| )(?:${labels}): `));
  if (at < 0) return { meaning: comment, sources: {} };
  const found: Field['sources'] = {};
  for (const part of comment.slice(at).trim().split(' · ')) {
    const [, label, text] = new RegExp(`^(${labels}): (.+)$`).exec(part) ?? [];
    if (label === undefined || text === undefined) throw new Error(`event.proto: not a source: ${part}`);
    found[label as Source] = text;
  }
  return { meaning: comment.slice(0, at).trim(), sources: found };
}

function typeOf(field: FieldDescriptorProto): string {
  const one = nameOf(field);
  return field.label === FieldDescriptorProto_Label.REPEATED ? `list of ${one}` : one;
}

function nameOf(field: FieldDescriptorProto): string {
  const { MESSAGE, UINT64, UINT32, BOOL, BYTES, STRING } = FieldDescriptorProto_Type;
  switch (field.type) {
    case MESSAGE: {
      const name = field.typeName.split('.').at(-1) ?? '';
      return `[${name}](#${name.toLowerCase()})`;
    }
    case STRING:
      return 'text';
    case UINT64:
      return '64-bit number';
    case UINT32:
      return 'number';
    case BOOL:
      return 'true or false';
    case BYTES:
      return 'base64';
  }
  throw new Error(`event.proto: ${field.name} is of a type that the reference has no word for`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , descriptorSet = '', to = ''] = process.argv;
  const reference = readReference(readFileSync(descriptorSet));
  const missing = gaps(reference);
  if (missing.length > 0) {
    console.error(`event.proto: every field has a meaning and a source.\n${missing.join('\n')}`);
    process.exit(1);
  }
  writeFileSync(to, markdown(reference));
}
