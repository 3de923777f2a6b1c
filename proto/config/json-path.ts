/**
 * Paths into a JSON payload: a bounded part of JSONPath [RFC 9535].
 *
 *   $.Body.deviceId           from the payload's root
 *   @.heartRate               from the item that a template is reading (the same as $ where it reads the whole)
 *   $.readings[*]   $..hr     every entry; every `hr` at any depth
 *   $.values[?@.name == "hr" && @.value].value    entries that fulfil a condition
 *   $['odd name'][-1]         any name in quotes; from the end
 *   topic[2]                  a level of the MQTT topic, from 0
 *
 * Conditions look at names and positions only (no path within a condition looks around), so that a step costs
 * what it visits and nothing more. Functions, slices and unions of RFC 9535 are not spoken.
 */
export type JsonPath =
  | { readonly root: 'payload' | 'item'; readonly steps: readonly Step[] }
  | { readonly root: 'topic'; readonly level: number };

export interface Step {
  /** `..`: of the value itself and of everything below it. */
  readonly deep: boolean;
  readonly pick:
    | { readonly by: 'name'; readonly name: string }
    | { readonly by: 'index'; readonly index: number }
    | { readonly by: 'all' }
    | { readonly by: 'condition'; readonly condition: Condition };
}

export type Condition =
  | { readonly is: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly is: 'not'; readonly of: Condition }
  /** There is such a value. */
  | { readonly is: 'present'; readonly steps: readonly Step[] }
  | { readonly is: 'equal' | 'unequal'; readonly steps: readonly Step[]; readonly literal: Literal };

export type Literal = string | number | boolean | null;

export interface PathProblem {
  message: string;
  hint: string;
  /** Into the path, UTF-16 units. */
  offset: number;
}

const pathLimits = { charactersMax: 256, stepsMax: 16, conditionsMax: 16, nestingMax: 4 } as const;

export type PathResult = { path: JsonPath; problem?: never } | { problem: PathProblem };

export function parsePath(text: string): PathResult {
  if (text.length > pathLimits.charactersMax) {
    return {
      problem: {
        message: `longer than ${pathLimits.charactersMax} characters`,
        hint: 'shorten it',
        offset: 0,
      },
    };
  }
  try {
    return { path: new Reader(text).path() };
  } catch (error) {
    if (error instanceof Refused) return { problem: error.problem };
    throw error;
  }
}

/** For a config that has been checked: a path that cannot be read is a broken invariant. */
export function mustParsePath(text: string): JsonPath {
  const { path, problem } = parsePath(text) as { path?: JsonPath; problem?: PathProblem };
  if (path === undefined) throw new Error(`${text}: ${problem?.message}`);
  return path;
}

class Refused extends Error {
  readonly problem: PathProblem;

