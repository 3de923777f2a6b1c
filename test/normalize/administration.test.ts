/** Administration: names, numbers, appointments, providers, and to whom what a message says belongs. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import { er7, eventOf as event, testContext } from './context.ts';
import { seg } from './samples.ts';

const pid = 'PID|1||7^^^H^MR';
const pv1 = 'PV1|1|I|W^1^2';

t.test('name - own and partner’s family name by their parts [HL7 2.A.30]', (t) => {
  const name = (text: string) => event('ADT^A08', seg('PID', { 3: '7', 5: `${text}^A` })).patient?.names[0];
  t.match(name('Vries&de&Vries'), { family: 'Vries', ownPrefix: 'de', ownFamily: 'Vries' });
  t.match(name('&de&Vries&van&Dijk'), {
    family: 'de Vries van Dijk',
    ownPrefix: 'de',
    ownFamily: 'Vries',
    partnerPrefix: 'van',
    partnerFamily: 'Dijk',
  });
  t.match(name('GARCIA&&GARCIA&&LOPEZ'), { family: 'GARCIA', ownFamily: 'GARCIA', partnerFamily: 'LOPEZ' });
  t.match(name('BERG'), { family: 'BERG', ownFamily: '' });
  t.end();
});

t.test('identifier - who issued it where no authority is named [HL7 2.A.14, CX-9, CX-10]', (t) => {
  const said = seg('PID', {
    3: '1^^^^DL^^^^CA~1^^^^DL^^^^NV~2^^^^XX^^^^^DMV&Motor vehicles~3^^^H^MR^^^^CA',
    20: '1^^^^DL^^^^TX',
  });
  t.match(event('ADT^A08', said).patient?.identifiers, [
    { value: '1', assigner: 'CA', system: 'urn:hilum:lab:CA' },
    { value: '1', assigner: 'NV', system: 'urn:hilum:lab:NV' },
    { value: '2', assigner: 'DMV' },
    { value: '3', assigner: 'H' },
    { value: '1', type: 'DL', assigner: 'TX' },
  ]);
  t.end();
});

t.test('patient - dead or not as it is written, sex X and D, and whom the patient goes to first', (t) => {
  const found = (fields: Record<number, string>) => event('ADT^A08', seg('PID', { 3: '7', ...fields }));
  for (const yes of ['Y', 'YES', 'true', '1']) t.equal(found({ 30: yes }).patient?.deceased, 'true', yes);
  for (const no of ['N', 'no', 'FALSE', '0']) t.equal(found({ 30: no }).patient?.deceased, 'false', no);
  t.match(found({ 30: 'U' }), { patient: { deceased: 'U' }, provenance: { remarks: [/^PID-30: /] } });
  for (const sex of ['X', 'D']) t.equal(found({ 8: sex }).patient?.gender, 'other', sex);
  t.match(event('ADT^A08', pid, 'PD1|||Practice West^^77').patient?.primaryCareOrganizations, [
    { name: 'Practice West', identifiers: [{ value: '77' }] },
  ]);
  t.end();
});

t.test(
  'people - who acts for a problem, an insurance or a pathway is none of the visit [HL7 12.3, 6.4]',
  (t) => {
    const problem = event(
      'PPR^PC1',
      pid,
      'PV1|1|I|W||||1^ATT',
      'PRB|AD|20260314|P1',
      'ROL|1|AD|PI|2^PROB',
      'PTH|AD|X',
      'ROL|1|AD|PI|3^PATH',
    );
    t.match(problem.conditions[0]?.participants, [{ person: { identifiers: [{ value: '2' }] } }]);
    t.equal(problem.conditions[0]?.participants.length, 1);
    t.equal(problem.encounter?.participants.length, 1);
    t.match(problem.provenance?.remarks, [/^PTH: /]);
    const insured = event(
      'ADT^A01',
      pid,
      pv1,
      'PR1|1||X',
      seg('IN1', { 1: '1', 10: '12-34', 11: '5678' }),
      'ROL|1|AD|IR|4^INS',
    );
    t.equal(insured.procedures[0]?.participants.length, 0);
    t.match(insured.coverages, [
      {
        participants: [{ person: { identifiers: [{ value: '4' }] } }],
        employerIdentifiers: [{ value: '12-34' }],
        employers: [{ name: '5678' }],
      },
    ]);
    t.end();
  },
);

t.test('master file - a key is of the type that MFE-5 says [HL7 8.5.2.5]', (t) => {
  const key = (text: string, type: string) =>
    event('MFN^M05', 'MFI|LOC', seg('MFE', { 1: 'MAD', 4: text, 5: type })).masterFile?.records[0];
  t.match(key('W1^2^3^H', 'PL'), {
    keyType: 'PL',
    key: undefined,
    keyLocation: { pointOfCare: 'W1', bed: '3' },
  });
  t.match(key('7^^^H^MR', 'CX'), { keyIdentifier: { value: '7', assigner: 'H', type: 'MR' } });
  t.match(key('5^WHO^DOC', 'XCN'), { keyPerson: { identifiers: [{ value: '5' }], name: { family: 'WHO' } } });
  t.match(key('A^B^L', 'CWE'), { key: { text: 'B' } });
  t.end();
});

t.test(
  'referral - a provider and a contact say where they are and how to reach them [HL7 11.8.3, 11.8.4]',
  (t) => {
    const said = { 2: 'A^B', 3: 'WAY 1^^TOWN', 4: 'W1', 5: '^WPN^PH^^^030^123' };
    const { referral } = event(
      'REF^I12',
      'RF1|A',
      seg('PRD', { 1: 'RP', ...said }),
      seg('CTD', { 1: 'PHY', ...said }),
      pid,
    );
    const where = {
      addresses: [{ city: 'TOWN' }],
      location: { pointOfCare: 'W1' },
      telecoms: [{ value: '030 123' }],
    };
    t.match(referral?.participants, [
      { role: 'RP', ...where },
      { role: 'PHY', ...where },
    ]);
    t.end();
  },
);

t.test('telecom - what stands in XTN-4 is of the equipment that XTN-3 names [HL7 2.7 2.A.89]', (t) => {
  const told = (sent: string) =>
    event('ADT^A08', seg('PID', { 3: '7', 13: sent })).patient?.telecoms.map(
      ({ system, value, use }) => `${system} ${use} ${value}`,
    );
  t.same(told('^PRS^CP^+447700900123'), ['phone mobile +447700900123']);
  t.same(told('^PRN^PH^0113 496 0000^44'), ['phone home 0113 496 0000'], 'the country alone is no number');
  t.same(told('^WPN^FX^(0113) 496-0001'), ['fax work (0113) 496-0001']);
  t.same(told('^PRN^^0113 496 0000'), ['phone home 0113 496 0000']);
  t.same(told('^PRN^PH^^44^113^4960000'), ['phone home 44 113 4960000']);
  t.same(told('^PRN^PH^a@b.example^44^113^4960000'), ['email home a@b.example', 'phone home 44 113 4960000']);
  t.same(told('^NET^X.400^c=GB;a=x;s=doe'), ['email home c=GB;a=x;s=doe']);
  t.same(told('^NET^^doe'), ['email home doe']);
  t.same(told('^PRN^PH^^44'), ['phone home 44'], 'what was sent stays');
  t.same(told('0113^PRN^PH^0113'), ['phone home 0113'], 'in both it is one');
  t.end();
});

t.test('telecom - an address on the web is one, in XTN-1 too', (t) => {
  const said = seg('PID', { 3: '7', 13: 'https://a.example/x~^NET^Internet^www.b.example~a@b.example' });
  t.match(event('ADT^A08', said).patient?.telecoms, [
    { system: 'url', value: 'https://a.example/x' },
    { system: 'url', value: 'www.b.example' },
    { system: 'email' },
  ]);
  t.end();
});

t.test('message - ordinals alone are nothing, and six digits may be a day of another century', (t) => {
  const read = (version: string, ...segments: string[]) =>
    normalizeHl7v2(er7(`MSH|^~\\&|A|B|C|D|20260314||ADT^A08|1|P|${version}`, ...segments), testContext());
  t.equal(read('2.5', 'EVN|A08|20260314', 'PID|1', 'PV1|1').reject?.code, 'nothing-in-it');
  const born = (version: string, text: string) =>
    read(version, seg('PID', { 3: '7', 7: text })).events[0]?.provenance?.remarks;
  t.same(born('2.1', '198807'), ['PID-7: six digits, read as a year and a month']);
  t.same(born('2.5', '880705'), [
    'PID-7: a year of another century, kept as it was sent',
    'PID-7: six digits, read as a year and a month',
  ]);
  t.same(born('2.5', '198807'), []);
  t.end();
});

t.test('procedure - one that is taken back says so [HL7 table 0206]', (t) => {
  t.match(event('ADT^A08', pid, seg('PR1', { 3: 'X', 20: 'D' })).procedures, [{ action: 'D' }]);
  t.end();
});

t.test('codes - a text beside them does not take their place [EVN-4, PV1-13, PV1-16]', (t) => {
  const said = [
    'EVN||20261123||01^Patient request^HL70062',
    'PID|1||7',
    seg('PV1', { 1: '1', 2: 'I', 13: 'R^Readmission^HL70092', 16: 'VIP1^Board member^L' }),
  ];
  const found = event('ADT^A01', ...said);
  t.match(found, {
    movement: { reason: 'Patient request', reasonCode: { codings: [{ code: '01' }] } },
    encounter: {
      reAdmission: 'Readmission',
      reAdmissionCode: { codings: [{ code: 'R' }] },
      vip: 'Board member',
      vipCode: { codings: [{ code: 'VIP1' }] },
    },
  });
  const told = toBundle(found).entry.map(({ resource }) => resource);
  t.match(
    told.find(({ resourceType }) => resourceType === 'Encounter'),
    {
      hospitalization: {
        reAdmission: { coding: [{ code: 'R' }], text: 'Readmission' },
        specialCourtesy: [{ coding: [{ code: 'VIP1' }], text: 'Board member' }],
      },
    },
  );
  t.end();
});

t.test('message - a blank behind the separators of MSH-2 is none of them, and is told', (t) => {
  for (const separators of ['^~\\& ', '^~\\&#  ']) {
    const raw = er7(`MSH|${separators}|A|B|C|D|20261123||ADT^A01|1|P|2.7`, 'PID|1||7||A^B&C', 'PV1|1|I');
    const { events, reject } = normalizeHl7v2(raw, testContext());
    t.equal(reject, undefined);
    t.match(events, [
      {
        patient: { names: [{ family: 'A' }] },
        provenance: { remarks: ['MSH-2: a blank behind the separators'] },
      },
    ]);
  }
  const inside = normalizeHl7v2(er7('MSH|^~ &|A|B|C|D|20261123||ADT^A01|1|P|2.7', 'PID|1||7'), testContext());
  t.equal(inside.reject?.code, 'bad-delimiters');
  t.end();
});
