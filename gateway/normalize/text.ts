/**
 * Strings have a dozen forms in memory (a slice, a concatenation, a constant …), and the engine looks
 * a method anew each time where it has seen more than four of them: a loop over characters takes three
 * times as long then. Called through these functions there is nothing to look up.
 */

/** The UTF-16 unit at an index. */
export const unitAt: (text: string, index: number) => number = Function.prototype.call.bind(
  String.prototype.charCodeAt,
);

export function trimmed(text: string): string {
  const { length } = text;
  if (length === 0) return text;
  return unitAt(text, 0) <= 32 || unitAt(text, length - 1) <= 32 ? text.trim() : text;
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
