/**
 * How units are written by those who do not write UCUM → UCUM. Spellings of analyzers,
 * EHRs, ISO 2955 and ISO+; the unit codes of devices (MDC) are in mdc-units.ts.
 *
 * A spelling stands here only if it has one reading in a hospital. `G/L` has two (giga in France,
 * gram where everything is in capitals), so it has none here: a config decides.
 */

/**
 * Only as written: in another case they are other units (mM is mmol/L and mm is a length, MU/L is a million times
 * mU/L). 109/L is 10^9/L whose superscript was lost: nobody counts in units of a hundred and nine.
 */
const exact: readonly (readonly [ucum: string, ...written: string[]])[] = [
  ['mmol/L', 'mM'],
  ['umol/L', 'uM'],
  ['nmol/L', 'nM'],
  ['pmol/L', 'pM'],
  // E: Einheit, eenheid, enhet. ME is an international unit in Czech and Polish.
  ['mU/L', 'mu/L', 'mu/l', 'mE/L', 'mE/l'],
  ['mU/mL', 'mu/mL', 'mu/ml'],
  // In capitals it is giga as often.
  ['g/L', 'gr/L', 'gr/l', 'г/л'],
  ['uU/mL', 'uu/mL', 'uu/ml', 'uE/mL', 'uE/ml'],
  ['10*6/uL', 'm/uL', 'm/ul', 'm/mcL', 'm/mm3'],
  ['10*3/uL', '103/uL', 'x103/uL', 'X103/uL', '103/ul', '103/mcL'],
  ['10*6/uL', '106/uL', 'x106/uL', 'X106/uL', '106/ul', '106/mcL'],
  ['10*9/L', '109/L', 'x109/L', 'X109/L', '109/l'],
  ['10*12/L', '1012/L', 'x1012/L', 'X1012/L', '1012/l'],
];

/**
 * What is formally UCUM, or a spelling of ours in another case, and is not meant so: newton by ampere is not
 * applicable, a litre in a metre a flow, a length in a volume is an amount of substance without its o, mil is a thousand in Portuguese.
 */
