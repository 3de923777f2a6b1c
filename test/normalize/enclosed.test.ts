/** What a referral or a problem encloses: results and orders that are not the event's own matter [HL7 11, 12]. */
import t from 'tap';
import { events, only, resources } from './told.ts';

const rf1 = 'RF1|P^Pending^HL70283|R|CARD^Cardiology|||R1^GP|20261126';
const a1c = (at: string) => `OBR|1|||HBA1C^HbA1c^LN|||${at}|||||||||||||||||F`;
const value = (text: string, at = '') => `OBX|1|NM|4548-4^HbA1c^LN||${text}|%|||||F|||${at}`;

t.test('enclosed - a result of a referral has its own time, else its order has one, else none', async (t) => {
  const message = [
    rf1,
    a1c('20260301'),
    value('9.1'),
    a1c('20261101'),
    value('6.8'),
    value('6.9', '20261102'),
    a1c(''),
    value('7.0'),
  ];
  const [event] = events('REF^I12', ...message);
  t.same(
    event?.observations.map(({ value, ofOrder }) => [value, ofOrder]),
    [
      ['9.1', 'order'],
      ['6.8', 'furtherOrders[0]'],
      ['6.9', 'furtherOrders[0]'],
      ['7.0', 'furtherOrders[1]'],
    ],
  );
  const all = resources('REF^I12', ...message);
  t.same(
    only('Observation', all).map(({ effectiveDateTime }) => effectiveDateTime),
    ['2026-03-01', '2026-11-01', '2026-11-02', undefined],
  );
});

t.test(
  'enclosed - a result hangs from the order that it stands under, never from the referral',
  async (t) => {
    const all = resources('REF^I12', rf1, a1c('20260301'), value('9.1'), a1c('20261101'), value('6.8'));
    const [referral, ...orders] = only('ServiceRequest', all);
    t.match(referral, { identifier: [{ value: 'R1' }] });
    t.same(
      only('Observation', all).map(({ basedOn }) => basedOn),
      orders.map(({ id }) => [{ reference: `urn:uuid:${id}`, type: 'ServiceRequest' }]),
    );
  },
);

t.test('enclosed - a measurement of a problem has none of its onset', async (t) => {
  const prb = 'PRB|AD|20261126|I10^HTN^I10|PB1|||20260101|||||||active|20261126|20200101';
  const pressure = 'OBX|1|NM|8480-6^SBP^LN||150|mm[Hg]|||||F';
  const order = ['ORC|RE|P1', 'OBR|1|P1||BP^Blood pressure^L|||20261120'];
  const message = [prb, pressure, ...order, pressure, prb, pressure];
  const [event] = events('PPR^PC1', ...message);
  t.same(
    event?.observations.map(({ ofOrder }) => ofOrder),
    ['', 'order', ''],
  );
  t.match(event, { times: { observed: { value: '2020-01-01' } } });
  t.same(
    only('Observation', resources('PPR^PC1', ...message)).map(({ effectiveDateTime }) => effectiveDateTime),
    [undefined, '2026-11-20', undefined],
  );
});

t.test(
  'enclosed - a note behind the visit is of the referral, not of the last result before it',
  async (t) => {
    const [event] = events(
      'REF^I12',
      rf1,
      a1c('20261120'),
      value('6.8'),
      'NTE|1||fasting',
      'PV1|1|I',
      'NTE|1||soon',
    );
    t.match(event, { notes: [{ text: 'soon' }], observations: [{ notes: [{ text: 'fasting' }] }] });
    t.equal(event?.notes.length, 1);
    t.equal(event?.observations[0]?.notes.length, 1);
  },
);

t.test('enclosed - an order says itself where it stands, whatever becomes of the referral', async (t) => {
  const ecg = (sent: string) => `OBR|1|P1||ECG^ECG^L|||20261120||||||||||||||||||${sent}`;
  const wanted: [trigger: string, segments: string[], referral: string, order: string][] = [
    ['I12', [ecg('F')], 'active', 'completed'],
    ['I14', [ecg('F')], 'revoked', 'completed'],
    ['I14', [ecg('P')], 'revoked', 'active'],
    ['I14', [ecg('')], 'revoked', 'unknown'],
    ['I12', ['ORC|NW|P1', ecg('')], 'active', 'active'],
    ['I12', ['ORC|RE|P1', ecg('X')], 'active', 'revoked'],
    ['I12', ['ORC|RE|P1|||CM', ecg('')], 'active', 'completed'],
  ];
  for (const [trigger, segments, referral, order] of wanted) {
    t.match(
      only('ServiceRequest', resources(`REF^${trigger}`, rf1, ...segments)).map(({ status }) => status),
      [referral, order],
      `${trigger} ${segments}`,
    );
  }
});

t.test(
  'enclosed - each of two documents of one message is an event with its own text and state',
  async (t) => {
    const txa = (title: string, at: string, state: string) =>
      `TXA|1|${title}^Doc ${title}^L||||||||||${at}^E|||||${state}||AV`;
    const obx = (text: string) => `OBX|1|TX|I^Imp^L||${text}||||||F`;
    const two = [
      'PV1|1|I|W1',
      txa('A', 'D1', 'LA'),
      'NTE|1||of A',
      obx('text A'),
      txa('B', 'D2', 'IP'),
      obx('text B'),
    ];
    const found = events('MDM^T02', ...two);
    const of = { patient: { identifiers: [{ value: '7' }] }, encounter: { location: { pointOfCare: 'W1' } } };
    t.match(found, [
      { ...of, status: 'final', document: { identifiers: [{ value: 'D1' }], text: ['Imp:', 'text A'] } },
      {
        ...of,
        status: 'preliminary',
        document: { identifiers: [{ value: 'D2' }], text: ['Imp:', 'text B'] },
      },
    ]);
    t.same(
      found.map(({ notes }) => notes.map(({ text }) => text)),
      [['of A'], []],
    );
  },
);
