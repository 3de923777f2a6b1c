/** Values, times and words of FHIR R4 keep what was said. */
import t from 'tap';
import { toBundle, toBundleText } from '../../proto/fhir/bundle.ts';
import { dateTimeText, instant, instantOf, modified, period } from '../../proto/fhir/datatypes.ts';
import { Decimal, fhirText } from '../../proto/fhir/json.ts';
import { ClinicalEvent, ClinicalTime, Code } from '../../proto/gen/hilum/v1/event.ts';
import { eventsOf } from './events.ts';
import { problemsOf } from './validator.ts';

type Members = Record<string, unknown>;

/** The value[x] of one OBX, as JSON text. */
function valueText(over: object): string {
  const event = ClinicalEvent.fromPartial({
    id: 'e',
    kind: 'observation',
    observations: [{ code: { text: 'x' }, status: 'final', valueType: 'NM', ...over }],
  });
  const text = toBundleText(event);
  t.same(problemsOf(text), []);
  const at = /"(?:value|component)[^,]*?":.*?(?=\}\}|,"(?:interpretation|note|referenceRange)")/.exec(
    text.slice(text.indexOf('"resourceType":"Observation"')),
  );
  return at?.[0] ?? '';
}

t.test('fhir value - a decimal keeps its digits', async (t) => {
  for (const text of ['7.40', '0.010', '-1.50', '100', '12345678901234567.890123456789', '1.0e3', '0']) {
    t.equal(Decimal.of(text)?.text, text);
    t.match(valueText({ value: text }), `"valueQuantity":{"value":${text}`);
  }
  const event = ClinicalEvent.fromPartial({
    id: 'e',
    kind: 'observation',
    observations: [{ value: '7.40', valueType: 'NM', unit: 'mmol/L' }],
  });
  t.match(toBundleText(event), '"value":7.40,"unit":"mmol/L"');
});

t.test('fhir value - a number that no double holds stays a text', async (t) => {
  for (const text of ['1e400', '-1e400', '1e-400']) {
    t.equal(Decimal.of(text), undefined, text);
    t.match(valueText({ value: text }), `"valueString":"${text}"`);
  }
  for (const text of ['0e400', '1e300', '12e-300']) t.equal(Decimal.of(text)?.text, text);
});

t.test('fhir value - what HL7 allows and JSON does not is written without it', async (t) => {
  t.equal(Decimal.of('+5.0')?.text, '5.0');
  t.equal(Decimal.of('007.4')?.text, '7.4');
  t.equal(Decimal.of('.50')?.text, '0.50');
  t.equal(Decimal.of('5.')?.text, '5');
});

t.test('fhir value - what is no decimal number stays text', async (t) => {
  for (const value of ['1,5', '1 5', 'NaN', 'Infinity', '0x10', '1e', '--1', '.', '1.2.3', 'positive']) {
    t.equal(Decimal.of(value), undefined, value);
    t.equal(valueText({ value }), `"valueString":${JSON.stringify(value)}`);
  }
});

t.test('fhir value - a comparator, a titer and a name in digits', async (t) => {
  t.equal(valueText({ value: '<0.01' }), '"valueQuantity":{"value":0.01,"comparator":"<"');
  t.equal(
    valueText({ value: '>= 60.0', valueType: 'ST' }),
    '"valueQuantity":{"value":60.0,"comparator":">="',
  );
  t.match(
    valueText({ value: '1:80', valueType: 'ST' }),
    '"valueRatio":{"numerator":{"value":1},"denominator":{"value":80',
  );
  t.equal(valueText({ value: '12:30', valueType: 'ST' }), '"valueString":"12:30"');
  t.equal(valueText({ value: '0042', valueType: 'ST' }), '"valueString":"0042"');
  t.equal(valueText({ value: '7.40', valueType: 'TX', unit: 'mmol/L' }), '"valueString":"7.40 mmol/L"');
});

