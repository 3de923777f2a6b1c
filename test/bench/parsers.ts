/**
 * What others need to read the fields of `lazy-read` from the same messages: MSH-9, MSH-10, PID-3, PID-5 and
 * OBX-3, 5, 6 of every OBX. They read; ours of P6 reads, maps and encodes. The packages are no dependencies of
 * the product: they stand in test/bench/peers with a lock file of their own. Prints one JSON line of
 * lazy-read's shape; `failed` are the messages of a set that the parser refused.
 *
 *   node parsers.js --parser NAME [--seconds 1]
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readFields } from '../../deploy/local/hl7-standard.ts';
import { projectRoot } from '../kit/paths.ts';
import { measure, messagesOf, type SetFigures, type SetName, setNames } from './message-sets.ts';

const peers = createRequire(join(projectRoot, 'test/bench/peers/package.json'));

/** Answers the fields that it read; throws or rejects where it cannot read the message. */
type Read = (text: string) => unknown[] | Promise<unknown[]>;
type Fields = { field(n: number): string };
type Node = { get(path: string): Node; forEach(each: (one: Node) => void): void; toString(): string };

const wanted = [
  { path: 'MSH.9' },
  { path: 'MSH.10' },
  { path: 'PID.3' },
  { path: 'PID.5' },
  ...['OBX.3', 'OBX.5', 'OBX.6'].map((path) => ({ path, every: true })),
];

/** One that gives a segment by name, or all of a name. */
function reading(first: (name: string) => Fields | undefined, all: (name: string) => Fields[]): unknown[] {
  const [msh, pid] = [first('MSH'), first('PID')];
  const head = [msh?.field(9), msh?.field(10), pid?.field(3), pid?.field(5)];
  return [...head, ...all('OBX').flatMap((obx) => [obx.field(3), obx.field(5), obx.field(6)])];
}

/** The obvious way: everything split, at once. */
function eagerSplit(text: string): unknown[] {
  const [separator, component, repetition] = [text[3]!, text[4]!, text[5]!];
  const segments = text.split('\r').map((segment) => segment.split(separator));
  const trees = segments.map((fields) =>
    fields.map((field) => field.split(repetition).map((one) => one.split(component))),
  );
  const fieldsOf = (index: number): Fields => {
    const shift = segments[index]![0] === 'MSH' ? 1 : 0;
    const part = (n: number) => trees[index]![n - shift] ?? [];
    return {
      field: (n) =>
        part(n)
          .map((one) => one.join(component))
          .join(repetition),
    };
  };
  const at = (name: string) => segments.flatMap((fields, index) => (fields[0] === name ? [index] : []));
  return reading(
    (name) => at(name).map(fieldsOf)[0],
    (name) => at(name).map(fieldsOf),
  );
}

function medplum(): Read {
  const { Hl7Message } = peers('@medplum/core');
  type Segment = { getField(n: number): { toString(): string } | undefined };
  const fieldsOf = (one: Segment): Fields => ({ field: (n) => one.getField(n)?.toString() ?? '' });
  return (text) => {
    const message = Hl7Message.parse(text);
    return reading(
      (name) => {
        const found: Segment | undefined = message.getSegment(name);
        return found && fieldsOf(found);
      },
      (name) => message.getAllSegments(name).map(fieldsOf),
    );
  };
}

function simpleHl7(): Read {
  const { Parser } = peers('simple-hl7');
  const parser = new Parser();
  type Segment = { getField(n: number): string };
  const fieldsOf = (one: Segment): Fields => ({ field: (n) => one.getField(n) });
  return (text) => {
    const message = parser.parse(text);
    const { header } = message;
    return reading(
      // Its header counts from the field after the encoding characters.
      (name) =>
        name === 'MSH' ? { field: (n) => header.getField(n - 2) } : fieldsOf(message.getSegment(name)),
      (name) => message.getSegments(name).map(fieldsOf),
    );
  };
}

function nodeHl7(): Read {
  const Hl7 = peers('nodehl7');
  const parser = new (Hl7.default ?? Hl7)({ mapping: false });
  type Segment = { typeofSegment: string; parts: unknown[] };
  return async (text) => {
    const { segments }: { segments: Segment[] } = await parser.parse(text, 'bench');
    const of = (name: string) => segments.filter(({ typeofSegment }) => typeofSegment === name);
    const fieldsOf = ({ typeofSegment, parts }: Segment): Fields => ({
      field: (n) => String(parts[n - (typeofSegment === 'MSH' ? 2 : 1)]),
    });
    return reading(
      (name) => of(name).map(fieldsOf)[0],
      (name) => of(name).map(fieldsOf),
    );
  };
}

function nodeHl7Client(): Read {
  const { Message } = peers('node-hl7-client');
  return (text) => {
    const message: Node = new Message({ text });
    const found: unknown[] = ['MSH.9', 'MSH.10', 'PID.3', 'PID.5'].map((path) =>
      message.get(path).toString(),
    );
    message.get('OBX').forEach((obx) => {
      for (const n of ['3', '5', '6']) found.push(obx.get(n).toString());
    });
    return found;
  };
}

function hl7v2(): Read {
  const { HL7Message } = peers('hl7v2');
  type Segment = { segmentType: string; field(n: number): { toHL7String(): string } };
  const fieldsOf = (one: Segment): Fields => ({ field: (n) => one.field(n).toHL7String() });
  return (text) => {
    const { segments }: { segments: Segment[] } = HL7Message.parse(text);
    const of = (name: string) => segments.filter(({ segmentType }) => segmentType === name);
    return reading(
      (name) => of(name).map(fieldsOf)[0],
      (name) => of(name).map(fieldsOf),
    );
  };
}

const parsers: Record<string, () => Read> = {
  'eager split': () => eagerSplit,
  'hl7-standard': () => (text) => readFields(text, wanted),
  '@medplum/core': medplum,
  'simple-hl7': simpleHl7,
  nodehl7: nodeHl7,
  'node-hl7-client': nodeHl7Client,
  hl7v2,
};
export const parserNames = Object.keys(parsers);

export interface ParserFigures extends SetFigures {
  readonly failed: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { parser: { type: 'string', default: '' }, seconds: { type: 'string', default: '1' } },
  });
  // One of them tells of every segment that it does not know.
  console.error = () => undefined;
  const read = parsers[values.parser]!();
  const figures: Partial<Record<SetName, ParserFigures>> = {};
  for (const set of setNames) {
    const messages = messagesOf(set);
    if (messages.length === 0) continue;
    let failed = 0;
    const found = await measure(messages, Number(values.seconds), 0.5, async () => {
      failed = 0;
      for (const message of messages) {
        try {
          const fields = read(message.toString('latin1'));
          if (fields instanceof Promise) await fields;
        } catch {
          failed += 1;
        }
      }
    });
    figures[set] = { ...found, failed };
  }
  const sample = await read(messagesOf('oru1k')[7]!.toString('latin1'));
  console.log(JSON.stringify({ bench: 'parsers', sample: sample.slice(0, 7), ...figures }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
