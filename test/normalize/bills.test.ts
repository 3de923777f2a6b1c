/** What a bill needs: the group that a stay is billed by, what the insurer allowed, who answers since when. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { seg } from './samples.ts';
import { only, resources } from './told.ts';

function event(type: string, ...segments: string[]): ClinicalEvent {
  const head = `MSH|^~\\&|A|B|C|D|20260314101500+0100||${type}|1|P|2.6`;
  const [one, ...more] = normalizeHl7v2(er7(head, ...segments), testContext()).events;
  if (one === undefined || more.length > 0) throw new Error('the message is not one event');
  return one;
}

const pid = 'PID|1||7^^^H^MR';

const drg = seg('DRG', {
  1: 'I08D^Other hip procedures^G-DRG',
  2: '202611221200',
  3: 'Y',
  4: 'R',
  5: 'D^Days^HL70083',
  6: '12',
  7: '1000.50&USD^AP',
  8: 'M',
  9: '250&EUR',
  10: 'N',
  13: '0^Normal grouping^HL70734',
  14: '3^Severe^HL70728',
  15: '1.875',
  16: '4500^EUR',
  18: 'GroupIt',
  19: '2026.1',
});

t.test(
  'drg - a stay is told with its group, weight, amount and what of it is an outlier [HL7 6.5.3]',
  (t) => {
    for (const type of ['ADT^A03', 'BAR^P01', 'DFT^P03']) {
      const { diagnosisGroups } = event(type, pid, 'PV1|1|I', 'DG1|1||S72^Hip^I10', drg);
      t.match(
        diagnosisGroups,
        [
          {
            code: { text: 'Other hip procedures', codings: [{ code: 'I08D', name: 'G-DRG' }] },
            assigned: { value: '2026-11-22T12:00:00+01:00' },
            approved: 'Y',
            review: 'R',
            outlierType: { codings: [{ code: 'D' }] },
            outlierDays: '12',
            outlierCost: '1000.50 USD',
            payor: 'M',
            outlierReimbursement: '250 EUR',
            confidential: 'N',
            grouperStatus: { codings: [{ code: '0' }] },
            complexity: { codings: [{ code: '3' }] },
            weight: '1.875',
            amount: '4500 EUR',
            grouper: 'GroupIt',
            grouperVersion: '2026.1',
          },
        ],
        type,
      );
    }
    t.equal(
      event('ORM^O01', pid, drg, 'ORC|NW|1', 'OBR|1|1||A^A^L').diagnosisGroups.length,
      1,
      'of each order',
    );
    t.end();
  },
);

t.test('in1 - the insurer has its address, the insured a birth date, what was allowed its number', (t) => {
  const in1 = seg('IN1', {
    2: 'P1',
    4: 'BLUE',
    5: 'PO BOX 1^^NY^NY^10001',
    7: '^WPN^PH^^^800^5551212',
    8: 'G1',
    9: 'GROUPNAME^L',
    14: 'AUTH77^20260101^CALL',
    18: '19791212',
  });
  const { coverages } = event(
    'ADT^A01',
    pid,
    'PV1|1|I',
    in1,
    'IN3|1|CERT1^^^BLUE',
    'IN3|2|CERT2',
    'IN1|2|P2',
  );
  t.match(coverages, [
    {
      companyAddresses: [{ line: ['PO BOX 1'], city: 'NY', postalCode: '10001' }],
      companyTelecoms: [{ system: 'phone', use: 'work' }],
      groupName: 'GROUPNAME',
      authorization: 'AUTH77',
      authorized: { value: '2026-01-01' },
      authorizationSource: 'CALL',
      insuredBirthDate: '1979-12-12',
      certifications: [{ value: 'CERT1', assigner: 'BLUE' }, { value: 'CERT2' }],
    },
    { authorization: '', certifications: [] },
  ]);
  t.end();
});

t.test('gt1 - a guarantor is one since a day and until a day', (t) => {
  const gt1 = seg('GT1', { 1: '1', 3: 'DOE^JOHN', 13: '20260101', 14: '20261231' });
  const [guarantor, open] = event('ADT^A01', pid, 'PV1|1|I', gt1, 'GT1|2||DOE^ANN').relatedPersons;
  t.match(guarantor?.period, { start: { value: '2026-01-01' }, end: { value: '2026-12-31' } });
  t.equal(open?.period, undefined);
  t.end();
});

t.test('account - it ends with P06, is purged with P02, and lasts otherwise [HL7 6.4.2, 6.4.6]', (t) => {
  for (const [trigger, said, status] of [
    ['P06', 'completed', 'inactive'],
    ['P02', 'entered-in-error', 'entered-in-error'],
    ['P01', '', 'active'],
    ['P05', '', 'active'],
  ] as const) {
    const one = event(`BAR^${trigger}`, seg('PID', { 3: '7^^^H^MR', 18: 'A1' }));
    t.equal(one.status, said, trigger);
    const account = toBundle(one).entry.find(({ resource }) => resource.resourceType === 'Account');
    t.match(account?.resource, { identifier: [{ value: 'A1' }], status }, trigger);
  }
  t.end();
});

t.test('charge - an amount has its currency, as a CP and as an MO [HL7 2.A.12, 2.A.42]', (t) => {
  const amount = (sent: string) =>
    event('DFT^P03', pid, seg('FT1', { 1: '1', 7: 'A^A^L', 11: sent, 12: sent })).charge?.items[0];
  for (const sent of ['100.50&EUR^UP', '100.50^EUR', '100.50&EUR'])
    t.match(amount(sent), { amountExtended: '100.50 EUR', amountUnit: '100.50 EUR' }, sent);
  t.match(amount('100.50^UP'), { amountExtended: '100.50' });
  t.end();
});

t.test('charge - a procedure says of which charge it is [HL7 6.4.3, 6.4.5 FINANCIAL_PROCEDURE]', (t) => {
  const charge = (at: number) => `FT1|${at}|T${at}||20261126||CG|55^Visit^L`;
  const done = (code: string) => `PR1|1||${code}^X^I10P||20261126`;
  const said = [
    'PV1|1|I',
    done('Z'),
    charge(1),
    done('A'),
    done('B'),
    charge(2),
    'DG1|1||I10^HTN^I10',
    done('C'),
    charge(3),
    done('D'),
  ];
  for (const type of ['DFT^P03', 'DFT^P11']) {
    t.same(
      event(type, pid, ...said).procedures.map(({ code, ofCharge }) => [code?.codings[0]?.code, ofCharge]),
      [
        ['Z', ''],
        ['A', 'charge.items[0]'],
        ['B', 'charge.items[0]'],
        ['C', ''],
        ['D', 'charge.items[2]'],
      ],
      type,
    );
    const all = resources(type, ...said);
    const [, a, b, , d] = only('Procedure', all).map(({ id }) => ({ reference: `urn:uuid:${id}` }));
    t.match(
      only('ChargeItem', all).map(({ service }) => service),
      [[a, b], undefined, [d]],
    );
  }
  t.end();
});

t.test('charge - what is no charge has no price, and is told as what it is [FT1-6, table 0017]', (t) => {
  const line = (type: string, at: number) =>
    seg('FT1', { 1: `${at}`, 2: `T${at}`, 4: '20261126', 6: type, 7: 'A^Visit^L', 11: '20.00&USD' });
  const said = ['CG', 'CD', 'PY', 'AJ', 'CO', 'XX', ''].map(line);
  const items = only('ChargeItem', resources('DFT^P03', ...said)) as {
    status: string;
    priceOverride?: { value: number };
    note?: { text: string }[];
  }[];
  t.same(
    items.map(({ status, priceOverride, note }) => [status, priceOverride?.value, note?.[0]?.text]),
    [
      ['billable', 20, undefined],
      ['unknown', undefined, 'credit 20.00 USD'],
      ['unknown', undefined, 'payment 20.00 USD'],
      ['unknown', undefined, 'adjustment 20.00 USD'],
      ['unknown', undefined, 'co-payment 20.00 USD'],
      ['unknown', 20, 'XX'],
      ['unknown', 20, undefined],
    ],
  );
  t.end();
});

t.test(
  'charge - its procedure and modifiers, more in words, and the charges that it is for [HL7 6.5.1]',
  (t) => {
    const said = [
      seg('FT1', { 1: '1', 2: 'T1', 6: 'CG', 7: '55^Visit^L', 25: '99213^Visit^CPT', 26: '25^M25~LT^Left' }),
      seg('FT1', { 1: '2', 2: 'T2', 6: 'CD', 7: '55^Visit^L', 9: 'wrong patient', 30: 'PAY7', 31: '1~T0' }),
    ];
    t.match(event('DFT^P03', pid, ...said).charge?.items, [
      { alternateDescription: '', payment: undefined, references: [] },
      { alternateDescription: 'wrong patient', payment: { value: 'PAY7' }, references: ['1', 'T0'] },
    ]);
    const [charge, credit] = only('ChargeItem', resources('DFT^P03', ...said));
    t.match(charge?.code, {
      coding: [{ code: '55' }, { system: 'http://www.ama-assn.org/go/cpt', code: '99213' }],
      text: 'Visit, M25, Left',
    });
    t.match(credit, {
      identifier: [{ value: 'T2' }, { value: 'PAY7' }],
      supportingInformation: [{ reference: `urn:uuid:${charge?.id}` }, { type: 'ChargeItem', display: 'T0' }],
      note: [{ text: 'credit' }, { text: 'wrong patient' }],
    });
    t.end();
  },
);

t.test('charge - the diagnoses of a line of DFT^P11 are its own [HL7 6.4.5]', (t) => {
  const said = [
    seg('FT1', { 1: '1', 2: 'T1', 6: 'CG', 7: '99213^Visit^CPT', 19: 'I10^HTN^I10' }),
    'DG1|1||I10^Hypertension^I10',
    'DG1|2||E11^DM^I10',
    seg('FT1', { 1: '2', 2: 'T2', 6: 'CG', 7: '36415^Draw^CPT' }),
    'DG1|1||D64^Anemia^I10',
    'IN1|1|X||Aetna',
  ];
  const codesOf = (type: string) =>
    event(type, pid, ...said).charge?.items.map(({ diagnoses }) =>
      diagnoses.map(({ codings }) => codings[0]?.code),
    );
  t.same(codesOf('DFT^P11'), [['I10', 'E11'], ['D64']]);
  t.equal(event('DFT^P11', pid, ...said).conditions.length, 3);
  t.same(codesOf('DFT^P03'), [['I10'], []], 'of a P03 they are those of the patient');
  t.match(only('ChargeItem', resources('DFT^P11', ...said)), [
    { reason: [{ coding: [{ code: 'I10' }] }, { coding: [{ code: 'E11' }] }] },
    { reason: [{ coding: [{ code: 'D64' }] }] },
  ]);
  t.end();
});

t.test('dg1 - whether a diagnosis was there already on admission [DG1-26, table 0895]', (t) => {
  const said = [
    seg('DG1', { 3: 'A41.9^Sepsis^I10C', 26: 'Y' }),
    seg('DG1', { 3: 'J96^ARF^I10C', 26: 'N^No^POA' }),
  ];
  t.match(event('BAR^P01', pid, 'PV1|1|I', ...said).conditions, [
    { presentOnAdmission: { codings: [{ code: 'Y' }] } },
    { presentOnAdmission: { codings: [{ code: 'N' }] } },
  ]);
  t.end();
});

t.test('bills - the number of a transaction has its namespace, and a check digit is a digit', async (t) => {
  const told = (number: string) =>
    event('DFT^P03', pid, `FT1|1|${number}||20261126||CG|99213^V^CPT`).charge?.items;
  t.match(told('T1^EPIC'), [{ identifier: { value: 'T1', assigner: 'EPIC', checkDigit: '' } }]);
  t.match(told('T1^5^M11^HOSP'), [{ identifier: { value: 'T1', assigner: 'HOSP', checkDigit: '5' } }]);
  t.match(told('T1^5'), [{ identifier: { value: 'T1', assigner: '', checkDigit: '5' } }]);
  t.match(told('T1'), [{ identifier: { value: 'T1', checkDigit: '' } }]);
});
