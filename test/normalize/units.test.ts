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
  return {
    text: display,
    codings: [
      { system, code, display, version: '', name: '', mapped: false, valueSet: '', valueSetVersion: '' },
    ],
  };
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
    ['miles/mm³', '10*3/uL'],
    ['tys/µl', '10*3/uL'],
    ['THOU/CMM', '10*3/uL'],
    ['mln/µl', '10*6/uL'],
    ['milhões/mm³', '10*6/uL'],
    ['millones/mm3', '10*6/uL'],
    ['‰', '[ppth]'],
    ['o/oo', '[ppth]'],
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

t.test('units - a text that is formally UCUM and hardly means it is not read', async (t) => {
  const texts = [
    // Words and abbreviations.
    'lpm LPM Grad St mt pt t ud par par/min car mar pas dag ks st nt pm ad nd md da cs ds ar ha rad Gal lm mho pc bit',
    'g/dam E/L/St mt/s pt/mL um/dag.s',
    // A range, a number, a visual acuity in the wrong column; half a power of ten.
    '3.5-5.3 4.0-10.0 0-40 135-145 5.4 2/38 20/20 1.5.2 10-20/min 9/L 12/h 5.4/L 1.0^9/L 1/2 mg/2 g/100.mL',
    // Minutes of arc, where minutes were meant.
    "' '' 72/' '/min",
  ].flatMap((line) => line.split(' '));
  for (const text of texts) t.equal(reader.read(local(text)), undefined, text);
  t.equal(reader.read(coded(ucum, 'Grad')), 'Grad', 'unless the sender says that it is');
  t.equal(createUnitReader(new Map([['lpm', '/min']])).read(local('LPM')), undefined);
  t.equal(createUnitReader(new Map([['lpm', '/min']])).read(local('lpm')), '/min', 'a config decides');
});