t.test('fhir value - a structured numeric is a quantity, a range, a ratio or its text', async (t) => {
  const of = (comparator: string, number1: string, separator: string, number2: string): string =>
    valueText({
      valueType: 'SN',
      value: comparator + number1 + separator + number2,
      structured: { comparator, number1, separator, number2 },
    });
  t.equal(of('<', '0.01', '', ''), '"valueQuantity":{"value":0.01,"comparator":"<"');
  t.equal(of('=', '5.0', '', ''), '"valueQuantity":{"value":5.0');
  t.match(of('', '2.0', '-', '4.0'), '"valueRange":{"low":{"value":2.0},"high":{"value":4.0');
  t.match(of('', '1', ':', '80'), '"valueRatio":{"numerator":{"value":1},"denominator":{"value":80');
  t.match(of('>', '1', ':', '80'), '"numerator":{"value":1,"comparator":">"}');
  t.equal(of('', '2', '+', ''), '"valueString":"2+"');
  t.equal(of('<>', '5', '', ''), '"valueString":"<>5"');
});

t.test('fhir value - a numeric range of a device is a range', async (t) => {
  const of = (number1: string, number2: string): string =>
    valueText({
      valueType: 'NR',
      value: `${number1}-${number2}`,
      unit: 'mV',
      structured: { comparator: '', number1, separator: '-', number2 },
    });
  t.match(of('-40.96', '40.95'), '"valueRange":{"low":{"value":-40.96,"unit":"mV"},"high":{"value":40.95');
  t.equal(of('5', ''), '"valueString":"5- mV"', 'half of one is its text');
});

t.test(
  'fhir value - waveforms and rows without a value are there, the containment is the device',
  async (t) => {
    const rows = [
      'OBX|1||69965^MDC_DEV_MON_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME',
      'OBX|2|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.1.1.3|12^13.50^^-4|262656^MDC_DIM_DIMLESS^MDC|||||R',
      'OBX|3|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1||262688^MDC_DIM_PERCENT^MDC|||||X',
      'OBX|4|NA|150453^MDC_X^MDC|1.1.1.4|a^b||||||R',
    ];
    const [named] = eventsOf(
      'wave',
      Buffer.from(
        `${['MSH|^~\\&|A|B|||20261123||ORU^R01|1|P|2.6', 'PID|1||1', 'OBR|1||F1|1^X^MDC', ...rows].join('\r')}\r`,
      ),
      'mllp',
    );
    const text = toBundleText(named?.event as ClinicalEvent);
    t.same(problemsOf(text), []);
    const found = toBundle(named?.event as ClinicalEvent).entry.flatMap(({ resource }) =>
      resource.resourceType === 'Observation' ? [resource] : [],
    );
    t.match(found, [
      { valueString: '12 13.50 E -4 MDC_DIM_DIMLESS', valueSampledData: undefined },
      { status: 'cancelled', valueQuantity: undefined },
      { valueString: 'a b' },
    ]);
    t.equal(found.length, 3);
    const long = structuredClone(named?.event as ClinicalEvent);
    for (const { samples } of long.observations) if (samples !== undefined) samples.data = '';
    t.same(problemsOf(toBundleText(long)), []);
    t.match(toBundleText(long), '"dataAbsentReason":{"text":"4 samples, more than an event holds"}');
  },
);

t.test('fhir value - a converted quantity stands beside the one that was sent', async (t) => {
  const event = ClinicalEvent.fromPartial({
    id: 'e',
    observations: [
      {
        code: { text: 'x' },
        valueType: 'NM',
        value: '100',
        unit: 'mg/dL',
        converted: { value: '<5.550', unit: 'mmol/L', from: 'mg/dL' },
      },
    ],
  });
  const text = toBundleText(event);
  t.same(problemsOf(text), []);
  t.match(
    text,
    '"valueQuantity":{"value":5.550,"unit":"mmol/L","comparator":"<","system":"http://unitsofmeasure.org"',
  );
  t.match(text, '"value":100,"unit":"mg/dL"}');
});

t.test('fhir value - repetitions are lines of a text, and components of anything else', async (t) => {
  t.equal(valueText({ valueType: 'TX', value: 'a', furtherValues: ['b'] }), '"valueString":"a\\nb"');
  const event = ClinicalEvent.fromPartial({
    id: 'e',
    observations: [{ code: { text: 'x' }, valueType: 'NM', value: '1', furtherValues: ['2.0'] }],
  });
  t.match(
    toBundleText(event),
    '"component":[{"code":{"text":"x"},"valueQuantity":{"value":1}},{"code":{"text":"x"},"valueQuantity":{"value":2.0}}]',
  );
});

