/** Whose a row is: its own order's, its own specimen's, its own patient's, whatever stands around it. */
import t from 'tap';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { events, only, remarksOf, resources } from './told.ts';

const control = 'SPM|1|QC9||SER|||||||Q^Control^HL70369';
const patients = 'SPM|2|S1||SER|||||||P^Patient^HL70369';
const order = ['OBR|1|P1||K', 'OBX|1|NM|K||4||||||F'];
const critical = 'OBX|1|NM|K||9|||HH|||F';

/** Each event by its order's number, its specimens and its values. */
function told(all: readonly ClinicalEvent[]): unknown[] {
  return all.map(({ order: of, observations }) => [
    of?.placer?.value ?? of?.filler?.value,
    of?.specimen?.identifiers[0]?.value,
    observations.map(({ value }) => value),
  ]);
}

t.test('specimens - what was measured of a control is in no order of a patient', async (t) => {
  const own = [undefined, 'QC9', ['9']];
  const patient = ['P1', 'S1', ['4']];
  for (const type of ['OUL^R22', 'ORU^R01']) {
    t.same(told(events(type, control, critical, patients, ...order)), [own, patient], `${type}, before it`);
    t.same(told(events(type, patients, ...order, control, critical)), [patient, own], `${type}, behind it`);
  }
  const [alone, ...further] = events('OUL^R22', control, 'NTE|1||drifted', critical);
  t.match(alone, {
    order: { specimen: { identifiers: [{ value: 'QC9' }], roles: [{ codings: [{ code: 'Q' }] }] } },
    observations: [{ value: '9' }],
    notes: [{ text: 'drifted' }],
  });
  t.equal(further.length, 0);
});

t.test('specimens - one that was rejected is told, with its reason', async (t) => {
  const rejected = `SPM|1|S1||SER${'|'.repeat(17)}EX^Expired^HL70490`;
  const [event] = events('OUL^R22', rejected);
  t.match(event?.order?.specimen, { identifiers: [{ value: 'S1' }], rejectReasons: [{ text: 'Expired' }] });
});

t.test('specimens - what was found of the second one is not said of the first', async (t) => {
  const all = events(
    'OML^O33',
    'SPM|1|S1||SER',
    'OBX|1|NM|VOL||5',
    'SPM|2|S2||UR',
    'ORC|NW|P1',
    'OBR|1|P1||A',
  );
  t.same(told(all), [
    [undefined, 'S1', ['5']],
    ['P1', 'S2', []],
  ]);
  const containers = [
    'SAC|||C1',
    'OBR|1|P1||A',
    'OBX|1|NM|A||1',
    'SPM|2|S2||UR',
    'SAC|||C2',
    'OBX|1|NM|V||7',
  ];
  t.same(told(events('OUL^R23', 'SPM|1|S1||SER', ...containers)), [
    ['P1', 'S1', ['1']],
    [undefined, 'S2', ['7']],
  ]);
});

t.test('specimens - rows of several ones under one order are told apart', async (t) => {
  const rows = [
    'SPM|1|S1',
    'OBX|1|NM|A||1',
    'SPM|2|S2',
    'OBX|2|NM|A||2',
    'OBX|3|NM|B||3',
    'OBR|2||F2|B',
    'OBX|1|NM|B||4',
  ];
  const [first, second] = events('OUL^R24', 'OBR|1||F1|A', ...rows);
  t.same(
    first?.observations.map(({ ofSpecimen }) => ofSpecimen),
    [1, 2, 2],
  );
  t.same(
    second?.observations.map(({ ofSpecimen }) => ofSpecimen),
    [0],
    'the next order begins anew',
  );
  const [usual] = events('OUL^R24', 'OBR|1||F1|A', 'SPM|1|S1', 'SPM|2|S2', 'OBX|2|NM|A||2');
  t.same(
    usual?.observations.map(({ ofSpecimen }) => ofSpecimen),
    [0],
    'behind all of them nobody knows',
  );
});

