/** What a bill needs: the group that a stay is billed by, what the insurer allowed, who answers since when. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { seg } from './samples.ts';

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

t.test('bills - the number of a transaction has its namespace, and a check digit is a digit', async (t) => {
  const told = (number: string) =>
    event('DFT^P03', pid, `FT1|1|${number}||20261126||CG|99213^V^CPT`).charge?.items;
  t.match(told('T1^EPIC'), [{ identifier: { value: 'T1', assigner: 'EPIC', checkDigit: '' } }]);
  t.match(told('T1^5^M11^HOSP'), [{ identifier: { value: 'T1', assigner: 'HOSP', checkDigit: '5' } }]);
  t.match(told('T1^5'), [{ identifier: { value: 'T1', assigner: '', checkDigit: '5' } }]);
  t.match(told('T1'), [{ identifier: { value: 'T1', checkDigit: '' } }]);
});