t.test('fhir value - a file is a document that the observation is derived from', async (t) => {
  const [named] = eventsOf(
    'ed',
    Buffer.from(
      'MSH|^~\\&|A|B|||20261123||ORU^R01|1|P|2.5\rPID|1||1\rOBR|1||F1|X^X^L\rOBX|1|ED|P^Report^L||^AP^PDF^Base64^SGVsbG8=||||||F\r',
    ),
    'mllp',
  );
  const bundle = toBundle(named?.event as ClinicalEvent);
  const file = bundle.entry.find(({ resource }) => resource.resourceType === 'DocumentReference');
  t.match(file?.resource, {
    content: [{ attachment: { contentType: 'application/pdf', data: 'SGVsbG8=', size: 5 } }],
  });
  const observation = bundle.entry.find(({ resource }) => resource.resourceType === 'Observation');
  t.match(observation?.resource, { derivedFrom: [{ reference: file?.fullUrl }] });
});

t.test('fhir time - as precise as it was said, and never without its offset', async (t) => {
  for (const text of [
    '2026',
    '2026-11',
    '2026-11-23',
    '2026-11-23T08:15:00+01:00',
    '2026-11-23T08:15:00.125Z',
  ]) {
    t.equal(dateTimeText(text), text);
  }
  t.equal(dateTimeText('2026-11-23T08:15:00'), '2026-11-23', 'no offset: only its day is known');
  t.equal(dateTimeText('2026-11-23T08:15:00+14:30'), '2026-11-23', 'an offset that FHIR does not have');
  for (const text of ['', '0000', 'yesterday', '2026-13', '20261123'])
    t.equal(dateTimeText(text), undefined, text);
  const at = (value: string, precision: string): ClinicalTime =>
    ClinicalTime.fromPartial({ value, precision });
  t.equal(instant(at('2026-11-23T08:15:00+01:00', 'minute')), '2026-11-23T08:15:00+01:00');
  t.equal(instant(at('2026-11-23T08:00:00+01:00', 'hour')), undefined);
  t.equal(instant(at('2026-11-23', 'day')), undefined);
  t.equal(instantOf(1_764_000_000_123_456n), '2025-11-24T16:00:00.123456Z');
  t.equal(instantOf(0n), undefined);
  const [early, late] = [at('2026-11-23', 'day'), at('2026-11-24', 'day')];
  t.same(period(early, late), { start: '2026-11-23', end: '2026-11-24' });
  t.same(period(late, early), { start: '2026-11-24', end: undefined }, 'an end before its start is left out');
});

t.test('fhir json - nothing empty is written, and control characters are not', async (t) => {
  const resource = {
    resourceType: 'Basic',
    a: '',
    b: [],
    c: {},
    d: [{ e: '  ' }],
    f: false,
    g: 0,
    h: 'x\u0000y\n',
  };
  t.equal(fhirText(resource), '{"resourceType":"Basic","f":false,"g":0,"h":"x y\\n"}');
});

t.test('fhir code - one of which nothing is to be seen is none, modified or not', async (t) => {
  const code = (text: string) => Code.fromPartial({ text, codings: [{ code: text }] });
  t.equal(modified(code('\u0001'), [code('\u0002')]), undefined);
  t.equal(modified(undefined, [code('\u0002')]), undefined);
  t.match(modified(undefined, [code('left')]), { text: 'left' });
  t.match(modified(code('arm'), [code('left')]), { text: 'arm, left' });
});

/** The first resource of a type, of the first event of a message. */
function resourceOf(type: string, ...lines: string[]): Members {
  const raw = Buffer.from(`${lines.join('\r')}\r`);
  const event = eventsOf('message', raw, 'mllp')[0]?.event as ClinicalEvent;
  t.same(problemsOf(toBundleText(event)), []);
  const found = toBundle(event).entry.find(({ resource }) => resource.resourceType === type);
  return JSON.parse(fhirText(found?.resource ?? { resourceType: 'none' }));
}

function msh(type: string): string {
  return `MSH|^~\\&|APP|FAC|||20261123081500||${type}|C-1|P|2.5.1`;
}

