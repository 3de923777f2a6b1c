/** Orders that no ORC begins, in messages that have ORCs or none: what they say is told, and of none but them. */
import t from 'tap';
import { classify } from '../prioritize/kit.ts';
import { events, only, resources } from './told.ts';

t.test('no ORC - a TQ1 before the first ORC is of the order behind it', (t) => {
  const found = events('OML^O21', 'TQ1|1||||||||S', 'ORC|NW|P1', 'OBR|1|P1||K^Kalium^L', 'ORC|NW|P2');
  t.match(found, [
    { order: { placer: { value: 'P1' }, priority: 'S', timing: [{ priority: 'S' }] } },
    { order: { placer: { value: 'P2' }, priority: '', timing: [] } },
  ]);
  t.equal(found.length, 2);
  t.same(
    found.map((one) => classify('{}')(one).class),
    ['stat', 'routine'],
  );
  t.end();
});

t.test('no ORC - where a TQ1 stands before each OBR it is of that one, and not of the one before', (t) => {
  const found = events(
    'OML^O21',
    'TQ1|1||||||||R',
    'TQ1|2||||||||R',
    'OBR|1|P1||K^Kalium^L',
    'TQ1|1||||||||S',
    'OBR|2|P2||NA^Natrium^L',
  );
  t.same(
    found.map(({ order }) => [order?.placer?.value, order?.priority, order?.timing.length]),
    [
      ['P1', 'R', 2],
      ['P2', 'S', 1],
    ],
  );
  t.end();
});

t.test('no ORC - a drug, blood and a diet before the first ORC are told', (t) => {
  const drugs = events('RDE^O11', 'RXE||MO^Morphine|1||mg', 'RXR|IV', 'ORC|NW|P2', 'RXE||KE^Ketamine|2||mg');
  t.same(
    drugs.map(({ medication, order }) => [
      medication?.code?.text,
      medication?.routes.length,
      order?.placer?.value,
    ]),
    [
      ['Morphine', 1, undefined],
      ['Ketamine', 0, 'P2'],
    ],
  );
  const blood = events('OMB^O27', 'BPO|1|RBC^Red cells^L||2', 'ORC|NW|P1', 'BPO|1|FFP^Plasma^L||1');
  t.same(
    blood.map(({ order }) => [order?.service?.text, order?.quantity]),
    [
      ['Red cells', '2'],
      ['Plasma', '1'],
    ],
  );
  const diets = events('OMD^O03', 'ODS|D||S^Low salt^L', 'ORC|NW|P1', 'ODS|D||F^Low fat^L');
  t.same(
    diets.map(({ order }) => order?.diet.map(({ codes }) => codes[0]?.text)),
    [['Low salt'], ['Low fat']],
  );
  t.end();
});

t.test('no ORC - each drug under one ORC is an order of its own, with its own timing and route', (t) => {
  const found = events(
    'RDE^O11',
    'ORC|DC|P1^C||||||||||D1^Doc||||ADR^Reaction',
    'NTE|1||stop both',
    'RXE||MO^Morphine|1||mg',
    'TQ1|1||BID',
    'RXR|IV',
    'RXE||KE^Ketamine|2||mg',
    'TQ1|1||QD',
    'RXR|IM',
  );
  t.match(
    found,
    [
      ['Morphine', 'IV'],
      ['Ketamine', 'IM'],
    ].map(([text, route]) => ({
      status: 'cancelled',
      notes: [{ text: 'stop both' }],
      order: {
        control: 'DC',
        placer: { value: 'P1' },
        controlReason: { text: 'Reaction' },
        participants: [{ role: 'ordering' }],
      },
      medication: { code: { text }, routes: [{ codings: [{ code: route }] }] },
      furtherMedications: [],
    })),
  );
  t.same(
    found.map(({ order }) => order?.timing.map(({ repeat }) => repeat)),
    [['BID'], ['QD']],
  );
  const requests = only(
    'MedicationRequest',
    resources('RDE^O11', 'ORC|NW|P1', 'RXE||MO^Morphine', 'RXE||KE^Ketamine'),
  );
  t.same(
    requests.map(({ basedOn }) => basedOn),
    [undefined, undefined],
  );
  t.end();
});

