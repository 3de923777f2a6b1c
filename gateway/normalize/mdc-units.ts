/**
 * Units of ISO/IEEE 11073-10101 (partition 4, MDC_DIM_…) in UCUM. A term is a base and a decimal factor: the low
 * five bits of its code, a prefix of its reference id (MDC_DIM_MILLI_G_PER_DL is 264256 + 18). Terms whose number does
 * not stand here are known by their name (mdc-unit-names.ts).
 */
import { namedUnit, prefixes } from './mdc-unit-names.ts';

const partition = 4 << 16;

/** Offset in the partition (0: not known by number), name without MDC_DIM_ and prefix, UCUM, takes a prefix. */
const bases: readonly (readonly [offset: number, name: string, ucum: string, prefixed: boolean])[] = [
  [512, 'DIMLESS', '1', false],
  [544, 'PERCENT', '%', false],
  [736, 'ANG_DEG', 'deg', false],
  [1280, 'M', 'm', true],
  [1344, 'FOOT', '[ft_i]', false],
  [1376, 'INCH', '[in_i]', false],
  [1600, 'L', 'L', true],
  [1728, 'G', 'g', true],
  [1760, 'LB', '[lb_av]', false],
  [1952, 'KG_PER_M_SQ', 'kg/m2', false],
  [2112, 'G_PER_DL', 'g/dL', true],
  [2144, 'G_PER_ML', 'g/mL', true],
  [2176, 'SEC', 's', true],
  [2208, 'MIN', 'min', false],
  [2240, 'HR', 'h', false],
  [2272, 'DAY', 'd', false],
  [2368, 'YR', 'a', false],
  [2720, 'BEAT_PER_MIN', '/min', false],
  [2752, 'PULS_PER_MIN', '/min', false],
  [2784, 'RESP_PER_MIN', '/min', false],
  [3072, 'L_PER_MIN', 'L/min', true],
  [3104, 'L_PER_HR', 'L/h', true],
  [3456, 'G_PER_KG_PER_MIN', 'g/kg/min', true],
  [3840, 'PASCAL', 'Pa', true],
  [3872, 'MMHG', 'mm[Hg]', false],
  [3904, 'CM_H2O', 'cm[H2O]', false],
  [3968, 'JOULES', 'J', true],
  [4032, 'WATT', 'W', true],
  [4256, 'VOLT', 'V', true],
  [4416, 'FAHR', '[degF]', false],
  [4704, 'MOLE_PER_L', 'mol/L', true],
  [5888, 'L_PER_CM_H2O', 'L/cm[H2O]', true],
  [5920, 'CM_H2O_PER_L_PER_SEC', 'cm[H2O]/L/s', false],
  [6048, 'DEGC', 'Cel', false],
  [6784, 'CAL', 'cal', true],
  [0, 'HZ', 'Hz', true],
  [0, 'PER_MIN', '/min', false],
  [0, 'PER_SEC', '/s', false],
  [0, 'L_PER_SEC', 'L/s', true],
  [0, 'L_PER_MIN_PER_M_SQ', 'L/min/m2', true],
  [0, 'G_PER_L', 'g/L', true],
];

const factors: readonly (readonly [factor: number, name: string, ucum: string])[] = [
  [0, '', ''],
  [0, 'X_', ''],
  ...prefixes.map(([factor, name, symbol]) => [factor, `${name}_`, symbol] as const),
];

const byCode = new Map<string, string>();
const byName = new Map<string, string>();
const all: [code: number, name: string, ucum: string][] = [];
for (const [offset, name, ucum, prefixed] of bases) {
  for (const [factor, prefix, symbol] of factors) {
    if (factor !== 0 && !prefixed) continue;
    const code = offset === 0 ? 0 : partition + offset + factor;
    all.push([code, `MDC_DIM_${prefix}${name}`, symbol + ucum]);
    if (code !== 0) byCode.set(String(code), symbol + ucum);
    byName.set(`MDC_DIM_${prefix}${name}`, symbol + ucum);
  }
}

/**
 * By its number, else by its reference id; senders swap the two, and write 0 for a number that they do not know.
 * Undefined: no unit that is known, or a number and a name that are two units.
 */
export function mdcUnit(code: string, name = ''): string | undefined {
  const [one, other] = [termUnit(code), termUnit(name)];
  return one !== undefined && other !== undefined && one !== other ? undefined : (one ?? other);
}

/** Its number and its name are two units. */
export function contradicts(code: string, name: string): boolean {
  const [one, other] = [termUnit(code), termUnit(name)];
  return one !== undefined && other !== undefined && one !== other;
}

const named = new Map<string, string | undefined>();
const namedMax = 1_000;

function termUnit(term: string): string | undefined {
  const known = byCode.get(term) ?? byName.get(term);
  if (known !== undefined || !term.startsWith('MDC_DIM_')) return known;
  if (named.has(term)) return named.get(term);
  if (named.size >= namedMax) named.clear();
  const found = namedUnit(term);
  named.set(term, found);
  return found;
}

/** Every term and what it stands for (code 0: known by name only); a test holds them against the library. */
export const allMdcUnits: readonly (readonly [code: number, name: string, ucum: string])[] = all;
