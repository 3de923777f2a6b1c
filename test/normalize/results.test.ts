import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { createUnitReader } from '../../gateway/normalize/units.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

const reader = createUnitReader(new Map());

function event(...segments: string[]): ClinicalEvent {
  const head = 'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500||ORU^R01|1|P|2.5.1';
  const { events } = normalizeHl7v2(er7(head, 'PID|1||7^^^HOSP^MR', ...segments), testContext());
  if (events[0] === undefined) throw new Error('no event');
  return events[0];
}

t.test('results - a CQ has its number and its unit [HL7 2.A.20]', (t) => {
  const { observations } = event(
    'OBR|1||F1|A^B^L',
    'OBX|1|CQ|VOL^Volume^L||250.0^mL&milliliter&UCUM||||||F',
    'OBX|2|CQ|VOL^Volume^L||250.0^mL|L^liter^UCUM|||||F',
    'OBX|3|CQ|VOL^Volume^L||250.0||||||F',
  );
  t.match(observations[0], {
    value: '250.0',
    unit: 'mL',
    unitCode: { codings: [{ system: 'http://unitsofmeasure.org', code: 'mL' }] },
  });
  t.match(observations[1], { value: '250.0', unit: 'L' });
  t.match(observations[2], { value: '250.0', unit: '', unitCode: undefined });
  t.end();
});

t.test('results - flags are those that say something', (t) => {
  const { observations } = event('OBR|1||F1|A^B^L', 'OBX|1|NM|A^B^L||5|mg|1-4|H~~A^Abnormal^HL70078~^^|||F');
  t.match(observations[0], { interpretation: 'H' });
  t.same(observations[0]?.interpretations, ['H', 'A']);
  t.end();
});

t.test(
  'results - a coded flag is read in all its codings, and in words where it has no code [HL7 7.4.2.8]',
  (t) => {
    const { observations } = event(
      'OBR|1||F1|A^B^L',
      'OBX|1|NM|A^B^L||7.9|||KRITH^Critical^L^HH^Critical high^HL70078|||F',
      'OBX|2|NM|A^B^L||7.9|||N~^Critical high^L|||F',
      'OBX|3|NM|A^B^L||7.9|||H^^|||F',
    );
    t.match(observations[0], {
      interpretation: 'KRITH',
      interpretationCodes: [
        {
          text: 'Critical',
          codings: [
            { code: 'KRITH', name: 'L' },
            { code: 'HH', display: 'Critical high', system: 'http://terminology.hl7.org/CodeSystem/v2-0078' },
          ],
        },
      ],
    });
    t.same(observations[0]?.interpretations, ['KRITH', 'HH']);
    t.same(observations[1]?.interpretations, ['N', 'Critical high']);
    t.same(observations[1]?.interpretationCodes, [{ text: 'Critical high', codings: [] }]);
    t.same(observations[2]?.interpretations, ['H']);
    t.same(observations[2]?.interpretationCodes, [], 'it says no more than its code');
    t.end();
  },
);

t.test(
  'results - what an action code deletes is no result, whatever its status says [HL7 2.9 7.4.2.31]',
  (t) => {
    const row = (n: number, status: string, ...rest: string[]) =>
      `OBX|${n}|NM|A${n}^B^L||${status === 'F' ? '5' : ''}||||||${status}${'|'.repeat(18)}${rest.join('|')}`;
    const { observations, order, status } = event(
      `OBR|1||F1|A^B^L${'|'.repeat(21)}F${'|'.repeat(30)}D`,
      row(1, 'F', 'RSLT', '', 'D'),
      row(2, 'X', 'RSLT', 'SUB', 'U', 'not-asked^Not asked^HL70960'),
      row(3, 'F', 'AOE'),
    );
    t.match(observations[0], { status: 'entered-in-error', resultStatus: 'F', action: 'D', type: 'RSLT' });
    t.match(observations[1], {
      status: 'cancelled',
      action: 'U',
      subType: 'SUB',
      valueAbsentReason: { text: 'Not asked', codings: [{ code: 'not-asked' }] },
    });
    t.match(observations[2], { status: 'final', type: 'AOE' });
    t.match(order, { segmentAction: 'D', resultStatus: 'F' });
    t.equal(status, 'entered-in-error');
    const answered = event('OBR|1||F1|A^B^L', row(1, 'I', 'RSLT'), row(2, 'F', 'AOE'));
    t.equal(answered.status, 'registered', 'an answer of the order brings no result');
    t.end();
  },
);

