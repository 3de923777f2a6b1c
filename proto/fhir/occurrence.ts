/**
 * When a service is wanted: ServiceRequest has one occurrence[x], a moment or a period where it is wanted once and a
 * Timing where it is repeated. What else is said of when, how and under which condition is words, for its notes.
 */
import type { Order, Timing } from '../gen/hilum/v1/event.ts';
import { dateTime, timed } from './datatypes.ts';
import type { Element, Json } from './json.ts';
import { asNeeded, when } from './timing.ts';
import { distinct, plain } from './timings.ts';

export interface Occurrence {
  /** occurrence[x] and asNeeded[x]. */
  readonly members: Record<string, Json>;
  readonly words: readonly string[];
}

export function occurrence({ scheduled, timing }: Order): Occurrence {
  const all = distinct(timing);
  const leading = all.find(isRepeated) ?? all.find(isDated);
  const needed = asNeeded(all);
  if (leading === undefined) {
    const members = { ...timed('occurrence', scheduled, undefined), ...needed };
    return { members, words: all.flatMap(instructed) };
  }
  const planned = dateTime(scheduled);
  // OBR-36 is when it is planned, OBR-6 when it is wanted.
  const start = leading.start ?? scheduled ?? all.find((one) => one.start !== undefined)?.start;
  const others = all.filter((one) => one !== leading);
  const words = [
    ...said(leading),
    ...others.flatMap((one) => [isRepeated(one) ? described(one) : '', ...said(one)]),
  ];
  const told = when({ ...leading, start }, true);
  const once = told.timing.event as Element[] | undefined;
  if (isRepeated(leading) && once === undefined) {
    const also = planned === undefined || planned === dateTime(start) ? [] : [`planned ${planned}`];
    return {
      members: { occurrenceTiming: told.timing, ...needed },
      words: inOrder([...told.words, ...words, ...also]),
    };
  }
  const members =
    planned === undefined
      ? timed('occurrence', start, leading.end)
      : timed('occurrence', scheduled, undefined);
  return { members: { ...members, ...needed }, words: inOrder([...told.words, ...words]) };
}

function isRepeated(from: Timing): boolean {
  const { repeat, duration, timesOfDay, occurrences, occurrenceDuration } = from;
  return [repeat, duration, occurrences, occurrenceDuration, ...timesOfDay].some((text) => text !== '');
}

function isDated({ start, end }: Timing): boolean {
  return start !== undefined || end !== undefined;
}

/** How many at a time, where it is not one. */
function said({ quantity }: Timing): string[] {
  return quantity === '' || /^0*1$/.test(quantity) ? [] : [`quantity ${plain(quantity)}`];
}

function instructed(from: Timing): string[] {
  return inOrder([...said(from), ...when(from, true).words]);
}

/** A timing beside the one that is told, in one line. */
function described(from: Timing): string {
  const { repeat, timesOfDay, duration, start, end, occurrences, priority } = from;
  const parts = [
    plain(repeat),
    timesOfDay.length === 0 ? '' : `at ${timesOfDay.join(' ')}`,
    duration === '' ? '' : `for ${plain(duration)}`,
    start === undefined ? '' : `from ${start.value}`,
    end === undefined ? '' : `until ${end.value}`,
    occurrences === '' ? '' : `${occurrences} times`,
    priority === '' ? '' : `priority ${priority}`,
    plain(from.text),
    plain(from.condition),
  ];
  return `also: ${parts.filter((part) => part !== '').join(' ')}`;
}

/** Each once. */
function inOrder(words: readonly string[]): string[] {
  return [...new Set(words)].filter((text) => text !== '');
}
