/** Blood products unit by unit; diets and requisitions line by line. */
import t from 'tap';
import { events, only, resources } from './told.ts';

const btx = (donation: string, status: string, more = '') =>
  `BTX|1|${donation}^BB|E0382V00^RBC^ISBT128|A+^A pos||||1|300|mL^^UCUM|${status}|F|20261123103000|N1^Nurse|N2^Check|20261123090000|20261123103000${more}`;

t.test('blood - what makes a product the right one is a detail of the order', async (t) => {
  const message = [
    'ORC|NW|P1',
    'BPO|1|RBC^Red cells^L|IRR^Irradiated^L~LR^Leukoreduced^L|2|450|mL^^UCUM|202611240800|BB^^^H||202611240700|OR1^^^H||ANE^Anemia^L|Y',
  ];
  const [order] = events('OMB^O27', ...message);
  t.match(order?.order, {
    service: { text: 'Red cells' },
    details: [{ text: 'Irradiated' }, { text: 'Leukoreduced' }],
    quantity: '2',
    reason: [{ text: 'Anemia' }],
    blood: {
      amount: '450',
      unit: 'mL',
      dispenseFrom: { pointOfCare: 'BB' },
      dispense: { value: /^2026-11-24T07:00/ },
      dispenseTo: { pointOfCare: 'OR1' },
      consent: 'Y',
    },
  });
  t.match(only('ServiceRequest', resources('OMB^O27', ...message)), [
    { orderDetail: [{ text: 'Irradiated' }, { text: 'Leukoreduced' }] },
  ]);
});

t.test('blood - two units with different outcomes are two', async (t) => {
  const message = [
    'ORC|RE|P1|F1',
    'BPO|1|RBC^Red cells^L||2',
    btx(
      'W1',
      'TR^Transfused with adverse reaction^HL70513',
      '|FEB^Febrile reaction^HL70514|STOP^Stopped^HL70515',
    ),
    'NTE|1||of the first',
    btx('W2', 'WA^Wasted^HL70513'),
    btx('W3', 'TX^Transfused^HL70513'),
  ];
  const [event, ...more] = events('BTS^O31', ...message);
  t.same(more, []);
  t.match(event?.order?.bloodUnits, [
    {
      act: 'transfusion',
      donation: { value: 'W1', assigner: 'BB' },
      component: { text: 'RBC' },
      bloodGroup: { text: 'A pos' },
      quantity: '1',
      amount: '300',
      unit: 'mL',
      status: { codings: [{ code: 'TR' }] },
      messageStatus: 'F',
      participants: [{ role: 'administering' }, { role: 'verifying' }],
      transfused: { start: {}, end: {} },
      reactions: [{ text: 'Febrile reaction' }],
      interruption: { text: 'Stopped' },
      notes: [{ text: 'of the first' }],
    },
    { donation: { value: 'W2' }, status: { codings: [{ code: 'WA' }] }, reactions: [], notes: [] },
    { donation: { value: 'W3' } },
  ]);
  const all = resources('BTS^O31', ...message);
  t.match(
    only('BiologicallyDerivedProduct', all).map(({ identifier }) => identifier),
    [[{ value: 'W1' }], [{ value: 'W2' }], [{ value: 'W3' }]],
  );
  t.match(only('Procedure', all), [
    {
      status: 'stopped',
      complication: [{ text: 'Febrile reaction' }],
      note: [{ text: 'W1' }, {}, { text: 'of the first' }],
    },
    { status: 'not-done', note: [{ text: 'W2' }, { text: 'Wasted' }] },
    { status: 'completed', note: [{ text: 'W3' }, {}] },
  ]);
});

t.test('blood - a unit that is dispensed', async (t) => {
  const bpx =
    'BPX|1|RD^Ready to dispense^HL70510|P|20261123083000|W1^BB|E0382V00^RBC^ISBT128|DIR^Directed^L|||L9|A+^A pos|IRR^Irradiated^L|20261230|1|300|mL|U11|W3^^^H||R1^Porter|D1^Tech';
  const message = ['ORC|RE|P1|F1||IP', 'BPO|1|RBC^Red cells^L||2', bpx];
  t.match(events('BPS^O29', ...message)[0]?.order?.bloodUnits, [
    {
      act: 'dispense',
      status: { text: 'Ready to dispense' },
      donation: { value: 'W1' },
      donationType: { text: 'Directed' },
      lot: { value: 'L9' },
      specialTesting: [{ text: 'Irradiated' }],
      expires: { value: '2026-12-30' },
      identifier: { value: 'U11' },
      dispensedTo: { pointOfCare: 'W3' },
      participants: [{ role: 'other' }, { role: 'dispensing' }],
    },
  ]);
  const all = resources('BPS^O29', ...message);
  t.match(only('BiologicallyDerivedProduct', all), [{ productCode: { text: 'RBC' }, quantity: 1 }]);
  t.same(only('Procedure', all), []);
});

