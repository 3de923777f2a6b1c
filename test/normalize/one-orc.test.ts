/** One ORC before several OBR, as systems of HL7 2.1 and 2.2 send it: it is that of all of them. */
import t from 'tap';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { events, only, remarksOf, resources } from './told.ts';

const orc = 'ORC|CA|P1^C|F1^L||CA||||20261123||||||20261123|DUP^Duplicate^L';
const numbers = (all: readonly ClinicalEvent[]) =>
  all.map(({ order }) => [order?.placer?.value, order?.filler?.value, order?.parents.length]);

t.test('one ORC - a cancellation is that of each OBR behind it', async (t) => {
  const message = [
    orc.replace('||||||20261123|DUP', '|U1^Enter||D1^Doc|||20261123|DUP'),
    'OBR|1|P1^C|F1^L|NA^Natrium^L',
    'OBR|2|P2^C|F2^L|K^Kalium^L',
    'OBR|3|P3^C||CL^Chlorid^L',
    'OBR|4|||CA^Calcium^L',
  ];
  const all = events('ORM^O01', ...message);
  t.match(
    all,
    ['NA', 'K', 'CL', 'CA'].map((code) => ({
      status: 'cancelled',
      order: {
        control: 'CA',
        orderStatus: 'CA',
        controlReason: { text: 'Duplicate' },
        requested: { value: '2026-11-23' },
        service: { codings: [{ code }] },
        participants: [{ role: 'entering' }, { role: 'ordering' }],
      },
    })),
  );
  t.same(
    numbers(all),
    [
      ['P1', 'F1', 0],
      ['P2', 'F2', 0],
      ['P3', undefined, 0],
      ['P1', 'F1', 0],
    ],
    "an OBR's own number stands, and it hangs from no other",
  );
  t.match(
    only('ServiceRequest', resources('ORM^O01', ...message)).map(({ status }) => status),
    ['revoked', 'revoked', 'revoked', 'revoked'],
  );
});

t.test('one ORC - its timing and its notes are theirs too, and each OBR keeps what it says', async (t) => {
  const all = events(
    'OMG^O19',
    'ORC|NW|P1',
    'NTE|1||for all',
    'TQ1|1||||||20261124||S',
    'OBR|1|P1||A^A^L',
    'NTE|1||of the first',
    'OBR|2|P2||B^B^L',
    'NTE|1||of the second',
  );
  t.match(
    all.map(({ notes }) => notes.map(({ text }) => text)),
    [
      ['for all', 'of the first'],
      ['for all', 'of the second'],
    ],
  );
  t.match(all, [
    { order: { priority: 'S', timing: [{ priority: 'S' }] } },
    { order: { priority: 'S', timing: [{ priority: 'S' }] } },
  ]);
  t.equal(all[0]?.order?.timing.length, 1);
});

t.test('one ORC - an earlier result beside the orders is none of them', async (t) => {
  const visit = events('OML^O21', 'PV1|1|I', orc, 'OBR|1|P1|F1|A^A^L', 'PV1|1|O', 'OBR|1||F9|A^A^L');
  t.match(visit, [{ order: { control: 'CA' } }, { status: 'unknown', order: { control: '' } }]);
  const result = events(
    'OMG^O19',
    orc,
    'OBR|1|P1|F1|A^A^L',
    `OBR|1||F9|A^A^L${'|'.repeat(21)}F`,
    'OBX|1|ST|A||1',
  );
  t.match(result, [{ order: { control: 'CA' } }, { status: 'final', order: { control: '' } }]);
  const own = events('ORM^O01', orc, 'OBR|1|P1|F1|A^A^L', 'ORC|NW|P2', 'OBR|1|P2||A^A^L');
  t.match(own, [
    { status: 'cancelled' },
    { status: 'requested', order: { control: 'NW', controlReason: undefined } },
  ]);
});

