/**
 * A separator of subcomponents that stands in running text, because nobody escaped it [HL7 2.7.1]: Smith & Wesson,
 * 12 Marks & Spencer Rd, the ward A&E. It is text where it can be nothing else; where it may be, a remark tells of it.
 */
import { isOid } from '../identity.ts';
import { trimmed } from '../text.ts';
import type { Segment } from './message.ts';
import type { Parts } from './parts.ts';
import { place, remark } from './scope.ts';

/** The whole text, where a blank stands on both sides of a separator, which nobody writes; else empty. */
export function runningText(parts: Parts, segment: Segment, field: number): string {
  const { message, start, end, separator } = parts;
  const { bytes } = message;
  for (let at = start + 1; at < end - 1; at++)
    if (bytes[at] === separator && bytes[at - 1] === 0x20 && bytes[at + 1] === 0x20)
      return told(parts, segment, field);
  return '';
}

/** The same of an HD, whose universal id is none where it has no type and no form of one. */
export function nameOfHd(hd: Parts, segment: Segment, field: number): string {
  const spaced = runningText(hd, segment, field);
  const universal = hd.text(2);
  if (spaced !== '' || hd.has(3) || isOid(universal) || /[.:\d-]/.test(universal)) return spaced;
  // A&E, T&O
  if (initials.test(hd.text(1)) && initials.test(universal)) return told(hd, segment, field);
  remark(
    hd.message.scope,
    `${place(segment, field)}: a universal id without a type, or a text that was not escaped`,
  );
  return '';
}

const initials = /^\p{Lu}{1,2}$/u;

function told(parts: Parts, segment: Segment, field: number): string {
  remark(parts.message.scope, `${place(segment, field)}: a separator that was not escaped, read as text`);
  return trimmed(parts.whole());
}
