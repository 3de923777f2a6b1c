/** What stands once before several orders of the same kind is said of each of them. */
import type { Identifier, Order } from '../../../proto/gen/hilum/v1/event.ts';
import type { Draft } from './draft.ts';
import { copied, type Heading } from './draft-parts.ts';
import { made, type Segment } from './message.ts';

/**
 * One ORC before several OBR is that of all of them [HL7 2.2 4.2]. A result that is there already, or that stands
 * behind a visit of its own, is an earlier one beside the orders.
 */
export function underHeading(draft: Draft, segment: Segment): void {
  const { event, seen, heading } = draft;
  if (event === undefined) {
    draft.openGroup();
    draft.heading = undefined;
  } else if (!seen.has('OBR')) {
    draft.heading = seen.has('ORC') ? headingOf(draft) : undefined;
  } else {
    const heads = heading !== undefined && !isEarlier(segment, heading);
    draft.openGroup();
    if (heads) headedObr(draft, heading, segment);
  }
}

/**
 * It is an earlier result where it has a status, or was reported, or where it has another filler's number and no
 * placer's, though the order above it has one.
 */
function isEarlier(segment: Segment, { order: { placer, filler } }: Heading): boolean {
  if (segment.has(25) || segment.has(22)) return true;
  const number = segment.text(3);
  return number !== '' && number !== filler?.value && !segment.has(2) && placer !== undefined;
}

/** What an ORC says so far, and what is noted behind it. */
export function headingOf({ order, message, current: { notes } }: Draft): Heading {
  return { order: copied(order), notes: [...notes], segments: [...(message.segmentsOf?.get(order) ?? [])] };
}

/** Says of the order that was opened last what stands before it and the one before. */
export function headed(draft: Draft, { order: head, notes, segments }: Heading): Order {
  const { order } = draft;
  const { specimen } = order;
  const own = Object.assign(order, copied(head), { specimen });
  draft.current.notes.push(...notes);
  for (const one of segments) made(own, one);
  return own;
}

function headedObr(draft: Draft, heading: Heading, segment: Segment): void {
  const own = headed(draft, heading);
  const { placer, filler } = heading.order;
  const numbered = (field: number, known: Identifier | undefined): boolean =>
    segment.has(field) && segment.text(field) !== known?.value;
  // Its numbers are those of the first OBR, where this one has others.
  if (numbered(2, placer) || numbered(3, filler))
    Object.assign(own, { placer: undefined, filler: undefined, alternates: [] });
}
