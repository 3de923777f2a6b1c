/** Fields that a clinician, a laboratory, a pharmacy or a billing office would miss. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, only, resources } from './told.ts';

/** A segment by its fields' numbers. */
const line = (name: string, cells: Record<number, string>): string => {
  const last = Math.max(...Object.keys(cells).map(Number));
  return [name, ...Array.from({ length: last }, (_, at) => cells[at + 1] ?? '')].join('|');
};
const coded = (code: string) => ({ codings: [{ code }] });
const coding = (code: string) => ({ coding: [{ code }] });
const at = (value: string) => ({ value });

t.test(
  'pv2 - precautions, condition, level of care, what is expected, and the flags that care depends on',
  (t) => {
    const [event] = events(
      'ADT^A01',
      line('PV1', { 2: 'I^Inpatient^HL70004', 20: 'SELF^20260101~INS^20260201', 37: 'NH^20261124' }),
      line('PV2', {
        4: 'T^Isolation needed^L',
        10: '5',
        23: 'AMB^^C1',
        25: '1',
        27: '01',
        33: '20261125',
        36: 'Y',
        38: 'A^Ambulance^HL70430',
        39: 'M~T',
        40: 'CR',
        41: 'B^Barrier^L~D^Droplet^L',
        42: 'P',
        43: 'Y',
        44: 'N',
        50: '20261101',
      }),
    );
    t.match(event?.encounter, {
      class: 'I',
      classCode: { text: 'Inpatient' },
      transferReason: { text: 'Isolation needed' },
      precautions: [coded('B'), coded('D')],
      patientCondition: coded('P'),
      levelOfCare: coded('CR'),
      expectedDays: '5',
      expectedSurgery: at('2026-11-25'),
      expectedDisposition: coded('01'),
      priority: coded('1'),
      clinics: [{ name: 'AMB' }],
      modeOfArrival: 'Ambulance',
      modeOfArrivalCode: coded('A'),
      recreationalDrugs: [coded('M'), coded('T')],
      flags: ['PV2-36=Y', 'PV2-43=Y', 'PV2-44=N'],
      advanceDirectivesVerified: at('2026-11-01'),
      financialClassSince: [at('2026-01-01'), at('2026-02-01')],
      dischargedToAt: at('2026-11-24'),
    });
    t.end();
  },
);

t.test('iam - who did what with the entry, for whom and when, and what warns of it', (t) => {
  const [event] = events(
    'ADT^A60',
    line('IAM', {
      1: '1',
      3: 'PEN^Penicillin^L',
      16: 'B^Bracelet^HL70437',
      18: '7^WEISS^EVA',
      19: 'CLINIC',
      20: '20261101',
      21: '8^ROT^JAN',
      22: '20261102',
    }),
  );
  t.match(event?.allergies, [
    {
      alertDevice: coded('B'),
      participants: [
        {
          role: 'verifying',
          person: { name: { family: 'WEISS' } },
          organization: { name: 'CLINIC' },
          acted: at('2026-11-01'),
        },
        { role: 'inactivating', person: { name: { family: 'ROT' } }, acted: at('2026-11-02') },
      ],
    },
  ]);
  t.end();
});

t.test('spm and sac - expiry, what is left, culture, and the indices of serum', (t) => {
  const said = [
    'OBR|1|1|F|K^Potassium^L',
    'OBX|1|NM|K||7.1|mmol/L|||||F',
    line('SPM', {
      2: 'S1',
      4: 'SER',
      19: '20261130',
      25: '2^mL',
      26: '3',
      28: 'CRK',
      33: '20261120',
      34: '20261122',
      35: 'A',
    }),
    line('SAC', {
      3: 'C1',
      8: 'I',
      10: 'R7',
      11: '2^3',
      22: '1.5',
      24: 'mL',
      31: '=^4',
      32: '210',
      33: 'mg/dL',
      34: '30',
      36: '2',
    }),
  ];
  const [event] = events('OUL^R22', ...said);
  t.match(event?.order?.specimen, {
    expires: at('2026-11-30'),
    currentQuantity: '2',
    currentUnit: 'mL',
    containerCount: '3',
    containerCondition: coded('CRK'),
    culture: { start: at('2026-11-20'), end: at('2026-11-22') },
    action: 'A',
    container: {
      status: coded('I'),
      carrier: { value: 'R7' },
      carrierPosition: '2^3',
      availableVolume: '1.5',
      volumeUnit: coded('mL'),
      hemolysisIndex: '210',
      hemolysisUnit: coded('mg/dL'),
      lipemiaIndex: '30',
      icterusIndex: '2',
    },
  });
  t.end();
});