t.test('blood - an order is not done because a unit is told of', async (t) => {
  const bpx = (status: string) => `BPX|1|${status}^X^HL70510|P|20261123083000|W1^BB|RBC^RBC^ISBT128`;
  const bpo = 'BPO|1|RBC^Red cells^L||2';
  const wanted: [type: string, segments: string[], status: string, fhir: string][] = [
    ...['RS', 'RD', 'DS', 'RI', 'RA', 'RL', 'RE', 'CR', 'WA', 'PT', 'rq', 'XX', ''].map(
      (status): [string, string[], string, string] => [
        'BPS^O29',
        ['ORC|RE|P1|F1', bpo, bpx(status)],
        'in-progress',
        'active',
      ],
    ),
    ['BRP^O30', ['MSA|AA|1', 'ORC|re|P1|F1', bpo, bpx('DS')], 'in-progress', 'active'],
    // What the order says of itself counts.
    ['BPS^O29', ['ORC|RE|P1|F1||CM', bpo, bpx('DS')], 'completed', 'completed'],
    ['BPS^O29', ['ORC|OC|P1|F1', bpo, bpx('RL')], 'cancelled', 'revoked'],
    ['BPS^O29', ['ORC|OK|P1|F1', bpo, bpx('RD')], 'accepted', 'active'],
    ['BRP^O30', ['MSA|AE|1', 'ORC|RE|P1|F1', bpo, bpx('DS')], 'rejected', 'revoked'],
    // Transfused: as many as were asked for, fewer, none.
    ['BTS^O31', ['ORC|RE|P1|F1', bpo, btx('W1', 'TX'), btx('W2', 'TR')], 'completed', 'completed'],
    ['BTS^O31', ['ORC|RE|P1|F1', btx('W1', 'TX')], 'completed', 'completed'],
    ['BTS^O31', ['ORC|RE|P1|F1', bpo, btx('W1', 'TX')], 'in-progress', 'active'],
    ['BTS^O31', ['ORC|RE|P1|F1', btx('W1', 'WA')], 'in-progress', 'active'],
    ['BTS^O31', ['ORC|RE|P1|F1', bpo, btx('W1', 'TX'), btx('W2', 'RA')], 'in-progress', 'active'],
  ];
  for (const [type, segments, status, fhir] of wanted) {
    t.equal(events(type, ...segments)[0]?.status, status, `${type} ${segments}`);
    t.match(only('ServiceRequest', resources(type, ...segments)), [{ status: fhir }], `${type} ${segments}`);
  }
});

t.test('blood - FHIR says how a unit stands, whom it fits and until when', async (t) => {
  const bpx = (status: string) =>
    `BPX|1|${status}|P|20261123083000|W1^BB|RBC^RBC^ISBT128|DIR^Directed^L||||A+^A pos|IRR^Irradiated^L~CMV^CMV neg^L|202612302359`;
  const url = 'urn:hilum:extension:blood-unit';
  const product = (type: string, ...units: string[]) =>
    only('BiologicallyDerivedProduct', resources(type, 'ORC|RE|P1|F1', 'BPO|1|RBC', ...units))[0];
  t.match(product('BPS^O29', bpx('RD^Ready^HL70510')), {
    status: 'available',
    extension: [
      {
        url,
        extension: [
          { url: 'status', valueCodeableConcept: { coding: [{ code: 'RD' }], text: 'Ready' } },
          { url: 'since', valueDateTime: '2026-11-23T08:30:00+01:00' },
          { url: 'bloodGroup', valueCodeableConcept: { text: 'A pos' } },
          { url: 'donationType', valueCodeableConcept: { text: 'Directed' } },
          { url: 'specialTesting', valueCodeableConcept: { text: 'Irradiated' } },
          { url: 'specialTesting', valueCodeableConcept: { text: 'CMV neg' } },
          { url: 'expires', valueDateTime: /^2026-12-30T23:59/ },
        ],
      },
    ],
  });
  for (const [status, told] of [
    ['RS', 'available'],
    ['ri', 'available'],
    ['RL', 'available'],
    ['WA', 'unavailable'],
    ['PT', 'unavailable'],
    // It may be at the bedside, on its way back, or free for somebody else.
    ['DS', undefined],
    ['RA', undefined],
    ['RE', undefined],
    ['CR', undefined],
    ['', undefined],
  ] as const)
    t.equal(product('BPS^O29', bpx(status))?.status, told, status);
  for (const [status, told] of [
    ['TX', 'unavailable'],
    ['TR', 'unavailable'],
    ['WA', 'unavailable'],
    ['RL', 'available'],
    ['RA', undefined],
  ] as const)
    t.match(product('BTS^O31', btx('W1', `${status}^X^HL70513`)), {
      status: told,
      extension: [{ url, extension: [{ url: 'status' }, {}, { url: 'bloodGroup' }] }],
    });
  t.equal(product('BPS^O29', 'BPX|1||P||W1^BB|RBC')?.extension, undefined);
});

