/**
 * A file that is cut over several OBX, or over repetitions of one. Nothing in the message says so: the first piece
 * begins as files of its kind do, and the next one, of the same name, as none does. A reader is told, and has every
 * piece as it was sent.
 */
import type { Attachment, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { textOf } from './coded.ts';
import { typeOf } from './file-type.ts';
import { remark, type Scope } from './scope.ts';

export function tellOfPieces(before: Observation | undefined, now: Observation, scope: Scope): void {
  if (now.attachment === undefined) return;
  const same = before !== undefined && before.subId === now.subId && textOf(before.code) === textOf(now.code);
  const files = [now.attachment, ...now.furtherAttachments];
  const last = same ? (before.furtherAttachments.at(-1) ?? before.attachment) : undefined;
  if (last !== undefined) files.unshift(last);
  for (let i = 1; i < files.length; i++) {
    if (!begins(files[i - 1]) || begins(files[i])) continue;
    remark(scope, 'OBX-5: a file whose next piece seems to stand in another OBX or repetition, not joined');
    return;
  }
}

/** As a file does; `<` is how XML and HTML begin. */
function begins(file: Attachment | undefined): boolean {
  const { data } = file ?? {};
  return data !== undefined && (data[0] === 0x3c || typeOf(data) !== '');
}