t.test('obx and obr - release, root cause, process control; transport, groups and the charge', (t) => {
  const [event] = events(
    'ORU^R01',
    line('OBR', {
      1: '1',
      2: '1',
      4: 'A^A^L',
      23: '12.50&EUR^C1&Charge&L',
      37: '2',
      38: 'ICE',
      42: 'R',
      43: 'LIFT',
      51: 'GRP1',
      52: 'GRP0',
    }),
    line('OBX', {
      1: '1',
      2: 'NM',
      3: 'A',
      5: '1',
      11: 'C',
      26: 'NBR^Not before review^HL70909',
      27: 'AP',
      28: 'Q1~Q2',
    }),
  );
  t.match(event?.order, {
    practiceCharge: '12.50 EUR',
    practiceChargeCode: { text: 'Charge' },
    containerCount: '2',
    transportLogistics: [coded('ICE')],
    escort: 'R',
    transportComments: [coded('LIFT')],
    observationGroup: { value: 'GRP1' },
    parentObservationGroup: { value: 'GRP0' },
  });
  t.match(event?.observations, [
    {
      release: { text: 'Not before review' },
      rootCause: coded('AP'),
      processControl: [coded('Q1'), coded('Q2')],
    },
  ]);
  t.end();
});

t.test('in1 to in3 and gt1 - what a billing office asks for', (t) => {
  const [event] = events(
    'ADT^A01',
    'PV1|1|I',
    line('GT1', {
      1: '1',
      3: 'DOE^JO',
      15: '2',
      16: 'ACME',
      17: 'WEG 1^^BERLIN',
      20: '1',
      36: 'de',
      45: 'ROT^JAN',
      46: '030 7',
      57: 'V',
    }),
    line('IN1', {
      1: '1',
      2: 'P',
      4: 'KASSE^^99',
      15: 'HMO',
      19: 'WEG 2^^KIEL',
      22: '1',
      30: '7^WEISS',
      37: '100&EUR',
      44: 'WEG 3',
      47: 'B',
    }),
    line('IN2', { 1: 'E1', 63: '030 2', 72: 'SEL' }),
    line('IN3', { 1: '1', 2: 'Z1', 3: '8^ROT', 9: '20261101', 10: '20261130', 25: '9^GELB' }),
  );
  t.match(event?.relatedPersons, [
    {
      priority: '2',
      employers: [{ name: 'ACME', address: { city: 'BERLIN' } }],
      employmentStatus: coded('1'),
      language: coded('de'),
      contact: { person: { name: { family: 'ROT' } }, telecoms: [{ value: '030 7' }] },
      vip: coded('V'),
    },
  ]);
  t.match(event?.coverages, [
    {
      companyName: 'KASSE',
      company: [{ value: '99' }],
      planType: coded('HMO'),
      insuredAddresses: [{ city: 'KIEL' }],
      coordinationOrder: '1',
      participants: [{ role: 'verifying' }],
      deductible: '100 EUR',
      type: coded('B'),
      insuredIdentifiers: [{ value: 'E1', type: 'EN' }],
      insuredTelecoms: [{ value: '030 2', use: 'home' }],
      patientRelationship: coded('SEL'),
      certificationDetails: [
        {
          identifier: { value: 'Z1' },
          participants: [{ role: 'verifying' }, { role: 'case-manager' }],
          period: { start: at('2026-11-01'), end: at('2026-11-30') },
        },
      ],
    },
  ]);
  t.end();
});

t.test('db1 - each disability with its days; somebody else’s is told and left out', (t) => {
  const [event] = events(
    'ADT^A08',
    'DB1|1|PT|D1|Y|20260101|20260201|20260301',
    'DB1|2|PT|D2|Y|20260501',
    'DB1|3|GT|D3|Y',
  );
  t.match(event?.patient?.disabilities, [
    {
      identifiers: [{ value: 'D1' }],
      period: { start: at('2026-01-01'), end: at('2026-02-01') },
      returnToWork: at('2026-03-01'),
    },
    { identifiers: [{ value: 'D2' }], period: { start: at('2026-05-01') } },
  ]);
  t.match(event?.provenance?.remarks, ['DB1: of somebody else than the patient, left out']);
  t.end();
});