t.test('diet - each line is one, and what is said of it stands with it', async (t) => {
  const message = [
    'ORC|NW|O1^C',
    'ODS|D|LUNCH^Lunch^L~DINNER^Dinner^L|DIAB^Diabetic^L~LOWNA^Low sodium^L|1800 kcal~no sugar',
    'ODS|P||NOPORK^No pork^L|strict',
    'ODT|LATE^Late^HL70160|DINNER^Dinner^L|hold until 19:00',
  ];
  const [event] = events('OMD^O03', ...message);
  t.match(event?.order, {
    service: { text: 'Diabetic' },
    relevantClinicalInformation: '1800 kcal',
    diet: [
      {
        type: 'D',
        periods: [{ text: 'Lunch' }, { text: 'Dinner' }],
        codes: [{ text: 'Diabetic' }, { text: 'Low sodium' }],
        instructions: ['1800 kcal', 'no sugar'],
      },
      { type: 'P', codes: [{ text: 'No pork' }], instructions: ['strict'] },
      {
        type: '',
        codes: [{ text: 'Late' }],
        periods: [{ text: 'Dinner' }],
        instructions: ['hold until 19:00'],
      },
    ],
  });
  t.match(only('ServiceRequest', resources('OMD^O03', ...message)), [
    {
      code: { text: 'Diabetic' },
      orderDetail: [{ text: 'Low sodium' }, { text: 'No pork' }, { text: 'Late' }],
      note: [
        { text: '1800 kcal' },
        { text: 'Diabetic: Lunch, Dinner, 1800 kcal, no sugar' },
        { text: 'No pork: strict' },
        { text: 'Late: Dinner, hold until 19:00' },
      ],
    },
  ]);
});

t.test('diet - an order of a tray alone is an order of it', async (t) => {
  const message = ['ORC|NW|O1^C', 'ODT|LATE^Late^HL70160|DINNER^Dinner^L|hold until 19:00'];
  t.match(events('OMD^O03', ...message), [
    { order: { service: { text: 'Late' }, relevantClinicalInformation: 'hold until 19:00' } },
  ]);
  t.match(only('ServiceRequest', resources('OMD^O03', ...message)), [{ code: { text: 'Late' } }]);
});

t.test('supplies - each line of a requisition, with what RQ1 adds', async (t) => {
  const message = [
    'ORC|NW|R1',
    'RQD|1|4711^Gauze^INT||H1^Gauze 10x10^HOSP|10|PK^Pack^L|100^Cost centre|4550|W3^Ward 3|20261124',
    'RQ1|15.50|M^Maker|CAT9|V^Vendor|VC9|Y|N',
    'RQD|2||X55^Foley^BARD||6|BX',
  ];
  const [event] = events('OMS^O05', ...message);
  t.match(event?.order, {
    setId: '1',
    quantity: '10',
    service: { text: 'Gauze 10x10' },
    supplies: [
      {
        setId: '1',
        internal: { text: 'Gauze' },
        hospital: { text: 'Gauze 10x10' },
        quantity: '10',
        unit: 'PK',
        department: { text: 'Cost centre' },
        account: '4550',
        deliverTo: { text: 'Ward 3' },
        needed: { value: '2026-11-24' },
        price: '15.50',
        manufacturer: { text: 'Maker' },
        catalog: 'CAT9',
        vendor: { text: 'Vendor' },
        vendorCatalog: 'VC9',
        taxable: 'Y',
        substitution: 'N',
      },
      { setId: '2', external: { text: 'Foley' }, quantity: '6', unit: 'BX', price: '' },
    ],
  });
  t.match(only('ServiceRequest', resources('OMS^O05', ...message)), [
    {
      code: { text: 'Gauze 10x10' },
      orderDetail: [{ text: 'Gauze' }, { text: 'Foley' }],
      note: [{ text: 'Gauze 10x10: 10 PK' }, { text: 'Foley: 6 BX' }],
    },
  ]);
});
