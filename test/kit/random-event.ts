/** Events that no message would give: every field may be absent, empty, usual or odd. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { projectRoot } from './paths.ts';
import { below, type Random } from './random.ts';

const descriptors = readFileSync(join(projectRoot, 'proto/gen/hilum.binpb'));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));

/** The event's message as the descriptor set has it. */
export const eventSchema = registry.getMessage('hilum.v1.ClinicalEvent') as DescMessage;

export function randomEvent(random: Random): ClinicalEvent {
  return ClinicalEvent.fromPartial(randomMessage(random, eventSchema, 0));
}

const texts = [
  '',
  'a',
  'two  spaces ',
  '7.40',
  '<0.01',
  '1:80',
  '-',
  '5',
  '2026',
  '2026-11-23',
  '2026-11-23T08:15:00+01:00',
  '2026-11-23T08:15:00',
  '2025-01-01T00:00:00Z',
  'second',
  'final',
  'F',
  'NM',
  'urn:a b',
  'http://unitsofmeasure.org',
  'Müller',
  '\u0000',
  '\u00a0',
  '"\\\n\t',
  '日本語',
  '😀',
  '\u2028',
  '__proto__',
  'constructor',
];

function randomMessage(random: Random, message: DescMessage, depth: number): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const field of message.fields) {
    if (random() < (depth < 2 ? 0.4 : 0.7)) continue;
    const many = field.fieldKind === 'list';
    const one = (): unknown => {
      if (field.message !== undefined)
        return depth > 4 ? {} : randomMessage(random, field.message, depth + 1);
      return randomScalar(random, field.scalar ?? 0);
    };
    found[field.localName] = many ? Array.from({ length: below(random, 3) }, one) : one();
  }
  return found;
}

/** By the number of its type in descriptor.proto. */
function randomScalar(random: Random, type: number): unknown {
  switch (type) {
    case 4: // uint64
      return [0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n, BigInt(below(random, 2 ** 32))][below(random, 5)];
    case 8: // bool
      return random() < 0.5;
    case 9: // string
      return texts[below(random, texts.length)];
    case 12: // bytes
      return Buffer.from(Array.from({ length: below(random, 9) }, () => below(random, 256)));
    case 13: // uint32
      return [0, 1, 2 ** 32 - 1][below(random, 3)];
  }
  throw new Error(`the contract has gained a scalar type, ${type}`);
}
