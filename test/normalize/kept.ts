/** Codes that many events share: in tests their lists are frozen, so that whoever changes one fails there. */
import { KeptCode } from '../../proto/back-writer.ts';
import type { ClinicalEvent, Code } from '../../proto/gen/hilum/v1/event.ts';

/** Freezes the lists of the kept codes in these events; gives how many there are. */
export function freezeKept(events: readonly ClinicalEvent[]): number {
  const found = new Set<Code>();
  for (const event of events) collect(event, found);
  for (const { codings } of found) Object.freeze(codings);
  return found.size;
}

function collect(value: unknown, found: Set<Code>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (KeptCode.bytesOf(value as Code) !== undefined) found.add(value as Code);
  for (const one of Object.values(value)) collect(one, found);
}
