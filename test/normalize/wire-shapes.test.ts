/** Shapes of a message that a sender's habit or its transport makes. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import { problemsOf } from '../fhir/validator.ts';
import { er7, testContext } from './context.ts';

const msh = (id: string, type = 'ORU^R01', more = '') =>
  `MSH|^~\\&|LAB|S|H|C|20261123081500+0100||${type}|${id}|P|2.5.1${more}`;
const one = (...lines: string[]) => {
  const { events, reject } = normalizeHl7v2(er7(...lines), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
};

t.test('shapes - every message of a batch is its own events, under its own control id', async (t) => {
  const events = one(
    'FHS|^~\\&|LAB',
    'BHS|^~\\&|LAB',
    msh('B1'),
    'PID|1||7^^^S^MR',
    'OBR|1|||K^K^L',
    msh('B2'),
    'PID|1||8^^^S^MR',
    'OBR|1|||K^K^L',
    'BTS|2',
    'FTS|1',
  );
  t.same(
    events.map(({ provenance, patient }) => [provenance?.messageControlId, patient?.identifiers[0]?.value]),
    [
      ['B1', '7'],
      ['B2', '8'],
    ],
  );
});

t.test(
  'shapes - a batch that is not what its trailers count, or has none, is told with each of its messages',
  async (t) => {
    const message = (id: string) => [msh(id), 'PID|1||7^^^S^MR', 'OBR|1|||K^K^L'];
    const [fhs, bhs] = ['FHS|^~\\&|LAB', 'BHS|^~\\&|LAB'];
    const [a, b, c] = [message('A'), message('B'), message('C')];
    const cut = (name: string) =>
      `${name}: no ${name[0]}TS ends the ${name === 'FHS' ? 'file' : 'batch'}, what stood behind may be missing`;
    const wanted: [lines: string[], remarks: string[][]][] = [
      [
        [fhs, bhs, ...a, ...b, 'BTS|2', 'FTS|1'],
        [[], []],
      ],
      // No count is no claim, and neither is what is no number.
      [
        [fhs, bhs, ...a, ...b, 'BTS', 'FTS'],
        [[], []],
      ],
      [
        [fhs, bhs, ...a, ...b, 'BTS||x', 'FTS|'],
        [[], []],
      ],
      [[bhs, ...a, 'BTS|two'], [[]]],
      [
        [bhs, ...a, ...b, 'BTS| 002 |x'],
        [[], []],
      ],
      // [HL7 2.10.3]: each of the four is optional.
      [
        [...a, ...b],
        [[], []],
      ],
      [
        [fhs, ...a, ...b, 'FTS|1'],
        [[], []],
      ],
      [
        [fhs, bhs, ...a, 'BTS|1', bhs, ...b, 'BTS|1', 'FTS|2'],
        [[], []],
      ],
      [[fhs, bhs, ...a, 'BTS|1', bhs, 'BTS|0', 'FTS|2'], [[]]],
      // A header that is sent twice is one message.
      [[bhs, msh('A'), ...a, 'BTS|1'], [['MSH: sent twice']]],
      [[bhs, ...a, ...b, 'BTS|3'], Array(2).fill(['BTS-1: it counts 3 messages, the batch has 2'])],
      [[bhs, ...a, 'BTS|2'], [['BTS-1: it counts 2 messages, the batch has 1']]],
      [[...a, 'BTS|2'], [['BTS-1: it counts 2 messages, the batch has 1']]],
      [[fhs, ...a, 'FTS|2'], [['FTS-1: it counts 2 batches, the file has 1']]],
      [
        [fhs, bhs, ...a, 'BTS|2', bhs, ...b, ...c, 'BTS|2', 'FTS|3'],
        [
          ['BTS-1: it counts 2 messages, the batch has 1', 'FTS-1: it counts 3 batches, the file has 2'],
          ['FTS-1: it counts 3 batches, the file has 2'],
          ['FTS-1: it counts 3 batches, the file has 2'],
        ],
      ],
      [[bhs, ...a], [[cut('BHS')]]],
      [
        [bhs, ...a, bhs, ...b, 'BTS|1'],
        [[cut('BHS')], []],
      ],
      [[fhs, ...a], [[cut('FHS')]]],
      [[fhs, bhs, ...a, ...b], Array(2).fill([cut('BHS'), cut('FHS')])],
      [[fhs, bhs, ...a, 'FTS|1'], [[cut('BHS')]]],
      [
        [fhs, bhs, ...a, 'FTS|1', fhs, bhs, ...b, 'BTS|1'],
        [[cut('BHS')], [cut('FHS')]],
      ],
    ];
    for (const [lines, remarks] of wanted) {
      const events = one(...lines);
      t.same(
        events.map(({ provenance }) => provenance?.remarks),
        remarks,
        lines.map((line) => line.slice(0, 9)).join(' '),
      );
    }
    // It costs none of them, nor what is told of another.
    const { events, reject, delivered } = normalizeHl7v2(
      er7(bhs, ...a, 'MSH|^~', ...b, 'BTS|4'),
      testContext(),
    );
    t.same(
      events.map(({ provenance }) => provenance?.remarks),
      Array(2).fill(['BTS-1: it counts 4 messages, the batch has 3']),
    );
    t.match(reject, { code: 'no-msh', reason: /^Message 2 of 3: / });
    t.same(delivered, [1, 3]);
  },
);

t.test('shapes - FS inside a text is content, at the end of a message it is framing', async (t) => {
  const lines = [msh('F1'), 'PID|1||7^^^S^MR', 'OBR|1|||K^K^L', 'OBX|1|NM|K^K^L||4.1', 'NTE|1||a\x1cb'];
  const [event] = one(...lines);
  t.equal(event?.observations[0]?.notes[0]?.text, 'a\x1cb');
  const framed = normalizeHl7v2(Buffer.from(`\x0b${lines.join('\r')}\r\x1c\r`), testContext());
  t.same(framed.events, [event]);
  t.equal(framed.reject, undefined);
});

t.test('shapes - the message control id is the whole field as it was sent', async (t) => {
  for (const id of ['A~B^C', 'A&B', 'A\\T\\B', 'PLAIN'])
    t.equal(one(msh(id), 'PID|1||7^^^S^MR', 'OBR|1|||K^K^L')[0]?.provenance?.messageControlId, id);
});

t.test('nulls - each HL7 null is told with its whole location', async (t) => {
  const [event] = one(
    msh('N1', 'ADT^A08'),
    'PID|1||7^^^S^MR||A~""|""||M|||""^^Boston|||||||||""^x&""&y~z',
    'OBX|1|NM|K^K^L||""',
    'OBX|2|NM|K^K^L||4',
    'OBX|3|CE|K^K^L||""^text~a^""',
    'NTE|1||says "" and ""quoted""',
  );
  t.same(event?.nulls, [
    'PID-5[2]',
    'PID-6',
    'PID-11.1',
    'PID-20[1].1',
    'PID-20[1].2.2',
    'OBX[1]-5',
    'OBX[3]-5[1].1',
    'OBX[3]-5[2].2',
  ]);
  t.same(
    event?.observations.map(({ value }) => value),
    ['', '4', 'text'],
    'and is no value',
  );
  t.same(one(msh('N2', 'ADT^A08'), 'PID|1||7^^^S^MR||""')[0]?.nulls, ['PID-5']);
  t.same(one(msh('N3', 'ADT^A08'), 'PID|1||7^^^S^MR||A')[0]?.nulls, []);
});

t.test('units - the code is the unit, and every coding of it is kept', async (t) => {
  const [event] = one(
    msh('U1', 'RDE^O11'),
    'PID|1||7^^^S^MR',
    'ORC|NW|1',
    'RXE||D1^Drug^L|10||mg^milligram^UCUM|||||20|^tablet||||||||||||1|mL/h^millilitre an hour^UCUM',
  );
  t.match(event?.medication, {
    unit: 'mg',
    unitCode: { text: 'milligram', codings: [{ code: 'mg', display: 'milligram', name: 'UCUM' }] },
    dispenseUnit: 'tablet',
    dispenseUnitCode: { text: 'tablet', codings: [] },
  });
  const [shot] = one(
    msh('U2', 'VXU^V04'),
    'PID|1||7^^^S^MR',
    'RXA|0|1|20261123||08^HepB^CVX|.5|mL^MilliLiter^UCUM',
  );
  t.match(shot?.immunization, { doseUnit: 'mL', doseUnitCode: { text: 'MilliLiter' } });
  const [result] = one(
    msh('U3'),
    'PID|1||7^^^S^MR',
    'OBR|1|||K^K^L',
    'OBX|1|NM|K^K^L||4|mmol/L^millimole^UCUM',
    'OBX|2|NM|K^K^L||4|^per field',
  );
  t.match(result?.observations, [
    { unit: 'mmol/L', unitCode: { text: 'millimole' } },
    { unit: 'per field', unitCode: { codings: [] } },
  ]);
});

t.test('merge - what EVN says holds for every pair of the message', async (t) => {
  const events = one(
    msh('M1', 'ADT^A40'),
    'EVN|A40|20261123080000|||OP7|20261122',
    'PID|1||1^^^S^MR',
    'MRG|2^^^S^MR',
    'PID|1||3^^^S^MR',
    'MRG|4^^^S^MR',
  );
  t.equal(events.length, 2);
  for (const event of events) {
    t.match(event.movement, {
      trigger: 'A40',
      recorded: { value: '2026-11-23T08:00:00+01:00' },
      occurred: { value: '2026-11-22' },
      operators: [{ identifiers: [{ value: 'OP7' }] }],
    });
    t.match(event.times, {
      observed: { value: '2026-11-22' },
      issued: { value: '2026-11-23T08:00:00+01:00' },
    });
  }
  t.not(events[0]?.movement, events[1]?.movement, 'each its own');
});

t.test('report status - without a known OBR-25 the results say it', async (t) => {
  const status = (report: string, ...rows: string[]) => {
    const obx = rows.map((code, n) => `OBX|${n + 1}|NM|K^K^L||4||||||${code}`);
    return one(msh('S1'), 'PID|1||7^^^S^MR', `OBR|1|||K^K^L${'|'.repeat(21)}${report}`, ...obx)[0];
  };
  const cases: [rows: string, expected: string][] = [
    ['FFFFFFCCCPPPFFFFFN', 'preliminary'],
    ['FFN', 'final'],
    ['FCO', 'corrected'],
    ['FI', 'partial'],
    ['FS', 'partial'],
    ['II', 'registered'],
    ['NO', 'registered'],
    ['FXW', 'final'],
    ['XN', 'cancelled'],
    ['WN', 'entered-in-error'],
    ['FQ', 'final'],
    ['Q', 'unknown'],
    ['QN', 'unknown'],
    ['', 'unknown'],
  ];
  for (const [rows, expected] of cases) {
    for (const report of ['', 'ZZ'])
      t.equal(status(report, ...rows)?.status, expected, `OBR-25 "${report}", OBX-11 ${rows}`);
  }
  const odd = status('ZZ', 'F', 'Q');
  t.equal(odd?.order?.resultStatus, 'ZZ', 'stays visible');
  t.ok(odd?.provenance?.remarks.some((text) => text.startsWith('OBR-25')));
  t.match(odd?.observations[1], { resultStatus: 'Q', status: 'unknown' });
  t.equal(status('P', 'F')?.status, 'preliminary', 'a known OBR-25 stands');
  t.notOk(status('', 'F')?.provenance?.remarks.some((text) => text.startsWith('OBR-25')));
});

t.test('charset - is the one that was read with, by its one name', async (t) => {
  const charset = (declared: string, text = 'A') =>
    one(msh('C1', 'ADT^A08', `||||||${declared}`), `PID|1||7^^^S^MR||${text}`)[0]?.provenance?.charset;
  t.equal(charset(''), 'ASCII');
  t.equal(charset('ASCII'), 'ASCII');
  for (const name of ['UNICODE UTF-8', 'utf8', 'UNICODE']) t.equal(charset(name), 'UTF-8', name);
  for (const name of ['8859/1', 'ISO-8859-1', '8859-1']) t.equal(charset(name), 'ISO-8859-1', name);
  t.equal(charset('', 'É'), 'UTF-8');
  t.equal(charset('KLINGON'), 'UTF-8', 'unknown, and read as this');
});

t.test('empty things - a note, a period and a key without content are not made up', async (t) => {
  const [report] = one(
    msh('E1'),
    'PID|1||7^^^S^MR',
    'NTE|||',
    'OBR|1|||K^K^L',
    'NTE',
    'NTE|1||',
    'NTE|2||end',
  );
  t.match(report?.notes, [
    { setId: '1', text: '' },
    { setId: '2', text: 'end' },
  ]);
  t.equal(report?.notes.length, 2, 'a numbered empty line is a blank line of the text');
  const appointment = (timing: string) =>
    one(msh('E2', 'SIU^S12'), `SCH|1|2|||||||30|min^Minutes|${timing}`, 'PID|1||7^^^S^MR')[0]?.schedule;
  t.equal(appointment('^^30')?.period, undefined);
  t.equal(appointment('^^30')?.durationUnit, 'min');
  t.match(appointment('^^30^20261124')?.period, { start: { value: '2026-11-24' }, end: undefined });
});

t.test('master file - a record has its event and its key by components', async (t) => {
  const [event] = one(
    msh('F1', 'MFN^M02'),
    'MFI|STF^Staff^HL70175||UPD',
    'MFE|MAD|X1|20261123|1001^Doc^L|CE',
    'MFE|MDL|X2||1002|CE',
  );
  t.match(event?.masterFile, {
    entries: ['1001^Doc^L', '1002'],
    records: [
      {
        event: 'MAD',
        controlId: 'X1',
        effective: { value: '2026-11-23' },
        key: { text: 'Doc', codings: [{ code: '1001', display: 'Doc', name: 'L' }] },
      },
      { event: 'MDL', controlId: 'X2', key: { codings: [{ code: '1002' }] } },
    ],
  });
});

t.test(
  'master file - FHIR tells what is done to each entry, and one that is gone is no current identifier',
  async (t) => {
    const [event] = one(
      msh('F1', 'MFN^M02'),
      'MFI|PRA^^HL70175||upd',
      'MFE|MAD|C1|20261121|1^House~2^House',
      'MFE|mdl|C2|202611220800|3^Gone',
      'MFE|MDC|||4',
      'MFE|MUP|||5',
      'MFE|MAC|||6',
      'MFE||||7',
    );
    if (event === undefined) throw new Error('no event');
    t.same(event.masterFile?.entries, ['1^House', '2^House', '3^Gone', '4', '5', '6', '7']);
    const text = toBundleText(event);
    t.same(problemsOf(text), []);
    const bundle = JSON.parse(text) as { entry: { resource: { resourceType: string } }[] };
    const basic = bundle.entry.find(({ resource }) => resource.resourceType === 'Basic')?.resource;
    const system = 'urn:hilum:master-file-entry';
    const done = (event: string, effective?: string) => [
      {
        url: 'urn:hilum:extension:master-file-event',
        extension: [
          { url: 'event', valueCode: event },
          ...(effective === undefined ? [] : [{ url: 'effective', valueDateTime: effective }]),
        ],
      },
    ];
    t.same(basic, {
      ...basic,
      extension: done('upd'),
      identifier: [
        { extension: done('MAD', '2026-11-21'), system, value: '1^House' },
        { extension: done('MAD', '2026-11-21'), system, value: '2^House' },
        { extension: done('mdl', '2026-11-22T08:00:00+01:00'), use: 'old', system, value: '3^Gone' },
        { extension: done('MDC'), use: 'old', system, value: '4' },
        { extension: done('MUP'), system, value: '5' },
        { extension: done('MAC'), system, value: '6' },
        { system, value: '7' },
      ],
    });
    // As it was made before a record had its keys.
    for (const record of event.masterFile?.records ?? []) record.keys = [];
    t.match(toBundleText(event), `"identifier":[{"system":"${system}","value":"1^House"},`);
  },
);

t.test('master file - one without an entry says nothing, and goes to quarantine [HL7 8.5]', async (t) => {
  for (const lines of [['MFI|PRA'], ['MFI|PRA||UPD', 'STF|1'], ['MFI|PRA||REP', 'NTE|1||x'], ['STF|1']]) {
    const { events, reject } = normalizeHl7v2(er7(msh('F1', 'MFN^M02'), ...lines), testContext());
    t.same(events, [], `${lines}`);
    t.equal(reject?.code, 'nothing-in-it', `${lines}`);
  }
  t.equal(one(msh('F1', 'MFN^M02'), 'MFI|PRA', 'MFE|MDL').length, 1);
});

t.test('limits - the reason in quarantine names the limit, its key and what to do', async (t) => {
  const over = (limits: { segmentsMax: number; fieldBytesMax: number }, ...lines: string[]) =>
    normalizeHl7v2(er7(msh('L1'), 'PID|1||7^^^S^MR', ...lines), testContext({ limits }));
  const usual = { segmentsMax: 100, fieldBytesMax: 1024 };
  const rows = ['OBR|1|||K^K^L', ...Array.from({ length: 98 }, (_, n) => `OBX|${n}|NM|K^K^L||4`)];
  t.same(over(usual, ...rows).reject, {
    code: 'too-large',
    reason:
      'The message has more segments than limits.segmentsMax of the config (100) allows: raise it there, then replay the record.',
  });
  t.equal(over({ ...usual, segmentsMax: 101 }, ...rows).reject, undefined, 'raised');
  const note = ['OBR|1|||K^K^L', `ZNT|1||${'x'.repeat(1025)}`];
  t.same(over(usual, ...note).reject, {
    code: 'too-large',
    reason:
      'ZNT-3 (line 4) has 1025 bytes, more than limits.fieldBytesMax of the config (1024) allows: raise it there, then replay the record.',
  });
  t.equal(over({ ...usual, fieldBytesMax: 1025 }, ...note).reject, undefined, 'raised');
  t.equal(
    over(usual, 'OBR|1|||K^K^L', `OBX|1|TX|K^K^L||${'x'.repeat(5000)}`).reject,
    undefined,
    'a document',
  );
  const comment = over(usual, 'OBR|1|||K^K^L', `NTE|1||${'x'.repeat(44_000)}`);
  t.equal(comment.reject, undefined, 'a text');
  t.equal(comment.events[0]?.notes[0]?.text.length, 44_000);
});
