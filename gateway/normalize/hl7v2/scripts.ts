/** Names of one person in several scripts. */
import type { Person } from '../../../proto/gen/hilum/v1/event.ts';

/**
 * In Japan one person comes once in each script, one behind the other, with the same number and another XCN-15
 * [HL7 table 0465].
 */
export function inScripts<T>(found: readonly T[], personIn: (one: T) => Person | undefined): T[] {
  const kept: T[] = [];
  for (const one of found) {
    const person = personIn(one);
    const last = kept.at(-1);
    const known = last && personIn(last);
    if (known !== undefined && person?.name !== undefined && isInOtherScript(known, person))
      known.furtherNames.push(person.name);
    else kept.push(one);
  }
  return kept;
}

function isInOtherScript(one: Person, other: Person): boolean {
  const [number, same] = [one.identifiers[0], other.identifiers[0]];
  if (number === undefined || number.value !== same?.value || number.system !== same.system) return false;
  const script = other.name?.representation ?? '';
  const known = [one.name, ...one.furtherNames].map((name) => name?.representation ?? '');
  return scripts.test(script) && !known.includes('') && !known.includes(script);
}

/** Alphabetic, ideographic, phonetic. */
const scripts = /^[AIP]$/i;
