/** Words of a closed set, as senders spell them. */
import {
  alarmTypes,
  inactivations,
  phases,
  priorities,
  priorityFlags,
  states,
  statuses,
  typeFlags,
} from '../../proto/config/device-words.ts';

/** By the member of a result or an alarm that they are of. */
export const vocabulary = {
  status: new Set<string>(statuses),
  priority: new Set<string>(priorities),
  phase: new Set<string>(phases),
  state: new Set<string>(states),
  inactivation: new Set<string>(inactivations),
  type: new Set<string>(alarmTypes),
} as const;

export function knownWord(words: ReadonlySet<string>, sent: string): string | undefined {
  const said = sent.trim().toLowerCase();
  if (words.has(said)) return said;
  const flagged = priorityFlags.get(said.toUpperCase()) ?? typeFlags.get(said.toUpperCase());
  if (flagged !== undefined && words.has(flagged)) return flagged;
  // `de-escalate` [IHE PCD-04], AUDIO_PAUSED.
  const letters = plain(said);
  for (const word of words) if (plain(word) === letters) return word;
  return undefined;
}

/** Sound may be paused while the alarm is acknowledged: words beside each other, as PCD-04 has them. */
export function knownWords(
  words: ReadonlySet<string>,
  sent: readonly string[],
  own: (word: string) => string | undefined = () => undefined,
): { words: string[]; strange: boolean } {
  let strange = false;
  const read = (word: string): string | undefined => own(word) ?? knownWord(words, word);
  const found = sent.flatMap((text) => {
    const whole = read(text);
    if (whole !== undefined) return whole;
    return text
      .trim()
      .split(/\s+/)
      .flatMap((word) => {
        const one = read(word);
        strange ||= one === undefined && word !== '';
        return one ?? [];
      });
  });
  return { words: [...new Set(found)], strange };
}

function plain(word: string): string {
  return word.replace(/[\s_-]+/g, '');
}

/** Phases that begin an alarm, or are all there is of it. One that is `present` may have begun long ago. */
export const beginnings: ReadonlySet<string> = new Set(['start', 'tpoint']);

/** States of an alarm whose condition is over; where no phase is said, they are no beginning. */
export const over: ReadonlySet<string> = new Set(['inactive', 'latched']);