t.test('units - what hospitals measure in is read where nobody says UCUM', async (t) => {
  const asWritten = [
    'g mg ug ng pg fg kg L mL uL nL pL dL cL fL m cm mm um nm km dm mol mmol umol nmol pmol fmol amol',
    'g/L mg/L ug/L ng/L pg/L g/dL mg/dL ug/dL ng/dL pg/dL g/mL mg/mL ug/mL ng/mL pg/mL fg/mL ng/uL pg/uL mg/uL kg/L',
    'mol/L mmol/L umol/L nmol/L pmol/L fmol/L mmol/dL umol/dL nmol/dL umol/mL nmol/mL pmol/mL fmol/mL fmol/uL mol/m3',
    'meq meq/L ueq/L eq/L meq/kg meq/d meq/h ueq/g mosm/kg mosm/L osm/kg mmol/kg mol/kg umol/kg mmol/mol mol/mol',
    'g/g mg/g ug/g ng/g mg/mg ug/mg ng/mg pg/mg mg/mmol ug/mmol g/mol umol/mol nmol/mmol nmol/g umol/g pmol/g kg/kg',
    'mmol/mol{creat} nmol/mmol{creat} U/mmol{creat} nmol/mg{prot} umol{BCE}/mol g/kg{stool} U/g{Hb} pg/{cell}',
    'ug/mL{FEU} mg/L{FEU} ug/mL{DDU} ng{FEU}/mL mmol/L{H+} {copies}/mL {Log_copies}/mL {cells}/uL {score} {titer}',
    '{beats}/min {events}/h {M.o.M} mL/{beat} {pack_years} {pack}.a %{vol} {INR} U{RBC} {#}/uL /{OIF} 1/{score}',
    'U U/L mU/L kU/L nU/mL uU/mL mU/mL U/mL kU/mL U/g mU/g U/mg U/kg U/kg/h U/h mU/min U/10*12 mU/10*9 U/mol U/L/h',
    'kat/L ukat/L nkat/L pkat/L mkat/L nkat/g ukat/kg nkat/10*9 nkat mkat/kg',
    "[IU]/L m[IU]/L u[IU]/mL k[IU]/L [IU]/kg [IU]/h [IU]/g{Hb} m[IU]/10*9 [arb'U]/mL [CFU]/mL [PFU]/mL [GPL'U]/mL",
    '10*9/L 10*12/L 10*3/uL 10*6/uL 10*6/mL 10*6/L 10*9/kg 10*6/kg 10*6/g 10*3.uL-1 10*-3 10*-6/L 10*6 10*9 pmol/10*9',
    '/uL /mL /L /nL /min /h /d /s /wk /mm3 /[HPF] /[LPF] /100{WBC} /100{cells} /1000{RBC} /10*6{WBC} /kg /m2',
    '1/L 1/s s-1 h-1 mmol.L-1 g.L-1 mg.kg-1 mL.min-1 nmol.L-1.s-1 m.s-1 cm-1',
    'g/d mg/d ug/d ng/d mmol/d umol/d nmol/d mL/d L/d kcal/d kJ/d g/(24.h) mg/(24.h) umol/(24.h) mg/(8.h) umol/(12.h)',
    'mL/min mL/s mL/h L/min L/h L/s uL/min dL/min mL/min/{1.73_m2} mL/min/m2 mL/(min.{1.73_m2}) mL/kg/h mL/kg/min',
    'L/min/m2 L/(min.m2) mL/m2 mL/kg mL/(kg.h) mL/(100.g) mL/min/(100.g) cm3/min m3/h mL/d mL/g uL/g L/L mL/dL mL/mL',
    'mg/kg ug/kg ng/kg g/kg mg/kg/d mg/kg/h ug/kg/min ng/kg/min mg/kg/min g/kg/d ug/kg/h mmol/kg/h mg/m2 g/m2 ug/m2',
    'g/h mg/h ug/h ng/h mg/min ug/min ng/min mmol/h umol/h umol/min mmol/min nmol/h/mL nmol/min/mL pmol/h/mL ng/mL/h',
    'nmol/h/mg nmol/(min.mg) umol/h/g umol/min/g ng/(mL.h) mg/dL/h mmol/L/min nmol/L/s mmol/(L.h)',
    'mm[Hg] cm[H2O] kPa Pa hPa daPa mPa mbar bar atm mm[Hg]/s mm[Hg].min/L kPa.s/L cm[H2O].s/L mL/cm[H2O] L/kPa',
    'dyn.s/cm5 dyn.s.cm-5 dyn/cm mbar.s/L mL/mbar L/(s.kPa) mmol/min/kPa mL/min/mm[Hg] g.m g.m/m2',
    'Cel [degF] % deg s ms us min h d wk mo a min/d h/wk mm/h cm/h mm/min mm/s m/s cm/s m/s2 um/s mm/(2.h)',
    'm2 cm2 mm2 um2 m3 cm3 mm3 dm3 um3 cm2/m2 kg/m2 kg/m3 g/cm2 g/cm3 mg/cm3 mm/mV mV/mm',
    'V mV uV kV mA uA nA Ohm kOhm MOhm kOhm.cm mS uS nS uS/cm mS/cm Hz kHz MHz W mW kW W/kg W/m2 J kJ mJ',
    'kcal cal kcal/h kcal/kg/d kcal/(24.h) J/cm2 mV/s uV.s mV.ms dB dB[SPL] lx cd/m2 cd.s/m2 mcd.s/m2',
    'Bq kBq MBq GBq Bq/L MBq/kg MBq/mL mCi uCi pCi/L Gy mGy cGy mGy.cm Gy.cm2 cGy.cm2 uGy.m2 mGy/h mSv uSv uSv/h Sv',
    'cP mPa.s cSt keV MeV mN/m mN kgf [pH] [drp]/min [ppm] [MET] [in_i] [lb_av] [diop] [psi]',
  ].flatMap((line) => line.split(' '));
  for (const text of asWritten) t.equal(reader.read(local(text)), text);
  t.ok(asWritten.length > 400, `${asWritten.length} units`);
});

