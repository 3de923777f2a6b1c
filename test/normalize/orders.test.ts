import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

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
