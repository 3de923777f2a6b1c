/** What a schema allows at a path: its keys, and an example that its author gave. */
import type { z } from 'zod';
import type { Path } from './position.ts';

type Def = z.core.$ZodTypes['_zod']['def'];

export function allowedKeys(schema: z.ZodType, path: Path, input: unknown): string[] {
  return [...new Set(allowedForms(schema, path, input).flat())];
}

/** The keys of each mapping that may stand there. */
export function allowedForms(schema: z.ZodType, path: Path, input: unknown): string[][] {
  return schemasAt(schema, path, input).flatMap((inner) => {
    const def = defOf(inner);
    return def.type === 'object' ? [Object.keys(def.shape)] : [];
  });
}

/** The words of an enum, a literal, or the key that picks a branch of a union. */
export function allowedWords(schema: z.ZodType, path: Path, input: unknown): string[] {
  const found = new Set<string>();
  for (const inner of schemasAt(schema, path, input)) {
    const def = defOf(inner);
    if (def.type === 'enum') for (const word of Object.values(def.entries)) found.add(String(word));
    if (def.type === 'literal') for (const word of def.values) found.add(String(word));
  }
  return [...found];
}

/** The first of `.meta({ examples: […] })` on the way to the schema at the path. */
export function exampleAt(schema: z.ZodType, path: Path, input: unknown): string | undefined {
  for (const inner of schemasAt(schema, path, input, true)) {
    const [example] = ((inner as z.ZodType).meta?.()?.examples as unknown[] | undefined) ?? [];
    if (example !== undefined) return typeof example === 'string' ? example : JSON.stringify(example);
  }
  return undefined;
}

/** Does `.meta({ secret: true })` stand at the path: is what a person wrote there never to be shown? */
export function isSecretAt(schema: z.ZodType, path: Path, input: unknown): boolean {
  return schemasAt(schema, path, input, true).some((inner) => (inner as z.ZodType).meta?.()?.secret === true);
}

/** Would this value be taken at the path? */
export function fitsAt(schema: z.ZodType, path: Path, input: unknown, value: unknown): boolean {
  return schemasAt(schema, path, input).some((inner) => (inner as z.ZodType).safeParse(value).success);
}

/** What is wrong with this value at the path, in the words of `error`; undefined where it would be taken. */
export function objectionAt(
  schema: z.ZodType,
  path: Path,
  input: unknown,
  value: unknown,
  error: z.core.$ZodErrorMap,
): string | undefined {
  const found = schemasAt(schema, path, input).map((inner) =>
    (inner as z.ZodType).safeParse(value, { error }),
  );
  return found.some(({ success }) => success) ? undefined : found[0]?.error?.issues[0]?.message;
}

function schemasAt(schema: z.core.$ZodType, path: Path, input: unknown, wrappers = false): z.core.$ZodType[] {
  let level = open(schema, input, wrappers);
  let value = input;
  for (const step of path) {
    value =
      value !== null && typeof value === 'object'
        ? (value as Record<string | number, unknown>)[step]
        : undefined;
    level = level
      .flatMap((inner) => below(defOf(inner), step))
      .flatMap((inner) => open(inner, value, wrappers));
  }
  return level;
}

function below(def: Def, step: string | number): z.core.$ZodType[] {
  if (def.type === 'object') {
    const inner = Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
    return inner === undefined ? [] : [inner];
  }
  if (def.type === 'record') return [def.valueType];
  if (def.type === 'array') return [def.element];
  return [];
}

/** Looks through optional, default, pipe, lazy and union, to the schemas that say something of their own. */
function open(schema: z.core.$ZodType, value: unknown, wrappers: boolean): z.core.$ZodType[] {
  const inner = unwrap(defOf(schema), value);
  if (inner === undefined) return [schema];
  const opened = inner.flatMap((one) => open(one, value, wrappers));
  return wrappers ? [schema, ...opened] : opened;
}

function unwrap(def: Def, value: unknown): z.core.$ZodType[] | undefined {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return [def.innerType];
    case 'pipe':
      return [def.in];
    case 'lazy':
      return [def.getter()];
    case 'intersection':
      return [def.left, def.right];
    case 'union':
      return chosen(def, value);
    default:
      return undefined;
  }
}

/** Of a discriminated union only the branch that the document names. */
function chosen(def: Extract<Def, { type: 'union' }>, value: unknown): z.core.$ZodType[] {
  const options = [...def.options] as z.core.$ZodType[];
  const discriminator = (def as { discriminator?: string }).discriminator;
  if (discriminator === undefined || value === null || typeof value !== 'object') return options;
  const word = (value as Record<string, unknown>)[discriminator];
  const named = options.filter((option) => option._zod.propValues?.[discriminator]?.has(word as string));
  return named.length > 0 ? named : options;
}

function defOf(schema: z.core.$ZodType): Def {
  return schema._zod.def as Def;
}
