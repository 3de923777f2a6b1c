/**
 * What others wrote, and a terminal would act on: control characters, and those that turn the direction of text. They
 * are shown as JSON writes them, so that JSON stays what it says.
 */

/** A text of several lines: lines and tabs are how it is laid out. */
export function printable(text: string): string {
  return text.replace(/\r\n|(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (found) =>
    found === '\r\n' ? found : escaped(found),
  );
}

/** What stands in one line, as the cell of a table does. */
export function printableLine(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

function escaped(found: string): string {
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
