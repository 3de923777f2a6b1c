/**
 * Values that their sender cut off: MSH-2 names a fifth character, which a cut value ends with [HL7 2.5.5.2]. What is
 * there stays as it was sent, the character too; somebody has to know that more was said.
 */
import type { Message, Segment } from './message.ts';
import { place, remark } from './scope.ts';

/** Is the character anywhere behind MSH-2? */
export function mayTruncate({ by, chars }: Message): boolean {
  return by.truncation !== 0 && chars.indexOf(String.fromCharCode(by.truncation), 9) >= 0;
}

export function tellTruncated(segment: Segment): void {
  const { bytes, by, scope } = segment.message;
  const separators = new Set([by.component, by.subcomponent, by.repetition]);
  for (let field = 1; field <= segment.count; field++) {
    const end = segment.end(field);
    // Alone it is no value that was cut off.
    for (let at = segment.start(field) + 1; at < end; at++) {
      if (bytes[at] !== by.truncation || separators.has(bytes[at - 1] as number)) continue;
      if (at + 1 < end && !separators.has(bytes[at + 1] as number)) continue;
      remark(scope, `${place(segment, field)}: cut off by its sender, kept as it was sent`);
      break;
    }
  }
}
