/**
 * Who has the effect of what feeds have said of a result, and what readers take as replaced. Each feed's order is
 * followed by itself [status.ts]; where feeds say the same only one of them has an effect, so what replaces one of
 * them is to be told of that one, and what would replace more than the one that it repeats is no repeat.
 *
 *   copy P      passes
 *   lab  P      repeat of copy P
 *   lab  F      replaces lab P in its feed, so also copy P, which had the effect
 *   copy F      replaces copy P, and lab F did that: a repeat
 *
 * What the authoritative feed said is replaced by that feed alone.
 */
import type {
  ClinicalEvent,
  OnceLink,
  RecordPosition,
  Supersession,
} from '../../../proto/gen/hilum/v1/event.ts';
import type { FeedSaying } from '../../../proto/gen/hilum/v1/journal.ts';
import { statusOf } from './newness.ts';
import { type Place, samePlace, sameRecord } from './once-mark.ts';
import { overrules } from './transitions.ts';

/** What feeds have said of one filler number, the newest first. */
export type Sayings = readonly FeedSaying[];

/** Records of its own feed that the event replaces. */
export function replacedBy({ supersessions }: ClinicalEvent): RecordPosition[] {
  const records: RecordPosition[] = [];
  for (const { thisIsSuperseded, record } of supersessions)
    if (!thisIsSuperseded && record !== undefined) add(records, record);
  return records;
}

/** Undefined where nobody here knows any more. */
function standIn(saying: FeedSaying, known: Sayings): FeedSaying | undefined {
  let one: FeedSaying | undefined = saying;
  // Each step leads to another event; a circle could only be damage.
  for (let left = known.length; one !== undefined && left > 0; left -= 1) {
    const here: FeedSaying = one;
    const [first] = here.once?.links ?? [];
    if (here.once?.role === 'repeat')
      one = first === undefined ? undefined : known.find((other) => isAt(other, first));
    else if (here.replaced) {
      const by = known.find(
        ({ once }) => once?.role === 'effective' && once.links.some((to) => isAt(here, to)),
      );
      // It came later than what is looked at.
      if (by === undefined) return here;
      one = by;
    } else return here;
  }
  return undefined;
}

/** Those that have the effect of what was said in this record; undefined where that is not known. */
function standInsOf(record: RecordPosition, known: Sayings): FeedSaying[] | undefined {
  const found = known.filter((one) => sameRecord(one, { record, index: 0 }));
  const stand: FeedSaying[] = [];
  for (const one of found) {
    const other = standIn(one, known);
    if (other === undefined) return undefined;
    if (!stand.includes(other)) stand.push(other);
  }
  return found.length === 0 ? undefined : stand;
}

/** Records that are replaced once this one is, one after the other. */
function allReplaced(saying: FeedSaying, known: Sayings): RecordPosition[] {
  const records: RecordPosition[] = [];
  for (const record of saying.supersedes) add(records, record);
  for (let at = 0; at < records.length; at += 1) {
    for (const one of known) {
      if (!sameRecord(one, { record: records[at], index: 0 })) continue;
      for (const record of one.supersedes) add(records, record);
      const other = standIn(one, known);
      if (other?.record !== undefined) add(records, other.record);
    }
  }
  return records;
}

/**
 * Has another feed's word replaced what the event's own feed puts before it? Then that word stands, and the event,
 * which says the same, repeats it: in its place it would be behind what is behind it, and nothing would stand.
 */
export function overtookOwn({ supersessions }: ClinicalEvent, other: FeedSaying, known: Sayings): boolean {
  const passed = allReplaced(other, known);
  return supersessions.some(({ thisIsSuperseded, record }) =>
    known.some(
      (one) =>
        thisIsSuperseded &&
        sameRecord(one, { record, index: 0 }) &&
        one.once?.role === 'effective' &&
        one.once.links.some((to) => has(passed, to.record)),
    ),
  );
}

export interface Speaker {
  source: string;
  /** The authoritative feed for the event. */
  authority: string | undefined;
}

function mayReplace({ source, authority }: Speaker, other: FeedSaying): boolean {
  return other.source === source || other.source !== authority || source === authority;
}

/** Would something stay in effect, or lose it, if the event counted as a repeat of `same`? */
export function replacesMore(
  replaces: readonly RecordPosition[],
  same: FeedSaying,
  speaker: Speaker,
  known: Sayings,
): boolean {
  if (replaces.length === 0) return false;
  const already = allReplaced(same, known);
  return replaces.some((record) => {
    const stand = standInsOf(record, known);
    if (stand === undefined) return true;
    return stand.some(
      (one) =>
        !sameRecord(one, same) &&
        // Back to what was replaced before.
        (has(allReplaced(one, known), same.record) ||
          (mayReplace(speaker, one) && !has(already, one.record))),
    );
  });
}

