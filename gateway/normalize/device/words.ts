/** Words of device JSON (flags, states, priorities): a text or a number, an object around one, or a list of those. */
import { knownWord } from '../known-word.ts';
import type { Json, JsonObject } from './json.ts';
import { type Scope, scalar } from './scope.ts';

/** What is said and is no word leaves a remark. */
export function wordsOf(value: Json | undefined, where: string, scope: Scope): string[] {
  if (value === undefined || value === null || value === false || value === '') return [];
  if (Array.isArray(value)) return value.flatMap((one) => wordsOf(one, where, scope));
  const word = value instanceof Map ? within(value) : value === true ? undefined : scalar(value);
  if (word !== undefined) return [word];
  scope.remark(`${where}: not a word`);
  return [];
}

/** The one word of a set, in small letters; empty with a remark where it is another, or where there are several. */
export function wordIn(
  words: ReadonlySet<string>,
  value: Json | undefined,
  where: string,
  scope: Scope,
): string {
  const said = [...new Set(wordsOf(value, where, scope).map((word) => word.trim().toLowerCase()))];
  if (said.length > 1) scope.remark(`${where}: more than one word`);
  const [word] = said;
  if (word === undefined || word === '' || said.length > 1) return '';
  const known = knownWord(words, word);
  if (known === undefined) scope.remark(`${where}: not a known word`);
  return known ?? '';
}

/** {code}, {value}, {text}, and FHIR's {coding: [{code}]}. */
function within(object: JsonObject): string | undefined {
  const coding = object.get('coding');
  const [first] = Array.isArray(coding) ? coding : [];
  for (const fields of [object, first]) {
    if (!(fields instanceof Map)) continue;
    for (const name of ['code', 'value', 'text']) {
      const value = fields.get(name);
      const word = typeof value === 'boolean' ? undefined : scalar(value);
      if (word !== undefined && word !== '') return word;
    }
  }
  return undefined;
}