t.test('results - an event has the nulls and remarks of its own segments and of what it shares', (t) => {
  const { events } = normalizeHl7v2(
    er7(
      'MSH|^~\\&|LAB|HOSP|EHR|""|20261123081500||ORU^R01|1|P|2.5.1',
      'PID|1||C1|""|A^B||yesterday',
      `OBR|1||S1|A^B^L${'|'.repeat(21)}Q`,
      'OBX|1|ST|A^B^L||y|""|||||F|||never',
      'OBR|2||S2|A^B^L||||||""||||||||||||||||F',
      'OBX|1|ST|A^B^L||y||||||F',
      'PID|2||C2||D^E||1980',
      'OBR|1||S3|A^B^L||||||||||||||||||||||F',
      'OBX|1|ST|A^B^L||y||||||F|||never',
    ),
    testContext(),
  );
  t.same(
    events.map(({ nulls }) => nulls),
    [['MSH-6', 'PID[1]-4', 'OBX[1]-6'], ['MSH-6', 'PID[1]-4', 'OBR[2]-10'], ['MSH-6']],
  );
  const [born, table, observed] = [/^PID-7/, /^OBR-25/, /^OBX\[1\]-14/];
  t.match(
    events.map(({ provenance }) => provenance?.remarks.slice().sort()),
    [[table, observed, born], [born], [observed]],
  );
  t.same(
    events.map(({ provenance }) => provenance?.remarks.length),
    [3, 1, 1],
  );
  t.end();
});

t.test('results - an OBR-7 that cannot be read is as good as none: the time is that of OBX-14', (t) => {
  for (const said of ['0000', 'unknown']) {
    const { times, provenance } = event(
      `OBR|1||F1|A^B^L|||${said}`,
      'OBX|1|NM|A^B^L||5||||||F|||never',
      'OBX|2|NM|A^B^L||5||||||F|||20240801080000',
    );
    t.match(times?.observed, { value: '2024-08-01T08:00:00+02:00', original: said });
    t.same(provenance?.remarks, ['OBR-7: not a time', 'OBX[1]-14: not a time']);
  }
  t.match(event('OBR|1||F1|A^B^L|||0000', 'OBX|1|NM|A^B^L||5||||||F').times?.observed, { original: '0000' });
  t.end();
});

t.test('results - each repetition of a file is a file, and their bytes count together', (t) => {
  const pdf = Buffer.from('%PDF-1.4').toString('base64');
  const rows = [
    'OBR|1||F1|A^B^L',
    `OBX|1|ED|A^B^L||^AP^PDF^Base64^${pdf}~^IM^JPEG^Hex^FFD8FF||||||F`,
    'OBX|2|RP|A^B^L||http://x/1^PACS^AP^PDF~http://x/2^PACS^IM^JPEG||||||F',
  ];
  const { observations } = event(...rows);
  t.match(observations[0], {
    attachment: { contentType: 'application/pdf', size: 8n },
    furtherAttachments: [{ contentType: 'image/jpeg', data: Buffer.from('ffd8ff', 'hex') }],
  });
  t.match(observations[1], {
    value: 'http://x/1',
    furtherValues: ['http://x/2'],
    furtherAttachments: [{ contentType: 'image/jpeg', pointer: 'http://x/2', sourceApplication: 'PACS' }],
  });
  const head = 'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500||ORU^R01|1|P|2.5.1';
  const small = normalizeHl7v2(er7(head, 'PID|1||7', ...rows), testContext({ attachmentBytesMax: 9 }));
  const [first] = small.events[0]?.observations ?? [];
  t.equal(first?.attachment?.data.length, 8);
  t.match(first?.furtherAttachments, [{ size: 3n, data: { length: 0 } }]);
  t.end();
});