t.test(
  'specimens - a number that is no pair is one number, and OBX-33 finds it in either form',
  async (t) => {
    const obx = (number: string) => `OBX|1|NM|A||1||||||F${'|'.repeat(22)}${number}`;
    const specimens = ['SPM|1|S1&LAB', 'SPM|2|&^S2&LAB', 'SPM|3|S3^LAB^1.2.3^ISO'];
    const numbers = ['S1&LAB', '&^S2&LAB', 'S3^LAB^1.2.3^ISO', 'S9&LAB'];
    const [event] = events('ORU^R01', 'OBR|1||F1|A', ...numbers.map(obx), ...specimens);
    t.same(
      event?.observations.map(({ ofSpecimen }) => ofSpecimen),
      [1, 2, 3, 0],
    );
    t.equal(event?.observations[3]?.specimenIdentifier?.value, 'S9');
    const third = event?.order?.furtherSpecimens[1]?.identifiers;
    t.match(third, [{ value: 'S3', system: 'urn:oid:1.2.3', type: '' }]);
    t.equal(third?.length, 1, 'the authority is no number');
  },
);

t.test('orders - earlier results under a PID of their own leave the next order to its patient', async (t) => {
  const asked = ['PV1|1|I|W1', 'AL1|1|DA|PCN', 'ORC|NW|O1', 'OBR|1|O1||A'];
  const earlier = [
    'PID|1||OLD9^^^HOSP^MR||A^B',
    'ORC|PR|O0|F0',
    `OBR|1|O0|F0|A${'|'.repeat(21)}F`,
    'OBX|1|NM|A||1',
  ];
  const next = ['ORC|NW|O2', 'OBR|2|O2||B'];
  const all = events('OML^O21', ...asked, ...earlier, ...next);
  const whose = (ones: readonly ClinicalEvent[]) =>
    ones.map(({ order: of, patient, encounter, allergies }) => [
      of?.placer?.value ?? of?.filler?.value,
      patient?.identifiers[0]?.value,
      encounter?.location?.pointOfCare,
      allergies.length,
    ]);
  const expected = [
    ['O1', '7', 'W1', 1],
    ['O0', 'OLD9', undefined, 0],
    ['O2', '7', 'W1', 1],
  ];
  t.same(whose(all), expected);
  const bare = [...earlier.slice(0, 1), ...earlier.slice(2)];
  t.same(whose(events('OML^O21', ...asked, ...bare, ...next)), expected, 'an earlier result may have no ORC');
  const another = ['PID|1||8^^^HOSP^MR||C^D', ...next];
  t.same(
    whose(events('ORM^O01', ...asked, ...another)),
    [expected[0], ['O2', '8', undefined, 0]],
    'another patient is another patient',
  );
});

t.test('orders - an earlier result beside a new order is not asked for with it', async (t) => {
  const message = ['ORC|NW|O1||G1', 'TQ1|1||||||||S', 'OBR|1|O1||TROP'];
  const [asked, earlier] = events(
    'OML^O21',
    ...message,
    'OBR|2||F0^LIS|TROP|||20250301',
    'OBX|1|NM|TROP||1|||N|||F',
  );
  t.match(asked, { status: 'requested', order: { priority: 'S', control: 'NW' } });
  t.match(earlier, { status: 'unknown', order: { priority: '', control: '', group: undefined } });
});

t.test('results - an ORC between an OBR and its results is that of the OBR', async (t) => {
  const obr = `OBR|1||F1|GLU^Glucose|||20260301${'|'.repeat(18)}F`;
  for (const orc of ['ORC|RE|P1', 'ORC|RE', 'ORC|RE|P1|F1']) {
    const all = events('ORU^R01', obr, orc, 'OBX|1|NM|GLU||5||||||F');
    t.equal(all.length, 1, orc);
    t.match(all[0], { order: { control: 'RE', filler: { value: 'F1' } }, observations: [{ value: '5' }] });
  }
  const others = events('ORU^R01', obr, 'ORC|RE||F2', 'OBX|1|NM|GLU||5||||||F');
  t.equal(others.length, 2, 'one with another number is that of another order');
  t.match(remarksOf(others.slice(1)), [/ORC: behind an OBR/]);
});

