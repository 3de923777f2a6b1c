/** Slips that YAML takes for something else: what was meant, as the hint of a problem. */
import { nearest } from './nearest.ts';
import type { Path } from './position.ts';

/** YAML takes a colon without a blank behind it as a part of the word, and knows no blanks but its own. */
const glued = /^([A-Za-z_][\w.-]*):([\u00a0\u2000-\u200b\u3000]*)(\S.*)?$/s;

/** `listen:mllp`: the key that was meant, where there may be one; undefined where no blank is missing. */
export function gluedKey(
  text: string,
  allowed: readonly string[],
): { key: string; hint: string } | undefined {
  const [, word, blanks, value = ''] = glued.exec(text) ?? [];
  if (word === undefined || value.startsWith('//')) return undefined;
  const key = allowed.includes(word) ? word : allowed.length === 0 ? word : nearest(word, allowed);
  if (key === undefined) return undefined;
  const what =
    blanks === ''
      ? 'a blank is missing behind the colon'
      : 'what stands behind the colon is no blank of YAML';
  return { key, hint: `${what}; write "${key}: ${value === '' || value.length > 20 ? '…' : value}"` };
}

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  kb: 1_000,
  mb: 1_000_000,
  gb: 1_000_000_000,
};

/** `"5"` and `64KiB` in the place of a number. */
export function numberMeant(text: string, path: Path): string | undefined {
  const [, digits, unit] = /^(-?\d{1,12})\s*([kmg]?i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  if (unit === undefined) return `write it without quotes: ${digits}`;
  const bytes = Number(digits) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
  return /bytes/i.test(String(path.at(-1)))
    ? `write bytes, without a unit: ${bytes}`
    : 'write it without a unit';
}
