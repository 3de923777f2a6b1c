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
  const numbers = numbersOf(segment, event.order?.placer?.value, event.order?.filler?.value);
  // A result stands under its OBR [HL7 7.3.1], and there is none between this ORC and the result behind it.
  if (numbers !== 'others' && next?.name === 'OBX' && family.name !== 'orders') return false;
  if (numbers === 'same') {
    // Of two OBR with its numbers it is that of the second, as the standard has it.
    if (next?.name !== 'OBR' || numbersOf(segment, next.text(2), next.text(3)) !== 'same') return false;
  }
  // Ordered and cancelled is what the ORC stands before; whoever meant the OBR before it should know.
  if (next?.name !== 'OBR' || family.name === 'orders')
    remark(draft.message.scope, 'ORC: behind an OBR that has none, and not of its number');
  return true;
}

/** The ORC of an OBR stands right before it, or further up among those of all orders. */
export function hasOrcAbove(draft: Draft, segment: Segment): boolean {
  const { event, seen } = draft;
  const { placer, filler } = event?.order ?? {};
  const own =
    seen.has('ORC') && !seen.has('OBR') && numbersOf(segment, placer?.value, filler?.value) !== 'others';
  return own || draft.resume(segment.text(2), segment.text(3));
}

/** What stands right behind it. */
function followedBy(segment: Segment): Segment | undefined {
  const { segments } = segment.message;
  // A segment never stands behind its own line.
  return segments[segments.lastIndexOf(segment, segment.line) + 1];
}

/** ORC-2 and ORC-3 beside these, as far as both say them. */
function numbersOf(segment: Segment, placer = '', filler = ''): 'same' | 'others' | 'unknown' {
  const pairs = [
    [segment.text(2), placer],
    [segment.text(3), filler],
  ].filter((pair) => pair.every((one) => one !== ''));
  if (pairs.length === 0) return 'unknown';
  return pairs.every(([one, other]) => one === other) ? 'same' : 'others';
}