t.test('units - a day is a day in any language, and a power of ten is one behind any sign', async (t) => {
  const rows: [string, string][] = [
    ['g/dag', 'g/d'],
    ['mg/dag', 'mg/d'],
    ['ml/dag', 'mL/d'],
    ['l/dag', 'L/d'],
    ['mmol/dag', 'mmol/d'],
    ['mmol/kg/dag', 'mmol/kg/d'],
    ['/dag', '/d'],
    ['ml/dygn', 'mL/d'],
    ['mmol/døgn', 'mmol/d'],
    ['mmol/vrk', 'mmol/d'],
    ['mg/24.h', 'mg/(24.h)'],
    ['.10^9/L', '10*9/L'],
    ['·10^9/L', '10*9/L'],
    ['×10^9/L', '10*9/L'],
    ['×10⁹/L', '10*9/L'],
    ['x·10^9/L', '10*9/L'],
    ['mal 10^9/L', '10*9/L'],
    ['por 10^9/L', '10*9/L'],
    ['* 10^12/l', '10*12/L'],
    ['X 10*3/µL', '10*3/uL'],
  ];
  for (const [text, wanted] of rows) t.equal(reader.read(local(text)), wanted, text);
});

t.test('units - spellings of other countries that mean one thing are read', async (t) => {
  const rows: [ucum: string, ...written: string[]][] = [
    [
      '10*9/L',
      '×10^9/L',
      'x 10^9/L',
      'X10^9/L',
      '*10^9/l',
      '× 10⁹/L',
      'E9/l',
      'E9/L',
      '10 ^9/L',
      '10^ 9/L',
      '10**9/L',
    ],
    ['10*9/L', '10 exp 9/L', '10(9)/l', 'x10e9/l', '１０＾９／Ｌ', '·10⁹/L', 'x10*9/L', '×10E9/L'],
    ['10*3/uL', '×10³/µL', '×10³/μL', '10³/㎕', 'x10^3/ul', 'Thousand/cumm'],
    ['10*6/uL', 'millions/cumm', 'mill/cumm', 'x 10^6/µl'],
    ['10*5/uL', 'lakhs/cumm'],
    [
      'mL/min/{1.73_m2}',
      'mL/min/1.73m*2',
      'ml/min/1,73m²',
      'mL/min/1,73 m²',
      'ml/min/1.73 qm',
      'ml/mn/1,73 m2',
    ],
    [
      'mL/min/{1.73_m2}',
      'mL/min/1.73 sq.m',
      'ml/min/1,73',
      'mL/min/1.73.m2',
      'ml/min/1,73m^2',
      'ML/MIN/1.73M2',
    ],
    ['mU/L', 'mE/l', 'mE/L'],
    ['kU/L', 'kUA/L', 'kUA/l', 'kU(A)/L'],
    ['[CFU]/mL', 'KBE/ml', 'UFC/mL', 'KVE/mL', 'kbe/ml'],
    ['g/dL', 'gr/dL', 'gr/dl', 'Gr/dL'],
    ['mg/dL', '㎎/㎗', 'ｍｇ／ｄＬ', 'mgr/dL', 'mg %', 'mg / dL', 'мг/дл'],
    ['meq/L', 'ｍＥｑ／Ｌ', 'mEq/lt'],
    ['mmol/L', 'mmol/lt', 'mmol/Lt', 'ммоль/л'],
    ['umol/L', 'µmol/l', 'μmol/l', 'мкмоль/л'],
    ['g/L', 'г/л', 'gr/L', 'g/Lt'],
    ['mm[Hg]', '㎜Hg'],
    ['Cel', '℃', '˚C', '° C'],
    ['uL', '㎕'],
    ['/uL', 'cells/cumm', 'cells/cmm'],
    ['mg/g{creat}', 'mg/g Krea', 'mg/g Kreatinin', 'mg/gCr', 'mg/g creatinine'],
    ['mg/mmol{creat}', 'mg/mmol Krea', 'mg/mmol créat'],
    ['/min', '/mn', 'bat/min', 'lat/min'],
    ['L/min', 'l/mn'],
    ['ug/(24.h)', 'ug/24h', 'µg/24 h', 'ug/24 Std'],
    ['mL/h', 'ml/hora', 'mL/Std.', 'ml/uur'],
    ['mg/d', 'mg/dia', 'mg/día', 'mg/jour', 'mg/giorno', 'mg/die'],
  ];
  for (const [wanted, ...written] of rows)
    for (const text of written) t.equal(reader.read(local(text)), wanted, text);
  for (const text of ['gr', 'ME/L', 'mil/cumm', 'G/L', '/GF', 'E', '10 9/L', 'log10^3', 'E/9'])
    t.equal(reader.read(local(text)), undefined, `${text} has more than one reading, or none`);
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
