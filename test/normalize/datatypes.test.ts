import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { Observation, Patient } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { only, remarksOf, resources, events as told } from './told.ts';

const header = 'MSH|^~\\&|LAB|H|E|H|20261123||ORU^R01|M1|P|2.5';

function patient(field: number, text: string): Patient | undefined {
  const pid = `PID${'|'.repeat(field)}${text}`;
  return normalizeHl7v2(er7(header, pid, 'OBX|1|NM|A||1'), testContext()).events[0]?.patient;
}

function observation(...cells: string[]): Observation | undefined {
  return normalizeHl7v2(er7(header, ['OBX', ...cells].join('|')), testContext()).events[0]?.observations[0];
}

t.test('cx - identifier systems follow the assigning authority', (t) => {
  const systems: [string, string][] = [
    ['1', 'urn:hilum:lab'],
    ['1^^^HOSP', 'urn:hilum:lab:HOSP'],
    ['1^^^HOSP&1.2.3&ISO', 'urn:oid:1.2.3'],
    ['1^^^&6BA7B810-9DAD-11D1-80B4-00C04FD430C8&UUID', 'urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
    ['1^^^&https://x.example/id&URI', 'https://x.example/id'],
    ['1^^^H&lab.example&DNS', 'lab.example'],
    ['1^^^H&99&L', 'urn:hilum:lab:H'],
    ['1^^^1.2.40.0.10', 'urn:oid:1.2.40.0.10'],
    ['1^^^&1.2.40.0.10', 'urn:oid:1.2.40.0.10'],
    ['1^^^HOSP&1.2.40.0.10', 'urn:oid:1.2.40.0.10'],
    ['1^^^HOSP&1.2.40.0.10&OID', 'urn:oid:1.2.40.0.10'],
    ['1^^^1.2.40.0.10&99&L', 'urn:oid:1.2.40.0.10'],
    ['1^^^urn:oid:1.2.3', 'urn:oid:1.2.3'],
    ['1^^^3.2', 'urn:hilum:lab:3.2'],
  ];
  for (const [sent, system] of systems) t.equal(patient(3, sent)?.identifiers[0]?.system, system, sent);
  t.match(patient(3, '1^^^H^MR^FAC^20260101^20261231')?.identifiers[0], {
    type: 'MR',
    facility: 'FAC',
    start: '2026-01-01',
    end: '2026-12-31',
  });
  t.end();
});

t.test('cx - an authority that the config names is that one, also by its bare OID', (t) => {
  const context = testContext({ authorities: new Map([['1.2.3', 'https://hosp.example/mrn']]) });
  for (const sent of ['1^^^1.2.3', '1^^^&1.2.3', '1^^^H&1.2.3']) {
    const made = normalizeHl7v2(er7(header, `PID|1||${sent}||A^B`, 'OBX|1|NM|A||1'), context);
    t.equal(made.events[0]?.patient?.identifiers[0]?.system, 'https://hosp.example/mrn', sent);
  }
  t.end();
});

t.test('cx - the check digit, or in Canada the version of a health card, is kept', (t) => {
  t.match(patient(3, '1234567897^AB^^ON^JHN~12^X^M11^HOSP^MR~7^^^HOSP')?.identifiers, [
    { value: '1234567897', checkDigit: 'AB', type: 'JHN' },
    { value: '12', checkDigit: 'X' },
    { value: '7', checkDigit: '' },
  ]);
  t.end();
});

t.test('xpn - a name has its parts', (t) => {
  t.match(patient(5, 'VON DER LEYEN&VON DER&LEYEN^ANNA^B C^JR^DR^MD^L~ALT^ANNA^^^^^M')?.names, [
    {
      family: 'VON DER LEYEN',
      given: ['ANNA', 'B C'],
      suffix: ['JR'],
      prefix: ['DR'],
      degree: 'MD',
      use: 'L',
    },
    { family: 'ALT', use: 'M' },
  ]);
  t.equal(patient(5, '&VON&X^A')?.names[0]?.family, 'VON X');
  t.end();
});

t.test('xad - an address has its parts', (t) => {
  t.match(patient(11, 'WEG 1&WEG&1^HINTERHAUS^BERLIN^BE^10115^DE^H^^MITTE')?.addresses[0], {
    line: ['WEG 1', 'HINTERHAUS'],
    city: 'BERLIN',
    state: 'BE',
    postalCode: '10115',
    country: 'DE',
    use: 'H',
    district: 'MITTE',
  });
  t.end();
});

t.test('xtn - phone, parts, mobile, fax and mail', (t) => {
  const said = patient(13, '030 1~^PRN^PH^^49^30^123^9~0170^^CP~1^WPN^FX~^NET^Internet^a@b.example');
  t.same(
    said?.telecoms.map((one) => [one.system, one.value, one.use, one.extension]),
    [
      ['phone', '030 1', 'home', ''],
      ['phone', '49 30 123', 'home', '9'],
      ['phone', '0170', 'mobile', ''],
      ['fax', '1', 'work', ''],
      ['email', 'a@b.example', 'home', ''],
    ],
  );
  t.end();
});

t.test('cwe - three triplets, versions, OIDs and the original text', (t) => {
  const code = observation('1', 'ST', 'A^Alpha^LN^B^Beta^99X^2.7^1^said so^C^Gamma^SCT', '', 'x')?.code;
  t.match(code, {
    text: 'said so',
    codings: [
      { system: 'http://loinc.org', code: 'A', display: 'Alpha', version: '2.7', name: 'LN' },
      { system: 'urn:hilum:lab:99X', code: 'B', version: '1' },
      { system: 'http://snomed.info/sct', code: 'C', display: 'Gamma' },
    ],
  });
  const byOid = observation('1', 'ST', 'A^Alpha^^^^^^^^^^^^1.2.3', '', 'x')?.code;
  t.equal(byOid?.codings[0]?.system, 'urn:oid:1.2.3');
  t.end();
});

t.test('cwe - a further text without a code is kept', (t) => {
  t.match(observation('1', 'CWE', 'A', '', '^^^^S01^^^^FULTON')?.valueCode, {
    text: 'FULTON',
    codings: [{ code: '', display: 'S01', system: '' }],
  });
  t.match(observation('1', 'CWE', 'A', '', '1^GLUCOSE^LN^^POST 12H^L')?.valueCode?.codings, [
    { code: '1', display: 'GLUCOSE' },
    { code: '', display: 'POST 12H', system: '', name: 'L' },
  ]);
  t.match(observation('1', 'CWE', 'A', '', '^ONLY')?.valueCode, { text: 'ONLY', codings: [] });
  t.end();
});

t.test('sad - the house number is in the line, once', (t) => {
  const lines: [string, string][] = [
    ['Plein&Plein&1945', 'Plein 1945'],
    ['Singel&Singel&5', 'Singel 5'],
    ['Dorfweg&Dorfweg&7b', 'Dorfweg 7b'],
    ['Dorfweg&&7b', 'Dorfweg 7b'],
    ['Dorfweg 7 b&Dorfweg&7b', 'Dorfweg 7 b'],
    ['WEG 1&WEG&1', 'WEG 1'],
    ['1 MAIN ST&MAIN ST&1', '1 MAIN ST'],
    ['12&MAIN ST&12', '12 MAIN ST'],
    ['12&MAIN ST', '12 MAIN ST'],
    ['&MAIN ST&12', '12 MAIN ST'],
    ['Straße des 17. Juni&Straße des 17. Juni&17', 'Straße des 17. Juni 17'],
    ['Hof 3&&13', 'Hof 3 13'],
    ['Weg 7-9&Weg&7', 'Weg 7-9'],
    ['&&12', '12'],
    ['Plein', 'Plein'],
  ];
  for (const [sent, line] of lines) t.same(patient(11, `${sent}^^Ede`)?.addresses[0]?.line, [line], sent);
  t.end();
});

t.test('cwe - coding systems have their URIs', (t) => {
  const wanted: Record<string, string> = {
    I10: 'http://hl7.org/fhir/sid/icd-10',
    I10C: 'http://hl7.org/fhir/sid/icd-10-cm',
    RXNORM: 'http://www.nlm.nih.gov/research/umls/rxnorm',
    NDC: 'http://hl7.org/fhir/sid/ndc',
    CVX: 'http://hl7.org/fhir/sid/cvx',
    MDC: 'urn:iso:std:iso:11073:10101',
    HL70078: 'http://terminology.hl7.org/CodeSystem/v2-0078',
    L: 'urn:hilum:lab:L',
    HL79901: 'urn:hilum:lab:HL79901', // a site's own, as Ontario's
    '': 'urn:hilum:lab',
  };
  for (const [name, system] of Object.entries(wanted)) {
    t.equal(observation('1', 'ST', `A^B^${name}`, '', 'x')?.code?.codings[0]?.system, system, name);
  }
  t.end();
});

t.test('obx - numbers are never touched', (t) => {
  for (const value of ['7.40', '<0.01', '1:80', '1,5', '-0', '007', '1e3', '>=5']) {
    t.equal(observation('1', 'NM', 'A', '', value)?.value, value);
  }
  t.end();
});

t.test('sn - comparator, numbers and separator', (t) => {
  const wanted: [string, string][] = [
    ['>^100', '>100'],
    ['^1^:^80', '1:80'],
    ['^2^-^4', '2-4'],
    ['>=^5', '>=5'],
    ['^^^', ''],
  ];
  for (const [sent, value] of wanted) t.equal(observation('1', 'SN', 'A', '', sent)?.value, value, sent);
  t.match(observation('1', 'SN', 'A', '', '^1^:^80')?.structured, {
    number1: '1',
    separator: ':',
    number2: '80',
  });
  t.end();
});

t.test('obx - times, pointers and embedded data', (t) => {
  t.match(observation('1', 'DT', 'A', '', '202611'), {
    value: '202611',
    valueTime: { value: '2026-11', precision: 'month' },
  });
  t.equal(observation('1', 'TM', 'A', '', '0815')?.value, '0815');
  t.match(observation('1', 'RP', 'A', '', 'http://x/1\\T\\2^PACS^IM^JPEG')?.attachment, {
    pointer: 'http://x/1&2',
    contentType: 'image/jpeg',
  });
  t.match(observation('1', 'ED', 'A', '', '^TEXT^plain^A^abc')?.attachment, {
    contentType: 'text/plain',
    size: 3n,
  });
  t.match(observation('1', 'ED', 'A', '', '^IM^PNG^Hex^00FF')?.attachment, {
    contentType: 'image/png',
    size: 2n,
  });
  const types = [
    ['NS^Octet-stream', 'application/octet-stream'],
    ['NS^PICT', 'image/x-pict'],
    ['SI^TIFF', 'image/tiff'],
    ['AP^MSWORD', 'application/msword'],
  ] as const;
  for (const [sent, contentType] of types)
    t.match(observation('1', 'ED', 'A', '', `^${sent}^A^abc`)?.attachment, { contentType }, sent);
  t.end();
});

t.test('obx - status words follow table 0085', (t) => {
  const wanted: Record<string, string> = {
    F: 'final',
    U: 'final',
    P: 'preliminary',
    R: 'preliminary',
    C: 'corrected',
    X: 'cancelled',
    D: 'entered-in-error',
    W: 'entered-in-error',
    I: 'registered',
    '': 'unknown',
  };
  for (const [sent, status] of Object.entries(wanted)) {
    t.equal(observation('1', 'NM', 'A', '', '1', '', '', '', '', '', sent)?.status, status, sent);
  }
  t.end();
});

t.test('obx - an unreadable time is kept with a remark that names its place only', (t) => {
  const raw = er7(header, 'OBX|1|NM|A||1||||||F|||NOTATIME');
  const event = normalizeHl7v2(raw, testContext()).events[0];
  t.match(event?.observations[0]?.effective, { value: '', original: 'NOTATIME' });
  t.same(event?.provenance?.remarks, ['OBX[1]-14: not a time']);
  t.end();
});

t.test('xcn and pl - people and places', (t) => {
  const raw = er7(
    'MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5',
    'PID|1||1',
    'PV1|1|I|W&Ward^R^B^H&1.2&ISO^O^N^BLD^3^text||||9^ARZT&VON^ANNA^B^^DR^MD^^KV&1.9&ISO^L^^^LANR',
  );
  const encounter = normalizeHl7v2(raw, testContext()).events[0]?.encounter;
  t.match(encounter?.location, {
    pointOfCare: 'W',
    room: 'R',
    bed: 'B',
    facility: 'H',
    status: 'O',
    type: 'N',
    building: 'BLD',
    floor: '3',
    description: 'text',
  });
  t.match(encounter?.participants[0]?.person, {
    identifiers: [{ system: 'urn:oid:1.9', value: '9', type: 'LANR', assigner: 'KV' }],
    name: { family: 'ARZT', given: ['ANNA', 'B'], prefix: ['DR'], degree: 'MD' },
  });
  t.end();
});

t.test('NR, SN - a range without its lower number goes up to the other one, and is no number', async (t) => {
  const row = (type: string, text: string) => ['OBR|1||F1|A^B^L', `OBX|1|${type}|A^B^L||${text}|mg|||||F`];
  const of = (type: string, text: string) => told('ORU^R01', ...row(type, text))[0]?.observations[0];
  t.match(of('NR', '^10'), { value: '<=10', structured: { comparator: '<=', number1: '10', number2: '' } });
  t.match(only('Observation', resources('ORU^R01', ...row('NR', '^10'))), [
    { valueQuantity: { value: 10, comparator: '<=', unit: 'mg' } },
  ]);
  t.match(of('NR', '2^10'), { value: '2-10', structured: { number1: '2', separator: '-', number2: '10' } });
  const upTo = told('ORU^R01', ...row('SN', '^^-^5'));
  t.match(upTo, [
    { observations: [{ value: '<=5', structured: { number1: '', separator: '-', number2: '5' } }] },
  ]);
  t.same(remarksOf(upTo), ['OBX[1]-5: a range (SN) without its lower number, read as up to the other one']);
  t.match(only('Observation', resources('ORU^R01', ...row('SN', '^^-^5'))), [{ valueString: '<=5 mg' }]);
  t.match(of('SN', '^-5'), { value: '-5' });
  t.match(of('SN', '^2^-^5'), { value: '2-5' });
});

t.test(
  'text - a separator of subcomponents that nobody escaped is text where it can be nothing else',
  (t) => {
    const told = (...segments: string[]) => {
      const head = 'MSH|^~\\&|A|B|C|D|20261123||ADT^A01|1|P|2.5';
      const [event] = normalizeHl7v2(er7(head, ...segments), testContext()).events;
      return { event, remarks: event?.provenance?.remarks };
    };
    const shop = told(
      'PID|1||7||Smith & Wesson^Ann||||||12 Marks & Spencer Rd^^Town',
      'PV1|1|I|||||9^Dale & Hill^D',
    );
    t.match(shop.event?.patient, {
      names: [{ family: 'Smith & Wesson', ownPrefix: '', given: ['Ann'] }],
      addresses: [{ line: ['12 Marks & Spencer Rd'], city: 'Town' }],
    });
    t.match(shop.event?.encounter?.participants, [{ person: { name: { family: 'Dale & Hill' } } }]);
    const read = (place: string) => `${place}: a separator that was not escaped, read as text`;
    t.same(shop.remarks, [read('PID-5'), read('PID-11'), read('PV1-7')]);

    const ward = told('PID|1||7', 'PV1|1|I|A&E^Cubicle 3^^RXA|||Ear & Nose^2');
    t.match(ward.event?.encounter, {
      location: { pointOfCare: 'A&E', room: 'Cubicle 3', facility: 'RXA', identifiers: [] },
      priorLocation: { pointOfCare: 'Ear & Nose', room: '2' },
    });
    t.same(ward.remarks, [read('PV1-3'), read('PV1-6')]);
    const unsure = told('PID|1||7', 'PV1|1|I|WARD&LODI^2');
    t.match(unsure.event?.encounter?.location, {
      pointOfCare: 'WARD',
      identifiers: [{ universalId: 'LODI' }],
    });
    t.same(unsure.remarks, ['PV1-3: a universal id without a type, or a text that was not escaped']);

    const meant = told(
      'PID|1||7||van Dyk&van&Dyk^A~Beethoven&van^L||||||Irgendwo 25&Irgendwo&25^^Foo',
      'PV1|1|I|W&1.2.3&ISO^R&1.2.3^B&x.example^H&12',
    );
    t.match(meant.event?.patient, {
      names: [{ ownPrefix: 'van', ownFamily: 'Dyk' }, { ownPrefix: 'van' }],
      addresses: [{ line: ['Irgendwo 25'] }],
    });
    t.equal(meant.event?.encounter?.location?.identifiers.length, 4);
    t.same(meant.remarks, []);
    t.end();
  },
);

t.test('any field - separators at the end of a part say nothing [HL7 2.5.3.2]', async (t) => {
  const [event] = told(
    'ORU^R01',
    'OBR|1|P1&&^H&|F1&&&~|A&^B&^L&',
    'OBX|1|NM|A^B^L||5|mg&|1-5^&~|HH&&|||F&|||20261123&',
  );
  t.match(event?.order, {
    placer: { value: 'P1', assigner: 'H' },
    filler: { value: 'F1' },
    service: { text: 'B', codings: [{ code: 'A', name: 'L' }] },
  });
  t.match(event?.observations, [
    {
      unit: 'mg',
      referenceRange: '1-5',
      interpretations: ['HH'],
      status: 'final',
      effective: { precision: 'day' },
    },
  ]);
  t.match(event?.provenance?.remarks, []);
  t.match(told('ORU^R01', 'OBR|1||F1|A^B^L', 'OBX|1|ST|A^B^L||a & b^c&d||||||F'), [
    { observations: [{ value: 'a & b^c&d' }] },
  ]);
});
