/**
 * LOINC's check digit: the figure behind the dash follows from those before it, so that one digit that is wrong, or
 * two that were swapped, give a code that is none. [LOINC Users' Guide, check digit: Mod 10]
 */
import { loincSystem } from '../code-systems.ts';
import { nearest } from './nearest.ts';
import type { Path } from './position.ts';
import { pathText } from './position.ts';
import type { Config } from './schema.ts';

/** The code with the check digit that its number has; undefined where it has that one, or is not of this form. */
export function rightLoinc(code: string): string | undefined {
  const [, number = '', digit] = /^(\d{1,7})-(\d)$/.exec(code) ?? [];
  if (digit === undefined) return undefined;
  let sum = 0;
  for (const [at, figure] of [...number].reverse().entries()) {
    const value = Number(figure) * (at % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  const right = (10 - (sum % 10)) % 10;
  return Number(digit) === right ? undefined : `${number}-${right}`;
}

/** A config's LOINC codes that are none, and systems that are nearly LOINC's, as sentences. The config has been checked. */
export function loincWarnings(config: Config): string[] {
  return [
    ...[...codesIn(config, [])].flatMap(([path, code]) => {
      const right = rightLoinc(code);
      const none = `${pathText(path)}: ${code} is no LOINC code`;
      if (right !== undefined) return [`${none}; with the number before the dash it would be ${right}.`];
      return isLoincForm.test(code)
        ? []
        : [`${none}: one is a number, a dash and its check digit, as 2345-7.`];
    }),
    ...[...systemsIn(config, [])].flatMap(([path, system]) =>
      isNearly(system)
        ? [`${pathText(path)}: ${system} is not the system of LOINC, which is ${loincSystem}.`]
        : [],
    ),
  ];
}

/** Of a term, a part, an answer, a list of answers or a group. */
const isLoincForm = /^(?:\d{1,7}|L[APLG]\d{1,7})-\d$/;

function isNearly(system: string): boolean {
  if (system === loincSystem) return false;
  const [, host = ''] = /^(?:https?:\/\/)?(?:www\.)?([^/:]+)\/?$/i.exec(system) ?? [];
  return nearest(host, ['loinc.org']) !== undefined;
}

function* systemsIn(value: unknown, path: Path): Generator<[Path, string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of membersOf(value)) {
    if ((name === 'system' || name === 'to') && typeof inner === 'string') yield [[...path, name], inner];
    yield* systemsIn(inner, [...path, name]);
  }
}

/** Whatever has a system and a code, and what a code table gives. */
function* codesIn(value: unknown, path: Path): Generator<[Path, string]> {
  if (typeof value !== 'object' || value === null) return;
  const { system, code, to, map } = value as Record<string, unknown>;
  if (system === loincSystem && typeof code === 'string') yield [[...path, 'code'], code];
  if (to === loincSystem && typeof map === 'object' && map !== null) {
    for (const [sent, { code: mapped }] of Object.entries(map as Record<string, { code: string }>))
      yield [[...path, 'map', sent], mapped];
  }
  for (const [name, inner] of membersOf(value)) yield* codesIn(inner, [...path, name]);
}

/** An entry of a list by its number, as a path has it. */
function membersOf(value: object): [string | number, unknown][] {
  return Array.isArray(value) ? [...value.entries()] : Object.entries(value);
}
