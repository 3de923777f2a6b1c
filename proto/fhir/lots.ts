/** Lots after the first, which FHIR has one place for: in words, each with its own day. */
import type { ClinicalTime } from '../gen/hilum/v1/event.ts';
import { dateTime } from './datatypes.ts';
import type { Element } from './json.ts';

export function furtherLots(from: {
  readonly furtherLotNumbers: readonly string[];
  readonly furtherExpires: readonly ClinicalTime[];
}): Element[] {
  const { furtherLotNumbers, furtherExpires } = from;
  const many = Math.max(furtherLotNumbers.length, furtherExpires.length);
  return Array.from({ length: many }, (_, at) => {
    const [lot = '', until] = [furtherLotNumbers[at], dateTime(furtherExpires[at])];
    const text = [lot, until === undefined ? '' : `expires ${until}`].filter(Boolean).join(', ');
    return { text: text === '' ? '' : `Further lot: ${text}` };
  });
}