t.test('results - a report that only ORC-5 tells of has the status of a report', (t) => {
  const status = (said: string) => event(`ORC|RE|P1|F1||${said}`, 'OBR|1|P1|F1|A^B^L').status;
  t.same(['A', 'CA', 'CM', 'DC', 'HD', 'IP', 'RP', 'SC', 'cm', 'ER', ''].map(status), [
    ...['partial', 'cancelled', 'final', 'cancelled', 'registered', 'registered', 'cancelled', 'registered'],
    ...['final', 'unknown', 'unknown'],
  ]);
  t.end();
});

t.test('results - who interpreted has the times that the field says [HL7 2.A.45]', (t) => {
  const people = (field: string) =>
    event(`OBR|1||F1|A^B^L${'|'.repeat(28)}${field}`).order?.participants.map(({ person, period }) => ({
      id: person?.identifiers[0]?.value,
      family: person?.name?.family,
      period: period && [period.start?.value, period.end?.value],
    }));
  const period = ['2024-08-01T08:00:00+02:00', '2024-08-01T09:00:00+02:00'];
  t.match(people('12&Ray&X^20240801080000^20240801090000^RAD'), [{ id: '12', family: 'Ray', period }]);
  t.match(people('12^20240801080000^20240801090000'), [{ id: '12', period }]);
  t.match(people('12^Ray^X'), [{ id: '12', family: 'Ray', period: undefined }]);
  t.end();
});

t.test('results - blank lines of a text stay where they are', (t) => {
  const { observations, notes } = event(
    'OBR|1||F1|A^B^L',
    'NTE|1||one~~three',
    'OBX|1|FT|A^B^L||~a\\.br\\b~~c~||||||F',
    'OBX|2|NM|A^B^L||5~~6||||||F',
  );
  t.equal(notes[0]?.text, 'one\n\nthree');
  t.match(observations[0], { value: 'a\nb', furtherValues: ['', 'c'] });
  t.same(observations[1]?.furtherValues, ['6'], 'a number is no line');
  t.end();
});

t.test('results - blank rows of a document are lines of its text', (t) => {
  const rows = ['', 'First', '', '  third', ''].map(
    (text, i) => `OBX|${i + 1}|TX|DS^Summary^L||${text}||||||F`,
  );
  const head = 'MSH|^~\\&|A|B|C|D|20261123||MDM^T02|1|P|2.5';
  const raw = er7(head, 'EVN||20261123', 'PID|1||7', 'TXA|1|DS|TX', ...rows);
  t.same(normalizeHl7v2(raw, testContext()).events[0]?.document?.text, ['First', '', '  third']);
  t.end();
});

t.test('results - a report whose order ended is cancelled, where OBR-25 does not say what it is', (t) => {
  const rows = ['OBX|1|NM|A^B^L||5||||||F'];
  t.equal(event('ORC|OC|P1|F1', 'OBR|1|P1|F1|A^B^L', ...rows).status, 'cancelled');
  t.equal(event('ORC|RE|P1|F1', 'OBR|1|P1|F1|A^B^L', ...rows).status, 'final');
  const said = `OBR|1|P1|F1|A^B^L${'|'.repeat(21)}C`;
  t.equal(event('ORC|OC|P1|F1', said, ...rows).status, 'corrected');
  t.end();
});

t.test('results - blanks at the ends say nothing, whatever width they have', (t) => {
  for (const blank of ['\u00a0', '\u3000', '\u2009', ' ']) {
    const { observations } = event(
      'OBR|1||F1|A^B^L',
      `OBX|1|NM|A${blank}^B^L||${blank}5.4${blank}|mmol/L${blank}|3-5${blank}|H${blank}|||F${blank}`,
    );
    const [one] = observations;
    t.match(one, { value: '5.4', unit: 'mmol/L', interpretation: 'H', status: 'final' });
    t.equal(one?.unitCode && reader.read(one.unitCode), 'mmol/L');
    t.equal(one?.code?.codings[0]?.code, 'A');
  }
  t.end();
});

