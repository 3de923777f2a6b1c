/**
 * The names of the built-in vitals shape: name → MDC (ISO/IEEE 11073-10101), LOINC, UCUM unit, display.
 *
 * `mdc` is the reference id with its context-free numeric code. Where LOINC tells units apart (glucose), the code
 * holds for the UCUM unit here and `loincFor` names the others. An empty LOINC: none that says the same.
 */
import { lookup } from '../lookup.ts';
export interface Vital {
  name: string;
  mdc: string;
  mdcName: string;
  loinc: string;
  loincFor?: Record<string, string>;
  unit: string;
  display: string;
  /**
   * Numbers between these are another unit's, where nobody said which: 98.6 is no temperature in Celsius, 0.97 no
   * saturation in percent. A measurement in `unit` is never there.
   */
  elsewhere?: readonly [above: number, below: number];
}

function vital(
  name: string,
  mdc: string,
  mdcName: string,
  loinc: string,
  unit: string,
  display: string,
  further: Pick<Vital, 'loincFor' | 'elsewhere'> = {},
): Vital {
  return { name, mdc, mdcName, loinc, unit, display, ...further };
}

const fahrenheit = { elsewhere: [50, 120] } as const;
const fraction = { elsewhere: [0, 1.5] } as const;

export const vitals: readonly Vital[] = [
  vital('heartRate', '147842', 'MDC_ECG_HEART_RATE', '8867-4', '/min', 'Heart rate'),
  vital('pulse', '149530', 'MDC_PULS_OXIM_PULS_RATE', '8889-8', '/min', 'Heart rate by pulse oximetry'),
  vital(
    'spo2',
    '150456',
    'MDC_PULS_OXIM_SAT_O2',
    '59408-5',
    '%',
    'Oxygen saturation by pulse oximetry',
    fraction,
  ),
  vital('respRate', '151562', 'MDC_RESP_RATE', '9279-1', '/min', 'Respiratory rate'),
  // Both in one text, 120/80.
  vital('nibp', '150020', 'MDC_PRESS_BLD_NONINV', '', 'mm[Hg]', 'Blood pressure, noninvasive'),
  vital(
    'nibpSys',
    '150021',
    'MDC_PRESS_BLD_NONINV_SYS',
    '76534-7',
    'mm[Hg]',
    'Systolic blood pressure, noninvasive',
  ),
  vital(
    'nibpDia',
    '150022',
    'MDC_PRESS_BLD_NONINV_DIA',
    '76535-4',
    'mm[Hg]',
    'Diastolic blood pressure, noninvasive',
  ),
  vital(
    'nibpMean',
    '150023',
    'MDC_PRESS_BLD_NONINV_MEAN',
    '76536-2',
    'mm[Hg]',
    'Mean blood pressure, noninvasive',
  ),
  vital(
    'abpSys',
    '150037',
    'MDC_PRESS_BLD_ART_ABP_SYS',
    '76215-3',
    'mm[Hg]',
    'Systolic blood pressure, invasive',
  ),
  vital(
    'abpDia',
    '150038',
    'MDC_PRESS_BLD_ART_ABP_DIA',
    '76213-8',
    'mm[Hg]',
    'Diastolic blood pressure, invasive',
  ),
  vital(
    'abpMean',
    '150039',
    'MDC_PRESS_BLD_ART_ABP_MEAN',
    '76214-6',
    'mm[Hg]',
    'Mean blood pressure, invasive',
  ),
  vital(
    'papSys',
    '150045',
    'MDC_PRESS_BLD_ART_PULM_SYS',
    '8440-0',
    'mm[Hg]',
    'Pulmonary artery systolic pressure',
  ),
  vital(
    'papDia',
    '150046',
    'MDC_PRESS_BLD_ART_PULM_DIA',
    '8385-7',
    'mm[Hg]',
    'Pulmonary artery diastolic pressure',
  ),
  vital(
    'papMean',
    '150047',
    'MDC_PRESS_BLD_ART_PULM_MEAN',
    '8414-5',
    'mm[Hg]',
    'Pulmonary artery mean pressure',
  ),
  vital('cvp', '150087', 'MDC_PRESS_BLD_VEN_CENT_MEAN', '60985-9', 'mm[Hg]', 'Central venous pressure'),
  vital('icp', '153608', 'MDC_PRESS_INTRA_CRAN', '60956-0', 'mm[Hg]', 'Intracranial pressure'),
  vital('temp', '150344', 'MDC_TEMP', '8310-5', 'Cel', 'Body temperature', fahrenheit),
  vital('tempCore', '150368', 'MDC_TEMP_CORE', '8329-5', 'Cel', 'Body temperature, core', fahrenheit),
  vital('tempSkin', '150388', 'MDC_TEMP_SKIN', '39106-0', 'Cel', 'Temperature of skin', fahrenheit),
  vital('etco2', '151708', 'MDC_AWAY_CO2_ET', '19891-1', 'mm[Hg]', 'End-tidal carbon dioxide'),
  vital('fio2', '152196', 'MDC_CONC_AWAY_O2_INSP', '3150-0', '%', 'Inspired oxygen concentration', fraction),
  vital('tidalVolume', '151868', 'MDC_VOL_AWAY_TIDAL', '', 'mL', 'Tidal volume', { elsewhere: [0, 1.5] }),
  vital('peep', '151976', 'MDC_PRESS_AWAY_END_EXP_POS', '', 'cm[H2O]', 'Positive end-expiratory pressure'),
  vital('cardiacOutput', '150276', 'MDC_OUTPUT_CARD', '8741-1', 'L/min', 'Cardiac output'),
  vital('perfusionIndex', '150488', 'MDC_BLD_PERF_INDEX', '61006-3', '%', 'Perfusion index'),
  vital(
    'glucose',
    '160184',
    'MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD',
    '41653-7',
    'mg/dL',
    'Glucose, capillary blood',
    { loincFor: { 'mmol/L': '14743-9' }, elsewhere: [0, 10] },
  ),
  vital('weight', '188736', 'MDC_MASS_BODY_ACTUAL', '29463-7', 'kg', 'Body weight'),
  vital('height', '188740', 'MDC_LEN_BODY_ACTUAL', '8302-2', 'cm', 'Body height', { elsewhere: [0, 3] }),
];

