/** The numbers of an order: its own, further ones, and those of the orders that it hangs from. */
import type { Identifier, Order } from '../../../proto/gen/hilum/v1/event.ts';
import { sameNumber } from '../identity.ts';
import { cxs, ei, eiOf, eips, eis, parentsIn } from './identified.ts';
import type { Segment } from './message.ts';
import { remark, unread } from './scope.ts';

const numbersOf = { placer: eis('PLAC'), filler: eis('FILL') };

export function number(order: Order, which: 'placer' | 'filler', segment: Segment, field: number): void {
  const all = numbersOf[which](segment, field);
  const old = order[which];
  const [first] = all;
  // Not by the standard, but some send the accession's number and its key as repetitions.
  const found = old === undefined ? first : (all.find((one) => sameNumber(one, old)) ?? first);
  for (const one of all) if (one !== found) addAlternate(order, one);
  if (old === undefined) order[which] = found;
  else if (found !== undefined && !sameNumber(found, old)) {
    // The order segment is about this order; a different number here is one it hangs from.
    addParent(order, found);
    remark(
      segment.message.scope,
      `${segment.name}-${field}: another number than ORC-${field}, kept as a parent`,
    );
  } else if (found !== undefined && old.assigner === '') order[which] = found;
}

/** The order segment's own number stands above one of an OBR before it (OUL), which it then hangs from. */
export function ownNumber(order: Order, which: 'placer' | 'filler', segment: Segment, field: number): void {
  const old = order[which];
  order[which] = undefined;
  number(order, which, segment, field);
  if (old !== undefined) keepNumber(order, which, old);
}

function keepNumber(order: Order, which: 'placer' | 'filler', old: Identifier): void {
  const now = order[which];
  if (now === undefined) order[which] = old;
  else if (!sameNumber(now, old)) {
    // Where it was one of several repetitions, so is the other.
    const others = order.alternates.filter((one) => one.type !== now.type || !sameNumber(one, now));
    if (others.length === order.alternates.length) addParent(order, old);
    else {
      order.alternates = others;
      addAlternate(order, old);
    }
  } else if (now.assigner === '') order[which] = old;
}

function addParent(order: Order, found: Identifier): void {
  const known = order.parents.some(
    ({ value, system, type }) => value === found.value && system === found.system && type === found.type,
  );
  if (!known) order.parents.push(found);
}

/** ORC-8 and OBR-29 may say the same. */
export function addParents(order: Order, segment: Segment, field: number): void {
  for (const one of parentsIn(segment, field)) addParent(order, one);
}

/** The parent order; from 2.9 on the parent's result (its OBX-21), and the order stands in OBR-54 [HL7 2.9 4.5.3.29]. */
export function parents(order: Order, segment: Segment, field: number): void {
  if (!/^2\.(?:9|\d\d)/.test(segment.message.segments[0]?.text(12) ?? '')) {
    addParents(order, segment, field);
    return;
  }
  const known = order.parentObservation ?? { code: undefined, subId: '', text: '', identifiers: [] };
  order.parentObservation = { ...known, identifiers: eips(segment, field) };
}

/** EI; EIP from 2.9 on, whose two are told by their subcomponents: the placer's group and the filler's. */
export function groups(order: Order, segment: Segment, field: number): void {
  const parts = segment.parts(field);
  if (!parts.sub(1).has(2) && !parts.sub(2).has(2)) {
    order.group = ei('GROUP')(segment, field);
    return;
  }
  order.group = eiOf(parts.sub(1), 'GROUP');
  const filler = eiOf(parts.sub(2), 'GROUP');
  if (filler !== undefined) order.alternates.push(filler);
}

/** A further number of the placer's; ORC and OBR may both say it. */
export function placerAlternates(order: Order, segment: Segment, field: number): void {
  for (const one of cxs(segment, field)) {
    if (one.type !== '') unread(segment, `${field}.5`);
    addAlternate(order, { ...one, type: 'PLAC' });
  }
}

function addAlternate(order: Order, one: Identifier): void {
  const known = order.alternates.some((other) => other.value === one.value && other.system === one.system);
  if (!known) order.alternates.push(one);
}
