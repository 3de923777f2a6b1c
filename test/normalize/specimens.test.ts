/** What a specimen is, from where, and when it came: SPM, SAC and OBR say different things of it. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

const spm = (more = '|L^Left^L') =>
  `SPM|1|S1&C||TISS^Tissue^L|FRZ^Frozen^L|||BR^Breast^L${more}||||||REF^Refrigerate^L||20261123080000|20261123083000`;

t.test('specimens - a container that is registered was not received then', async (t) => {
  const message = ['ORC|NW|O1', 'OBR|1|O1||A^A^L', spm(), 'SAC|||C1^C||||20261123101500'];
  const at = (time: string) => ({ value: `2026-11-23T${time}:00+01:00` });
  t.match(events('OML^O21', ...message)[0]?.order?.specimen, {
    received: at('08:30'),
    registered: at('10:15'),
  });
  t.match(only('Specimen', resources('OML^O21', ...message)), [{ receivedTime: /T08:30/ }]);
  const alone = events('OML^O21', 'ORC|NW|O1', 'OBR|1|O1||A^A^L', 'SAC|||C1^C||||20261123101500');
  t.match(alone[0]?.order?.specimen, { received: undefined, registered: at('10:15') });
});

t.test('specimens - which side, of what kind, and how to handle it', async (t) => {
  const message = ['ORC|NW|O1', 'OBR|1|O1||A^A^L', spm()];
  t.match(events('OML^O21', ...message)[0]?.order?.specimen, {
    typeModifiers: [{ text: 'Frozen' }],
    siteModifiers: [{ text: 'Left' }],
    handling: [{ text: 'Refrigerate' }],
  });
  t.match(only('Specimen', resources('OML^O21', ...message)), [
    {
      type: { text: 'Tissue, Frozen' },
      collection: { bodySite: { text: 'Breast, Left', coding: [{ code: 'BR' }] } },
      note: [{ text: 'Refrigerate' }],
    },
  ]);
  const source = 'KNEE&Knee&L^^text^KN&Knee&L^R&Right&L';
  const old = ['ORC|NW|O1', `OBR|1|O1||A^A^L${'|'.repeat(11)}${source}`];
  t.match(events('ORM^O01', ...old)[0]?.order?.specimen?.siteModifiers, [{ text: 'Right' }]);
  t.match(only('Specimen', resources('ORM^O01', ...old)), [
    { collection: { bodySite: { text: 'Knee, Right' } } },
  ]);
  const both = events('OML^O21', ...old, spm('|R^Right^L'))[0]?.order?.specimen?.siteModifiers;
  t.equal(both?.length, 1, 'said twice, it is one');
});

t.test(
  'specimens - which side of the procedure, what the collector said, what to do with the result',
  async (t) => {
    const obr = `OBR|1|O1||BX^Biopsy^L${'|'.repeat(35)}HARD^Hard stick^L|||||19^Biopsy^C4|LT^Left side^C4||||CC^Call^L|PAN^Panel^L`;
    t.match(events('OML^O21', 'ORC|NW|O1', obr)[0]?.order, {
      collectorComments: [{ text: 'Hard stick' }],
      procedureModifiers: [{ text: 'Left side' }],
      resultHandling: { text: 'Call' },
      parentService: { text: 'Panel' },
    });
    t.match(only('ServiceRequest', resources('OML^O21', 'ORC|NW|O1', obr)), [
      { orderDetail: [{ text: 'Left side' }], note: [{ text: 'Hard stick' }] },
    ]);
  },
);

t.test('specimens - on which side a drug is given', async (t) => {
  const rxr =
    'RXR|IV^Intravenous^HL70162|LFA^Forearm^HL70163|IVP^IV pump^HL70164|IVP^Push^HL70165|RI^Crush^L|L^Left^HL70495';
  const message = ['ORC|NW|O1', 'RXE||A^A^L|1||mg', rxr];
  t.match(events('RDE^O11', ...message)[0]?.medication, {
    devices: [{ text: 'IV pump' }],
    routing: [{ text: 'Crush' }],
    siteModifiers: [{ text: 'Left' }],
  });
  t.match(only('MedicationRequest', resources('RDE^O11', ...message)), [
    { dosageInstruction: [{ site: { text: 'Forearm, Left' }, additionalInstruction: [{ text: 'Crush' }] }] },
  ]);
});

t.test('specimens - what is found in a control is of no patient in FHIR, and the role is told', async (t) => {
  const message = (role: string) => [
    'PV1|1|I|W^1',
    'OBR|1||F1^L|K^Potassium^L|||20261123',
    'OBX|1|NM|K^Potassium^L||9.1|mmol/L||HH|||F',
    `SPM|1|||SER|||||||${role}`,
  ];
  const about = (role: string) =>
    resources('ORU^R01', ...message(role))
      .filter(({ resourceType }) => /Observation|Report|Specimen|ServiceRequest/.test(String(resourceType)))
      .map((one) => [one.resourceType, 'reference' in Object(one.subject), one.encounter !== undefined]);
  t.same(about('Q^Control^HL70369'), [
    ['Specimen', false, false],
    ['ServiceRequest', false, false],
    ['Observation', false, false],
    ['DiagnosticReport', false, false],
  ]);
  t.same(about('P^Patient^HL70369'), [
    ['Specimen', true, false],
    ['ServiceRequest', true, true],
    ['Observation', true, true],
    ['DiagnosticReport', true, true],
  ]);
  t.match(only('Specimen', resources('ORU^R01', ...message('Q^Control^HL70369'))), [
    {
      extension: [
        {
          url: 'urn:hilum:extension:specimen-role',
          valueCodeableConcept: { coding: [{ code: 'Q', system: /v2-0369$/ }] },
        },
      ],
    },
  ]);
});

t.test(
  'specimens - what an analyzer tells of dilution, runs and lots stays with what it is said of',
  async (t) => {
    const control = [
      'SPM|1|QC1&LAB||SER|||||||Q',
      `SAC|||C1${'|'.repeat(26)}^1^:^5`,
      `INV|QCL^Level 1 control^L|OK^OK^HL70383|CO^Control^HL70384|K7${'|'.repeat(8)}20270101||||LOTQ|ACME^Acme^L`,
      'OBR|1|A1||CK^CK^L',
      'ORC|OK',
      'OBX|1|NM|CK^CK^L|1|>2000|U/L|||||P',
      'TCD|CK^CK^L|^1^:^1',
      'OBX|2|NM|CK^CK^L|2|8450|U/L|||||F',
      'TCD|CK^CK^L|^1^:^10|^1^:^20|^1^:^2|<^0.5|Y|N|D^Repeated with dilution^HL70389',
      'SID|CK^CK^L|LOT9|R1|ACME^Acme^L',
      'SID|DIL^Diluent^L|LOT8',
      'OBR|2|A2||NA^Na^L',
      'OBX|1|NM|NA^Na^L||120|mmol/L|||||F',
      'SAC|||C2',
      'INV|QCL|||K8',
      'OBR|3|A3||K^K^L',
    ];
    const [ck, na, k] = events('OUL^R22', ...control);
    const lot = {
      code: { text: 'Level 1 control' },
      statuses: [{ text: 'OK' }],
      type: { codings: [{ code: 'CO' }] },
      lotNumber: 'LOTQ',
      expires: { value: '2027-01-01' },
      container: 'K7',
      manufacturer: { text: 'Acme' },
    };
    for (const one of [ck, na]) {
      t.match(one?.order?.specimen, { dilution: '1:5', substances: [lot] });
      t.equal(one?.order?.specimen?.substances.length, 1);
    }
    t.match(k?.order?.specimen, { dilution: '', substances: [{ container: 'K8' }] });
    t.equal(k?.order?.specimen?.substances.length, 1, 'each container has its own');
    t.match(ck?.observations, [
      { analysis: { autoDilution: '1:1', repeatStatus: undefined }, substances: [] },
      {
        analysis: {
          service: { text: 'CK' },
          autoDilution: '1:10',
          rerunDilution: '1:20',
          preDilution: '1:2',
          diluentContent: '<0.5',
          repeatAllowed: 'Y',
          reflexAllowed: 'N',
          repeatStatus: { text: 'Repeated with dilution' },
        },
        substances: [
          { code: { text: 'CK' }, lotNumber: 'LOT9', container: 'R1', manufacturer: { text: 'Acme' } },
          { lotNumber: 'LOT8' },
        ],
      },
    ]);
    t.match(na?.observations, [{ analysis: undefined, substances: [] }]);
    const [ordered] = events('OML^O33', 'SPM|1|S1', 'ORC|NW|A1', 'OBR|1|A1||CK^CK^L', 'TCD|CK^CK^L||^1^:^10');
    t.match(ordered?.order?.analysis, { rerunDilution: '1:10' });
  },
);

t.test('specimens - whether it is still there, and whether it fits what was asked for', async (t) => {
  const said = (there: string, reject = '') =>
    `SPM|1|S1&C||SER^Serum^L${'|'.repeat(16)}${there}|${reject}||I^Inappropriate^HL70492`;
  const message = (...rest: [string, string?]) => ['ORC|NW|O1', 'OBR|1|O1||A^A^L', said(...rest)];
  t.match(events('OML^O21', ...message('N'))[0]?.order?.specimen, {
    availability: 'N',
    appropriateness: { text: 'Inappropriate', codings: [{ code: 'I' }] },
  });
  for (const [there, reject, status] of [
    ['N', '', 'unavailable'],
    ['y', '', 'available'],
    ['', '', undefined],
    ['X', '', undefined],
    ['Y', 'RB^Broken^HL70490', 'unsatisfactory'],
  ] as const) {
    const [specimen] = only('Specimen', resources('OML^O21', ...message(there, reject)));
    t.equal(specimen?.status, status, `${there} ${reject}`);
    t.match(specimen?.condition, [...(reject === '' ? [] : [{ text: 'Broken' }]), { text: 'Inappropriate' }]);
  }
});

t.test(
  'specimens - a code with its system in OBR-15 is what was taken, and nothing was added to it',
  async (t) => {
    const of = (source: string) =>
      events('ORU^R01', `OBR|1|O1||A^A^L${'|'.repeat(11)}${source}`, 'OBX|1|NM|A^A^L||1');
    const told = ['OBR-15: a code with its system in the place of a source (SPS)'];
    const serum = { code: 'SER', display: 'Serum', system: 'http://terminology.hl7.org/CodeSystem/v2-0487' };
    for (const [sent, type, more] of [
      ['SER^Serum^HL70487', [serum], {}],
      ['119297000^Blood^SCT^^^^Q', [{ code: '119297000' }], { roles: [{ codings: [{ code: 'Q' }] }] }],
      [
        '019^Kessei^JC10^SER^Serum^HL70487^Q',
        [{ code: '019' }, serum],
        { roles: [{ codings: [{ code: 'Q' }] }] },
      ],
      ['SER^Serum^L^ARM&Arm&L^LT', [{ code: 'SER' }], { sourceSite: { text: 'Arm' }, siteModifiers: [{}] }],
    ] as const) {
      const made = of(sent);
      const specimen = made[0]?.order?.specimen;
      t.match(specimen, { additives: [], description: '', ...more }, sent);
      t.match(specimen?.type?.codings, type, sent);
      t.equal(specimen?.type?.codings.length, type.length, sent);
      t.same(remarksOf(made), told, sent);
    }
    for (const sent of ['BLD&Blood&L^HEP^L', 'BLD^HEP^Swab', 'BLD^HEP'])
      t.match(of(sent)[0]?.order?.specimen, { additives: [{ codings: [{ code: 'HEP' }] }] }, sent);
  },
);

t.test('specimens - how it was taken is told by the sixth part of OBR-15, too [HL7 2.A.69]', async (t) => {
  const obr = `OBR|1|O1||A^A^L${'|'.repeat(11)}BLDV&Venous blood&L^^by hand^ARM^^LINE&Central line&L`;
  t.match(events('ORU^R01', obr, 'OBX|1|NM|A^A^L||1')[0]?.order?.specimen, {
    description: 'by hand',
    collectionMethod: { text: 'Central line' },
  });
  t.match(events('ORU^R01', obr, 'OBX|1|NM|A^A^L||1', 'SPM|1|S1||BLDV')[0]?.order?.specimen, {
    collectionMethod: { text: 'Central line' },
  });
});

t.test(
  'specimens - a result without a time of its own is of when its specimen was taken [IHE LAW]',
  async (t) => {
    const taken = (times: string, n = 1) => `SPM|${n}|S${n}||SER${'|'.repeat(13)}${times}`;
    const rows = ['OBR|1|P1||K', 'OBX|1|NM|K||4||||||F'];
    const at = (hour: string) => ({ value: `2026-11-23T${hour}:00:00+01:00` });
    const period = taken('20261123060000^20261123070000');
    for (const [type, message] of [
      ['OUL^R22', [period, ...rows]],
      ['ORU^R01', [...rows, period]],
    ] as const)
      t.match(events(type, ...message)[0]?.times, { observed: at('06'), observedEnd: at('07') }, type);
    t.match(only('Observation', resources('OUL^R22', period, ...rows)), [
      { effectivePeriod: { start: at('06').value, end: at('07').value } },
    ]);
    const own = [period, 'OBR|1|P1||K|||20261123080000', 'OBX|1|NM|K||4||||||F'];
    t.match(events('OUL^R22', ...own)[0]?.times, { observed: at('08'), observedEnd: undefined });
    const ofRow = [period, 'OBR|1|P1||K', 'OBX|1|NM|K||4||||||F|||20261123090000'];
    t.match(events('OUL^R22', ...ofRow)[0]?.times, { observed: at('09'), observedEnd: undefined });
    const unread = [period, 'OBR|1|P1||K|||0000', 'OBX|1|NM|K||4||||||F'];
    t.match(events('OUL^R22', ...unread)[0]?.times?.observed, { ...at('06'), original: '0000' });
    // Of several nobody knows which.
    const several = [...rows, taken('20261123060000'), taken('20261123090000', 2)];
    t.match(events('ORU^R01', ...several)[0]?.times, { observed: undefined });
  },
);
