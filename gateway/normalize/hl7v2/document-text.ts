/**
 * The text of a document out of its rows. What a part of it is of stands only in the rows' OBX-3, and without that
 * `Family history` and `Ruled out` would read as what the patient has: it is a line of its own above the part.
 */
import type { ClinicalEvent, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { isWithdrawn } from '../../../proto/withdrawn.ts';
import { upper } from '../text.ts';
import { textOf } from './coded.ts';

const textual = new Set(['TX', 'FT', 'ST', '']);

/** An OBX of a text without a value is a blank line of it; before and after the text it is none. */
export function documentText(event: ClinicalEvent): string[] {
  const lines: string[] = [];
  const own = namesOf(event);
  let heading = '';
  for (const row of event.observations) {
    const said = [...linesOf(row), ...commentsOn(row)];
    if (said.every((line) => line === '')) {
      if (lines.length > 0) lines.push(...said);
      continue;
    }
    const name = nameOf(row, heading);
    if (name !== '' && name !== heading && (heading !== '' || !isOneOf(own, row))) {
      lines.push(`${name.replace(/(?<!\s)\s*:$/, '')}:`);
      heading = name;
    }
    lines.push(...said);
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function linesOf({ status, valueType, value, furtherValues }: Observation): string[] {
  if (isWithdrawn(status)) return [];
  if (!textual.has(valueType) || (value === '' && valueType === '')) return [];
  return [value, ...furtherValues];
}

/** A text or a file of a document has no resource of its own, where a comment on it could stand. */
function commentsOn({ status, valueType, attachment, notes }: Observation): string[] {
  if (isWithdrawn(status) || (attachment === undefined && !textual.has(valueType))) return [];
  return notes.flatMap(({ text }) => text.split('\n')).map((line) => (line === '' ? '' : `Note: ${line}`));
}

/** A code alone is no heading, but ends the part above it. */
function nameOf({ code }: Observation, heading: string): string {
  return heading === '' ? (code?.text ?? '') : textOf(code);
}

/** What the document as a whole is called, or is of. */
function namesOf({ document, order }: ClinicalEvent): ReadonlySet<string> {
  const all = [document?.title ?? '', ...[document?.type, order?.service].flatMap(wordsOf)];
  return new Set(all.filter((one) => one !== '').map(upper));
}

function isOneOf(names: ReadonlySet<string>, { code }: Observation): boolean {
  return wordsOf(code).some((word) => names.has(upper(word)));
}

function wordsOf(code: Observation['code']): string[] {
  return code === undefined ? [] : [code.text, ...code.codings.map((coding) => coding.code)];
}
