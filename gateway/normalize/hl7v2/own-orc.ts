/** An ORC behind its OBR: OUL has it there [HL7 7.3.8], and some send their reports and orders so. */
import type { Draft } from './draft.ts';
import type { Segment } from './message.ts';
import { remark } from './scope.ts';

/** An ORC begins the next order unless it follows its own OBR. */
export function opensHere(draft: Draft, segment: Segment): boolean {
  const { event, family, seen } = draft;
  if (event === undefined || seen.has('ORC')) return true;
  if (family.name === 'oul') return seen.has('OBX');
  if (!seen.has('OBR') || seen.has('OBX')) return true;
  const next = followedBy(segment);
  if (isNumbered(segment, event.order?.placer?.value, event.order?.filler?.value)) {
    // Of two OBR with its numbers it is that of the second, as the standard has it.
    if (next === undefined || !isNumbered(segment, next.text(2), next.text(3))) return false;
  }
  // Ordered and cancelled is what the ORC stands before; whoever meant the OBR before it should know.
  if (next === undefined || family.name === 'orders')
    remark(draft.message.scope, 'ORC: behind an OBR that has none, and not of its number');
  return true;
}

/** The OBR right behind it. */
function followedBy(segment: Segment): Segment | undefined {
  const { segments } = segment.message;
  // A segment never stands behind its own line.
  const next = segments[segments.lastIndexOf(segment, segment.line) + 1];
  return next?.name === 'OBR' ? next : undefined;
}

/** Are ORC-2 and ORC-3 these, as far as both say them? */
function isNumbered(segment: Segment, placer = '', filler = ''): boolean {
  const pairs = [
    [segment.text(2), placer],
    [segment.text(3), filler],
  ].filter((pair) => pair.every((one) => one !== ''));
  return pairs.length > 0 && pairs.every(([one, other]) => one === other);
}
