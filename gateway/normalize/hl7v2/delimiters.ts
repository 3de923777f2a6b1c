/**
 * The delimiters of one message, from its own MSH-1 and MSH-2 [HL7 2.5.4].
 * Missing ones take the recommended character; a set that cannot tell fields apart is refused.
 */

export interface Delimiters {
  field: number;
  component: number;
  repetition: number;
  escape: number;
  subcomponent: number;
  /** `#` of 2.7 and later; 0 where MSH-2 does not name one. */
  truncation: number;
}

export const standard: Delimiters = {
  field: 0x7c,
  component: 0x5e,
  repetition: 0x7e,
  escape: 0x5c,
  subcomponent: 0x26,
  truncation: 0,
};

/** Reads them from `at`, the offset of an MSH, FHS or BHS; else says why they cannot be used. */
export function delimitersAt(bytes: Uint8Array, at: number, end: number): Delimiters | string {
  if (isStandard(bytes, at)) return standard;
  const field = bytes[at + 3] ?? 0;
  if (!usable(field)) return 'MSH-1 is not a character that can separate fields';
  let stop = at + 4;
  while (stop < end && bytes[stop] !== field && bytes[stop] !== 13 && bytes[stop] !== 10) stop++;
  let given = stop - at - 4;
  // A blank behind them is none.
  while (given > 4 && bytes[at + 3 + given] === 0x20) given--;
  if (given === 0) return 'MSH-2 is empty';
  if (given > 5) return 'MSH-2 has more than five characters';
  const taken = [field];
  // A header that went through a program's source text may say its escape character twice.
  const doubled = given === 5 && bytes[at + 6] === bytes[at + 7] ? 1 : 0;
  given -= doubled;
  const pick = (index: number, fallback: number): number => {
    const place = at + 4 + index + (index > 2 ? doubled : 0);
    const byte = index < given ? (bytes[place] ?? 0) : fallback;
    taken.push(byte);
    return byte;
  };
  const delimiters: Delimiters = {
    field,
    component: pick(0, standard.component),
    repetition: pick(1, standard.repetition),
    escape: pick(2, standard.escape),
    subcomponent: pick(3, standard.subcomponent),
    truncation: given === 5 ? pick(4, 0) : 0,
  };
  if (!taken.every(usable)) return 'MSH-2 holds a letter, a digit or a control character';
  if (new Set(taken).size !== taken.length) return 'MSH-1 and MSH-2 use one character twice';
  return delimiters;
}

/** `|^~\\&|`, as in nearly every message. */
function isStandard(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 3] === standard.field &&
    bytes[at + 4] === standard.component &&
    bytes[at + 5] === standard.repetition &&
    bytes[at + 6] === standard.escape &&
    bytes[at + 7] === standard.subcomponent &&
    bytes[at + 8] === standard.field
  );
}

/** Printable ASCII that is neither letter nor digit nor blank: everything else occurs inside values. */
function usable(byte: number): boolean {
  if (byte <= 0x20 || byte >= 0x7f) return false;
  const letter = byte | 0x20;
  return !(byte >= 0x30 && byte <= 0x39) && !(letter >= 0x61 && letter <= 0x7a);
}
