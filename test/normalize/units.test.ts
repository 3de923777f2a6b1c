import t from 'tap';
import { allMdcUnits } from '../../gateway/normalize/mdc-units.ts';
import { allSpellings, spelledUnit, spelledUnitAnyCase } from '../../gateway/normalize/unit-spellings.ts';
import { canonical, createUnitReader } from '../../gateway/normalize/units.ts';
import type { Code } from '../../proto/gen/hilum/v1/event.ts';
import { isUcum } from '../../proto/units/ucum.ts';
import { seededRandom, seedOfThisRun } from '../kit/random.ts';

const ucum = 'http://unitsofmeasure.org';
const reader = createUnitReader(new Map());
const local = (code: string, display = ''): Code => coded('urn:hilum:lab', code, display);

function coded(system: string, code: string, display = ''): Code {
  return { text: display, codings: [{ system, code, display, version: '', name: '', mapped: false }] };
}

t.test('unit spellings - what each stands for is UCUM, in its one spelling', async (t) => {
  for (const [text, unit] of allSpellings) {
    if (!isUcum(unit) || canonical(unit) !== unit) t.fail(`${text}: ${unit}`);
    if (spelledUnit(text) !== unit) t.fail(`${text} stands twice`);
  }
  for (const [code, name, unit] of allMdcUnits) {
    if (!isUcum(unit) || (code !== 0 && code >>> 16 !== 4)) t.fail(`${name}: ${unit}, ${code}`);
  }
  t.ok(allSpellings.length > 300, `${allSpellings.length} spellings, ${allMdcUnits.length} MDC units`);
});

t.test('units - what is sent is read as the UCUM unit that it means', async (t) => {
  const rows: [string, string][] = [
    ['mmol/L', 'mmol/L'],
    ['mmol/l', 'mmol/L'],
    ['MMOL/L', 'mmol/L'],
    ['MG/DL', 'mg/dL'],
    ['Mg/dL', 'mg/dL'],
    ['gm/dl', 'g/dL'],
    ['Gm/dL', 'g/dL'],
    ['K/uL', '10*3/uL'],
    ['K/UL', '10*3/uL'],
    ['10e9/L', '10*9/L'],
    ['giga.l-1', '10*9/L'],
    ['T/L', '10*12/L'],
    ['/nl', '/nL'],
    ['mIU/L', 'm[IU]/L'],
    ['IU/L', '[IU]/L'],
    ['U/L', 'U/L'],
    ['beats/min', '/min'],
    ['°C', 'Cel'],
    ['C', 'Cel'],
    ['mmHg', 'mm[Hg]'],
    ['FL', 'fL'],
    ['PG', 'pg'],
    ['fl', 'fL'],
    ['MG/ML', 'mg/mL'],
    ['pH', '[pH]'],
    ['mL/min/1.73m2', 'mL/min/{1.73_m2}'],
    ['{Ratio}', '{Ratio}'],
    ['pg/{cell}', 'pg/{cell}'],
    ['10*3/uL', '10*3/uL'],
    ['%', '%'],
    ['kcal/d', 'kcal/d'],
    ['mL', 'mL'],
    // In any other case they would be other units.
    ['mM', 'mmol/L'],
    ['µM', 'umol/L'],
    ['mu/L', 'mU/L'],
    ['uu/mL', 'uU/mL'],
    ['m/uL', '10*6/uL'],
    ['u/l', 'U/L'],
    ['mMol/L', 'mmol/L'],
    ['AU/mL', "[arb'U]/mL"],
    ['109/L', '10*9/L'],
    ['x103/uL', '10*3/uL'],
    // As it is printed.
    ['10^3/µL', '10*3/uL'],
    ['10³/µL', '10*3/uL'],
    ['10⁹/L', '10*9/L'],
    ['10¹²/l', '10*12/L'],
    ['µU/mL', 'uU/mL'],
    ['kg/m²', 'kg/m2'],
    ['mL/min/1.73m²', 'mL/min/{1.73_m2}'],
    ['s⁻¹', 's-1'],
    ['sec.', 's'],
    ['mmol/day', 'mmol/d'],
    ['S/CO', '{ratio}'],
    // In other languages.
    ['Mio/µl', '10*6/uL'],
    ['Mio./µl', '10*6/uL'],
    ['Tsd./µl', '10*3/uL'],
    ['Mrd./l', '10*9/L'],
    ['Thou/uL', '10*3/uL'],
    ['E/l', 'U/L'],
    ['IE/ml', '[IU]/mL'],
    ['UI/L', '[IU]/L'],
    ['mg/Tag', 'mg/d'],
  ];
  for (const [text, wanted] of rows) t.equal(reader.read(local(text)), wanted, text);
});

t.test('units - what has more than one reading has none until a config decides', async (t) => {
  for (const text of ['G/L', 'K', 'T', 'mC/L', 'MOL', 'units', '', 'x'.repeat(200), 'S', '12', 'KG.M']) {
    t.equal(reader.read(local(text)), undefined, text.slice(0, 20));
  }
  for (const text of [
    'MM',
    'cM',
    'UM',
    'N/A',
    'n/a',
    'N',
    'mm/L',
    'um/L',
    'nm/l',
    'MU/L',
    'mil/uL',
    'mil/mm3',
    '107/L',
    'AU',
  ]) {
    t.equal(reader.read(local(text)), undefined, text);
  }
  const french = createUnitReader(new Map([['G/L', '10*9/L']]));
  t.equal(french.read(local('G/L')), '10*9/L');
});

t.test('units - what the sender calls UCUM or MDC is taken at its word', async (t) => {
  t.equal(reader.read(coded(ucum, 'K/uL')), 'K/uL');
  t.equal(reader.read(coded(ucum, 'mg/dl')), 'mg/dL');
  t.equal(reader.read(coded(ucum, 'MG/DL')), 'mg/dL', 'unless it is none');
  t.equal(reader.read(coded('urn:iso:std:iso:11073:10101', '266016')), 'mm[Hg]');
  t.equal(reader.read(coded('urn:iso:std:iso:11073:10101', 'MDC_DIM_DEGC')), 'Cel');
  t.equal(reader.read(coded('urn:iso:std:iso:11073:10101', '999')), undefined);
});

t.test('units - a local code with a display text that says the unit is read by it', async (t) => {
  t.equal(reader.read(local('12', 'mg/dL')), 'mg/dL');
  t.equal(reader.read(local('1', 'ML')), 'mL');
  t.equal(reader.read(local('g', 'grams')), 'g');
  t.equal(reader.read(local('mg/dL', 'milligrams per decilitre')), 'mg/dL');
  t.equal(reader.read(local('m', 'minutes')), undefined, 'unless the two do not agree');
  t.equal(reader.read(local('m')), 'm');
  t.equal(createUnitReader(new Map([['m', 'min']])).read(local('m', 'metre')), 'min', 'a config decides');
});

t.test('units - any text gives a unit or none, never an error', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const alphabet = 'mgdlLuUKG/.%*^[]{}()+-10 3|µ°\u0000\u{1f600}';
  const letters = [...alphabet];
  for (let round = 0; round < 3_000; round++) {
    let text = '';
    for (let length = Math.floor(random() * 12); length >= 0; length--) {
      text += letters[Math.floor(random() * letters.length)];
    }
    const found = reader.read(local(text));
    if (found !== undefined && !isUcum(found)) t.fail(`${JSON.stringify(text)} became ${found}`);
  }
  t.equal(spelledUnitAnyCase('c'), undefined, 'one letter in any case has too many readings');
});
