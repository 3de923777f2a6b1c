/**
 * How units are written by those who do not write UCUM → UCUM. Spellings of analyzers,
 * EHRs, ISO 2955 and ISO+; the unit codes of devices (MDC) are in mdc-units.ts.
 *
 * A spelling stands here only if it has one reading in a hospital. `G/L` has two (giga in France,
 * gram where everything is in capitals), so it has none here: a config decides.
 */

/** Looked up as written first, then (two characters or more) without regard to case. */
const spellings: readonly (readonly [ucum: string, ...written: string[]])[] = [
  // mass per volume
  ['mg/dL', 'mg/dl', 'mg%', 'mg/100mL', 'mg/100ml'],
  ['g/dL', 'g/dl', 'gm/dL', 'gms/dL', 'g%', 'gm%', 'g/100mL'],
  ['ug/dL', 'mcg/dL', 'µg/dL', 'μg/dL'],
  ['mg/L'],
  ['ug/L', 'mcg/L', 'µg/L', 'μg/L'],
  ['ng/L'],
  ['ug/mL', 'mcg/mL', 'µg/mL', 'μg/mL'],
  ['ng/mL', 'ng/ml'],
  ['ng/dL'],
  ['pg/mL', 'pg/ml'],
  ['mg/mL'],
  ['ug/g', 'mcg/g', 'µg/g'],
  ['mg/kg'],
  ['ug/mL{FEU}', 'mcg/mL FEU', 'ug/mL FEU', 'µg/mL FEU'],
  ['mg/L{FEU}', 'mg/L FEU'],
  ['ng/mL{FEU}', 'ng/mL FEU'],
  // amount of substance
  ['mmol/L', 'mmol/l', 'mM/L', 'mmoles/L'],
  ['umol/L', 'µmol/L', 'μmol/L', 'mcmol/L', 'micromol/L'],
  ['nmol/L'],
  ['pmol/L'],
  ['mmol/mol'],
  ['meq/L', 'mEq/L', 'mval/L'],
  ['mosm/kg', 'mOsm/kg', 'mOsmol/kg', 'mOsm/kg H2O'],
  ['mosm/L', 'mOsm/L', 'mOsmol/L'],
  // counts
  [
    '10*3/uL',
    'K/uL',
    'K/µL',
    'K/mcL',
    'K/mm3',
    'k/cumm',
    'x10E3/uL',
    'x10(3)/uL',
    'x10^3/uL',
    '10^3/uL',
    '10E3/uL',
    'E^3/uL',
  ],
  [
    '10*3/uL',
    '10e3/uL',
    'x10*3/uL',
    'Thousand/uL',
    'Thous/uL',
    'Th/uL',
    '1000/uL',
    'x1000/uL',
    '10(3)/mcL',
    '10*3/mcL',
  ],
  [
    '10*6/uL',
    'M/uL',
    'M/µL',
    'M/mcL',
    'M/mm3',
    'mil/uL',
    'x10E6/uL',
    'x10(6)/uL',
    'x10^6/uL',
    '10^6/uL',
    '10E6/uL',
    'E^6/uL',
  ],
  ['10*3/mm3', '10^3/mm3', 'x10^3/mm3', '10E3/mm3', 'x10E3/mm3', 'x10(3)/mm3'],
  ['10*6/mm3', '10^6/mm3', 'x10^6/mm3', '10E6/mm3', 'x10E6/mm3', 'x10(6)/mm3'],
  ['10*6/uL', 'Million/uL', 'Mill/uL', 'x10*6/uL', '10*6/mcL', '10(6)/mcL'],
  [
    '10*9/L',
    '10^9/L',
    '10E9/L',
    'x10^9/L',
    'x10E9/L',
    'x10(9)/L',
    'x10*9/L',
    '10(9)/L',
    'giga/L',
    'giga.l-1',
    'Gpt/L',
    'E^9/L',
  ],
  [
    '10*12/L',
    '10^12/L',
    '10E12/L',
    'x10^12/L',
    'x10E12/L',
    'x10(12)/L',
    'x10*12/L',
    'T/L',
    'tera/L',
    'tera.l-1',
    'Tpt/L',
    'E^12/L',
  ],
  ['/uL', '1/uL', 'cells/uL', 'cells/mcL', 'cell/uL', '/mcL', '/cumm', '/µL'],
  ['/nL', '1/nL'],
  ['/pL', '1/pL'],
  ['/mL', '1/mL'],
  ['/mm3', '1/mm3', 'cells/mm3'],
  ['{copies}/mL', 'copies/mL', 'cp/mL'],
  ['[CFU]/mL', 'CFU/mL', 'cfu/ml'],
  ['/[HPF]', '/HPF', 'per HPF', 'cells/HPF', '#/HPF'],
  ['/[LPF]', '/LPF', 'per LPF', '#/LPF'],
  ['/100{WBC}', '/100 WBC', '/100WBC', 'per 100 WBC'],
  // enzyme and arbitrary units
  ['U/L', 'Units/L', 'unit/L', 'U/l'],
  ['U/mL', 'Units/mL'],
  ['[IU]/L', 'IU/L', '[iU]/L'],
  ['[IU]/mL', 'IU/mL', '[iU]/mL'],
  ['k[IU]/L', 'kIU/L', 'KIU/L', 'kIU/l'],
  ['m[IU]/L', 'mIU/L', 'm[iU]/L'],
  ['m[IU]/mL', 'mIU/mL', 'm[iU]/mL'],
  ['u[IU]/mL', 'uIU/mL', 'µIU/mL', 'μIU/mL', 'mcIU/mL', 'u[iU]/mL'],
  ['ukat/L', 'µkat/L', 'μkat/L', 'mckat/L'],
  // volume, time and rates
  ['fL', 'fl', 'cubic microns', 'µm3'],
  ['pg'],
  ['mL', 'ml', 'cc', 'mls'],
  ['uL', 'mcL', 'µL', 'μL'],
  ['s', 'sec', 'secs', 'second', 'seconds'],
  ['min', 'mins', 'minute', 'minutes'],
  ['h', 'hr', 'hrs', 'hour', 'hours'],
  ['d', 'day', 'days'],
  ['wk', 'week', 'weeks', 'wks'],
  ['mo', 'month', 'months'],
  ['a', 'year', 'years', 'yr', 'yrs'],
  ['mm/h', 'mm/hr', 'mm/1h'],
  ['mL/min', 'ml/min', 'cc/min'],
  ['mL/h', 'mL/hr', 'ml/hr', 'cc/hr'],
  ['L/min', 'l/min', 'lpm'],
  ['L/min/m2', 'l/min/m2'],
  ['mL/min/{1.73_m2}', 'mL/min/1.73m2', 'mL/min/1.73 m2', 'mL/min/1.73m^2', 'mL/min/1.73', 'mL/min/1.73sqm'],
  ['mg/(24.h)', 'mg/24h', 'mg/24hr', 'mg/24 h', 'mg/24 hr'],
  ['g/(24.h)', 'g/24h', 'g/24hr', 'g/24 h', 'g/24 hr'],
  ['mL/(24.h)', 'mL/24h', 'mL/24hr'],
  ['mmol/(24.h)', 'mmol/24h', 'mmol/24hr'],
  ['mg/d', 'mg/day'],
  ['/min', 'bpm', 'beats/min', 'beats/minute', 'breaths/min', 'br/min', 'resp/min', 'rpm', '1/min', 'min-1'],
  ['/h', '1/h', 'per hour'],
  ['ug/kg/min', 'mcg/kg/min', 'µg/kg/min'],
  ['ug/kg/h', 'mcg/kg/hr', 'mcg/kg/h'],
  // pressure, temperature, size, electricity
  ['mm[Hg]', 'mmHg', 'mm Hg', 'mm(Hg)', 'torr'],
  ['cm[H2O]', 'cmH2O', 'cm H2O', 'cm(H2O)'],
  ['kPa', 'kpa'],
  ['dyn.s/cm5', 'dyn*s/cm5', 'dyn.sec/cm5', 'dyn s/cm5'],
  ['Cel', '°C', 'ºC', 'degC', 'deg C', 'C', 'celsius'],
  ['[degF]', '°F', 'ºF', 'degF', 'deg F', 'F', 'fahrenheit'],
  ['kg', 'kgs', 'kilogram', 'kilograms'],
  ['g', 'gm', 'gms', 'gram', 'grams'],
  ['mg', 'milligram', 'milligrams'],
  ['ug', 'mcg', 'µg', 'μg'],
  ['[lb_av]', 'lb', 'lbs', 'pound', 'pounds'],
  ['[oz_av]', 'oz', 'ounces'],
  ['[in_i]', 'in', 'inch', 'inches'],
  ['[ft_i]', 'ft', 'feet'],
  ['cm', 'centimeter', 'centimeters'],
  ['mm', 'millimeter', 'millimeters'],
  ['m2', 'sqm', 'm^2'],
  ['kg/m2', 'kg/m^2', 'kg/sqm'],
  ['mV', 'millivolt'],
  ['Ohm', 'ohms'],
  // ratios and what has no unit of its own
  ['%', 'percent', 'pct', 'Percent'],
  ['[pH]', 'pH', 'ph', 'pH units'],
  ['[ppm]', 'ppm'],
  ['{ratio}', 'ratio'],
  ['{index}', 'index'],
  ['{INR}', 'INR'],
  ['mg/g{creat}', 'mg/g creat', 'mg/g CREA', 'mg/g creatinine'],
  ['ug/mg{creat}', 'mcg/mg creat', 'ug/mg creat'],
  ['mg/mmol{creat}', 'mg/mmol creat'],
];

const written = new Map<string, string>();
/** Without regard to case; undefined where the spellings that fall together mean different units. */
const folded = new Map<string, string | undefined>();
for (const [ucum, ...all] of spellings) {
  for (const spelling of [ucum, ...all]) {
    written.set(spelling, ucum);
    const key = spelling.toLowerCase();
    folded.set(key, folded.has(key) && folded.get(key) !== ucum ? undefined : ucum);
  }
}
export function spelledUnit(text: string): string | undefined {
  return written.get(text);
}

/** As UCUM writes it, where another way of writing it says the same: mm^3 is mm3. Of a power of ten ^ is a part. */
export function plainly(text: string): string {
  return text.replace(/([A-Za-zµμ])\^([+-]?\d)/g, '$1$2');
}

/** For those who write everything in capitals. One letter alone has too many readings. */
export function spelledUnitAnyCase(text: string): string | undefined {
  return text.length < 2 ? undefined : folded.get(text.toLowerCase());
}

/** Every spelling and what it stands for; a test holds them against the library. */
export const allSpellings: readonly (readonly [text: string, ucum: string])[] = [...written];
