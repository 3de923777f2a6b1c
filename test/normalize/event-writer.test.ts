/** The generated writers of events and envelopes against ts-proto's encoder, which is the reference. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import t from 'tap';
import { codeOf } from '../../gateway/normalize/hl7v2/coded.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { scopeOf } from '../../gateway/normalize/hl7v2/normalize.ts';
import { scan } from '../../gateway/normalize/hl7v2/scanner.ts';
import { BackWriter, KeptCode } from '../../proto/back-writer.ts';
import { ClinicalEvent, Code } from '../../proto/gen/hilum/v1/event.ts';
import {
  writeClinicalEvent,
  writeCode,
  writeEnvelope,
  writeJournalRecord,
} from '../../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { projectRoot } from '../kit/paths.ts';
import { er7, testContext } from './context.ts';
import { corpusFiles, corpusFolder, corpusPresent } from './corpus-outcomes.ts';

const writer = new BackWriter();

function written<T>(write: (to: BackWriter, message: T) => void, message: T): Buffer {
  writer.clear();
  write(writer, message);
  return Buffer.from(writer.since(0));
}

const descriptors = new Map<string, DescriptorProto>();
const set = readFileSync(join(projectRoot, 'proto/gen/hilum.binpb'));
for (const file of fromBinary(FileDescriptorSetSchema, set).file) {
  for (const message of file.messageType) descriptors.set(`.${file.package}.${message.name}`, message);
}

const texts = ['x', 'Größe 日本 😀', 'a'.repeat(48), 'b'.repeat(49), 'ß'.repeat(5000), '\ud800 alone'];
const numbers = [1n, 127n, 128n, (1n << 28n) - 1n, 1n << 28n, (1n << 53n) - 1n, 1n << 53n, (1n << 64n) - 1n];
let turn = 0;

/** A message with every field set, each with another value; `depth` ends what holds itself. */
function full(name: string, depth: number): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const { jsonName, type, typeName, label } of descriptors.get(name)!.field) {
    const many = label === FieldDescriptorProto_Label.REPEATED;
    if (type === FieldDescriptorProto_Type.MESSAGE && depth === 0) {
      message[jsonName] = many ? [] : undefined;
      continue;
    }
    const one = () => (type === FieldDescriptorProto_Type.MESSAGE ? full(typeName, depth - 1) : scalar(type));
    message[jsonName] = many ? [one(), one()] : one();
  }
  return message;
}

function scalar(type: FieldDescriptorProto_Type): unknown {
  turn += 1;
  switch (type) {
    case FieldDescriptorProto_Type.STRING:
      return texts[turn % texts.length];
    case FieldDescriptorProto_Type.UINT64:
      return numbers[turn % numbers.length];
    case FieldDescriptorProto_Type.UINT32:
      return Number(numbers[turn % 4]);
    case FieldDescriptorProto_Type.BOOL:
      return true;
    case FieldDescriptorProto_Type.BYTES:
      return Buffer.from([0, turn & 0xff, 255]);
    default:
      throw new Error(`no value for a field of type ${type}`);
  }
}

t.test('event writer - every field of every message has the bytes of the reference', async (t) => {
  for (const depth of [0, 1, 2, 3]) {
    const event = full('.hilum.v1.ClinicalEvent', depth) as unknown as ClinicalEvent;
    const reference = Buffer.from(ClinicalEvent.encode(event).finish());
    t.ok(reference.length > 300, `${reference.length} bytes`);
    t.ok(written(writeClinicalEvent, event).equals(reference), `down to level ${depth}`);
  }
  const envelope = full('.hilum.v1.Envelope', 0) as unknown as Envelope;
  t.ok(written(writeEnvelope, envelope).equals(Envelope.encode(envelope).finish()));
  const record = full('.hilum.v1.JournalRecord', 0) as unknown as JournalRecord;
  t.ok(written(writeJournalRecord, record).equals(JournalRecord.encode(record).finish()));
});

t.test('event writer - an empty event is no bytes, and fields of a newer contract stay', async (t) => {
  t.equal(written(writeClinicalEvent, ClinicalEvent.create()).length, 0);
  const newer = { ...ClinicalEvent.create(), kind: 'order' };
  newer._unknownFields = { 8002: [Buffer.from([1, 65]), Buffer.from([1, 66])], 8008: [Buffer.from([7])] };
  t.ok(written(writeClinicalEvent, newer).equals(ClinicalEvent.encode(newer).finish()));
});

t.test(
  'event writer - every event of the corpus has the bytes of the reference',
  { skip: corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)' },
  async (t) => {
    let count = 0;
    // Twice: in the second round the codes are known.
    for (const file of [...corpusFiles(), ...corpusFiles()]) {
      for (const event of normalizeHl7v2(readFileSync(join(corpusFolder, file)), context).events) {
        count += 1;
        if (!written(writeClinicalEvent, event).equals(ClinicalEvent.encode(event).finish())) t.fail(file);
      }
    }
    t.ok(count > 500, `${count} events`);
  },
);

const context = testContext({
  codes: {
    policy: () => undefined,
    lookup: (system, code) =>
      system === 'L' && code === 'K'
        ? { system: 'http://loinc.org', code: '2823-3', display: 'Kalium', table: 'lab' }
        : undefined,
  },
});

function codeIn(field: string, separators = '^~\\&') {
  const raw = er7(`MSH|${separators}|A|B|||2026||ORU^R01|1|P|2.5`, `OBX|1|NM|${field}`);
  const scope = scopeOf(context);
  const message = scan(raw, scope);
  if ('code' in message) throw new Error(message.reason);
  return { code: codeOf(message.segments[1]!.parts(3)), rules: scope.rules };
}

t.test(
  'kept codes - the second reading is the same code, encoded already, and names its table',
  async (t) => {
    const first = codeIn('K^Potassium^L');
    const second = codeIn('K^Potassium^L');
    t.ok(first.code !== undefined && second.code === first.code);
    t.same(second.rules, ['code-table/lab']);
    const plain: Code = JSON.parse(JSON.stringify(second.code));
    t.equal(plain.codings[1]?.code, '2823-3');
    t.ok(Code.encode(plain).finish().length > 0);
    t.ok(written(writeCode, second.code!).equals(Code.encode(plain).finish()));
    t.ok(KeptCode.bytesOf(second.code!));
    t.throws(() => Object.assign(second.code!, { text: '' }), TypeError, 'what many events share is frozen');
    t.throws(() => Object.assign(second.code!.codings[0]!, { code: '' }), TypeError);
  },
);

t.test('kept codes - other delimiters, escape sequences and long text are read anew', async (t) => {
  t.equal(codeIn('a\\T\\b^\\S\\').code?.text, '^');
  t.equal(
    codeIn('a\\T\\b^\\S\\', '^~!&').code?.text,
    '\\S\\',
    'the same bytes under another escape character',
  );
  t.equal(codeIn('a$b', '$~\\&').code?.text, 'b');
  t.equal(codeIn('a$b').code?.codings[0]?.code, 'a$b', 'the same bytes under another component separator');
  const long = `X^${'long '.repeat(40)}end`;
  t.not(codeIn(long).code, codeIn(long).code);
});

t.test('kept codes - more codes than are kept still read right', async (t) => {
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 20_000; n += 1) {
      const code = codeIn(`C${n}^Text ${n}`).code;
      if (code?.text !== `Text ${n}` || code.codings[0]?.code !== `C${n}`) t.fail(`C${n}`);
    }
  }
  t.pass('all were read');
});