t.test('no ORC - what was ordered is said of each drug that it was encoded as, and of no other', (t) => {
  const found = events(
    'RDE^O11',
    'ORC|NW|P1',
    'RXO|PR^Prednisone|60||mg',
    'RXE||PR4^Prednisone 40 mg|1||TAB',
    'RXE||PR2^Prednisone 20 mg|1||TAB',
    'RXO|OM^Omeprazole|20||mg',
    'RXE||OM2^Omeprazole 20 mg|1||CAP',
  );
  t.same(
    found.map(({ medication, furtherMedications }) => [
      medication?.code?.text,
      furtherMedications.map(({ code }) => code?.text),
    ]),
    [
      ['Prednisone 40 mg', ['Prednisone']],
      ['Prednisone 20 mg', ['Prednisone']],
      ['Omeprazole 20 mg', ['Omeprazole']],
    ],
  );
  t.end();
});

t.test('no ORC - each of two doses to be given is of the order, and the second not of the first', (t) => {
  const requests = only(
    'MedicationRequest',
    resources(
      'RGV^O15',
      'ORC|RE|P1|F1',
      'RXE||INS^Insulin|10||U',
      'RXG|1||^^^202611200800|INS^Insulin|4||U',
      'RXG|2||^^^202611201200|INS^Insulin|6||U',
    ),
  );
  const [encoded, ...given] = requests;
  t.equal(given.length, 2);
  const [first, second] = given.map(({ basedOn }) => basedOn);
  t.same(first, second);
  t.same(encoded?.basedOn, undefined);
  t.end();
});

t.test('no ORC - each blood product under one ORC is an order of its own', (t) => {
  const found = events(
    'OMB^O27',
    'ORC|CA|P1||||||||||||||DUP^Duplicate^L',
    'BPO|1|RBC^Red cells^L|IRR^Irradiated^L|2',
    'BPO|2|FFP^Plasma^L||1',
  );
  t.same(
    found.map(({ status, order }) => [
      status,
      order?.placer?.value,
      order?.controlReason?.text,
      order?.service?.text,
      order?.quantity,
      order?.details.length,
    ]),
    [
      ['cancelled', 'P1', 'Duplicate', 'Red cells', '2', 1],
      ['cancelled', 'P1', 'Duplicate', 'Plasma', '1', 0],
    ],
  );
  t.end();
});

t.test('no ORC - a route or a procedure step before the first ORC is of the order behind it', (t) => {
  const drugs = events(
    'RDE^O11',
    'RXR|PO',
    'ORC|NW|P1',
    'RXE||A^Amoxicillin',
    'ORC|NW|P2',
    'RXE||B^Bisoprolol',
  );
  t.same(
    drugs.map(({ order, medication }) => [order?.placer?.value, medication?.routes.length]),
    [
      ['P1', 1],
      ['P2', 0],
    ],
  );
  const steps = events('OMI^O23', 'IPC|A1|R1|1.2.3|S1', 'ORC|NW|P1', 'OBR|1|P1||CT^Head^L', 'ORC|NW|P2');
  t.same(
    steps.map(({ order }) => [order?.placer?.value, order?.imagingSteps.length]),
    [
      ['P1', 1],
      ['P2', 0],
    ],
  );
  const [dose, ...further] = events('RAS^O17', 'RXR|IV', 'RXA|0|1|20261123||M^Morphine^L|4|mg');
  t.same(further, []);
  t.equal(dose?.medication?.routes.length, 1);
  const vaccine = events('VXU^V04', 'RXR|IM', 'ORC|RE||I1', 'RXA|0|1|20261123||03^MMR^CVX|0.5|mL');
  t.match(vaccine, [{ immunization: { identifier: { value: 'I1' }, route: { codings: [{ code: 'IM' }] } } }]);
  t.equal(vaccine.length, 1);
  t.end();
});

t.test('no ORC - an ORC behind a drug that has none has a remark, for it may be that of the drug', (t) => {
  const text = 'ORC: behind a drug that has none, read as that of the drug behind it';
  const drugs = events('RDE^O11', 'RXE||A^Amoxicillin', 'ORC|DC|P1', 'RXE||B^Bisoprolol', 'ORC|NW|P2');
  t.ok(drugs.some(({ provenance }) => provenance?.remarks.includes(text)));
  const doses = events('VXU^V04', 'RXA|0|1|20261120||03^MMR^CVX', 'ORC|RE||I1');
  t.ok(doses.some(({ provenance }) => provenance?.remarks.includes(text)));
  const usual = events('RDE^O11', 'ORC|NW|P1', 'RXE||A^Amoxicillin', 'ORC|NW|P2', 'RXE||B^Bisoprolol');
  t.notOk(usual.some(({ provenance }) => provenance?.remarks.includes(text)));
  t.end();
});
