/**
 * The places of a message that hold a value, each with the message as it would be had that value
 * been another one, or none. What an event owes to a place is what changes with it: exact, and
 * without a word in the mappings about where they read.
 *
 * `changed` keeps the form: letters stay letters and digits digits, so that a number is still a
 * number and no delimiter comes or goes.
 */
export interface Place {
  /** `OBX[3]-5.1`, `readings[0].value` */
  location: string;
  text: string;
  /** With other values, one at a time. */
  changed(): Uint8Array[];
  blanked(): Uint8Array;
  /** False where no rule has looked at the place; undefined where that cannot be seen. */
  read: boolean | undefined;
  /** The components of a field, where it has more than one. */
  parts: Place[];
}

/** Ends the location of a JSON member's name. */
export const nameMark = ' (name)';

/**
 * The same kind of text with every letter and digit another one. One letter is a code, mostly of a
 * status: P and X are words there, so that a place which another one stands in for shows, too.
 */
export function otherTexts(text: string): string[] {
  const other = otherText(text);
  return /^[A-Z]$/.test(text) ? [...new Set([other, 'P', 'X'])].filter((one) => one !== text) : [other];
}

export function otherText(text: string): string {
  const other = text.replace(/[0-9A-Za-z]/g, next);
  return other === text ? 'x' : other;
}

/** The same for what must stay a number: no digit becomes 0, which could not stand first. */
export function otherNumber(text: string): string {
  return text.replace(/[0-9]/g, next);
}

function next(char: string): string {
  switch (char) {
    case '9':
      return '1';
    case 'Z':
      return 'A';
    case 'z':
      return 'a';
    default:
      return String.fromCharCode(char.charCodeAt(0) + 1);
  }
}
