/** One item of a payload as the paths of its template see it; all that is read is metered. */
import type { PayloadPredicate, PayloadReader } from '../../../proto/config/cel-payload.ts';
import type { JsonPath } from '../../../proto/config/json-path.ts';
import { knownWord, knownWords } from '../known-word.ts';
import type { NormalizeContext } from '../outcome.ts';
import type { Json } from './json.ts';
import { Scope, scalar } from './scope.ts';
import { type Meter, type Place, select } from './select.ts';
import type { ObservationTemplate, Paths, WordFrom } from './template.ts';

// What stands there was meant to be something: a unit, a flag, a patient.
const memberRemark = 'an object or a list where a path of the template expects a value';

export class Reading {
  readonly scope: Scope;
  readonly place: Place;
  readonly #meter: Meter;
  readonly #count: (text: string) => void;

  constructor(
    place: Place,
    context: NormalizeContext,
    meter: Meter,
    count: (text: string) => void,
    scope?: Scope,
  ) {
    this.place = place;
    this.scope = scope ?? new Scope(context);
    this.#meter = meter;
    this.#count = count;
  }

  /** The same template, one value deeper. */
  within(item: Json): Reading {
    return new Reading({ ...this.place, item }, this.scope.context, this.#meter, this.#count, this.scope);
  }

  select(paths: Paths, counts: (value: Json) => boolean = () => true): Json[] {
    return this.#scalars(paths, (path) => select(path, this.place, this.#meter), counts);
  }

  #scalars(paths: Paths, find: (path: JsonPath) => Json[], counts: (value: Json) => boolean): Json[] {
    let members = false;
    for (const path of paths) {
      const all = find(path);
      const found = all.filter((value) => (scalar(value) ?? '') !== '' && counts(value));
      if (found.length > 0) return found;
      members ||= all.some((value) =>
        value instanceof Map ? value.size > 0 : Array.isArray(value) && value.length > 0,
      );
    }
    if (members) this.scope.remark(memberRemark);
    return [];
  }

  /** True where what the paths find has members. */
  findsMembers(paths: Paths): boolean {
    return paths.some((path) =>
      select(path, this.place, this.#meter).some((value) => value instanceof Map || Array.isArray(value)),
    );
  }

  items(template: { each: ObservationTemplate['each'] }): Reading[] {
    if (template.each === undefined) return [this];
    return select(template.each, this.place, this.#meter).map((item) => this.within(item));
  }

  texts(paths: Paths, counts: (value: Json) => boolean = () => true): string[] {
    return this.select(paths).flatMap((value) => {
      if (!counts(value)) return [];
      const text = scalar(value) ?? '';
      this.#count(text);
      return text;
    });
  }

  /** What does not count is passed over, as if it were not there. */
  text(paths: Paths, counts?: (value: Json) => boolean): string {
    const text = scalar(this.select(paths, counts)[0]) ?? '';
    this.#count(text);
    return text;
  }

  word(from: WordFrom | undefined, words: ReadonlySet<string>, what: string): string {
    if (from === undefined) return '';
    if (from.is !== '') return from.is;
    const sent = this.text(from.from);
    if (sent === '') return '';
    const known = knownWord(words, from.words.get(sent) ?? sent);
    if (known === undefined) this.scope.remark(`${what}: not a known word`);
    return known ?? '';
  }

  /** Several words beside each other, or a list of them. */
  wordList(from: WordFrom | undefined, words: ReadonlySet<string>, what: string): string {
    if (from === undefined) return '';
    if (from.is !== '') return from.is;
    const lists = (path: JsonPath): Json[] =>
      select(path, this.place, this.#meter).flatMap((value) => {
        if (!Array.isArray(value)) return value;
        if (value.some((one) => one !== null && scalar(one) === undefined)) this.scope.remark(memberRemark);
        return value;
      });
    const sent = this.#scalars(from.from, lists, () => true).map((value) => scalar(value) ?? '');
    const known = knownWords(words, sent, (word) => from.words.get(word));
    if (known.strange) this.scope.remark(`${what}: not a known word`);
    return known.words.join(' ');
  }

  /** `failed` is told of one that could not be worked out, and so does not hold. */
  holds(predicate: PayloadPredicate, failed: () => void): boolean {
    const reader: PayloadReader = {
      topic: this.place.topic,
      text: (path) => scalar(select(path, this.place, this.#meter)[0]) ?? '',
      present: (path) => select(path, this.place, this.#meter).length > 0,
    };
    const holds = predicate.test(reader, failed);
    // A predicate that fails does not hold; one that ran the meter dry is not to be swallowed.
    this.#meter.look();
    return holds;
  }
}
