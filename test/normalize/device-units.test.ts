/** Units as monitors, pumps, ventilators and scales write them. */
import t from 'tap';
import { spelled } from '../../gateway/normalize/units.ts';

t.test('device units - what bedside devices write is read', async (t) => {
  const rows: Record<string, string[]> = {
    '/min': ['beat/min', 'beats per minute', 'breaths per minute', 'pulses/min', 'Schläge/min', 'bpm '],
    'L/min': ['L/minute', 'l per minute'],
    'mm[Hg]': ['mmHg ', ' mm Hg'],
    'cm[H2O]': ['cmH₂O', 'cm H₂O'],
    'cm[H2O]/L/s': ['cmH2O/L/s', 'cmH₂O/l/s'],
    'mL/cm[H2O]': ['mL/cmH2O', 'ml/cmH2O'],
    mbar: ['mBar'],
    '[degF]': ['° F', 'degrees F'],
    Cel: ['degrees C'],
    '%': ['vol%', 'Vol %', 'vol-%'],
    'mL/h': ['ml/hour', 'mL per hour'],
    'mg/h': ['mg/hr'],
    'U/h': ['units/h', 'units/hr', 'Units/hour'],
    '[IU]/h': ['IU/h', 'IU/hr'],
    'meq/h': ['mEq/h'],
    '[drp]/min': ['gtt/min', 'drops/min'],
    ms: ['msec'],
    Ohm: ['Ω'],
    kOhm: ['kΩ'],
  };
  for (const [ucum, texts] of Object.entries(rows))
    for (const text of texts) t.equal(spelled(text), ucum, text);
});

t.test('device units - a litre in a metre is no flow, and nobody says which was meant', async (t) => {
  for (const text of ['L/m', 'l/m']) t.equal(spelled(text), undefined, text);
});
