/**
 * A file in Base64 that is cut over several OBX, or over repetitions of one. Nothing in the message says so: the
 * first piece begins as files of its kind do and does not end so, and the next ones, of the same name, begin as none
 * does. They are joined where what comes out ends as it should; else every piece stays as it was sent, and a reader
 * is told.
 */
import { createHash } from 'node:crypto';
import type { Attachment, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { textOf } from './coded.ts';
import { isWhole, typeOf } from './file-type.ts';
import { remark, type Scope, type SentFile } from './scope.ts';

/** Of the results of one event. */
export function joinPieces(rows: Observation[], scope: Scope): Observation[] {
  const { files } = scope;
  if (files === undefined) return rows;
  const pieces = new Set<Attachment>();
  const whole = new Set<Attachment>();
  // One file alone is in no pieces, and is not to be decoded twice.
  for (const run of files.size < 2 ? [] : runsOf(rows, files)) {
    const [first, ...others] = run;
    const bytes = joined(run.map((one) => files.get(one)?.data));
    if (first === undefined || isWhole(bytes) !== true) {
      remark(scope, 'OBX-5: a file whose next piece seems to stand in another OBX or repetition, not joined');
      continue;
    }
    remark(scope, `OBX-5: a file in ${run.length} pieces, joined`);
    first.size = BigInt(bytes.length);
    first.hash = createHash('sha256').update(bytes).digest('hex');
    first.data = bytes.length <= scope.context.attachmentBytesMax ? bytes : new Uint8Array();
    whole.add(first);
    for (const one of others) pieces.add(one);
  }
  for (const one of rows.flatMap(filesOf)) {
    const { broken, at } = files.get(one) ?? none;
    if (broken !== '' && !whole.has(one) && !pieces.has(one)) remark(scope, broken, at);
  }
  return pieces.size === 0 ? rows : rowsWithout(pieces, rows);
}

const none: SentFile = { data: '', encoding: '', broken: '', at: 0 };

/** Each file that goes on in others, with those. */
function runsOf(rows: readonly Observation[], sent: ReadonlyMap<Attachment, SentFile>): Attachment[][] {
  const runs: Attachment[][] = [];
  let before: Observation | undefined;
  let run: Attachment[] = [];
  for (const row of rows) {
    if (before === undefined || !isNext(before, row)) run = [];
    before = row;
    for (const file of filesOf(row)) {
      const { data, encoding } = sent.get(file) ?? none;
      const bytes = Buffer.from(base64Of(data), 'base64');
      if (run.length > 0 && typeOf(bytes) === '' && (encoding === '' || encoding === 'base64')) {
        if (run.push(file) === 2) runs.push(run);
      } else run = encoding === 'base64' && isWhole(bytes) === false ? [file] : [];
    }
  }
  return runs;
}

/** Of one name, and numbered as pieces are, or not at all. */
function isNext(before: Observation, row: Observation): boolean {
  const { ofOrder, ofSpecimen, status } = before;
  if (row.ofOrder !== ofOrder || row.ofSpecimen !== ofSpecimen || row.status !== status) return false;
  const numbered = before.subId === row.subId || Number(before.subId) + 1 === Number(row.subId);
  return numbered && textOf(before.code) === textOf(row.code);
}

function filesOf({ attachment, furtherAttachments }: Observation): Attachment[] {
  return attachment === undefined ? [] : [attachment, ...furtherAttachments];
}

/** Nothing where it is no Base64. */
function base64Of(sent = ''): string {
  return /^[A-Za-z0-9+/\s]*(?:=+\s*)?$/.test(sent) ? sent : '';
}

/** Some cut the letters, some the bytes, whose pieces each end in their own padding. */
function joined(pieces: readonly (string | undefined)[]): Buffer {
  const runs = pieces
    .map((one) => base64Of(one))
    .join('')
    .split(/=+/);
  return Buffer.concat(runs.map((letters) => Buffer.from(letters, 'base64')));
}

/** A row that held nothing but pieces goes; what was noted on it stands with the file. */
function rowsWithout(pieces: ReadonlySet<Attachment>, rows: readonly Observation[]): Observation[] {
  const kept: Observation[] = [];
  for (const row of rows) {
    const files = filesOf(row);
    const [first, ...further] = files.filter((one) => !pieces.has(one));
    if (files.length > 0 && first === undefined) kept.at(-1)?.notes.push(...row.notes);
    else kept.push(row);
    if (first === undefined) continue;
    row.attachment = first;
    row.furtherAttachments = further;
  }
  return kept;
}
