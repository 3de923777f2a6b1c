/** MSA and ERR: how a message answers another one, and why it does not do what was asked [HL7 2.14.5, 2.14.8]. */
import type { Note } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { codeOf, textOf } from './coded.ts';
import type { Handler } from './family.ts';
import { verbatim } from './header.ts';
import type { Segment } from './message.ts';
import { fresh } from './shapes.ts';
import { fill, type Table, word } from './table.ts';

export interface Reply {
  acknowledgment: string;
  inReplyTo: string;
  /** Where, what and why, in words. */
  texts: string[];
}

export const msa: Table<Reply> = [
  [1, 'acknowledgment', word],
  [2, 'inReplyTo', verbatim],
  [3, 'texts', (segment, field) => [word(segment, field)]],
  [6, 'texts', coded],
];

export const err: Table<Reply> = [
  // Before 2.5 all of it is here: where, and as the fourth component what.
  [1, 'texts', (segment, field) => [segment.whole(field)]],
  [2, 'texts', (segment, field) => [segment.whole(field)]],
  [3, 'texts', coded],
  [5, 'texts', coded],
  [7, 'texts', (segment, field) => [word(segment, field)]],
  [8, 'texts', (segment, field) => [word(segment, field)]],
];

export function noReply(): Reply {
  return { acknowledgment: '', inReplyTo: '', texts: [] };
}

/** MSA-1 [HL7 table 0008]: what was asked for was not done. */
const refusing = new Set(['AE', 'AR', 'CE', 'CR']);

export function refuses({ acknowledgment }: Reply): boolean {
  return refusing.has(upper(acknowledgment));
}

export const replySegments: Record<string, Handler> = {
  MSA: (draft, segment) => note(draft.base.notes, fill(draft.reply, msa, segment)),
  ERR: (draft, segment) => note(draft.base.notes, fill(noReply(), err, segment)),
};

function coded(segment: Segment, field: number): string[] {
  return [textOf(codeOf(segment.parts(field)))];
}

function note(to: Note[], { texts }: Reply): void {
  const text = [...new Set(texts)].filter((part) => part !== '').join('; ');
  if (text !== '' && !to.some((one) => one.text === text)) to.push({ ...fresh.note(), text });
}