const unclear = [/^n\/a$/i, /^l\/m$/i, /^[cdmunp]?m\/[cdmun]?[lL]$/, /^mil\//i];

/** Looked up as written first, then (two characters or more) without regard to case. */
const spellings: readonly (readonly [ucum: string, ...written: string[]])[] = [
  // mass per volume
  ['mg/dL', 'mg/dl', 'mg%', 'mg %', 'mg/100mL', 'mg/100ml', 'mgr/dL', 'mgs/dL', 'мг/дл'],
  ['g/dL', 'g/dl', 'gm/dL', 'gms/dL', 'g%', 'gm%', 'g/100mL', 'gr/dL', 'gr%'],
  ['ug/dL', 'mcg/dL', 'µg/dL', 'μg/dL'],
  ['mg/L', 'mgr/L', 'мг/л'],
  ['ug/L', 'mcg/L', 'µg/L', 'μg/L', 'мкг/л'],
  ['ng/L'],
  ['ug/mL', 'mcg/mL', 'µg/mL', 'μg/mL'],
  ['ng/mL', 'ng/ml', 'нг/мл'],
  ['ng/dL'],
  ['pg/mL', 'pg/ml', 'пг/мл'],
  ['mg/mL'],
  ['ug/g', 'mcg/g', 'µg/g'],
  ['mg/kg'],
  ['ug/mL{FEU}', 'mcg/mL FEU', 'ug/mL FEU', 'µg/mL FEU'],
  ['mg/L{FEU}', 'mg/L FEU'],
  ['ng/mL{FEU}', 'ng/mL FEU'],
  // amount of substance
  ['mmol/L', 'mmol/l', 'mM/L', 'mmoles/L', 'ммоль/л'],
  ['umol/L', 'µmol/L', 'μmol/L', 'mcmol/L', 'micromol/L', 'мкмоль/л'],
  ['nmol/L', 'нмоль/л'],
  ['pmol/L', 'пмоль/л'],
  ['mmol/mol'],
  ['meq/L', 'mEq/L', 'mval/L'],
  ['mosm/kg', 'mOsm/kg', 'mOsmol/kg', 'mOsm/kg H2O', 'mOsm/kgH2O'],
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
    'Thou/uL',
    'Tsd/uL',
    'Thou/mm3',
    'Th/mm3',
    'Thous/uL',
    'Th/uL',
    'Thousand/cumm',
    'Thousands/cumm',
    'Thou/cumm',
    'Thou/cmm',
    'miles/mm3',
    'miles/uL',
    'tys/uL',
    'tys./uL',
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
    'x10E6/uL',
    'x10(6)/uL',
    'x10^6/uL',
    '10^6/uL',
    '10E6/uL',
    'E^6/uL',
  ],
  ['10*3/mm3', '10^3/mm3', 'x10^3/mm3', '10E3/mm3', 'x10E3/mm3', 'x10(3)/mm3'],
  ['10*6/mm3', '10^6/mm3', 'x10^6/mm3', '10E6/mm3', 'x10E6/mm3', 'x10(6)/mm3'],
  [
    '10*6/uL',
    'Million/uL',
    'Mill/uL',
    'Mio/uL',
    'Million/cumm',
    'Millions/cumm',
    'Mill/cumm',
    'Million/mm3',
    'Mill/mm3',
    'Mill/cmm',
    'mln/uL',
    'milhões/mm3',
    'milhões/uL',
    'millones/mm3',
    'millones/uL',
    'milioni/mm3',
    'milioni/uL',
    'x10*6/uL',
    '10*6/mcL',
    '10(6)/mcL',
  ],
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
    'Mrd/L',
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
  [
    '/uL',
    '1/uL',
    'cells/uL',
    'cells/mcL',
    'cell/uL',
    'Zellen/uL',
    '/mcL',
    '/cumm',
    '/cmm',
    'cells/cumm',
    'cells/cmm',
    '/µL',
  ],
  ['10*5/uL', 'lakh/cumm', 'lakhs/cumm'],
  ['/nL', '1/nL'],
  ['/pL', '1/pL'],
  ['/mL', '1/mL'],
  ['/mm3', '1/mm3', 'cells/mm3'],
  ['{copies}/mL', 'copies/mL', 'cp/mL', 'cop/mL', 'Kopien/mL', 'copias/mL'],
  ['[CFU]/mL', 'CFU/mL', 'cfu/ml', 'KBE/mL', 'UFC/mL', 'KVE/mL'],
  ['[CFU]/L', 'CFU/L', 'KBE/L', 'UFC/L', 'KVE/L'],
  ['[CFU]/g', 'CFU/g', 'KBE/g', 'UFC/g', 'KVE/g'],
  ['/[HPF]', '/HPF', 'per HPF', 'cells/HPF', '#/HPF'],
  ['/[LPF]', '/LPF', 'per LPF', '#/LPF'],
  ['/100{WBC}', '/100 WBC', '/100WBC', 'per 100 WBC'],
  // enzyme and arbitrary units
  ['U/L', 'Units/L', 'unit/L', 'U/l', 'E/L', 'Ед/л'],
  ['U/mL', 'Units/mL', 'E/mL'],
  // Of IgE against an allergen.
  ['kU/L', 'kE/L', 'kUA/L', 'kU(A)/L', 'kUa/L'],
  ['[IU]/L', 'IU/L', '[iU]/L', 'UI/L', 'IE/L', 'МЕ/л'],
  ['[IU]/mL', 'IU/mL', '[iU]/mL', 'UI/mL', 'IE/mL'],
  ['k[IU]/L', 'kIU/L', 'KIU/L', 'kIU/l', 'kUI/L', 'kIE/L'],
  ['m[IU]/L', 'mIU/L', 'm[iU]/L', 'mUI/L', 'mIE/L'],
  ['m[IU]/mL', 'mIU/mL', 'm[iU]/mL', 'mUI/mL', 'mIE/mL'],
  ['u[IU]/mL', 'uIU/mL', 'µIU/mL', 'μIU/mL', 'mcIU/mL', 'u[iU]/mL', 'uUI/mL', 'uIE/mL'],
  ["[arb'U]/mL", 'AU/mL', 'arb.U/mL', 'arb U/mL', 'ArbU/mL'],
  ["[arb'U]/L", 'AU/L', 'arb.U/L', 'arb U/L'],
  ['ukat/L', 'µkat/L', 'μkat/L', 'mckat/L'],
  // volume, time and rates
  ['fL', 'fl', 'cubic microns', 'µm3'],
  ['pg'],
  ['mL', 'ml', 'cc', 'mls'],
  ['uL', 'mcL', 'µL', 'μL'],
  ['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'],
  ['s', 'sec', 'Sek', 'secs', 'second', 'seconds'],
  ['min', 'mins', 'minute', 'minutes'],
  ['h', 'hr', 'hrs', 'hour', 'hours'],
  ['d', 'day', 'days'],
  ['wk', 'week', 'weeks', 'wks'],
  ['mo', 'month', 'months'],
  ['a', 'year', 'years', 'yr', 'yrs'],
  ['mm/h', 'mm/hr', 'mm/1h', 'мм/ч'],
  ['mL/min', 'ml/min', 'cc/min'],
  ['mL/h', 'mL/hr', 'ml/hr', 'cc/hr'],
  ['L/min', 'l/min'],
  ['L/min/m2', 'l/min/m2'],
  ['mL/min/{1.73_m2}', 'mL/min/1.73m2', 'mL/min/1.73 m2', 'mL/min/1.73m^2', 'mL/min/1.73', 'mL/min/1.73sqm'],
  ['mg/(24.h)', 'mg/24h', 'mg/24hr', 'mg/24 h', 'mg/24 hr'],
  ['g/(24.h)', 'g/24h', 'g/24hr', 'g/24 h', 'g/24 hr'],
  ['mL/(24.h)', 'mL/24h', 'mL/24hr'],
  ['mmol/(24.h)', 'mmol/24h', 'mmol/24hr'],
  ['mg/d', 'mg/day'],
  [
    '/min',
    'bpm',
    'beats/min',
    'beats/minute',
    'breaths/min',
    'br/min',
    'resp/min',
    'rpm',
    '1/min',
    'min-1',
    'lat/min',
    'bat/min',
    'batt/min',
    'slag/min',
    'beat/min',
    'pulses/min',
    'Schläge/min',
    'Atemzüge/min',
  ],
  ['/h', '1/h', 'per hour'],
  ['[drp]/min', 'gtt/min', 'drops/min'],
  ['U/h', 'units/h', 'unit/h'],
  ['[IU]/h', 'IU/h'],
  ['meq/h', 'mEq/h'],
  ['ug/kg/min', 'mcg/kg/min', 'µg/kg/min'],
  ['ug/kg/h', 'mcg/kg/hr', 'mcg/kg/h'],
  // pressure, temperature, size, electricity
  ['mm[Hg]', 'mmHg', 'mm Hg', 'mm(Hg)', 'torr'],
  ['cm[H2O]', 'cmH2O', 'cm H2O', 'cm(H2O)'],
  ['kPa', 'kpa'],
  ['mbar', 'mBar'],
  ['mL/cm[H2O]', 'mL/cmH2O', 'ml/cmH2O'],
  ['cm[H2O]/L/s', 'cmH2O/L/s', 'cmH2O/l/s'],
  ['kcal'],
  ['dyn.s/cm5', 'dyn*s/cm5', 'dyn·s/cm5', 'dyn.sec/cm5', 'dyn s/cm5'],
  ['Cel', '°C', 'ºC', 'degC', 'deg C', 'deg.C', 'grad C', '° C', '˚C', 'C', 'celsius', 'degrees C'],
  ['[degF]', '°F', 'ºF', '° F', 'degF', 'deg F', 'F', 'fahrenheit', 'degrees F'],
  ['kg', 'kgs', 'kilogram', 'kilograms'],
  ['g', 'gm', 'gms', 'gram', 'grams'],
  ['mg', 'milligram', 'milligrams', 'mgr', 'mgs'],
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
  ['%', 'percent', 'pct', 'Percent', 'vol%', 'vol %', 'vol-%', 'vol.%', '%vol'],
  ['[pH]', 'pH', 'ph', 'pH units'],
  ['[ppm]', 'ppm'],
  ['[ppth]', '‰', '0/00', 'o/oo', '%o', 'Promille'],
  // Signal to cutoff.
  ['{ratio}', 'ratio', 'S/CO'],
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
for (const [ucum, ...all] of exact) {
  if (!written.has(ucum)) written.set(ucum, ucum);
  for (const spelling of all) {
    written.set(spelling, ucum);
    const key = spelling.toLowerCase();
    if (folded.has(key) && folded.get(key) !== ucum) folded.set(key, undefined);
  }
}

export function spelledUnit(text: string): string | undefined {
  return written.get(text);
}

export function isUnclear(text: string): boolean {
  return unclear.some((pattern) => pattern.test(text));
}

/**
 * For those who write everything in capitals. One letter alone has too many readings, and a capital that ends a
 * unit after a small letter is no habit of writing: cM is not cm.
 */
export function spelledUnitAnyCase(text: string): string | undefined {
  if (text.length < 2) return undefined;
  const found = folded.get(text.toLowerCase());
  if (found === undefined) return undefined;
  return /(?<![A-Za-z])[a-z]+[A-KM-TV-Z](?![A-Za-z])/.test(text) ? undefined : found;
}

/** Every spelling and what it stands for; a test holds them against the library. */
export const allSpellings: readonly (readonly [text: string, ucum: string])[] = [...written];
