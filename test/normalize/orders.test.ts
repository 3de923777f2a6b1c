import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { remarksOf } from './told.ts';

function events(type: string, ...segments: string[]): ClinicalEvent[] {
  const head = `MSH|^~\\&|CPOE|HOSP|LAB|HOSP|20261123081500||${type}|1|P|2.5.1`;
  const { events, reject } = normalizeHl7v2(er7(head, 'PID|1||7^^^HOSP^MR||A^B', ...segments), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

t.test('orders - an order control that ends the order counts before the status that it had', (t) => {
  const wanted: [control: string, sent: string, status: string][] = [
    ['CA', 'IP', 'cancelled'],
    ['OC', 'SC', 'cancelled'],
    ['DC', 'CM', 'cancelled'],
    ['RU', '', 'cancelled'],
    ['RQ', '', 'cancelled'],
    ['UC', 'IP', 'in-progress'],
    ['SC', 'CM', 'completed'],
    ['NW', 'IP', 'in-progress'],
    ['NW', '', 'requested'],
  ];
  for (const [control, sent, status] of wanted) {
    const [order] = events('OMG^O19', `ORC|${control}|P1|F1||${sent}`, 'OBR|1|P1|F1|X^Y^L');
    t.match(order, { status, order: { control, orderStatus: sent } }, `${control} ${sent}`);
  }
  const [medication] = events('RDE^O11', 'ORC|DC|P1|||IP', 'RXE||A^B^L|1||mg');
  t.equal(medication?.status, 'cancelled');
  t.end();
});

t.test('orders - roles are those of tables 0443 and 0912', (t) => {
  const roles: [sent: string, role: string][] = [
    ['AT', 'attending'],
    ['AP', 'administering'],
    ['PP', 'primary-care'],
    ['FHCP', 'primary-care'],
    ['VP', 'verifying'],
    ['DP', 'dispensing'],
    ['CLP', 'collector'],
    ['PRI', 'interpreting'],
    ['ODRP', 'ODRP'],
  ];
  for (const [sent, role] of roles) {
    const [event] = events('ADT^A08', 'PV1|1|I|W1', `ROL|1|AD|${sent}|77^Doc^Ann`);
    t.match(event?.encounter?.participants, [{ role, person: { identifiers: [{ value: '77' }] } }], sent);
  }
  t.end();
});

t.test('orders - a container before its orders is their specimen [HL7 7.3.6 OUL_R21]', (t) => {
  const found = events(
    'OUL^R21',
    'SAC|||C1',
    'OBR|1|P1||A^B^L',
    'OBX|1|NM|A^B^L||1||||||F',
    'OBR|2|P2||C^D^L',
    'OBX|1|NM|C^D^L||2||||||F',
    'SAC|||C2',
    'OBR|3|P3||E^F^L',
    'OBX|1|NM|E^F^L||3||||||F',
  );
  t.same(
    found.map(({ order }) => [order?.placer?.value, order?.specimen?.identifiers.map(({ value }) => value)]),
    [
      ['P1', ['C1']],
      ['P2', ['C1']],
      ['P3', ['C2']],
    ],
  );
  t.end();
});

t.test("orders - a container after its specimen or its order is that one's", (t) => {
  const found = events(
    'OML^O33',
    'SPM|1|S1||SER',
    'SAC|||C1',
    'ORC|NW|P1',
    'OBR|1|P1||A^B^L',
    'SPM|2|S2||UR',
    'SAC|||C2',
    'ORC|NW|P2',
    'OBR|1|P2||A^B^L',
  );
  const numbers = (all: ClinicalEvent[]) =>
    all.map(({ order }) => order?.specimen?.identifiers.map(({ value }) => value));
  t.same(numbers(found), [
    ['S1', 'C1'],
    ['S2', 'C2'],
  ]);
  const later = events('OUL^R24', 'OBR|1||F1|A^B^L', 'OBX|1|NM|A^B^L||1||||||F', 'SPM|1|S1||SER', 'SAC|||C1');
  t.same(numbers(later), [['S1', 'C1']]);
  t.end();
});

t.test('orders - fields that placer and filler agreed on, and what else OBR says of the service', (t) => {
  const [order] = events(
    'OMG^O19',
    'ORC|NW|P1',
    `OBR|1|P1||CT^CT thorax^L${'|'.repeat(14)}ACC7|RP7|SPS7^X|F2${'|'.repeat(23)}71260^CT^C4||A^With contrast^L|B^Prone^L`,
  );
  t.match(order?.order, {
    placerField1: 'ACC7',
    placerField2: 'RP7',
    fillerField1: 'SPS7^X',
    fillerField2: 'F2',
    procedure: { codings: [{ code: '71260' }] },
    details: [{ text: 'With contrast' }, { text: 'Prone' }],
  });
  t.end();
});

t.test('orders - the steps of an imaging procedure [HL7 4.5.6]', (t) => {
  const [order] = events(
    'OMI^O23',
    'ORC|NW|P1',
    'OBR|1|P1||CT^CT^L',
    'IPC|ACC9^RIS|RP9^RIS|1.2.840.99.1^RIS|SPS9^RIS|CT|THX^Thorax^L~ABD^Abdomen^L|CT-ROOM-2',
    'IPC|ACC9^RIS|RP9^RIS|1.2.840.99.1^RIS|SPS10^RIS|CT',
  );
  t.match(order?.order?.imagingSteps, [
    {
      accession: { value: 'ACC9', type: 'ACSN', assigner: 'RIS' },
      requestedProcedure: { value: 'RP9' },
      study: { value: '1.2.840.99.1' },
      scheduledStep: { value: 'SPS9' },
      modality: { text: '' },
      protocols: [{ text: 'Thorax' }, { text: 'Abdomen' }],
      station: 'CT-ROOM-2',
    },
    { scheduledStep: { value: 'SPS10' } },
  ]);
  t.equal(order?.order?.imagingSteps.length, 2);
  t.end();
});

t.test('orders - a specimen says what it is for, and every number of it', (t) => {
  const fields: Record<number, string> = {
    1: '1',
    2: 'S1&EHR^F1&LAB',
    3: 'S0&EHR',
    4: 'SER^Serum^HL70487',
    6: 'EDTA^^HL70371',
    11: 'Q^Control^HL70369',
    27: 'TUBE^Tube^L',
    30: 'ACC1^^^LAB',
    31: 'X7^^^LAB^OTH',
  };
  const spm = Array.from({ length: 32 }, (_, i) => fields[i] ?? '').join('|');
  const [order] = events('OUL^R22', `SPM${spm}`, 'OBR|1||F1|A^B^L', 'OBX|1|NM|A^B^L||1||||||F');
  t.match(order?.order?.specimen, {
    identifiers: [
      { value: 'S1', type: 'PLAC' },
      { value: 'F1', type: 'FILL' },
      { value: 'ACC1', type: 'ACSN' },
      { value: 'X7', type: 'OTH' },
    ],
    parents: [{ value: 'S0', type: 'PLAC' }],
    additives: [{ codings: [{ code: 'EDTA' }] }],
    roles: [{ codings: [{ code: 'Q' }] }],
    containerType: { text: 'Tube' },
  });
  t.end();
});

t.test('orders - order status updates and blood products are orders', (t) => {
  const [updated] = events('OSU^O51', 'ORC|SC|P1|F1||CM');
  t.match(updated, { kind: 'order', status: 'completed', order: { filler: { value: 'F1' } } });
  const [blood] = events(
    'OMB^O27',
    'ORC|NW|P1',
    'BPO|1|RBC^Red cells^L||2|||20261123090000||||||ANEM^Anemia^L',
  );
  t.match(blood, {
    kind: 'order',
    status: 'requested',
    order: {
      service: { text: 'Red cells' },
      quantity: '2',
      scheduled: { value: '2026-11-23T09:00:00+01:00' },
      reason: [{ text: 'Anemia' }],
    },
  });
  for (const type of ['BPS^O29', 'BTS^O31']) {
    t.match(events(type, 'ORC|SC|P1|F1||IP', 'BPO|1|RBC^Red cells^L'), [
      { kind: 'order', status: 'in-progress' },
    ]);
  }
  t.end();
});

t.test('orders - a mixture has the amount of each component', (t) => {
  const [event] = events(
    'RDE^O11',
    'ORC|NW|P1',
    'RXE||IV^Infusion^L|1000||mL',
    'RXC|B|NACL^NaCl 0.9%^L|1000|mL',
    'RXC|A|KCL^Potassium chloride^L|20|mmol^millimole^UCUM|2|mmol/mL',
  );
  t.match(event?.medication, {
    components: [{ text: 'NaCl 0.9%' }, { text: 'Potassium chloride' }],
    ingredients: [
      { type: 'B', code: { text: 'NaCl 0.9%' }, amount: '1000', unit: 'mL' },
      {
        type: 'A',
        code: { text: 'Potassium chloride' },
        amount: '20',
        unit: 'mmol',
        unitCode: { text: 'millimole' },
        strength: '2',
        strengthUnit: 'mmol/mL',
      },
    ],
  });
  t.end();
});

t.test('orders - what was given has its batch, what was not given its reason', (t) => {
  const given = Object.entries({
    15: 'L1',
    16: '20271231',
    17: 'M^Maker^MVX',
    18: 'PAT^Patient refused^L',
    20: 'RE',
  });
  const fields = Array.from(
    { length: 21 },
    (_, i) => given.find(([field]) => Number(field) === i)?.[1] ?? '',
  );
  fields.splice(1, 7, '0', '1', '20261123083000', '', 'A^Drug^L', '1', 'mg');
  const [event] = events('RAS^O17', 'ORC|RE|P1', `RXA${fields.join('|')}`);
  t.match(event, {
    status: 'rejected',
    medication: {
      lotNumber: 'L1',
      expires: { value: '2027-12-31' },
      manufacturers: [{ text: 'Maker' }],
      refusalReasons: [{ text: 'Patient refused' }],
    },
  });
  t.end();
});

t.test('orders - a contact that is an organization has its name', (t) => {
  const [event] = events('ADT^A08', `NK1|1||C^Employer^HL70131${'|'.repeat(10)}Firma GmbH^L^42`);
  t.match(event?.relatedPersons, [{ names: [{ text: 'Firma GmbH', family: '' }] }]);
  t.end();
});

t.test('orders - who is known only by an address takes part all the same', (t) => {
  const prt = (person: string) =>
    `PRT||UC||RCT^Results Copies To^HL70912|${person}||||||||||^^X.400^copy@hosp.example`;
  const [order] = events('OMG^O19', 'ORC|NW|P1', 'OBR|1|P1||A^B^L', prt('77^Doc^Ann'), prt(''));
  const telecoms = [{ system: 'email', value: 'copy@hosp.example' }];
  t.match(order?.order?.participants, [
    { role: 'copy-to', person: { identifiers: [{ value: '77' }] }, telecoms },
    { role: 'copy-to', person: undefined, telecoms },
  ]);
  t.equal(order?.order?.participants.length, 2);
  t.end();
});

t.test('orders - the times of the day at which something is to be done', (t) => {
  const [order] = events('OMP^O09', 'ORC|NW|P1', 'TQ1|1|2|TID|0800~1400~2000||D7', 'RXO|A^B^L|1||mg');
  t.match(order?.order?.timing, [{ repeat: 'TID', timesOfDay: ['0800', '1400', '2000'], duration: 'D7' }]);
  t.end();
});

t.test(
  'orders - an administration that is withdrawn was entered in error; where it was given is told',
  (t) => {
    const rxa = (action: string) => `RXA|0|1|20261123083000||A^B^L|1|mg||||W1^2^3|||||||||CP|${action}`;
    t.match(events('RAS^O17', 'ORC|RE|P1', rxa('D')), [
      { status: 'entered-in-error', medication: { action: 'D', location: { pointOfCare: 'W1', bed: '3' } } },
    ]);
    t.match(events('RAS^O17', 'ORC|RE|P1', rxa('A')), [{ status: 'completed' }]);
    t.end();
  },
);

t.test('orders - one that is replaced is over, also before the filler says so [HL7 4.5.1.1]', (t) => {
  for (const [type, detail] of [
    ['OML^O21', 'OBR|1|||A^B^L'],
    ['RDE^O11', 'RXE|1^BID|M^Drug^L|1||mg'],
  ] as const) {
    const both = events(type, 'ORC|RP|OLD^X', detail, 'ORC|RO|NEW^X||||||OLD&X', detail);
    t.match(both, [
      { status: 'cancelled', order: { placer: { value: 'OLD' } } },
      { status: 'requested', order: { placer: { value: 'NEW' } } },
    ]);
    t.match(events(type, 'ORC|RP|OLD^X', detail), [{ status: 'requested' }], 'alone it is sent for a change');
  }
  t.end();
});

t.test('orders - an OBR whose numbers are not those of its ORC is told of', async (t) => {
  const told = (...segments: string[]) =>
    remarksOf(events('ORU^R01', ...segments, 'OBX|1|NM|K^K^L||4||||||F'));
  t.same(told('ORC|RE|P1|ACC1', 'OBR|1|P1|ACC1-1|K^K^L'), [
    'OBR-3: another number than ORC-3, kept as a parent',
  ]);
  t.same(told('ORC|RE|P1|ACC1', 'OBR|1|P2|ACC1|K^K^L'), [
    'OBR-2: another number than ORC-2, kept as a parent',
  ]);
  t.same(told('ORC|RE|P1^EHR|ACC1', 'OBR|1|P1|ACC1^LAB|K^K^L'), []);
});
