/** Slips that YAML takes for something else: what was meant, as the hint of a problem. */
import { nearest } from './nearest.ts';
import type { Path } from './position.ts';
import { parseSize } from './size.ts';

/** YAML takes a colon without a blank behind it as a part of the word, and knows no blanks but its own. */
const glued = /^([A-Za-z_][\w.-]*):([\u00a0\u2000-\u200b\u3000]*)(?!\/\/)/;

/** `listen:mllp`: undefined where no blank is missing. What stands behind the colon is not shown: it may be a secret. */
export function gluedKey(
  text: string,
  allowed: readonly string[],
): { key: string; message: string; hint: string } | undefined {
  const [, word, blanks] = glued.exec(text) ?? [];
  if (word === undefined) return undefined;
  const key = allowed.includes(word) || allowed.length === 0 ? word : nearest(word, allowed);
  if (key === undefined) return undefined;
  const message =
    blanks === ''
      ? 'a blank is missing behind the colon'
      : 'what stands behind the colon is no blank of YAML';
  return { key, message, hint: `write "${key}: …"` };
}

/** `molecularWeight: 180,156` inside { } is two keys, the second without a value. */
export function decimalComma(key: string, around: unknown): string | undefined {
  if (!/^\d+$/.test(key) || around === null || typeof around !== 'object') return undefined;
  if ((around as Record<string, unknown>)[key] !== null) return undefined;
  const number = Object.values(around).find((value) => Number.isInteger(value));
  return number === undefined ? undefined : `a number has a point, no comma: ${number}.${key}`;
}

/**
 * `"5"` and `64KiB` in the place of a number.
 * @param objection to a number there, as in `must be at most 1024`; undefined where it would be taken
 */
export function numberMeant(
  text: string,
  path: Path,
  objection: (value: number) => string | undefined,
): string | undefined {
  const write = (how: string, value: number) => {
    const wrong = objection(value);
    return wrong === undefined ? `write ${how}: ${value}` : `write ${how}; it ${wrong}`;
  };
  if (/^-?\d{1,12}(?:\.\d{1,12})?$/.test(text)) return write('it without quotes', Number(text));
  if (/^\d{1,3}(?:[_' ]\d{3})+$/.test(text)) return write('it in one piece', Number(text.replace(/\D/g, '')));
  const bytes = parseSize(text);
  if (bytes === undefined) return undefined;
  return /bytes/i.test(String(path.at(-1)))
    ? write('bytes, without a unit', bytes)
    : 'write it without a unit';
}
