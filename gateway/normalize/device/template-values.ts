/** What a template says of codes and identifiers, with what the payload says filled in. */
import type { Code, Coding, Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { codingOf } from '../coding.ts';
import type { Reading } from './reading.ts';
import { identifierFrom, idText, localCode } from './scope.ts';
import type { CodingFrom, IdentifierFrom } from './template.ts';

const identifiersMax = 16;

/** A truth value and a blank text identify nothing. */
export function identifierOf({ from, system, type }: IdentifierFrom, reading: Reading): Identifier[] {
  const { scope } = reading;
  const values = reading.texts(from, (value) => {
    if (idText(value) !== undefined) return true;
    scope.remark('a truth value or a blank where an identifier should be');
    return false;
  });
  return values.slice(0, identifiersMax).map((value) => identifierFrom(value, type, system, scope));
}

/** Codings that stand in the template were not sent, so they are marked as mapped. */
export function codeOf(from: readonly CodingFrom[], reading: Reading): Code | undefined {
  const codings: Coding[] = [];
  let text = '';
  for (const one of from) {
    if (one.from.length === 0) {
      const { system, code, display } = one;
      codings.push(codingOf(system, code, display, true));
      text ||= display || code;
      continue;
    }
    const sent = reading.text(one.from);
    if (sent === '') continue;
    const code = localCode(sent, reading.scope, one.system, one.display);
    codings.push(...code.codings);
    text ||= code.text;
  }
  return codings.length === 0 ? undefined : reading.scope.map({ text, codings });
}