t.test('fhir patient - a merge replaces the retired patient, which is not active', async (t) => {
  const raw = Buffer.from(`${[msh('ADT^A40'), 'EVN|A40|20261123', 'PID|1||4711', 'MRG|900'].join('\r')}\r`);
  const { entry } = toBundle(eventsOf('merge', raw, 'mllp')[0]?.event as ClinicalEvent);
  const [ours, theirs] = entry.filter(({ resource }) => resource.resourceType === 'Patient');
  t.match(ours?.resource, { link: [{ type: 'replaces', other: { reference: theirs?.fullUrl } }] });
  t.match(theirs?.resource, {
    active: false,
    identifier: [{ value: '900', use: 'old' }],
    link: [{ type: 'replaced-by', other: { reference: ours?.fullUrl } }],
  });
});

t.test('fhir patient - a birth time is kept beside the birth date', async (t) => {
  const patient = resourceOf('Patient', msh('ADT^A01'), 'PID|1||1||A^B||202611230612+0100|F');
  t.match(patient, {
    birthDate: '2026-11-23',
    _birthDate: { extension: [{ valueDateTime: '2026-11-23T06:12:00+01:00' }] },
    gender: 'female',
  });
});

t.test('fhir status - each of HL7 v2 is the one of the required binding', async (t) => {
  const observation = (sent: string): unknown =>
    resourceOf('Observation', msh('ORU^R01'), 'PID|1||1', 'OBR|1||F|A^A^L', `OBX|1|NM|A^A^L||1||||||${sent}`)
      .status;
  for (const [sent, status] of Object.entries({
    F: 'final',
    P: 'preliminary',
    C: 'corrected',
    X: 'cancelled',
    D: 'entered-in-error',
    W: 'entered-in-error',
    I: 'registered',
    '': 'unknown',
  })) {
    t.equal(observation(sent), status, `OBX-11 ${sent}`);
  }
  const request = (control: string): unknown =>
    resourceOf('ServiceRequest', msh('ORM^O01'), 'PID|1||1', `ORC|${control}|P1`, 'OBR|1|P1||A^A^L').status;
  t.equal(request('NW'), 'active');
  t.equal(request('OC'), 'revoked');
  t.equal(request('OH'), 'on-hold');
  const visit = (trigger: string): unknown =>
    resourceOf('Encounter', msh(`ADT^${trigger}`), `EVN|${trigger}|20261123`, 'PID|1||1', 'PV1|1|I|A').status;
  t.equal(visit('A01'), 'in-progress');
  t.equal(visit('A03'), 'finished');
  t.equal(visit('A05'), 'planned');
  t.equal(visit('A11'), 'cancelled');
  t.equal(visit('A21'), 'onleave');
  t.equal(visit('A08'), 'unknown', 'an update does not say where the visit stands');
});