t.test('msh and sft - the programs that the message came through, its country and language', (t) => {
  const [event] = events('ADT^A08', 'SFT|Vendor^L|1.2|App|B7|info|20260101', 'PV1|1|I');
  t.match(event?.provenance?.software, [
    {
      vendor: { name: 'Vendor' },
      version: '1.2',
      product: 'App',
      binary: 'B7',
      information: 'info',
      installed: at('2026-01-01'),
    },
  ]);
  t.end();
});

t.test('sac - a container behind the last order is an event of its own; it is none of that order’s', (t) => {
  const said = ['SPM|1|S1||SER', 'SAC|||C1', 'OBR|1|P1|F1|K^K^L', 'OBX|1|NM|K||5||||||F', 'SAC|||C2|||||X'];
  const made = events('OUL^R23', ...said);
  t.match(
    made.map(({ order }) => order?.specimen),
    [
      { identifiers: [{ value: 'S1' }, { value: 'C1' }] },
      { identifiers: [{ value: 'S1' }, { value: 'C2' }], container: { status: coded('X') } },
    ],
  );
  t.equal(made[1]?.observations.length, 0);
  t.end();
});

t.test('opu - the visit before all patients is that of each [HL7 7.3.12]', (t) => {
  const head = 'MSH|^~\\&|A|B|C|D|20261123||OPU^R25|1|P|2.5.1';
  const visit = line('PV1', { 2: 'O', 3: 'FARM', 19: 'V1' });
  const of = (id: string) => [`PID|1||${id}`, `SPM|1|S${id}`, 'OBR|1|P|F|A^A^L', 'OBX|1|NM|A||1||||||F'];
  const { events: made } = normalizeHl7v2(er7(head, visit, ...of('7'), ...of('8')), testContext());
  t.match(made, [
    {
      patient: { identifiers: [at('7')] },
      encounter: { identifiers: [at('V1')], location: { pointOfCare: 'FARM' } },
    },
    {
      patient: { identifiers: [at('8')] },
      encounter: { identifiers: [at('V1')], location: { pointOfCare: 'FARM' } },
    },
  ]);
  t.not(made[0]?.encounter, made[1]?.encounter, 'each its own');
  t.end();
});

t.test('opu - visits before all patients that each would repeat without end are refused', (t) => {
  const head = 'MSH|^~\\&|A|B|C|D|20261123||OPU^R25|1|P|2.5.1';
  const of = (visits: number, patients: number) => {
    const ahead = Array.from({ length: visits }, (_, at) => `PV1|${at}|O|FARM`);
    const each = Array.from({ length: patients }, (_, at) => [`PID|1||${at}`, 'OBR|1|P|F|A^A^L']);
    return normalizeHl7v2(er7(head, ...ahead, ...each.flat()), testContext());
  };
  t.equal(of(300, 300).reject?.code, 'too-large');
  const { events: made } = of(30, 300);
  t.same([made.length, made[299]?.encounter?.location?.pointOfCare], [300, 'FARM']);
  t.equal(made[299]?.furtherEncounters.length, 29, 'each has them all');
  t.end();
});

t.test('fhir - what has a place there is there', (t) => {
  const all = resources(
    'ADT^A01',
    line('PV1', { 2: 'I', 15: 'B6' }),
    line('PV2', { 25: '1^Urgent^L', 41: 'D^Droplet^L' }),
    line('NK1', { 1: '1', 2: 'DOE^JO', 4: `WEG 1${'^'.repeat(15)}Y^N^V`, 20: 'de^German^ISO639' }),
    line('IN1', { 1: '1', 2: 'P', 4: 'KASSE', 15: 'HMO', 22: '2' }),
  );
  t.match(only('Encounter', all)[0], {
    priority: { text: 'Urgent' },
    hospitalization: { specialArrangement: [coding('B6'), coding('D')] },
  });
  t.match(only('RelatedPerson', all)[0], {
    address: [{ use: 'temp', type: 'physical' }],
    communication: [{ language: { text: 'German' } }],
  });
  t.match(only('Coverage', all)[0], { type: coding('HMO'), order: 2 });
  t.end();
});

t.test('fhir - what is told of a protected guarantor is restricted', (t) => {
  const all = resources('ADT^A01', 'PV1|1|I', line('GT1', { 1: '1', 3: 'DOE^JO', 39: 'Y' }));
  t.match(only('RelatedPerson', all)[0]?.meta, { security: [{ code: 'R' }] });
  t.end();
});
