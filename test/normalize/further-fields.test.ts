/** Fields of imaging, vaccinations, documents, referrals and charges that say who, where and what exactly. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { seg } from './samples.ts';
import { events, only, resources } from './told.ts';

t.test('imaging - the study that ZDS names, and where the step is planned', async (t) => {
  const zds = 'ZDS|1.2.840.113654.2.70.1^IHE^Application^DICOM';
  const [order] = events('ORM^O01', 'ORC|NW|P1', 'OBR|1|P1||CT^CT^L', zds);
  t.match(order?.order?.imagingSteps, [
    { study: { value: '1.2.840.113654.2.70.1', system: 'urn:dicom:uid' } },
  ]);
  const ipc = 'IPC|A1|RP1|1.2.840.113654.2.70.1|S1|CT^CT^DCM|PR1^P^L|CTSTATION|CT1^Room 1^L|CT_AE';
  const [both] = events('OMI^O23', 'ORC|NW|P1', 'OBR|1|P1||CT^CT^L', ipc, zds);
  t.match(both?.order?.imagingSteps, [{ location: { text: 'Room 1' }, stationTitle: 'CT_AE' }]);
  t.equal(both?.order?.imagingSteps.length, 1, 'the study is named already');
});

t.test('vaccinations - who gave, ordered and recorded, each lot, and the address', async (t) => {
  const people =
    '1234^SMITH^SALLY^^^^^^^^^^VEI~1235^OBRIAN^ROBERT^^^^^^^^^^OEI~1236^CLERK^C^^^^^^^^^^REI~1237^Who^W';
  const rxa = seg('RXA', {
    1: '0',
    2: '1',
    3: '19980401',
    5: '20^DTaP^CVX',
    6: '.5',
    10: people,
    11: '^^^CLINIC^^^^^12 Main St^Floor 2^Town^TX^77000^USA',
    15: 'W1~W2',
    20: 'CP',
  });
  t.match(events('VXU^V04', rxa)[0]?.immunization, {
    participants: [
      { role: 'administering', person: { identifiers: [{ value: '1234' }] } },
      { role: 'ordering', person: { identifiers: [{ value: '1235' }] } },
      { role: 'entering', person: { identifiers: [{ value: '1236' }] } },
      { role: 'administering', person: { identifiers: [{ value: '1237' }] } },
    ],
    lotNumber: 'W1',
    furtherLotNumbers: ['W2'],
    location: { facility: 'CLINIC', description: '', identifiers: [] },
    locationAddress: {
      line: ['12 Main St', 'Floor 2'],
      city: 'Town',
      state: 'TX',
      postalCode: '77000',
      country: 'USA',
    },
  });
  const all = resources('VXU^V04', rxa);
  t.match(only('Immunization', all), [
    {
      performer: ['AP', 'AP', 'OP', 'EP'].map((code) => ({ function: { coding: [{ code }] } })),
      lotNumber: 'W1',
      note: [{ text: 'Further lot: W2' }],
    },
  ]);
  t.match(only('Location', all), [{ name: 'CLINIC', address: { city: 'Town' } }]);
  const [given] = events(
    'RAS^O17',
    seg('RXA', { 3: '2026', 5: 'A', 11: 'ICU^1', 15: 'L1~L2', 28: 'Main St^^Town' }),
  );
  t.match(given?.medication, {
    location: { pointOfCare: 'ICU' },
    locationAddress: { city: 'Town' },
    lotNumber: 'L1',
    furtherLotNumbers: ['L2'],
  });
});

t.test('documents - each signer with the time of the signature, and the folder', async (t) => {
  const signer = (name: string, time: string) => `${name}^Auth^Adam${'^'.repeat(12)}${time}`;
  const txa = seg('TXA', {
    1: '1',
    2: 'HP',
    12: 'D1',
    17: 'AU',
    19: 'AV',
    24: 'FOLDER7^Folder seven^L',
    22: `${signer('A9', '20261123070000')}~${signer('A8', '20261123080000')}`,
  });
  t.match(events('MDM^T02', txa)[0]?.document, {
    authenticated: { value: '2026-11-23T07:00:00+01:00' },
    folders: [{ text: 'Folder seven' }],
    participants: [
      {
        role: 'authenticating',
        acted: { value: '2026-11-23T07:00:00+01:00' },
        person: { identifiers: [{ value: 'A9' }] },
      },
      {
        role: 'authenticating',
        acted: { value: '2026-11-23T08:00:00+01:00' },
        person: { identifiers: [{ value: 'A8' }] },
      },
    ],
  });
});

t.test('referrals - the code of a role, where the provider is, when it was processed', async (t) => {
  const message = [
    'RF1|A^Accepted|R|MED|||R1|20261123||20261122',
    'PRD|RP^Refers to us^HL70286|Doc^Ref|Main St^^Town',
    'PRD|RT^Takes over^HL70286|Spec^Ial',
  ];
  t.match(events('REF^I12', ...message)[0]?.referral, {
    processed: { value: '2026-11-22' },
    participants: [
      { role: 'Refers to us', roleCode: { codings: [{ code: 'RP' }] }, addresses: [{ city: 'Town' }] },
      { role: 'Takes over', roleCode: { codings: [{ code: 'RT' }] } },
    ],
  });
  t.match(only('ServiceRequest', resources('REF^I12', ...message)), [
    { requester: { display: 'Ref Doc' }, performer: [{ display: 'Ial Spec' }] },
  ]);
});

t.test('charges - until when, which side, which drug, and what one costs', async (t) => {
  const ft1 = seg('FT1', {
    1: '1',
    4: '20261123^20261124',
    6: 'CG',
    7: 'J1885^Ketorolac^HCPCS',
    22: '20.10&USD',
    26: '59^Distinct^CPTM~LT^Left^CPTM',
    29: '00093^Amox^NDC',
  });
  t.match(events('DFT^P03', ft1)[0]?.charge?.items, [
    {
      transacted: { value: '2026-11-23' },
      transactedEnd: { value: '2026-11-24' },
      costUnit: '20.10 USD',
      procedureModifiers: [{ text: 'Distinct' }, { text: 'Left' }],
      drug: { text: 'Amox' },
    },
  ]);
  t.match(only('ChargeItem', resources('DFT^P03', ft1)), [
    {
      occurrencePeriod: { start: '2026-11-23', end: '2026-11-24' },
      productCodeableConcept: { text: 'Amox' },
    },
  ]);
});

t.test('quarantine - what nobody asked for is no query, only not mapped', async (t) => {
  for (const type of ['NMD^N02', 'PIN^I07', 'UDM^Q05']) {
    const { reject } = normalizeHl7v2(er7(`MSH|^~\\&|A|B|C|D|20261123||${type}|1|P|2.5`), testContext());
    t.match(reject, { code: 'not-understood', reason: /there is no mapping for message type/ }, type);
  }
});

t.test('quarantine - answers of any family are told as answers', async (t) => {
  for (const type of ['ORA^R33', 'ORX^O58', 'PRR^PC5', 'PPV^PCA', 'PTR^PCF']) {
    const { reject } = normalizeHl7v2(er7(`MSH|^~\\&|A|B|C|D|20261123||${type}|1|P|2.5`), testContext());
    t.match(reject, { code: 'query', reason: /is a query, a response or an acknowledgment/ }, type);
  }
});

t.test(
  'orders - how it was given, how confidential it is, and more of its state [ORC-25, ORC-28 to ORC-30]',
  async (t) => {
    const orc = seg('ORC', {
      1: 'NW',
      2: 'P1',
      25: 'SPR^Specimen received^L',
      28: 'R^Restricted^HL70177',
      29: 'I^Inpatient^HL70482',
      30: 'VO^Verbal^HL70483',
    });
    t.match(events('OMG^O19', orc, 'OBR|1|P1||X^X^L')[0]?.order, {
      statusModifier: { codings: [{ code: 'SPR' }] },
      confidentiality: { codings: [{ code: 'R' }] },
      setting: { codings: [{ code: 'I' }] },
      authorization: { text: 'Verbal', codings: [{ code: 'VO' }] },
    });
  },
);

t.test(
  'problems and goals - when they were established, and until when they are expected to end',
  async (t) => {
    const goal = ['GOL|AD|20261126|WT^Lose weight^L|G2^EHR|||20261126|20270101'];
    t.match(events('PGL^PC6', ...goal)[0]?.conditions, [{ expected: { value: '2027-01-01' } }]);
    t.match(only('Goal', resources('PGL^PC6', ...goal)), [{ target: [{ dueDate: '2027-01-01' }] }]);
    const problem = 'PRB|AD|20261126|I10^HTN^I10|PB1|||20260101|20270601||||||active|20261126|20200101';
    t.match(events('PPR^PC1', problem)[0]?.conditions, [
      {
        onset: { value: '2020-01-01' },
        established: { value: '2026-01-01' },
        expected: { value: '2027-06-01' },
      },
    ]);
  },
);
