/**
 * Strings have a dozen forms in memory (a slice, a concatenation, a constant …), and the engine looks
 * a method anew each time where it has seen more than four of them: a loop over characters takes three
 * times as long then. Called through these functions there is nothing to look up.
 */

/** The UTF-16 unit at an index. */
export const unitAt: (text: string, index: number) => number = Function.prototype.call.bind(
  String.prototype.charCodeAt,
);

/** Without blanks at its ends, those that do not break (U+00A0) or are wide (U+3000) too. */
export function trimmed(text: string): string {
  const { length } = text;
  if (length === 0) return text;
  return mayBeBlank(unitAt(text, 0)) || mayBeBlank(unitAt(text, length - 1)) ? text.trim() : text;
}

function mayBeBlank(unit: number): boolean {
  return unit <= 32 || unit === 0xa0 || unit >= 0x1680;
}

/** Codes are mostly upper case already, and the runtime's conversion is a call into ICU. */
export function upper(text: string): string {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const unit = unitAt(text, i);
    if (unit > 0x7f || (unit >= 97 && unit <= 122)) return text.toUpperCase();
  }
  return text;
}