/**
 * Tells the event, which has an effect, what it replaces beyond its own feed, and what replaces it.
 * @param inPlaceOf what it stands in place of
 * @returns records that readers take as replaced by it
 */
export function tellReplaced(
  event: ClinicalEvent,
  said: FeedSaying,
  inPlaceOf: readonly FeedSaying[],
  speaker: Speaker,
  known: Sayings,
): RecordPosition[] {
  const own = replacedBy(event);
  const replaced = [...own];
  for (const one of event.supersessions.slice()) {
    if (one.thisIsSuperseded || one.record === undefined) continue;
    for (const { record, ...other } of standInsOf(one.record, known) ?? []) {
      if (record === undefined || has(own, record) || !mayReplace(speaker, { record, ...other })) continue;
      add(replaced, record);
      const told = event.supersessions.some(
        ({ what, record: before }) => what === one.what && isSame(before, record),
      );
      if (!told) event.supersessions.push({ ...one, record, decidedBy });
    }
  }
  for (const { supersedes } of inPlaceOf) {
    for (const record of supersedes) {
      if (has(replaced, record) || isSame(record, said.record)) continue;
      replaced.push(record);
      const status = known.find((one) => sameRecord(one, { record, index: 0 }))?.status ?? '';
      event.supersessions.push(ofOrder(event, record, status, false));
    }
  }
  const newer = inPlaceOf.map((one) => newest(one, said, inPlaceOf, known));
  const [by] = newer;
  // One of them that still stands is enough, and what replaces more in its own feed is that feed's news.
  const stands = newer.some((one) => one === undefined) || !isBehind(own, inPlaceOf, known);
  if (by?.record !== undefined && !stands) {
    event.supersessions.push(ofOrder(event, by.record, by.status, true));
    for (const observation of event.observations)
      if (sameCode(by, said) || overrules(by.status, statusOf(event, observation)))
        observation.superseded = true;
    event.superseded =
      event.observations.length === 0 || event.observations.every(({ superseded }) => superseded);
  }
  return replaced;
}

const decidedBy = 'once';

/** Does its feed only follow what the others have said one after the other? */
function isBehind(own: readonly RecordPosition[], inPlaceOf: readonly FeedSaying[], known: Sayings): boolean {
  if (own.length === 0) return true;
  const passed = inPlaceOf.flatMap((one) => allReplaced(one, known));
  return own.every((record) => {
    const sayings = known.filter((one) => sameRecord(one, { record, index: 0 }));
    const isFollower = ({ once }: FeedSaying) =>
      once?.role === 'effective' && once.links.every((to) => has(passed, to.record));
    return sayings.length > 0 && sayings.every(isFollower);
  });
}

/** What has replaced it since, by another feed's word. */
function newest(
  one: FeedSaying,
  said: FeedSaying,
  inPlaceOf: readonly FeedSaying[],
  known: Sayings,
): FeedSaying | undefined {
  return known.find(
    (other) =>
      other.source !== said.source &&
      !inPlaceOf.includes(other) &&
      standIn(other, known) === other &&
      has(allReplaced(other, known), one.record),
  );
}

function ofOrder(
  { status: toStatus }: ClinicalEvent,
  record: RecordPosition,
  status: string,
  thisIsSuperseded: boolean,
): Supersession {
  return {
    what: 'order',
    record,
    status,
    thisIsSuperseded,
    decidedBy,
    statusFlag: '',
    toStatus,
    critical: false,
  };
}

/** OBR-4 and the observations' codes are the third part. */
function sameCode(one: FeedSaying, other: FeedSaying): boolean {
  return Buffer.compare(one.parts[2] ?? nothing, other.parts[2] ?? nothing) === 0;
}

const nothing = new Uint8Array(0);

function isAt(saying: Place, to: OnceLink): boolean {
  return samePlace(saying, to);
}

function isSame(one: RecordPosition | undefined, other: RecordPosition | undefined): boolean {
  return one?.sequence === other?.sequence && one?.epoch === other?.epoch;
}

function has(records: readonly RecordPosition[], record: RecordPosition | undefined): boolean {
  return records.some((one) => isSame(one, record));
}

function add(records: RecordPosition[], record: RecordPosition): void {
  if (!has(records, record)) records.push(record);
}