t.test('results - a power of ten whose separator was not escaped is one unit, and says so', (t) => {
  const unit = (sent: string) => {
    const found = event('OBR|1||F1|A^B^L', `OBX|1|NM|WBC^WBC^L||5.1|${sent}|||||F`);
    const { unit, unitCode } = found.observations[0] ?? {};
    const ucum = unitCode && reader.read(unitCode);
    return { unit, ucum, remarks: found.provenance?.remarks };
  };
  const remarks = ['OBX-6: a power of ten whose separator was not escaped'];
  t.same(unit('10^3/uL'), { unit: '10^3/uL', ucum: '10*3/uL', remarks });
  t.same(unit('x10^9/L'), { unit: 'x10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('10^12/L^L'), { unit: '10^12/L', ucum: '10*12/L', remarks });
  t.same(unit('10\\S\\3/uL'), { unit: '10^3/uL', ucum: '10*3/uL', remarks: [] });
  t.same(unit('10*3/uL^thousand per microliter^UCUM'), { unit: '10*3/uL', ucum: '10*3/uL', remarks: [] });
  t.equal(unit('10^doses^L').unit, '10', 'a local code of a unit stays one');
  t.same(unit('10^3/mm^3'), { unit: '10^3/mm^3', ucum: '10*3/mm3', remarks });
  t.same(unit('E^9/L'), { unit: 'E^9/L', ucum: '10*9/L', remarks });
  t.same(unit('.10^9/L'), { unit: '.10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('·10^9/L'), { unit: '·10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('x·10^9/L'), { unit: 'x·10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('mal 10^9/L'), { unit: 'mal 10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('10^9^/L'), { unit: '10^9/L', ucum: '10*9/L', remarks });
  t.same(unit('fach 10^9/L'), { unit: 'fach 10^9/L', ucum: undefined, remarks }, 'never 9/L');
  t.equal(unit('1.0^9/L').ucum, undefined);
  t.end();
});

t.test('results - a power of any unit whose separator was not escaped is one unit, and says so', (t) => {
  const rows = [
    ['kg/m^2', 'kg/m2'],
    ['kg/m^2^L', 'kg/m2'],
    ['cells/mm^3', '/mm3'],
    ['/mm^3', '/mm3'],
    ['L/min/m^2', 'L/min/m2'],
    ['mL/min/1.73m^2', 'mL/min/{1.73_m2}'],
    ['s^-1', 's-1'],
  ] as const;
  const sent = rows.map(([text], i) => `OBX|${i + 1}|NM|A^B^L||5.1|${text}|||||F`);
  const { observations, provenance } = event('OBR|1||F1|A^B^L', ...sent);
  rows.forEach(([text, ucum], i) => {
    t.equal(observations[i]?.unit, text.replace('^L', ''));
    const { unitCode } = observations[i] ?? {};
    t.equal(unitCode && reader.read(unitCode), ucum, text);
  });
  t.same(provenance?.remarks, ['OBX-6: a power whose separator was not escaped']);
  t.equal(event('OBR|1||F1|A^B^L', 'OBX|1|NM|A^B^L||5|12^13^L|||||F').observations[0]?.unit, '12');
  t.end();
});

t.test('results - a coding system by the names that senders give it is that system', (t) => {
  const { observations } = event(
    'OBR|1||F1|71046^Chest^CPT4',
    'OBX|1|CWE|A^B^L||R07.9^Chest pain^ICD-10-CM~71046^Chest^cpt-4||||||F',
  );
  t.match(observations[0]?.valueCode?.codings, [
    { system: 'http://hl7.org/fhir/sid/icd-10-cm', name: 'ICD-10-CM' },
  ]);
  t.match(observations[0]?.furtherValueCodes, [{ codings: [{ system: 'http://www.ama-assn.org/go/cpt' }] }]);
  t.end();
});

t.test('results - separators at the end of a value or a range say nothing', (t) => {
  const { observations } = event(
    'OBR|1||F1|A^B^L',
    'OBX|1|NM|A^B^L||4.1^^|mg|4-10^|N|||F',
    'OBX|2|NM|A^B^L||4.1&|mg|||||F',
    'OBX|3|ST|A^B^L||a^b^|||||||F',
    'OBX|4|ST|A^B^L||2\\S\\|||||||F',
    'OBX|5|TX|A^B^L||left ^|||||||F',
  );
  t.equal(observations[0]?.value, '4.1');
  t.equal(observations[0]?.referenceRange, '4-10');
  t.equal(observations[1]?.value, '4.1');
  t.equal(observations[2]?.value, 'a^b', 'one between its parts is content');
  t.equal(observations[3]?.value, '2^', 'and so is one that was escaped');
  t.equal(observations[4]?.value, 'left ^');
  t.end();
});

t.test('results - words in place of the codes of a status are read, and what is neither is told', (t) => {
  const { observations, status, provenance } = event(
    `OBR|1||F1|A^B^L${'|'.repeat(21)}Final`,
    'OBX|1|NM|A^B^L||4.1|mg|||||Corrected',
    'OBX|2|NM|A^B^L||4.1|mg|||||Q9',
  );
  t.equal(status, 'final');
  t.same(
    observations.map((one) => one.status),
    ['corrected', 'unknown'],
  );
  t.same(provenance?.remarks, ['OBX[2]-11: not a code of table 0085, it is no status']);
  t.end();
});

t.test('results - an SN whose first repetition is empty has the number of the next', (t) => {
  const { observations } = event('OBR|1||F1|A^B^L', 'OBX|1|SN|A^B^L||~<^5.4|mg|||||F');
  t.match(observations[0], { value: '<5.4', structured: { comparator: '<', number1: '5.4' } });
  t.end();
});

t.test('results - SNOMED III is not SNOMED CT [HL7 table 0396]', (t) => {
  const { observations } = event('OBR|1||F1|A^B^L', 'OBX|1|CWE|A^B^L||L-25116^S. pneumoniae^SNM3||||||F');
  t.match(observations[0]?.valueCode?.codings, [{ system: 'urn:oid:2.16.840.1.113883.6.51' }]);
  t.end();
});

t.test('results - of several codes in OBX-3 or OBR-4 the first is read, and told', (t) => {
  const { observations, order, provenance } = event(
    'OBR|1||F1|A^B^L~C^D^L',
    'OBX|1|NM|K^Potassium^L~NA^Sodium^L||5||||||F',
    'OBX|2|NM|K^Potassium^L~||5||||||F',
  );
  t.match([order?.service, observations[0]?.code], [{ text: 'B' }, { text: 'Potassium' }]);
  t.same(provenance?.remarks, [
    'OBR-4: several codes, of which the first is read',
    'OBX[1]-3: several codes, of which the first is read',
  ]);
  t.end();
});

t.test('results - a comment in the place of its source or its number is told as the comment', (t) => {
  const { observations, provenance } = event(
    'OBR|1||F1|A^B^L',
    'OBX|1|NM|A^B^L||5||||||F',
    'NTE|1|called to the ward~at 08:10',
    'NTE|haemolysed sample',
    'NTE|3|L|lab comment',
    'NTE|4|L',
    'NTE|5|see the other one|""',
  );
  t.match(observations[0]?.notes, [
    { setId: '1', source: '', text: 'called to the ward\nat 08:10' },
    { setId: '', text: 'haemolysed sample' },
    { setId: '3', source: 'L', text: 'lab comment' },
    { setId: '4', source: 'L', text: '' },
    { setId: '5', source: 'see the other one', text: '' },
  ]);
  t.same(provenance?.remarks, [
    'NTE-2: a comment that should stand in NTE-3',
    'NTE-1: a comment that should stand in NTE-3',
  ]);
  t.end();
});
