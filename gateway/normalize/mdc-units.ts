/**
 * Units of ISO/IEEE 11073-10101 (partition 4, MDC_DIM_…) in UCUM. A term is a base and a decimal factor: the low
 * five bits of its code, a prefix of its reference id (MDC_DIM_MILLI_G_PER_DL is 264256 + 18).
 */
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

/** Factor in the low five bits, prefix of the reference id, UCUM prefix. */
const factors: readonly (readonly [factor: number, name: string, ucum: string])[] = [
  [0, '', ''],
  [0, 'X_', ''],
  [2, 'HECTO_', 'h'],
  [3, 'KILO_', 'k'],
  [4, 'MEGA_', 'M'],
  [16, 'DECI_', 'd'],
  [17, 'CENTI_', 'c'],
  [18, 'MILLI_', 'm'],
  [19, 'MICRO_', 'u'],
  [20, 'NANO_', 'n'],
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

/** By numeric code or reference id; undefined: no unit that is known. */
export function mdcUnit(code: string): string | undefined {
  return byCode.get(code) ?? byName.get(code);
}

/** Every term and what it stands for (code 0: known by name only); a test holds them against the library. */
export const allMdcUnits: readonly (readonly [code: number, name: string, ucum: string])[] = all;
