/** What stands once before several orders of the same kind is said of each of them. */
import type { Identifier, Order } from '../../../proto/gen/hilum/v1/event.ts';
import type { Draft } from './draft.ts';
import { bytesOf, copied, type Heading } from './draft-parts.ts';
import { made, type Segment } from './message.ts';

/**
 * One ORC before several OBR is that of all of them [HL7 2.2 4.2]. A result that is there already, or that stands
 * behind a visit of its own, is an earlier one beside the orders.
 */
export function underHeading(draft: Draft, segment: Segment): void {
  const { event, seen } = draft;
  const headings = headingsOf(draft);
  const heading = headings.get('OBR');
  if (event === undefined) {
    draft.openGroup();
    headings.delete('OBR');
  } else if (!seen.has('OBR')) {
    headings.set('OBR', seen.has('ORC') ? headingOf(draft) : undefined);
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

/**
 * Before a segment is read that stands once in an order: a further one is of an order of its own, of which the ORC
 * before the first is said too, as one before several OBR is. True where it is.
 */
export function oncePerOrder(draft: Draft, name: string): boolean {
  const { seen, current } = draft;
  const headings = headingsOf(draft);
  const further = seen.has(name);
  if (!further) headings.set(name, current.order && headingOf(draft));
  else {
    draft.openGroup();
    const heading = headings.get(name);
    if (heading !== undefined) {
      headed(draft, heading);
      // A message that repeats too much is refused in the end.
      draft.repeatedBytes += bytesOf(draft.current, 0);
    }
  }
  seen.add(name);
  return further;
}

function headingsOf(draft: Draft): Map<string, Heading | undefined> {
  draft.headings ??= new Map();
  return draft.headings;
}

/** What an ORC says so far, and what is noted behind it. */
function headingOf({ order, message, current: { notes } }: Draft): Heading {
  return { order: copied(order), notes: [...notes], segments: [...(message.segmentsOf?.get(order) ?? [])] };
}

/** Says of the order that was opened last what stands before it and the one before. */
function headed(draft: Draft, { order: head, notes, segments }: Heading): Order {
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
