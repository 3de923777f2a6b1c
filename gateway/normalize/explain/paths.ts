/**
 * The fields of a canonical event as paths in the words of its JSON form: `observations[0].value`.
 * What a default value says is that nothing was said, so it has no path.
 */

/** Text of a field's value as the event's JSON form has it. */
export type Leaves = Map<string, string>;

export function leavesOf(event: object): Leaves {
  const found: Leaves = new Map();
  visit('', event, found);
  return found;
}

/** Paths that the two do not have alike. */
export function differences(one: object, other: object): string[] {
  const found: string[] = [];
  compare('', one, other, found);
  return found;
}

function visit(path: string, value: unknown, found: Leaves): void {
  const text = textOf(value);
  if (text !== undefined) {
    if (text !== '') found.set(path, text);
  } else for (const [inner, child] of children(path, value)) visit(inner, child, found);
}

function compare(path: string, one: unknown, other: unknown, found: string[]): void {
  if (same(one, other)) return;
  const [text, otherText] = [textOf(one), textOf(other)];
  if (text !== undefined && otherText !== undefined) {
    if (text !== otherText) found.push(path);
    return;
  }
  const others = new Map(otherText === undefined ? children(path, other) : []);
  for (const [inner, child] of text === undefined ? children(path, one) : []) {
    compare(inner, child, others.get(inner), found);
    others.delete(inner);
  }
  for (const [inner, child] of others) compare(inner, undefined, child, found);
}

/** Quick, for all but one part of an event is mostly the same. False may still mean two defaults. */
function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let index = 0; index < one.length; index++) if (!same(one[index], other[index])) return false;
    return true;
  }
  if (one instanceof Uint8Array || Array.isArray(other)) return false;
  for (const key in one) if (!same(one[key as never], other[key as never])) return false;
  for (const key in other) if (!(key in one)) return false;
  return true;
}

function children(path: string, value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [`${path}[${index}]`, item]);
  return Object.entries(value as object).map(([key, item]) => [path === '' ? key : `${path}.${key}`, item]);
}

/** Undefined for what has fields of its own; empty for a default. */
function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
      return value === 0 || value === 0n ? '' : String(value);
    case 'boolean':
      return value ? 'true' : '';
    case 'object':
      if (value === null) return '';
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : undefined;
    default:
      return '';
  }
}
