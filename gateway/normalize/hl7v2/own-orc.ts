/** Orders that no ORC begins: it stands behind its OBR, as OUL has it [HL7 7.3.8], or there is none. */
import type { Draft } from './draft.ts';
import type { Handler } from './family.ts';
import type { Segment } from './message.ts';
import { remark } from './scope.ts';

/** An ORC begins the next order unless it follows its own OBR. */
export function opensHere(draft: Draft, segment: Segment): boolean {
  const { event, family, seen } = draft;
  if (event === undefined || seen.has('ORC')) return true;
  if (seen.has(ahead) && !isNamed(draft)) return false;
  if (family.name === 'oul') return seen.has('OBX');
  if (!seen.has('OBR') && isNamed(draft))
    remark(draft.message.scope, 'ORC: behind a drug that has none, read as that of the drug behind it');
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

/** The ORC of an OBR stands further up, among those of all orders, or right before it beside such. */
export function hasOrcAbove(draft: Draft, segment: Segment): boolean {
  const { event, seen, named } = draft;
  if (named.isEmpty) return false;
  const { placer, filler } = event?.order ?? {};
  const own =
    seen.has('ORC') && !seen.has('OBR') && numbersOf(segment, placer?.value, filler?.value) !== 'others';
  return own || draft.resume(segment.text(2), segment.text(3));
}

/** What stands right behind it. */
function followedBy(segment: Segment): Segment | undefined {
  return segment.message.segments[placeOf(segment) + 1];
}

/** A segment never stands behind its own line. */
function placeOf(segment: Segment): number {
  return segment.message.segments.lastIndexOf(segment, segment.line);
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

const names = /^(?:OBR|RX[OEDGA]|BPO|RQD|ODS)$/;
const begins = /^(?:ORC|PID|OBR|RX[OEDGA]|BPO|RQD|ODS)$/;

/** True between an ORC and what it orders. */
export function awaitsIts(draft: Draft, segment: Segment): boolean {
  const { event, seen } = draft;
  if (event === undefined || !seen.has('ORC') || isNamed(draft)) return false;
  const { segments } = segment.message;
  let at = placeOf(segment) + 1;
  while (at < segments.length && !begins.test(segments[at]?.name ?? '')) at++;
  return names.test(segments[at]?.name ?? '');
}

/** Noted of an order that something stands before which names nothing that is ordered: a TQ1, an RXR. */
const ahead = 'ahead of its order';
const naming = /^(?:RX[OEDGA]|BP|BTX|OD|RQ)/;

/**
 * What tells of an order before any ORC or OBR is of an order all the same: of one that has neither, or, where it names
 * nothing that is ordered, of the one behind it. Where a TQ1 began the order before, the next one begins the next.
 */
export function beginHere(draft: Draft, { name }: Segment): void {
  const { event, family, seen } = draft;
  if (family.opens.size === 0) return;
  if (event !== undefined && !(name === 'TQ1' && seen.has(ahead) && isNamed(draft))) return;
  draft.openGroup();
  if (!naming.test(name)) seen.add(ahead);
}

/** The same segments, each of which begins an order where none is open. */
export function beginning(group: Record<string, Handler>): Record<string, Handler> {
  const begin =
    (read: Handler): Handler =>
    (draft, segment) => {
      beginHere(draft, segment);
      read(draft, segment);
    };
  return Object.fromEntries(Object.entries(group).map(([name, read]) => [name, begin(read)]));
}

/** It says already what was ordered. */
function isNamed({ current, seen }: Draft): boolean {
  return seen.has('OBR') || seen.has('RXA') || (current.medication?.act ?? '') !== '';
}
