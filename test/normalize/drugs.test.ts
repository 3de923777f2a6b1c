/** What RXO, RXE, RXD, RXG, RXA, RXC and RXV say of a drug beside its name and its dose. */
import t from 'tap';
import type { Medication } from '../../proto/gen/hilum/v1/event.ts';
import { seg } from './samples.ts';
import { events, only, resources } from './told.ts';

const volume = {
  strength: '10',
  strengthVolume: '2',
  strengthVolumeUnit: 'mL',
  strengthVolumeUnitCode: { codings: [{ code: 'mL' }] },
};
const rxe = seg('RXE', {
  2: 'MORPH^Morphine^L',
  3: '2',
  5: 'mg',
  8: 'W3^12',
  16: '3',
  17: '1',
  18: '20261101',
  19: '8^mg',
  25: '10',
  26: 'mg',
  31: '7052^Morphine^RXNORM~M1^x^L',
  32: '20261120',
  33: '2',
  34: 'mL^^UCUM',
  35: '2',
  40: 'PH1^Main pharmacy',
  44: 'M',
});

function medication(type: string, ...segments: string[]): Medication | undefined {
  return events(type, 'ORC|RE|O1^C|F1^P', ...segments)[0]?.medication;
}

t.test('drugs - as encoded', async (t) => {
  t.match(medication('RDE^O11', rxe), {
    ...volume,
    deliverTo: { pointOfCare: 'W3', room: '12' },
    refillsRemaining: '3',
    refillsDispensed: '1',
    lastDispensed: { value: '2026-11-01' },
    totalDailyDose: '8^mg',
    supplementaryCodes: [{ codings: [{ code: '7052' }] }, { codings: [{ code: 'M1' }] }],
    originallyOrdered: { value: '2026-11-20' },
    controlledSchedule: '2',
    pharmacy: { text: 'Main pharmacy' },
    pharmacyOrderType: 'M',
  });
  const all = resources('RDE^O11', 'ORC|NW|O1^C', rxe);
  t.match(only('Medication', all), [
    {
      ingredient: [
        { strength: { numerator: { value: 10, unit: 'mg' }, denominator: { value: 2, unit: 'mL' } } },
      ],
    },
  ]);
  t.match(only('MedicationRequest', all), [{ dispenseRequest: { performer: { display: 'Main pharmacy' } } }]);
});

t.test('drugs - as ordered, dispensed, to be given and given', async (t) => {
  const rxo = seg('RXO', {
    1: 'A^A^L',
    8: 'W3',
    10: 'B^B 500^L',
    18: '10',
    23: '8^mg',
    24: '7^X^RXNORM',
    25: '2',
    26: 'mL',
    27: 'M',
  });
  t.match(medication('OMP^O09', rxo), {
    ...volume,
    deliverTo: { pointOfCare: 'W3' },
    dispenseCode: { text: 'B 500' },
    totalDailyDose: '8^mg',
    supplementaryCodes: [{ text: 'X' }],
    pharmacyOrderType: 'M',
  });
  const rxd = seg('RXD', {
    1: '4',
    2: 'A^A^L',
    12: '8^mg',
    13: 'W3',
    16: '10',
    25: '7^X^RXNORM',
    28: '2',
    29: 'mL',
    32: 'M',
  });
  t.match(medication('RDS^O13', rxd), {
    ...volume,
    administrationNumber: '4',
    totalDailyDose: '8^mg',
    deliverTo: { pointOfCare: 'W3' },
    supplementaryCodes: [{ text: 'X' }],
    pharmacyOrderType: 'M',
  });
  const rxg = seg('RXG', { 1: '5', 4: 'A^A^L', 11: 'W3', 17: '10', 23: '2', 24: 'mL', 26: 'M' });
  t.match(medication('RGV^O15', rxg), {
    ...volume,
    giveNumber: '5',
    deliverTo: { pointOfCare: 'W3' },
    pharmacyOrderType: 'M',
  });
  const rxa = seg('RXA', {
    1: '5',
    2: '6',
    3: '20261123',
    5: 'A^A^L',
    6: '1',
    13: '10',
    20: 'CP',
    22: '20261124',
    23: '2',
    24: 'mL',
    26: 'M',
  });
  t.match(medication('RAS^O17', rxa), {
    ...volume,
    giveNumber: '5',
    administrationNumber: '6',
    recorded: { value: '2026-11-24' },
    pharmacyOrderType: 'M',
  });
});

t.test('drugs - a component of a mixture, and an infusion', async (t) => {
  const rxc = 'RXC|A|X^X|1|mg|10|mg|7052^Morphine^RXNORM|2|mL';
  const rxv = seg('RXV', {
    1: '1',
    2: 'L',
    3: '2',
    4: 'mg',
    5: '1',
    6: 'mL',
    7: 'PC',
    8: '1',
    9: 'mg',
    10: '0.5',
    11: 'mL',
    12: '10',
    13: 'mg',
    14: '5',
    15: 'mL',
    16: '4^h',
    17: '10^min',
    18: 'BD^Becton',
    19: 'M1',
    20: '60',
    21: 'mL',
  });
  t.match(medication('RDE^O11', 'RXE||A^A^L|1||mg', rxv, rxc), {
    ingredients: [
      { supplementaryCodes: [{ text: 'Morphine' }], strengthVolume: '2', strengthVolumeUnit: 'mL' },
    ],
    infusions: [
      {
        bolusType: 'L',
        bolus: '2 mg',
        bolusVolume: '1 mL',
        pcaType: 'PC',
        pca: '1 mg',
        pcaVolume: '0.5 mL',
        maximum: '10 mg',
        maximumVolume: '5 mL',
        maximumPer: '4^h',
        lockout: '10^min',
        syringe: 'Becton M1 60 mL',
      },
    ],
  });
});

