/** What a report says beside its rows, and of them: where they go on, whose they are, what they are not. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, only, remarksOf, resources } from './told.ts';

const obr = 'OBR|1|A1|F1|X^Y^L|||||||||||||||||||||F';

t.test('reports - ADD continues the segment before it [HL7 2.10.2.1]', async (t) => {
  const message = [
    obr,
    'OBX|1|FT|11502-2^Report^LN|1|Lesion is not',
    'ADD| malignant.||||||F|||20261123090000',
    'NTE|1||seen',
    'OBX|2|ED|PDF^R^L||^AP^PDF^Base64^JVBERi0x',
    '',
    'ADD|LjQg',
    'ADD|dGVzdA==||||||P',
  ];
  const told = events('ORU^R01', ...message);
  t.match(told[0]?.observations, [
    {
      value: 'Lesion is not malignant.',
      status: 'final',
      effective: { value: '2026-11-23T09:00:00+01:00' },
      notes: [{ text: 'seen' }],
    },
    { attachment: { data: Buffer.from('%PDF-1.4 test'), size: 13n }, status: 'preliminary' },
  ]);
  t.same(remarksOf(told), []);
});

t.test('reports - lines of a text may be broken in what continues it, and its limits hold', async (t) => {
  const broken = events(
    'ORU^R01',
    obr,
    'OBX|1|TX|A^B^L||one ',
    'ADD|two\nthree|||N|||F',
    'OBX|2|ST|C^D^L||x||||||F',
  );
  t.match(broken[0]?.observations, [
    { value: 'one two\nthree', interpretation: 'N', status: 'final' },
    { value: 'x' },
  ]);
  t.same(remarksOf(broken), ['line 4: its text goes on after a line break']);
  const context = testContext();
  const half = 'x'.repeat(context.limits.fieldBytesMax / 2 + 1);
  const head = 'MSH|^~\\&|A|B|C|D|20261123||ORU^R01|1|P|2.4';
  const { reject } = normalizeHl7v2(er7(head, `OBR|1|${half}`, `ADD|${half}`), context);
  t.match(reject, { code: 'too-large', reason: /^OBR-2 \(line 2\) has/ });
});

const codesOf = (told: ReturnType<typeof events>) =>
  told.map(({ observations }) => observations.map(({ code }) => code?.codings[0]?.code));

t.test('reports - what was observed of a specimen is told with each of its orders', async (t) => {
  const index = 'OBX|1|NM|HIDX^Hemolysis index^L||300|||A|||F';
  const orders = [
    'OBR|1||S77-1|CRE^Crea^L',
    'OBX|1|NM|CRE^Crea^L||80||||||F',
    'OBR|2||S77-2|K^Potassium^L',
    'OBX|1|NM|K^K^L||7.5|||H|||F',
  ];
  const told = events('OUL^R22', 'SPM|1|^S77||SER', index, 'NTE|1||of the index', 'SAC|||T77', ...orders);
  t.same(codesOf(told), [
    ['HIDX', 'CRE'],
    ['HIDX', 'K'],
  ]);
  for (const { observations } of told)
    t.match(observations[0], { value: '300', interpretation: 'A', notes: [{ text: 'of the index' }] });
  t.not(told[0]?.observations[0], told[1]?.observations[0], 'each its own');
  t.same(codesOf(events('OUL^R22', 'SPM|1|S1||SER', index, 'SPM|2|S2||UR', ...orders)), [
    ['HIDX'],
    ['CRE'],
    ['K'],
  ]);
  const containers = [
    'SPM|1|S1||SER',
    index,
    'SAC|||T1',
    'OBX|1|NM|LVL^Level^L||3||||||F',
    ...orders,
    'SAC|||T2',
    'OBR|3||S77-3|NA^Na^L',
  ];
  t.same(codesOf(events('OUL^R23', ...containers)), [['HIDX', 'LVL', 'CRE'], ['HIDX', 'LVL', 'K'], ['HIDX']]);
  const patients = ['OBX|1|NM|BW^Weight^L||70||||||F', 'SPM|1|S1||SER', index, ...orders];
  t.same(codesOf(events('OUL^R22', ...patients)), [
    ['BW', 'HIDX', 'CRE'],
    ['HIDX', 'K'],
  ]);
});

t.test('reports - rows of a specimen with many orders do not make a huge message', async (t) => {
  const rows = Array.from({ length: 2000 }, (_, at) => `OBX|${at}|NM|A^A^L||1||||||F`);
  const orders = Array.from({ length: 2000 }, (_, at) => `OBR|${at}||F${at}|A^A^L`);
  t.throws(() => events('OUL^R22', 'SPM|1|S1||SER', ...rows, ...orders), /over 64 MiB/);
});

t.test('reports - what EVN says is repeated by each order, and counts to the bound of that', async (t) => {
  const evn = `EVN|R01|20261123101500|||OP1^${'X'.repeat(30_000)}`;
  const orders = Array.from({ length: 2_500 }, (_, at) => `OBR|${at + 1}|P${at}`);
  t.equal(events('ORU^R01', evn, ...orders.slice(0, 60)).length, 60);
  t.throws(() => events('ORU^R01', evn, ...orders), /over 64 MiB/);
});

const two = [
  'SPM|1|^S1||TISS',
  'OBX|1|ST|SW^Weight^L||3||||||F',
  'SAC|||T1',
  'SPM|2|^S2||SWAB',
  'OBX|1|ST|SW^Weight^L||4||||||F',
  'SAC|||T2',
  'SAC|||T3',
];
const numbers = (one: { identifiers: readonly { value: string }[] } | undefined) =>
  one?.identifiers.map(({ value }) => value);

t.test('reports - a container is that of the specimen before it', async (t) => {
  const types: readonly [string, ...string[]][] = [
    ['OML^O21', 'ORC|NW|A1', obr],
    ['OUL^R24', obr],
    ['ORU^R01', obr],
  ];
  for (const [type, ...before] of types) {
    const order = events(type, ...before, ...two)[0]?.order;
    t.same(
      [numbers(order?.specimen), ...(order?.furtherSpecimens ?? []).map(numbers)],
      [
        ['S1', 'T1'],
        ['S2', 'T2', 'T3'],
      ],
      type,
    );
  }
});

t.test('reports - a row is of the specimen that it stands behind, or names', async (t) => {
  const named = `OBX|9|ST|B^B^L||y||||||F${'|'.repeat(22)}`;
  const message = [obr, 'OBX|1|ST|A^A^L||x||||||F', `${named}S2`, `${named}S9`, ...two];
  t.same(
    events('ORU^R01', ...message)[0]?.observations.map((one) => [
      one.value,
      one.ofSpecimen,
      one.specimenIdentifier?.value,
    ]),
    [
      ['x', 0, undefined],
      ['y', 2, 'S2'],
      ['y', 0, 'S9'],
      ['3', 1, undefined],
      ['4', 2, undefined],
    ],
  );
  const made = resources('ORU^R01', ...message);
  const known = only('Specimen', made).map((one) => ({ reference: `urn:uuid:${one.id as string}` }));
  t.match(
    only('Observation', made).map(({ specimen }) => specimen),
    // Of the first nobody says which of the two it is of.
    [undefined, known[1], { identifier: { value: 'S9' } }, known[0], known[1]],
  );
});

const pdf = Buffer.from('%PDF-1.4 test');
const base64 = pdf.toString('base64');
const file = (text: string, type = 'ED') => events('ORU^R01', obr, `OBX|3|${type}|PDF^R^L||${text}||||||F`);

t.test('reports - a file that is sent in the wrong parts of an ED is a file, and says so', async (t) => {
  const misplaced = 'OBX[3]-5: a file in the place of another part of it';
  const guessed = 'OBX[3]-5: no known encoding is named, read as Base64';
  const sent: readonly [text: string, ...remarks: string[]][] = [
    [base64, misplaced, guessed],
    [`PDF^Base64^${base64}`, misplaced],
    [`^AP^PDF^^${base64}`, guessed],
    [`^AP^PDF^base-64^${base64}`],
    [`^PDF^^Base64^${base64}`],
    [`PDF^^^Base64^${base64}`],
    [`^AP^PDF^Binary^${base64}`, guessed],
    [`^AP^PDF^Base64^${base64}^`],
  ];
  for (const [text, ...remarks] of sent) {
    const told = file(text);
    t.match(
      told[0]?.observations[0]?.attachment,
      { contentType: 'application/pdf', data: pdf, size: 13n },
      text,
    );
    t.same(remarksOf(told), remarks, text);
  }
  t.match(file(`^TIFF^^Base64^${base64}`)[0]?.observations[0]?.attachment, { contentType: 'image/tiff' });
  t.match(file('PACS')[0]?.observations[0]?.attachment, { sourceApplication: 'PACS', size: 0n });
  const word = file('^AP^MSWORD^^a document in words alone');
  t.match(word[0]?.observations[0]?.attachment, { contentType: 'application/msword', size: 25n });
  const inPointer = file(`^AP^PDF^Base64^${base64}`, 'RP');
  t.match(inPointer[0]?.observations[0], {
    value: '',
    attachment: { contentType: 'application/pdf', data: pdf, pointer: '' },
  });
  t.same(remarksOf(inPointer), ['OBX[3]-5: a file (ED) in an RP']);
});

t.test('reports - separators in the text of an ED that were not escaped are content', async (t) => {
  const told = file('^TEXT^PLAIN^A^Blood group A ^ Rh positive~Antibody screen negative~^TEXT^PLAIN^A^other');
  const [observation] = told[0]?.observations ?? [];
  t.equal(
    Buffer.from(observation?.attachment?.data ?? []).toString(),
    'Blood group A ^ Rh positive~Antibody screen negative',
  );
  t.match(observation?.furtherAttachments, [{ contentType: 'text/plain', size: 5n }]);
  const marked = 'Ratio 2 ~ 3 ^ see below & sign ^ a ^ b ^ c~end';
  for (const next of ['^TEXT^PLAIN^A^other', '^^PDF^Base64^JVBERi0xLjQKJSVFT0YK', `^AP^^^${base64}`]) {
    const rows = file(`^TEXT^PLAIN^A^${marked}~${next}`)[0]?.observations ?? [];
    t.equal(Buffer.from(rows[0]?.attachment?.data ?? []).toString(), marked, next);
    t.equal(rows[0]?.furtherAttachments.length, 1, next);
  }
});

t.test('reports - Base64 that lacks something says so, with its row', async (t) => {
  const told = file('^AP^PDF^Base64^JVBERi0xL');
  t.match(told[0]?.observations[0]?.attachment, { data: Buffer.from('JVBERi0xL') });
  t.same(remarksOf(told), [
    'OBX[3]-5: Base64 of a length that it cannot have: something of it is missing, and it is kept as it was sent',
  ]);
  t.same(remarksOf(file('^AP^PDF^Base64^{b}')), ['OBX[3]-5: not in the encoding that it names']);
  t.same(remarksOf(file('NOTATIME', 'TS')), ['OBX[3]-5: not a time']);
});

t.test('reports - organizations and devices that take part are none of the people [HL7 7.4.4]', async (t) => {
  const lab = 'State Lab^L^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^05D1';
  const message = [
    'ORC|RE|A1|F1',
    'PRT|2|AD||OF^Ordering facility^HL70912||||Clinic^L^^^^NPI&2.16.840.1.113883.4.6&ISO^NPI^^^12||||||1 Main^^City|^WPN^PH^^^555^1212',
    obr,
    `PRT|3|AD||PO^Performing^HL70912||||${lab}`,
    'OBX|1|ST|A^A^L||x||||||F',
    `PRT|5|AD||PO^Performing Organization^HL70912||||${lab}||||||9 Lab Rd^^Cap^ST`,
    `PRT|6|AD||PO^Performing Organization^HL70912|1^TECH^TOM|||${lab}`,
    'PRT|7|AD||EQUIP^Equipment^HL70912||||||DEV1^M^1.2^ISO||||||||||SN123',
    'PRT|8|AD||PL^Performing location^HL70912|||||WARD^^^H',
    'PRT|9|AD||PO^Performing Organization^HL70912||||Other Lab',
  ];
  const told = events('ORU^R01', ...message);
  const { order, observations } = told[0] as (typeof told)[0];
  t.match(order?.orderingFacility, {
    name: 'Clinic',
    identifiers: [{ value: '12' }],
    address: { line: ['1 Main'] },
    telecoms: [{ value: '555 1212' }],
  });
  t.match(order?.participants, [
    { role: 'performing', person: undefined, organization: { name: 'State Lab' } },
  ]);
  t.match(observations, [
    {
      performingOrganization: 'State Lab',
      performingOrganizationIdentifiers: { 0: { value: '05D1' }, length: 1 },
      performingOrganizationAddress: { line: ['9 Lab Rd'], state: 'ST' },
      equipment: [{ value: 'DEV1' }, { value: 'SN123', type: 'SNO' }],
      performers: [
        { person: { identifiers: [{ value: '1' }] }, organization: { name: 'State Lab' } },
        { role: 'Performing location', location: { pointOfCare: 'WARD' }, devices: [] },
        { role: 'performing', person: undefined, organization: { name: 'Other Lab' } },
      ],
    },
  ]);
  t.equal(observations[0]?.performers.length, 3);
  const made = resources('ORU^R01', ...message);
  t.same(
    only('Organization', made).map(({ name }) => name),
    ['Clinic', 'State Lab', 'Other Lab', 'State Lab'],
  );
  t.match(only('Practitioner', made), { 0: { name: [{ family: 'TECH' }] }, length: 1 });
  t.match(only('Observation', made), [{ device: { identifier: { value: 'DEV1' } } }]);
});

t.test('reports - a goal or a request in an OBX is no result [HL7 table 0725]', async (t) => {
  const row = (set: string, mood: string, status = 'F') =>
    `OBX|${set}|NM|BW^Weight^L|${set}|70|kg|||||${status}${'|'.repeat(11)}${mood}`;
  const open = 'OBR|1|A1|F1|X^Y^L';
  const message = [open, row('1', 'GOL^Goal^HL70725'), row('2', 'RQO'), row('3', 'EVN', 'P'), row('4', '')];
  const told = events('ORU^R01', ...message);
  t.match(told[0]?.observations, [
    { status: 'unknown', resultStatus: 'F', mood: { text: 'Goal', codings: [{ code: 'GOL' }] } },
    { status: 'unknown', mood: { codings: [{ code: 'RQO' }] } },
    { status: 'preliminary', mood: undefined },
    { status: 'final', mood: undefined },
  ]);
  t.same(
    remarksOf(told),
    ['1', '2'].map((set) => `OBX[${set}]-22: a goal, a request or the like, and no finding`),
  );
  t.equal(only('Observation', resources('ORU^R01', ...message)).length, 2);
  t.match(events('ORU^R01', open, row('1', 'GOL'), row('2', '', 'P')), [{ status: 'preliminary' }]);
});

t.test('reports - the parent order and the parent result by their numbers [HL7 2.9]', async (t) => {
  const at = (version: string) => {
    const obr29 = `OBR|1|A2|F2|S^Susc^L${'|'.repeat(21)}F|600-7&B&LN^1^E coli|||P1&L^R1&L${'|'.repeat(25)}A1&H^F1&L`;
    const head = `MSH|^~\\&|L|X|E|LAB|20261123101500||ORU^R01^ORU_R01|X|P|${version}`;
    const [event] = normalizeHl7v2(er7(head, 'PID|1||5', obr29), testContext()).events;
    const named = (all: readonly { value: string; type: string }[] = []) =>
      all.map((one) => one.value + one.type);
    return [named(event?.order?.parents), named(event?.order?.parentObservation?.identifiers)];
  };
  t.same(at('2.9'), [
    ['A1PLAC', 'F1FILL'],
    ['P1PLAC', 'R1FILL'],
  ]);
  t.same(at('2.9.1'), at('2.9'));
  t.same(at('2.8.2'), [['P1PLAC', 'R1FILL', 'A1PLAC', 'F1FILL'], []]);
});

t.test('reports - whom to ask, and who wrote a comment when', async (t) => {
  const message = [
    obr,
    'CTD|PR^Primary^HL70131|SMITH^BOB|1 St||^WPN^PH^^^555^777',
    'OBX|1|NM|K^K^L||5||||||F',
    'NTE|1|L|hemolyzed|GR^General^HL70364|1^ENT^ERED|20261123101500',
  ];
  const [event] = events('ORU^R01', ...message);
  t.match(event?.order?.participants, [
    {
      role: 'Primary',
      roleCode: { codings: [{ code: 'PR' }] },
      person: { name: { family: 'SMITH' } },
      telecoms: [{ value: '555 777' }],
    },
  ]);
  t.match(event?.observations[0]?.notes, [
    { enteredBy: { identifiers: [{ value: '1' }] }, entered: { value: '2026-11-23T10:15:00+01:00' } },
  ]);
  t.match(only('Observation', resources('ORU^R01', ...message)), [
    { note: [{ authorString: 'ERED ENT', time: '2026-11-23T10:15:00+01:00', text: 'hemolyzed' }] },
  ]);
});

t.test(
  'reports - what was found of a specimen or before the orders does not say how these stand [HL7 7.3.7]',
  async (t) => {
    const index = 'OBX|1|NM|HIX^Hemolysis^L||300||||||F';
    const k = (status: string) => [
      'OBR|1|P1|F1|K^K^L|||20261126',
      `OBX|1|NM|K^K^L||7.9|mmol/L|3.5-5|HH|||${status}`,
    ];
    const na = (status: string) => [
      'OBR|2|P2|F2|NA^NA^L|||20261126',
      `OBX|1|NM|NA^NA^L||140|mmol/L|||||${status}`,
    ];
    const spm = 'SPM|1|S1&L||SER';
    const rows: [type: string, message: readonly string[], statuses: string[]][] = [
      ['OUL^R22', [spm, index, ...k('X')], ['cancelled']],
      ['OUL^R22', [spm, index, ...k('P'), ...na('X')], ['preliminary', 'cancelled']],
      ['OUL^R23', [spm, 'SAC|||T1', index, ...k('X')], ['cancelled']],
      ['OUL^R22', [spm, index, ...k('F')], ['final']],
      // Of an order of which nothing was found the specimen's rows are all that there is.
      ['OUL^R22', [spm, index, 'OBR|1|P1|F1|K^K^L|||20261126'], ['final']],
      ['ORU^R01', [...k('X'), spm, index], ['cancelled']],
      ['ORU^R01', ['OBX|1|NM|BW^Weight^L||70|kg|||||F', ...k('X')], ['cancelled']],
      ['OUL^R22', ['OBX|1|NM|BW^Weight^L||70|kg|||||F', spm, index, ...k('X')], ['cancelled']],
      ['ORU^R01', ['OBR|1|P1|F1|K^K^L|||20261126', spm, index], ['final']],
    ];
    for (const [type, message, statuses] of rows) {
      t.same(
        events(type, ...message).map(({ status }) => status),
        statuses,
        message.join(' '),
      );
    }
    t.match(only('DiagnosticReport', resources('OUL^R22', spm, index, ...k('X'))), [{ status: 'cancelled' }]);
  },
);
