/**
 * What the reference id of an MDC unit says by its grammar [ISO/IEEE 11073-10101]: factors one after the other, each a
 * base with a decimal prefix and a power, and the divisors behind PER.
 *
 *   MICRO_G _PER_ KG _PER_ MIN   ug/kg/min
 *   DYNE_SEC _PER_ CM_5          dyn.s/cm5
 *
 * A name with any other word in it is no unit that is known, and neither is what UCUM's library does not take.
 */
import { isUcum } from '../../proto/units/ucum.ts';
import { lookup } from './lookup.ts';

const bases: Record<string, string> = lookup({
  G: 'g',
  KG: 'kg',
  LB: '[lb_av]',
  L: 'L',
  DL: 'dL',
  ML: 'mL',
  M: 'm',
  CM: 'cm',
  MM: 'mm',
  SEC: 's',
  MIN: 'min',
  HR: 'h',
  DAY: 'd',
  WEEK: 'wk',
  YR: 'a',
  MOLE: 'mol',
  EQUIV: 'eq',
  OSM: 'osm',
  INTL_UNIT: '[IU]',
  VOLT: 'V',
  AMPS: 'A',
  OHM: 'Ohm',
  WATT: 'W',
  JOULES: 'J',
  NEWTON: 'N',
  DYNE: 'dyn',
  PASCAL: 'Pa',
  BAR: 'bar',
  MMHG: 'mm[Hg]',
  CM_H2O: 'cm[H2O]',
  CAL: 'cal',
  HZ: 'Hz',
  KELVIN: 'K',
});

/** The low five bits of a code, the word of the reference id, UCUM's prefix. */
export const prefixes: readonly (readonly [factor: number, name: string, ucum: string])[] = [
  [2, 'HECTO', 'h'],
  [3, 'KILO', 'k'],
  [4, 'MEGA', 'M'],
  [16, 'DECI', 'd'],
  [17, 'CENTI', 'c'],
  [18, 'MILLI', 'm'],
  [19, 'MICRO', 'u'],
  [20, 'NANO', 'n'],
  [21, 'PICO', 'p'],
  [22, 'FEMTO', 'f'],
];
const symbols: Record<string, string> = lookup(
  Object.fromEntries(prefixes.map(([, name, symbol]) => [name, symbol])),
);
const powers: Record<string, string> = lookup({ SQ: '2', CUBE: '3', CUBED: '3', 3: '3', 5: '5' });

/** UCUM; undefined where the name says no unit that is known. */
export function namedUnit(name: string): string | undefined {
  const body = /^MDC_DIM_(?:X_)?([A-Z0-9_]{1,60})$/.exec(name)?.[1];
  if (body === undefined) return undefined;
  const [above = '', ...below] = `_${body}`.split('_PER_');
  // Of a force by area and power nobody can tell from the name which of them divides.
  if (below.length > 1 && body.includes('DYNE')) return undefined;
  const numerator = above === '' ? '' : product(above.slice(1));
  const divisors = below.map(product);
  if (numerator === undefined || divisors.includes(undefined)) return undefined;
  // A product divides as a whole only in parentheses.
  const unit = [numerator, ...divisors.map((one) => (one?.includes('.') ? `(${one})` : one))].join('/');
  return isUcum(unit) ? unit : undefined;
}

function product(text: string): string | undefined {
  const words = text.split('_');
  const found: string[] = [];
  for (let at = 0; at < words.length; ) {
    const symbol = symbols[words[at] ?? ''];
    if (symbol !== undefined) at += 1;
    const two = bases[`${words[at]}_${words[at + 1]}`];
    const base = two ?? bases[words[at] ?? ''];
    if (base === undefined) return undefined;
    at += two === undefined ? 1 : 2;
    const power = powers[words[at] ?? ''];
    if (power !== undefined) at += 1;
    found.push(`${symbol ?? ''}${base}${power ?? ''}`);
  }
  return found.join('.');
}
