/** What the flags of a result say, as an event has them: the classifier reads them, and what remembers results. */
import { criticalFlags } from './critical-flags.ts';
import type { Observation } from './gen/hilum/v1/event.ts';

type Flags = Pick<Observation, 'interpretations' | 'interpretation' | 'interpretationCodes'>;

export function isFlaggedCritical({ interpretations, interpretation, interpretationCodes }: Flags): boolean {
  for (const flag of interpretations) if (saysCritical(flag)) return true;
  for (const { text, codings } of interpretationCodes) {
    if (saysCritical(text)) return true;
    for (const { code, display } of codings) if (saysCritical(code) || saysCritical(display)) return true;
  }
  // It is the first of them as a rule.
  return interpretation !== interpretations[0] && saysCritical(interpretation);
}

function saysCritical(flag: string): boolean {
  if (criticalFlags.has(flagWord(flag))) return true;
  return flag.includes(',') && flag.split(',').some((one) => criticalFlags.has(flagWord(one)));
}

const words = new Map<string, string>();
const wordsMax = 256;
/** Longer ones may be slices, which would keep the whole message in memory. */
export const wordCharactersMax = 12;

/** Every row of every result has a flag, and they are a handful: each is worked out once. */
export function flagWord(text: string): string {
  if (text.length > wordCharactersMax) return identifierOf(text);
  let known = words.get(text);
  if (known === undefined) {
    known = identifierOf(text);
    if (words.size >= wordsMax) words.clear();
    words.set(text, known);
  }
  return known;
}

/** The identifier of a CWE that is given as sent: `HH^Critical high^HL70078`. */
function identifierOf(text: string): string {
  const end = text.indexOf('^');
  return (end === -1 ? text : text.slice(0, end)).trim().toUpperCase();
}
