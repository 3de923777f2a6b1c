/** OSD, the sequence inside of TQ [HL7 2.A.50]: what of another order this one follows. */
import type { Identifier, OrderSequence } from '../../../proto/gen/hilum/v1/event.ts';
import { identifier, identifierSystem } from '../identity.ts';

import type { Parts } from './parts.ts';
import { fresh } from './shapes.ts';

/** 1 type, 2-3 and 8-9 the placer's number, 4-5 and 10-11 the filler's, 6 condition, 7 repeats. */
export function sequenceOf(parts: Parts): OrderSequence {
  return {
    ...fresh.orderSequence(),
    type: parts.text(1),
    placer: number(parts, 'PLAC', 2, 8),
    filler: number(parts, 'FILL', 4, 10),
    condition: parts.text(6),
    repeats: parts.text(7),
  };
}

function number(parts: Parts, type: string, at: number, universal: number): Identifier | undefined {
  const value = parts.text(at);
  if (value === '') return undefined;
  const { source, authorities } = parts.message.scope.context;
  const assigner = parts.text(at + 1);
  const [id, kind] = [parts.text(universal), parts.text(universal + 1)];
  const system = identifierSystem(source, authorities, assigner, id, kind);
  return { ...identifier(value, type, system), assigner, universalId: id, universalIdType: kind };
}