t.test(
  'drugs - RE before what was encoded or ordered accepts it; only what was done is completed',
  async (t) => {
    const wanted: [type: string, orc: string, segment: string, status: string, fhir: string][] = [
      ['RDE^O11', 'RE|O1^C|F1^P', 'RXE||MET^Metoprolol^L|25||mg', 'accepted', 'active'],
      ['RRE^O12', 'RE|O1^C|F1^P', 'RXE||MET^Metoprolol^L|25||mg', 'accepted', 'active'],
      ['OMP^O09', 'RE|O1^C|F1^P', 'RXO|MET^Metoprolol^L|25||mg', 'accepted', 'active'],
      ['ORM^O01', 'RE|O1^C|F1^P', 'RXO|MET^Metoprolol^L|25||mg', 'accepted', 'active'],
      ['RDE^O11', 'RE|O1^C|F1^P||CM', 'RXE||MET^Metoprolol^L|25||mg', 'completed', 'completed'],
      ['RDE^O11', 'NW|O1^C|F1^P', 'RXE||MET^Metoprolol^L|25||mg', 'requested', 'active'],
    ];
    for (const [type, orc, segment, status, fhir] of wanted) {
      t.equal(events(type, `ORC|${orc}`, segment)[0]?.status, status, `${type} ${orc}`);
      const requests = only('MedicationRequest', resources(type, `ORC|${orc}`, segment));
      t.match(requests, [{ status: fhir }], `${type} ${orc}`);
    }
    t.equal(events('ORM^O01', 'ORC|RE|O1^C', 'OBR|1|O1^C||X^X^L')[0]?.status, 'completed');
  },
);

t.test(
  'drugs - what was dispensed has what remains, which part of the fill it is, and each lot its day',
  async (t) => {
    const rxd = `RXD|1|A^A^L|20261126|15|TAB||RX1|2${'|'.repeat(10)}L1~L2~L3|202801~20271231${'|'.repeat(14)}P^New - part fill^HL70484`;
    const message = ['ORC|RE|P1|F1', rxd];
    t.match(events('RDS^O13', ...message)[0]?.medication, {
      refills: '',
      refillsRemaining: '2',
      dispenseType: { codings: [{ code: 'P' }] },
      lotNumber: 'L1',
      expires: { value: '2028-01' },
      furtherLotNumbers: ['L2', 'L3'],
      furtherExpires: [{ value: '2027-12-31' }],
    });
    t.match(only('MedicationDispense', resources('RDS^O13', ...message)), [
      {
        type: { coding: [{ code: 'P' }] },
        note: [{ text: 'Further lot: L2, expires 2027-12-31' }, { text: 'Further lot: L3' }],
      },
    ]);
    const rxa = (type: string) =>
      `RXA|0|1|20261126090000||${type}|1|mL${'|'.repeat(8)}L1~L2|20280131~20271231`;
    t.match(only('MedicationAdministration', resources('RAS^O17', 'ORC|RE|P1|F1', rxa('A^A^L'))), [
      { note: [{ text: 'Further lot: L2, expires 2027-12-31' }] },
    ]);
    t.match(only('Immunization', resources('VXU^V04', 'ORC|RE|P1|F1', rxa('03^MMR^CVX'))), [
      { expirationDate: '2028-01-31', note: [{ text: 'Further lot: L2, expires 2027-12-31' }] },
    ]);
    const rxg = `RXG|1|1||A^A^L|1||mL${'|'.repeat(12)}L1~L2|20280131~20271231`;
    t.match(events('RGV^O15', 'ORC|RE|P1|F1', rxg)[0]?.medication, {
      furtherExpires: [{ value: '2027-12-31' }],
    });
  },
);

t.test('drugs - every indication, and whether somebody is to look at it first', async (t) => {
  const why = 'I10^HTN^I10~E11^Diabetes^I10';
  for (const [type, name, code, review, indication] of [
    ['OMP^O09', 'RXO', 1, 16, 20],
    ['RDE^O11', 'RXE', 2, 20, 27],
    ['RDS^O13', 'RXD', 2, 14, 21],
    ['RGV^O15', 'RXG', 4, 12, 22],
  ] as const) {
    const segment = seg(name, { [code]: 'A^A^L', [review]: 'Y', [indication]: why });
    t.match(
      medication(type, segment),
      {
        needsReview: 'Y',
        indication: { codings: [{ code: 'I10' }] },
        furtherIndications: [{ codings: [{ code: 'E11' }] }],
      },
      name,
    );
    const [fhir] = resources(type, 'ORC|RE|O1^C|F1^P', segment).filter(({ resourceType }) =>
      String(resourceType).startsWith('Medication'),
    );
    t.match(fhir?.note, [{ text: 'Needs human review' }], name);
    if (name !== 'RXD') t.match(fhir?.reasonCode, [{ text: 'HTN' }, { text: 'Diabetes' }], name);
  }
  const given = ['ORC|RE|O1^C', seg('RXA', { 3: '20261126', 5: 'A^A^L', 19: why })];
  t.match(only('MedicationAdministration', resources('RAS^O17', ...given)), [
    { reasonCode: [{ text: 'HTN' }, { text: 'Diabetes' }] },
  ]);
  const unasked = ['ORC|NW|O1^C', seg('RXE', { 2: 'A^A^L', 20: 'N' })];
  t.notOk(only('MedicationRequest', resources('RDE^O11', ...unasked))[0]?.note);
});