t.test('results - a unit with a power of ten and a word behind it stays whole', async (t) => {
  const units = [
    '10^3 copies/mL',
    '10^9 / L',
    '10^3cells/uL',
    'x10^3 IU/mL',
    'IU/10^6 cells',
    'per 10^5 cells',
    '10^3/uL',
  ];
  const rows = units.map((unit, at) => `OBX|${at}|NM|A${at}||5.2|${unit}|||||F`);
  const all = events(
    'ORU^R01',
    'OBR|1||F1|A',
    ...rows,
    'OBX|9|NM|B||1|mg^milligram',
    'OBX|10|NM|C||1|10^6 CFU/g^x^L',
  );
  t.same(
    all[0]?.observations.map(({ unit }) => unit),
    [...units, 'mg', '10^6 CFU/g'],
  );
});

t.test('results - a range that is open above says so', async (t) => {
  const [event] = events(
    'ORU^R01',
    'OBR|1||F1|A',
    'OBX|1|NR|A||10^',
    'OBX|2|NR|A||^10',
    'OBX|3|NR|A||10',
    'OBX|4|NR|A||1^2',
  );
  t.same(
    event?.observations.map(({ value }) => value),
    ['>=10', '<=10', '10', '1-2'],
  );
  const found = only('Observation', resources('ORU^R01', 'OBR|1||F1|A', 'OBX|1|NR|A||10^|mg'));
  t.match(found, [{ valueQuantity: { value: 10, comparator: '>=' } }]);
});

t.test('results - a note on what is left out is none on the result before it', async (t) => {
  const rows = ['OBX|1|NM|A||1', 'FT1|1|||20260301||CG|X', 'NTE|1||of the charge'];
  const [event] = events('ORU^R01', 'OBR|1||F1|A', ...rows);
  t.same(event?.observations[0]?.notes, []);
  t.match(event?.notes, [{ text: 'of the charge' }]);
});

t.test('results - an order status that table 0038 does not have is remarked', async (t) => {
  const all = events('ORU^R01', 'ORC|RE|P4|F4||ZZ', 'OBR|1|P4|F4|A');
  t.match(remarksOf(all), ['ORC-5: not a code of table 0038, it is no status']);
});

t.test('segments - one that is indented by a tab is read as one that is by a blank', async (t) => {
  const [event] = events('ORU^R01', ' OBR|1||F1|A', '\tOBX|1|NM|K||9.1|||HH|||F');
  t.match(event?.observations, [{ value: '9.1', interpretation: 'HH' }]);
});

t.test('reports - where all orders are named first, a result is of the order with its numbers', async (t) => {
  const orcs = ['ORC|RE|P1|F1||CM', 'ORC|RE|P2|F2||IP', 'ORC|CA|P3|F3'];
  const obr = (n: number, code: string) => [`OBR|${n}|P${n}|F${n}|${code}`, `OBX|1|NM|${code}||${n}||||||F`];
  const all = events('ORU^R01', ...orcs, ...obr(1, 'K'), ...obr(2, 'NA'));
  t.match(
    all.map(({ order: of, observations }) => [
      of?.placer?.value,
      of?.control,
      of?.orderStatus,
      of?.service?.codings[0]?.code,
      observations[0]?.value,
    ]),
    [
      ['P3', 'CA', '', undefined, undefined],
      ['P1', 'RE', 'CM', 'K', '1'],
      ['P2', 'RE', 'IP', 'NA', '2'],
    ],
  );
  for (const { order: of, provenance } of all) t.same([of?.parents, provenance?.remarks], [[], []]);
  // Without a number there is nothing to go by, and one that is said twice is that of the ORC right above.
  const unnumbered = events('ORU^R01', 'ORC|RE', 'ORC|RE', 'OBR|1|||K', 'OBX|1|NM|K||1||||||F');
  t.match(
    unnumbered.map(({ observations }) => observations.length),
    [0, 1],
  );
  const twice = events('ORU^R01', 'ORC|RE|P1|F1||IP', 'ORC|RE|P1|F1||CM', ...obr(1, 'K'));
  t.match(
    twice.map(({ order: of, observations }) => [of?.orderStatus, observations.length]),
    [
      ['IP', 0],
      ['CM', 1],
    ],
  );
});