const aliases: Record<string, string> = lookup({
  hr: 'heartRate',
  pulseRate: 'pulse',
  pr: 'pulse',
  rr: 'respRate',
  respiratoryRate: 'respRate',
  respirationRate: 'respRate',
  bp: 'nibp',
  bloodPressure: 'nibp',
  nibpSystolic: 'nibpSys',
  nibpDiastolic: 'nibpDia',
  nibpMap: 'nibpMean',
  ibpSys: 'abpSys',
  ibpDia: 'abpDia',
  ibpMean: 'abpMean',
  temperature: 'temp',
  bodyTemperature: 'temp',
  bloodGlucose: 'glucose',
  bodyWeight: 'weight',
  bodyHeight: 'height',
});

const byName = new Map<string, Vital>();
const plain = (name: string): string => name.toLowerCase().replace(/[\s_.-]+/g, '');
for (const one of vitals) {
  byName.set(plain(one.name), one);
  byName.set(one.mdc, one);
  byName.set(plain(one.mdcName), one);
  if (one.loinc !== '') byName.set(one.loinc.replace('-', ''), one);
}
for (const [alias, name] of Object.entries(aliases)) {
  const one = byName.get(plain(name));
  if (one) byName.set(plain(alias), one);
}

/** By name, alias, MDC code, MDC reference id or LOINC; case and `_`, `-`, `.` do not matter. */
export function vitalOf(name: string): Vital | undefined {
  return name.length > 64 ? undefined : byName.get(plain(name));
}

/** Whether the number has the unit that the name has where none was sent. */
export function isIn({ elsewhere }: Vital, value: string): boolean {
  const number = Number(value.replace(/^[\s<>=≤≥]+/, '').replace(',', '.'));
  return elsewhere === undefined || !(number > elsewhere[0] && number < elsewhere[1]);
}

/** Units as devices write them → UCUM; undefined: not one that is known. */
export function ucumOf(unit: string): string | undefined {
  return units.get(unit) ?? units.get(unit.toLowerCase());
}

const units = new Map<string, string>([
  ...vitals.map((one): [string, string] => [one.unit, one.unit]),
  ['mmol/L', 'mmol/L'],
  ['mmol/l', 'mmol/L'],
  ['mg/dl', 'mg/dL'],
  ['bpm', '/min'],
  ['1/min', '/min'],
  ['beats/min', '/min'],
  ['breaths/min', '/min'],
  ['rpm', '/min'],
  ['mmhg', 'mm[Hg]'],
  ['cmh2o', 'cm[H2O]'],
  ['kpa', 'kPa'],
  ['°c', 'Cel'],
  ['c', 'Cel'],
  ['degc', 'Cel'],
  ['°f', '[degF]'],
  ['f', '[degF]'],
  ['degf', '[degF]'],
  ['[degF]', '[degF]'],
  ['ml', 'mL'],
  ['l/min', 'L/min'],
  ['g', 'g'],
  ['lb', '[lb_av]'],
  ['m', 'm'],
  ['percent', '%'],
]);