t.test('one ORC - behind its OBR it is that of the OBR, by its numbers', async (t) => {
  const k = 'OBX|1|NM|K^K^L||7.0|mmol/L|||||F';
  const report = events('ORU^R01', 'OBR|1|P1|F1|K^K^L', 'ORC|RE|P1|F1', k);
  t.match(report, [{ order: { control: 'RE', service: { text: 'K' } }, observations: [{ value: '7.0' }] }]);
  t.equal(report.length, 1);
  t.same(remarksOf(report), []);
  const two = events(
    'ORU^R01',
    'OBR|1|P1|F1|K^K^L',
    'ORC|RE|P1|F1',
    k,
    'OBR|2|P2|F2|NA^Na^L',
    'ORC|RE|P2',
    k,
  );
  t.match(two, [
    { order: { filler: { value: 'F1' }, service: { text: 'K' } }, observations: [{ value: '7.0' }] },
    { order: { filler: { value: 'F2' }, service: { text: 'Na' } }, observations: [{ value: '7.0' }] },
  ]);
  t.equal(two.length, 2);
  const orders = events('ORM^O01', 'OBR|1|P1||K^K^L', 'ORC|NW|P1', 'OBR|2|P2||NA^Na^L', 'ORC|CA|P2');
  t.match(orders, [
    { status: 'requested', order: { control: 'NW', placer: { value: 'P1' }, service: { text: 'K' } } },
    { status: 'cancelled', order: { control: 'CA', placer: { value: 'P2' }, service: { text: 'Na' } } },
  ]);
  t.equal(orders.length, 2);
  t.same(remarksOf(orders), []);
});

t.test(
  'one ORC - behind an OBR with another number it is that of the next, and a remark says so',
  async (t) => {
    const said = [/^ORC: behind an OBR that has none/];
    const other = events('ORU^R01', 'OBR|1|P1|F1|K^K^L', 'ORC|RE|P9|F9', 'OBX|1|NM|K^K^L||7.0||||||F');
    t.equal(other.length, 2);
    t.match(
      other.flatMap(({ provenance }) => provenance?.remarks),
      said,
    );
    const unnumbered = events('ORM^O01', 'OBR|1|P1||K^K^L', 'ORC|CA', 'OBR|2|P2||NA^Na^L');
    t.match(
      unnumbered.flatMap(({ provenance }) => provenance?.remarks),
      said,
    );
    const standard = events('ORU^R01', 'OBR|1|P1|F1|K^K^L', 'ORC|RE|P1|F1', 'OBR|2|P1|F1|NA^Na^L');
    t.match(standard, [{ order: { control: '' } }, { order: { control: 'RE' } }]);
    t.same(remarksOf(standard), []);
  },
);

const visit = (number: string): string => `PV1|1|I|W${'|'.repeat(16)}${number}`;

t.test('one ORC - a visit between it and its OBR is that of its order, which it does not part', (t) => {
  const found = events(
    'ORM^O01',
    'ORC|CA|P1',
    visit('V1'),
    'OBR|1|P1||NA^Natrium^L',
    'ORC|CA|P2',
    visit('V2'),
    'PV2||P',
    'OBR|1|P2||K^Kalium^L',
  );
  t.same(
    found.map(({ status, order, encounter }) => [
      status,
      order?.placer?.value,
      order?.service?.text,
      encounter?.identifiers[0]?.value,
      encounter?.accommodation?.codings[0]?.code,
    ]),
    [
      ['cancelled', 'P1', 'Natrium', 'V1', undefined],
      ['cancelled', 'P2', 'Kalium', 'V2', 'P'],
    ],
  );
  t.end();
});

t.test(
  'one ORC - of two visits before its OBR the nearer is that of the order, and the other is told',
  (t) => {
    const [found, ...others] = events(
      'ORM^O01',
      visit('V0'),
      'ORC|CA|P1',
      visit('V1'),
      'OBR|1|P1||NA^Natrium^L',
    );
    t.same(others, []);
    t.match(found, {
      status: 'cancelled',
      encounter: { identifiers: [{ value: 'V1' }] },
      furtherEncounters: [{ identifiers: [{ value: 'V0' }] }],
    });
    t.end();
  },
);

t.test('one ORC - a visit behind an ORC that orders nothing is that of the next order', (t) => {
  const found = events('ORM^O01', visit('V1'), 'ORC|CA|P1', visit('V2'), 'ORC|NW|P2', 'OBR|1|P2||K^Kalium^L');
  t.same(
    found.map(({ order, encounter }) => [order?.placer?.value, encounter?.identifiers[0]?.value]),
    [
      ['P1', 'V1'],
      ['P2', 'V2'],
    ],
  );
  t.end();
});