t.test('fhir observation - range, flags and notes', async (t) => {
  const observation = resourceOf(
    'Observation',
    msh('ORU^R01'),
    'PID|1||1',
    'OBR|1||F|A^A^L',
    'OBX|1|NM|A^A^L||7.40|mmol/L^^UCUM|3.5-5.10|HH~XX|||F',
    'NTE|1||haemolytic',
  );
  t.match(observation, {
    referenceRange: [{ low: { value: 3.5 }, high: { value: 5.1 }, text: '3.5-5.10' }],
    interpretation: [{ coding: [{ code: 'HH' }] }, { text: 'XX' }],
    note: [{ text: 'haemolytic' }],
    valueQuantity: { system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  });
});

t.test(
  'fhir observation - a flag has the codings that it was sent with, and why there is no value is told',
  async (t) => {
    const absent = `${'|'.repeat(21)}not-asked^Not asked^HL70960`;
    const observation = resourceOf(
      'Observation',
      msh('ORU^R01'),
      'PID|1||1',
      'OBR|1||F|A^A^L',
      `OBX|1|NM|A^A^L|||||KRIT^Critical^L^HH^^HL70078|||F${absent}`,
    );
    t.match(observation, {
      interpretation: [
        { coding: [{ code: 'KRIT' }, { code: 'HH' }, { system: /v3-Obs/, code: 'HH' }], text: 'Critical' },
      ],
      dataAbsentReason: { coding: [{ code: 'not-asked' }], text: 'Not asked' },
    });
  },
);

t.test('fhir value - a range whose bounds are components as well is its text and its bounds', async (t) => {
  const of = (sent: string, type = 'NM') =>
    resourceOf(
      'Observation',
      msh('ORU^R01'),
      'PID|1||1',
      'OBR|1||F|A^A^L',
      `OBX|1|${type}|A^A^L||4.1|mmol/L|${sent}||||F`,
    ).referenceRange;
  const bounds = { low: { value: 3.5 }, high: { value: 5 } };
  t.match(of('3.5-5.0^3.5^5.0'), [{ ...bounds, text: /^3\.5-5\.0$/ }]);
  t.match(of('normal^3.5^5.0'), [{ ...bounds, text: /^normal$/ }]);
  t.match(of('^3.5^5.0'), [{ ...bounds, text: /^3\.5-5\.0$/ }]);
  t.same(of('3.5-5.0^3.5^5.0', 'ST'), [{ text: '3.5-5.0' }], 'bounds are of numbers');
  t.same(of('a^b^c'), [{ text: 'a^b^c' }], 'other parts stay as they were sent');
});

t.test('fhir value - what is no plain number keeps its unit in the text', async (t) => {
  const of = (value: string, valueType = 'NM', unit = 'mmol/L') => valueText({ value, valueType, unit });
  t.equal(of('5,4', 'ST'), '"valueString":"5,4 mmol/L"');
  t.equal(of('12.5 H'), '"valueString":"12.5 H mmol/L"');
  t.equal(of('≤2'), '"valueString":"≤2 mmol/L"');
  t.equal(of('negative', 'ST'), '"valueString":"negative"', 'a word has none');
  t.equal(of('see 5', 'TX'), '"valueString":"see 5"', 'nor a narrative');
  for (const type of ['SN', 'TX', 'FT', 'TXT']) {
    for (const number of ['6.8', '6,8', '>1000', '≥ 7', '<0,01'])
      t.equal(of(number, type), `"valueString":"${number} mmol/L"`, type);
    t.equal(of('6.8', type, ''), '"valueString":"6.8"', type);
  }
  t.equal(of('６．８'), '"valueString":"６．８ mmol/L"', 'full-width');
  t.equal(of('٦٫٨'), '"valueString":"٦٫٨ mmol/L"', 'Arabic');
  const coded = (code: string, text = '') =>
    valueText({
      value: text || code,
      valueType: 'CE',
      unit: 'mmol/L',
      valueCode: { text, codings: code === '' ? [] : [{ system: 'urn:hilum:lab', code }] },
    });
  t.equal(coded('', '>1000'), '"valueString":">1000 mmol/L"', 'a number in a coded element');
  t.equal(coded('6,8'), '"valueString":"6,8 mmol/L"');
  t.match(coded('5', 'moderate'), '"valueCodeableConcept"', 'a code that is a number');
  t.match(coded('', 'moderate'), '"valueCodeableConcept"');
  const structured = { comparator: '<=', number1: '2', separator: '/', number2: '38' };
  t.equal(
    valueText({ value: '<=2/38', valueType: 'SN', unit: 'ug/mL', structured }),
    '"valueString":"<=2/38 ug/mL"',
  );
});

t.test('fhir value - a code with a suffix is the code of its system, and the suffix beside it', async (t) => {
  const codingsOf = (code: string) =>
    resourceOf(
      'Observation',
      msh('ORU^R01'),
      'PID|1||1',
      'OBR|1||F|A^A^L',
      `OBX|1|TX|${code}||No fracture.||||||F`,
    );
  t.match(codingsOf('71020&IMP^Chest^CPT4'), {
    code: {
      coding: [
        { system: 'http://www.ama-assn.org/go/cpt', code: '71020' },
        { system: undefined, code: 'IMP' },
      ],
      text: 'Chest',
    },
  });
  t.match(codingsOf('30955-9&30956-7^Vaccine^LN'), {
    code: { coding: [{ code: '30955-9' }, { system: 'http://loinc.org', code: '30956-7' }] },
  });
  t.match(
    codingsOf('R\\T\\D^Research^L'),
    { code: { coding: [{ code: 'R&D' }] } },
    'a code of its own may have one',
  );
});