  constructor(problem: PathProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const WHOLE = /-?(?:0|[1-9]\d{0,8})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #conditions = 0;

  constructor(text: string) {
    this.#text = text;
  }

  path(): JsonPath {
    if (this.#text === '') this.#refuse('the path is empty', 'for example: $.deviceId');
    if (this.#eats('topic[')) {
      const index = this.#match(WHOLE);
      if (index === undefined || index.startsWith('-'))
        this.#refuse('a level is expected', 'topic[0] is the first');
      if (!this.#eats(']')) this.#refuse('a ] is missing here', 'add ]');
      this.#end();
      return { root: 'topic', level: Number(index) };
    }
    const root = this.#eats('$') ? 'payload' : this.#eats('@') ? 'item' : undefined;
    if (root === undefined) {
      const hint = 'begin with $. (the payload), @. (the item) or topic[ (a level of the topic)';
      this.#refuse('this is not a path', hint);
    }
    const steps = this.#steps(true);
    this.#end();
    return { root, steps };
  }

  #steps(whole: boolean): Step[] {
    const steps: Step[] = [];
    for (;;) {
      const from = this.#at;
      const step = this.#step();
      if (step === undefined) return steps;
      if (!whole && (step.deep || step.pick.by === 'all' || step.pick.by === 'condition')) {
        this.#at = from;
        this.#refuse('a condition looks at names and positions only', 'write @.name or @[0]');
      }
      steps.push(step);
      if (steps.length > pathLimits.stepsMax) {
        this.#refuse(`more than ${pathLimits.stepsMax} steps`, 'shorten the path');
      }
    }
  }

  #step(): Step | undefined {
    const deep = this.#eats('..');
    if (this.#eats('[')) {
      const pick = this.#bracket();
      this.#space();
      if (!this.#eats(']')) this.#refuse('a ] is missing here', 'add ]');
      return { deep, pick };
    }
    if (!deep && !this.#eats('.')) return undefined;
    if (this.#eats('*')) return { deep, pick: { by: 'all' } };
    const name = this.#match(NAME);
    if (name === undefined)
      this.#refuse('a name is expected here', "put other names in quotes: ['odd name']");
    return { deep, pick: { by: 'name', name } };
  }

  #bracket(): Step['pick'] {
    this.#space();
    if (this.#eats('*')) return { by: 'all' };
    if (this.#eats('?')) return { by: 'condition', condition: this.#any(0) };
    const quoted = this.#quoted();
    if (quoted !== undefined) {
      this.#space();
      if (this.#peeks(',')) this.#several();
      return { by: 'name', name: quoted };
    }
    const index = this.#match(WHOLE);
    this.#space();
    if (this.#peeks(':')) this.#refuse('slices are not taken', 'write [*] for all of them, or [0] for one');
    if (this.#peeks(',')) this.#several();
    if (index === undefined)
      this.#refuse('this is not understood in [ ]', "write [0], [*], ['name'] or [?@.name]");
    return { by: 'index', index: Number(index) };
  }

  #several(): never {
    const hint = 'write [*] and a condition, or a list of paths where one may stand';
    this.#refuse('several entries in one [ ] are not taken', hint);
  }

  #any(nesting: number): Condition {
    return this.#chain('||', 'any', () => this.#chain('&&', 'all', () => this.#condition(nesting)));
  }

  #chain(sign: string, is: 'any' | 'all', next: () => Condition): Condition {
    const of = [next()];
    for (this.#space(); this.#eats(sign); this.#space()) of.push(next());
    return of.length === 1 ? (of[0] as Condition) : { is, of };
  }

  #condition(nesting: number): Condition {
    this.#space();
    if (nesting > pathLimits.nestingMax) this.#refuse('nested too deep', 'write a simpler condition');
    if (++this.#conditions > pathLimits.conditionsMax) {
      this.#refuse(`more than ${pathLimits.conditionsMax} conditions`, 'split the template in two');
    }
    if (this.#eats('(')) {
      const inner = this.#any(nesting + 1);
      this.#space();
      if (!this.#eats(')')) this.#refuse('a ) is missing here', 'add )');
      return inner;
    }
    if (this.#peeks('!') && !this.#peeks('!=')) {
      this.#at += 1;
      return { is: 'not', of: this.#condition(nesting + 1) };
    }
    if (!this.#eats('@')) this.#refuse('a condition begins with @', 'for example: [?@.type == "hr"]');
    const steps = this.#steps(false);
    this.#space();
    const equal = this.#eats('==');
    if (!equal && !this.#eats('!=')) {
      this.#otherOperator();
      return { is: 'present', steps };
    }
    this.#space();
    return { is: equal ? 'equal' : 'unequal', steps, literal: this.#literal() };
  }

  #otherOperator(): void {
    if (this.#peeks('=~')) {
      const hint = 'a condition of a path knows == and !=, and &&, || and ! between them';
      this.#refuse('regular expressions are not taken', hint);
    }
    if (this.#peeks('<') || this.#peeks('>')) {
      const hint = 'compare numbers in `when`: double(text("@.name")) > 1.0';
      this.#refuse('a condition of a path knows == and != only', hint);
    }
    if (this.#peeks('=')) this.#refuse('a single = compares nothing', 'write ==');
  }

  #literal(): Literal {
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.#eats(word)) return value;
    }
    const number = this.#match(NUMBER);
    if (number === undefined)
      this.#refuse('a text, a number, true, false or null is expected', 'put text in quotes');
    return Number(number);
  }

  #quoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return undefined;
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) this.#refuse('a quote is not closed', `add ${quote}`);
    const inside = this.#text.slice(this.#at + 1, end);
    if (inside.includes('\\')) this.#refuse('there are no escapes here', 'use the other quote around it');
    this.#at = end + 1;
    return inside;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #peeks(sign: string): boolean {
    return this.#text.startsWith(sign, this.#at);
  }

  #eats(sign: string): boolean {
    if (!this.#peeks(sign)) return false;
    this.#at += sign.length;
    return true;
  }

  #space(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }

  #end(): void {
    if (this.#at < this.#text.length)
      this.#refuse('this is not expected here', 'a step is .name, [0], [*] or ..name');
  }

  #refuse(message: string, hint: string): never {
    throw new Refused({ message, hint, offset: Math.min(this.#at, Math.max(0, this.#text.length - 1)) });
  }
}
