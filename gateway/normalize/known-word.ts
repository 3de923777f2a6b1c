/** Words of a closed set, as senders spell them. */
export function knownWord(words: ReadonlySet<string>, sent: string): string | undefined {
  const said = sent.trim().toLowerCase();
  if (words.has(said)) return said;
  // `de-escalate` [IHE PCD-04], AUDIO_PAUSED.
  const letters = plain(said);
  for (const word of words) if (plain(word) === letters) return word;
  return undefined;
}

function plain(word: string): string {
  return word.replace(/[\s_-]+/g, '');
}

/** Phases that begin an alarm, or are all there is of it. One that is `present` may have begun long ago. */
export const beginnings: ReadonlySet<string> = new Set(['start', 'tpoint']);

/** States of an alarm whose condition is over; where no phase is said, they are no beginning. */
export const over: ReadonlySet<string> = new Set(['inactive', 'latched']);
