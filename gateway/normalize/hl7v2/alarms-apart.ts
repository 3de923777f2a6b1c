/**
 * One OBR is one alarm [IHE PCD-04 3.4.4]. Where a sender puts several into one, OBX-4 tells them apart: one that ended
 * must not hide one that began.
 *
 *   1.1.1.1    MDC_EVT_LO     1.1.1.1.1  phase end
 *   1.2.1.1    MDC_EVT_HI     1.2.1.1.1  phase start     another alarm: the facets of one have one place
 */
import type { ClinicalEvent, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { attributeOf, isEventRow, isFlagged } from './alarm.ts';
import { pathsTo } from './containment.ts';
import { isComponent } from './device.ts';

interface Head {
  readonly row: Observation;
  /** Where in the event it stands. */
  readonly at: number;
  /** What is said of it: `flag`, and its attributes. */
  readonly signs: Set<string>;
  /** Rows below its own place are its own, whatever stands beside it. */
  below: boolean;
}

/** The rows of each alarm, those of the containment with all of them; one list where there is one alarm. */
export function alarmsApart({ observations }: ClinicalEvent): readonly (readonly Observation[])[] {
  const heads: Head[] = [];
  const places = new Set<string>();
  observations.forEach((row, at) => {
    if (!isEventRow(row) || places.has(row.subId)) return;
    places.add(row.subId);
    heads.push({ row, at, signs: new Set(isFlagged(row) ? ['flag'] : []), below: false });
  });
  if (heads.length < 2) return [observations];
  const headOf = nearest(heads);
  observations.forEach((row, at) => {
    const attribute = attributeOf(row);
    if (attribute === undefined) return;
    const head = headOf(row, at);
    head.signs.add(attribute);
    head.below ||= row.subId.startsWith(`${head.row.subId}.`);
  });
  const alarms = separate(heads);
  if (alarms.length < 2) return [observations];
  const alarmAt = nearest(alarms);
  const rows = new Map<Head, Observation[]>(alarms.map((alarm) => [alarm, []]));
  observations.forEach((row, at) => {
    const of = isComponent(row) ? alarms : [alarmAt(row, at)];
    for (const alarm of of) rows.get(alarm)?.push(row);
  });
  return [...rows.values()];
}

/** Beside another one in its place stands evidence, unless the same is said of both. */
function separate(heads: readonly Head[]): Head[] {
  const byPlace = new Map<string, Head>();
  return heads.filter((head) => {
    const place = head.row.subId.replace(/\.?[^.]*$/, '');
    const beside = byPlace.get(place);
    if (beside === undefined) {
      byPlace.set(place, head);
      return true;
    }
    return head.below || [...head.signs].some((sign) => beside.signs.has(sign));
  });
}

/** The one whose place shares most with the row's; of several the last one before it. */
function nearest(heads: readonly Head[]): (row: Observation, at: number) => Head {
  const byPath = new Map<string, Head[]>();
  for (const head of heads) {
    for (const path of ['', ...pathsTo(head.row.subId)]) {
      const there = byPath.get(path);
      if (there === undefined) byPath.set(path, [head]);
      else if (there.at(-1) !== head) there.push(head);
    }
  }
  return ({ subId }, at) => {
    const shared = pathsTo(subId).findLast((path) => byPath.has(path)) ?? '';
    const there = byPath.get(shared) ?? heads;
    return (there.findLast((head) => head.at <= at) ?? there[0] ?? heads[0]) as Head;
  };
}
