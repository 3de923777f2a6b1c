/**
 * What a segment says and no rule looks at: fields, further repetitions of a field that has one value, components of
 * a type that the event has no place for. Their places stand with the event, so that nothing is lost unnoticed.
 */
import type { Family } from './family.ts';
import { fieldsAside, fieldsRead } from './fields.ts';
import type { Segment } from './message.ts';
import { unread } from './scope.ts';

/** Fields that no rule reads: those in between, and whatever stands behind the last. */
interface Gaps {
  between: readonly number[];
  last: number;
}

const known = new WeakMap<Family, Map<string, Gaps>>();

/** Ordinals and numbers of the segment itself, and of MSH how it is separated and to be answered. */
const ofSegment = new Set(
  'MSH-1 MSH-2 MSH-15 MSH-16 PID-1 DB1-1 PV1-1 PRT-1 ROL-1 CON-1 TXA-1 TQ1-1 TQ2-1 SPM-1 RGS-1 IN3-1'.split(
    ' ',
  ),
);

/** By the name of the segment, for each that the family reads by a table. */
export function gapsOf(family: Family): ReadonlyMap<string, Gaps> {
  let gaps = known.get(family);
  if (gaps !== undefined) return gaps;
  gaps = new Map();
  for (const [name, fields] of fieldsRead(family)) {
    const last = fields.at(-1) ?? 0;
    const isRead = (field: number): boolean => {
      const place = `${name}-${field}`;
      return fields.includes(field) || ofSegment.has(place) || fieldsAside.has(place);
    };
    // Those that are not in the table stand close behind it.
    const end = last + 3;
    const between: number[] = [];
    for (let field = 1; field <= end; field++) if (!isRead(field)) between.push(field);
    gaps.set(name, { between, last: end });
  }
  known.set(family, gaps);
  return gaps;
}

export function tellUnread(segment: Segment, { between, last }: Gaps): void {
  const { count } = segment;
  for (const field of between) {
    if (field > count) return;
    if (segment.end(field) > segment.start(field)) tellField(segment, field);
  }
  for (let field = last + 1; field <= count; field++)
    if (segment.end(field) > segment.start(field)) tellField(segment, field);
}

/** Separators alone say nothing, and where the null stands is told apart. */
function tellField(segment: Segment, field: number): void {
  const { message } = segment;
  if (message.content(segment.start(field), segment.end(field)).trim() !== '') unread(segment, `${field}`);
}
