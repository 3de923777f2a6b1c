/** Device JSON whose members are of another type or say less than the shape expects: told, never made up or dropped. */
import t from 'tap';
import { normalizeDevice } from '../../gateway/normalize/device/index.ts';
import type { Normalized } from '../../gateway/normalize/outcome.ts';
import { compileClassifier } from '../../gateway/prioritize/classify.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';

const context = testContext({ source: 'icu', protocol: 'mqtt', topic: 'devices/d' });

function read(payload: unknown): Normalized {
  const made = normalizeDevice(Buffer.from(JSON.stringify(payload)), context);
  for (const event of made.events) ClinicalEvent.encode(event).finish();
  return made;
}

const remarksOf = ({ events }: Normalized): (string[] | undefined)[] =>
  events.map(({ provenance }) => provenance?.remarks);

t.test('device units - one that is no text is none: the default is only for no unit', async (t) => {
  for (const unit of [{ code: 'mmol/L' }, ['mmol/L'], 5, true]) {
    const made = read({ device: 'd', readings: [{ code: 'glucose', value: 5.6, unit }] });
    const [glucose] = made.events[0]?.observations ?? [];
    t.match(glucose, { value: '5.6', unit: '', unitCode: undefined }, JSON.stringify(unit));
    t.notMatch(JSON.stringify(glucose?.code), /loinc/, 'whose code depends on the unit');
    t.same(remarksOf(made), [['reading 1: the unit is no text']]);
  }
  const flat = read({ device: 'd', temp: { value: 98.6, unit: { code: '[degF]' } } });
  t.match(flat.events[0]?.observations[0], { value: '98.6', unit: '' });
  for (const unit of [undefined, null, '']) {
    const { events } = read({ device: 'd', temp: { value: 37, unit } });
    t.equal(events[0]?.observations[0]?.unit, 'Cel');
  }
});

t.test('device remarks - a reading has the number that it has in the payload', async (t) => {
  const readings = [{ code: 'x' }, { code: 'hr', value: 1 }, { code: 'y', value: null }];
  t.same(remarksOf(read({ device: 'd', readings })), [
    ['reading 1: without a code or a value', 'reading 3: without a code or a value'],
  ]);
});

t.test('device alarms - whatever says a priority or a phase is an alarm', async (t) => {
  const made = read({ device: 'd', hr: 1, alarm: { priority: 'high', phase: 'start' } });
  t.same(
    made.events.map(({ kind, alarm }) => [kind, alarm?.priority, alarm?.phase, alarm?.text]),
    [
      ['device-observation', undefined, undefined, undefined],
      ['device-alarm', 'high', 'start', ''],
    ],
  );
  t.same(remarksOf(made), [[], ['alarm: without code, text and id']]);
  const list = read({
    device: 'd',
    alarms: [{ id: '1', priority: 'low' }, { priority: 'high', name: 'ASYSTOLE' }, { priority: 'crisis' }],
  });
  t.match(
    list.events.map(({ alarm }) => alarm),
    [
      { identifier: { value: '1' }, priority: 'low' },
      { code: { text: 'ASYSTOLE' }, priority: 'high' },
      { priority: '' },
    ],
  );
  t.same(
    remarksOf(list),
    [[], [], ['alarm: without code, text and id', 'alarm priority: not a known word']],
    'those of one alarm stand on no other',
  );
});

t.test('device alarms - one that says nothing known goes to quarantine beside the readings', async (t) => {
  const { events, reject } = read({ device: 'd', hr: 1, alarms: [{ severity: 3 }, { id: '1' }] });
  t.same(
    events.map(({ kind }) => kind),
    ['device-observation', 'device-alarm'],
  );
  t.same(reject, {
    code: 'not-understood',
    reason: 'Alarms without any member that the shape knows: 1.',
  });
});

t.test('device alarms - null, false, 0 and nothing are none; what is no alarm is quarantined', async (t) => {
  for (const alarm of [null, false, 0, '', [], 'none', ' None ', 'FALSE', [' ', 'none']]) {
    t.same(remarksOf(read({ device: 'd', hr: 1, alarm })), [[]], JSON.stringify(alarm));
  }
  for (const alarm of [5, true, {}, { id: null, active: false }, [[]]]) {
    const made = read({ device: 'd', hr: 1, alarm });
    t.same(
      [made.events.map(({ kind }) => kind), remarksOf(made), made.reject],
      [
        ['device-observation'],
        [['alarms that are neither a text nor an object that says something: 1']],
        {
          code: 'not-understood',
          reason: 'Alarms that are neither a text nor an object that says something: 1.',
        },
      ],
      JSON.stringify(alarm),
    );
    t.equal(read({ device: 'd', alarm }).reject?.code, 'not-understood', 'alone it is refused');
  }
  t.match(read({ device: 'd', alarm: 'Leads off' }).events, [{ alarm: { text: 'Leads off' } }]);
  const both = read({ device: 'd', hr: 1, alarms: [{ severity: 3 }, true, 'Leads off'] });
  t.same(
    both.events.map(({ kind }) => kind),
    ['device-observation', 'device-alarm'],
  );
  t.equal(
    both.reject?.reason,
    'Alarms that are neither a text nor an object that says something: 1. Alarms without any member that the shape knows: 1.',
  );
});

t.test('device identity - a truth value and a blank text identify nobody', async (t) => {
  for (const patient of [false, true, ' ', { id: true }, { id: ' ', system: 'S' }, { name: 'X' }]) {
    const made = read({ device: 'd', hr: 1, patient, encounter: patient });
    t.equal(made.events[0]?.patient, undefined, JSON.stringify(patient));
    t.equal(made.events[0]?.encounter, undefined);
    t.same(remarksOf(made), [['patient: no identifier', 'encounter: no identifier']]);
  }
  for (const patient of [null, '', [], undefined]) {
    t.same(remarksOf(read({ device: 'd', hr: 1, patient })), [[]]);
  }
  t.match(read({ device: 0, hr: 1 }).events[0]?.device?.identifiers, [{ value: '0' }]);
  for (const device of [true, ' ', { id: true }, {}, [false]]) {
    const { events, reject } = read({ device, hr: 1 });
    t.equal(events.length, 0, JSON.stringify(device));
    t.same(reject, {
      code: 'not-understood',
      reason: 'Not the vitals shape: `device` is no identifier, which is a text or a number.',
    });
  }
  const alarm = read({ device: 'd', alarm: { id: true, code: 'X' } });
  t.equal(alarm.events[0]?.alarm?.identifier, undefined);
  t.same(remarksOf(alarm), [['alarm id: no identifier']]);
  const place = read({ device: 'd', hr: 1, location: { unit: ['ICU'], bed: { id: 4 } } });
  t.same(remarksOf(place), [['location: not a text']]);
});

t.test('device words - flags, states and priorities in objects and lists are read', async (t) => {
  const made = read({
    device: 'd',
    readings: [
      { code: 'hr', value: 190, interpretation: { code: 'HH' }, status: { code: 'final' } },
      { code: 'hr', value: 1, interpretation: ['H', { text: 'A' }, { coding: [{ code: 'LL' }] }] },
      { code: 'hr', value: 1, referenceRange: { low: 50, high: '120' } },
      { code: 'hr', value: 1, referenceRange: { text: '50 to 120' } },
    ],
    alarm: {
      id: '1',
      priority: { code: 'High' },
      phase: ['start'],
      state: { value: 'active' },
      inactivation: ['audio-paused', { code: 'alert-acknowledged' }],
    },
  });
  t.match(made.events[0]?.observations, [
    { interpretation: 'HH', interpretations: ['HH'], status: 'final' },
    { interpretations: ['H', 'A', 'LL'] },
    { referenceRange: '50-120' },
    { referenceRange: '50 to 120' },
  ]);
  t.match(made.events[1]?.alarm, {
    priority: 'high',
    phase: 'start',
    state: 'active',
    inactivation: 'audio-paused alert-acknowledged',
  });
  t.same(remarksOf(made), [[], []]);
  const classify = compileClassifier(configSchema.parse({}));
  t.same(
    made.events.map((event) => classify(event).class),
    ['stat', 'stat'],
  );
});

t.test('device words - what is no word leaves a remark', async (t) => {
  const made = read({
    device: 'd',
    readings: [
      { code: 'hr', value: 1, interpretation: { system: 'x' }, status: true, referenceRange: { at: 1 } },
    ],
    alarm: { id: '1', priority: ['high', 'low'], phase: { at: 1 } },
  });
  t.same(remarksOf(made), [
    [
      'reading 1: interpretation: not a word',
      'status: not a word',
      'reading 1: the reference range is no text',
    ],
    ['alarm phase: not a word', 'alarm priority: more than one word'],
  ]);
  t.match(made.events[1]?.alarm, { priority: '', phase: '' });
});

t.test('device codes - stand only beside a unit of their kind', async (t) => {
  const mapped = (reading: object) => {
    const made = read({ device: 'd', readings: [reading] });
    const codings = made.events[0]?.observations[0]?.code?.codings ?? [];
    return [codings.filter((one) => one.mapped).map(({ code }) => code), remarksOf(made)[0]?.length];
  };
  for (const unit of ['mmHg', 'kPa', 'mm[Hg]', undefined, 'foo'])
    t.same(mapped({ code: 'etco2', value: 4.8, unit }), [['151708', '19891-1'], 0], String(unit));
  for (const unit of ['%', 'percent', 'mmol/L'])
    t.same(mapped({ code: 'etco2', value: 4.8, unit }), [[], 1], unit);
  t.same(mapped({ code: 'temp', value: 98, unit: 'F' }), [['150344', '8310-5'], 0]);
  t.same(mapped({ code: 'weight', value: 160, unit: 'lb' }), [['188736', '29463-7'], 0]);
  t.same(mapped({ code: 'spo2', value: 0.97, unit: '1' }), [['150456', '59408-5'], 0]);
  t.same(mapped({ code: 'hr', value: 60, unit: '{beats}/min' }), [['147842', '8867-4'], 0]);
  t.same(mapped({ code: 'glucose', value: 5, unit: 'mmol/L' }), [['160184', '14743-9'], 0]);
  t.same(mapped({ code: 'glucose', value: 5, unit: 'umol/L' }), [['160184'], 0]);
  t.same(mapped({ code: 'glucose', value: 5, unit: '%' }), [[], 1]);
  t.same(mapped({ code: 'tidalVolume', value: 6, unit: 'mL/kg' }), [[], 1]);
});

t.test('device alarms - a phase as IHE spells it, and one that nobody knows', async (t) => {
  const alarm = (phase: unknown) => {
    const [event] = read({ device: 'd', time: '2026-11-23T08:15:00Z', alarm: { id: '1', phase } }).events;
    return [event?.alarm?.phase, event?.alarm?.raised !== undefined, event?.provenance?.remarks.length];
  };
  t.same(alarm('de-escalate'), ['deescalate', false, 0]);
  t.same(alarm('START'), ['start', true, 0]);
  t.same(alarm(undefined), ['', true, 0]);
  t.same(alarm('present'), ['present', false, 0], 'it may have begun long ago');
  t.same(alarm('over'), ['', false, 1], 'which may be its end');
  t.same(alarm({ at: 1 }), ['', false, 1]);
});

t.test('device batches - the first that is refused says why, the others where they are', async (t) => {
  const good = { device: 'd', hr: 1 };
  const reason = (bad: number[]) =>
    read(Array.from({ length: 12 }, (_, i) => (bad.includes(i + 1) ? { hr: 1 } : good))).reject?.reason;
  const first = 'Object 2: Not the vitals shape: missing `device`.';
  t.equal(reason([2]), first);
  t.equal(reason([2, 3, 4]), `${first} Refused as well: Object 3, Object 4.`);
  t.equal(
    reason([2, 3, 4, 5, 6, 7, 8, 9]),
    `${first} Refused as well: Object 3, Object 4, Object 5, Object 6, Object 7, 2 more.`,
  );
});

t.test("device words - IHE's own words of an alarm are understood [IHE PCD-04 OBX-8]", async (t) => {
  const words = ({ events }: Normalized) => events.map(({ alarm }) => [alarm?.priority, alarm?.type]);
  for (const [priority, type, expected] of [
    ['PH', 'SP', ['high', 'physiological']],
    ['pm', 'st', ['medium', 'technical']],
    ['PL', 'SA', ['low', 'advisory']],
    ['PI', 'SP', ['none', 'physiological']],
    ['PN', 'SP', ['none', 'physiological']],
  ]) {
    const made = read({ device: 'd', alarm: { id: '1', priority, type } });
    t.same([words(made), remarksOf(made)], [[expected], [[]]]);
  }
  const [high] = read({ device: 'd', alarm: { id: '1', priority: 'PH' } }).events;
  t.equal(high && compileClassifier(configSchema.parse({}))(high).class, 'stat');
  const crossed = read({ device: 'd', alarm: { id: '1', priority: 'SP', type: 'PH' } });
  t.same(words(crossed), [['', '']], 'each in its place');
});

t.test('device units - the default of a name belongs to a bare number', async (t) => {
  const of = (name: string, value: unknown) => {
    const [one] = read({ device: 'd', readings: [{ code: name, value }] }).events[0]?.observations ?? [];
    return [one?.value, one?.unit, one?.unitCode?.codings[0]?.code];
  };
  for (const [name, value] of [
    ['temp', '98.6 F'],
    ['weight', '160 lb'],
    ['hr', '72 bpm'],
    ['glucose', '5.5 mmol/L'],
    ['spo2', '97%'],
    ['temp', 'probe off'],
  ] as const) {
    t.same(of(name, value), [value, '', undefined], value);
  }
  for (const value of ['37', '37.0', ' 37.0 ', '36,5', '+1.5e1', '<20', '>= 20', '≤20'])
    t.same(of('temp', value), [value, 'Cel', 'Cel'], value);
  t.same(read({ device: 'd', temp: '98.6 F' }).events[0]?.observations[0]?.unit, '', 'in the flat form too');
  const [said] =
    read({ device: 'd', readings: [{ code: 'temp', value: '98.6 F', unit: 'F' }] }).events[0]?.observations ??
    [];
  t.equal(said?.unit, 'F', 'a unit that was sent stays');
  const glucose = read({ device: 'd', glucose: '5.5 mmol/L' }).events[0]?.observations[0];
  t.notMatch(JSON.stringify(glucose?.code), /loinc/, 'whose code depends on the unit');
});

t.test('device identity - the type of a device is no type of its identifier', async (t) => {
  const [event] = read({ device: { id: 'x1', system: 'urn:oid:1.2.3', type: 'monitor' }, hr: 1 }).events;
  t.match(event?.device, {
    identifiers: [{ value: 'x1', system: 'urn:oid:1.2.3', type: '' }],
    type: { text: 'monitor' },
  });
  const many = { identifiers: [{ value: 'x1', type: 'SNO' }, { id: 'x2' }], type: 'monitor' };
  t.match(read({ device: many, hr: 1 }).events[0]?.device, {
    identifiers: [
      { value: 'x1', type: 'SNO' },
      { value: 'x2', type: '' },
    ],
    type: { text: 'monitor' },
  });
  const patient = { id: '1', type: 'MR' };
  t.match(read({ device: 'd', hr: 1, patient }).events[0]?.patient?.identifiers, [{ type: 'MR' }]);
});

t.test('device remarks - what a place of the shape has and nobody understands is told', async (t) => {
  const told = (payload: object) => remarksOf(read({ device: 'd', hr: 1, ...payload }));
  t.same(told({ patient: { id: '1', name: 'X', birthDate: '1950-01-01' } }), [
    ['patient: members that the shape does not know: 2'],
  ]);
  t.same(told({ patient: { identifiers: [{ value: '1' }], name: 'X' } }), [
    ['patient: members that the shape does not know: 1'],
  ]);
  t.same(told({ encounter: { id: '1', class: 'IMP' } }), [
    ['encounter: members that the shape does not know: 1'],
  ]);
  t.same(told({ device: { id: 'd', model: 'M', serial: '5' } }), [
    ['device: members that the shape does not know: 1'],
  ]);
  t.same(told({ location: { unit: 'ICU', pod: 4 } }), [
    ['location: members that the shape does not know: 1'],
  ]);
  t.same(told({ location: ['ICU'] }), [['location: neither a text nor an object']]);
  for (const none of [null, '', [], {}]) t.same(told({ location: none }), [[]], JSON.stringify(none));
  const reading = { code: 'x', value: 1, method: 'auto', quality: 'bad', limits: { low: 1 }, note: null };
  t.same(told({ readings: [{ code: 'hr', value: 1 }, reading] }), [
    ['reading 2: members that the shape does not know: 3'],
  ]);
  t.same(told({ hr: { value: 1, quality: 'bad' } }), [
    ['reading 1: members that the shape does not know: 1'],
  ]);
  t.same(told({ alarm: { id: '1', value: 30, limit: 40 } }), [
    [],
    ['alarm: members that the shape does not know: 2'],
  ]);
  const known = {
    patient: { id: '1', system: 'S', type: 'MR' },
    location: { unit: 'ICU', room: '1', bed: '2', facility: '', building: '', floor: '', text: 'x' },
    readings: [{ code: { code: 'x', system: 'S', display: 'X' }, value: 1, unit: '%', time: 1795685400 }],
    alarm: { id: '1', system: 'S', code: 'A', text: 'x', time: 1795685400, location: 'lead II' },
  };
  t.same(told(known), [[], []]);
});

t.test('device readings - a reference range with one bound', async (t) => {
  const of = (referenceRange: unknown) => {
    const made = read({ device: 'd', readings: [{ code: 'hr', value: 1, referenceRange }] });
    return [made.events[0]?.observations[0]?.referenceRange, remarksOf(made)[0]];
  };
  t.same(of({ low: 90 }), ['>=90', []]);
  t.same(of({ high: '120.0' }), ['<=120.0', []]);
  t.same(of({ low: 50, high: 120 }), ['50-120', []]);
  t.same(of({ low: { value: 5 } }), ['', ['reading 1: the reference range is no text']]);
});

t.test('device limits - JSON that is too much is too large, not unreadable', async (t) => {
  const of = (text: string) => normalizeDevice(Buffer.from(text), context).reject;
  const deep = `${'['.repeat(33)}${']'.repeat(33)}`;
  t.same(of(deep), { code: 'too-large', reason: 'JSON of more than 32 levels, at character 32.' });
  t.same(of(`{"device":"d","hr":${'1'.repeat(65)}}`), {
    code: 'too-large',
    reason: 'JSON with a number of more than 64 characters, at character 19.',
  });
  const many = of(`[${'0,'.repeat(250_000)}0]`);
  t.match(many, { code: 'too-large', reason: /^JSON of more than 250,000 values, at character \d+\.$/ });
  t.same(of('{"a":}'), {
    code: 'unreadable',
    reason: 'Not JSON text: a value was expected at character 5.',
  });
});

t.test('device limits - 20,000 readings fit, with all that the shape knows of each', async (t) => {
  const reading = {
    code: 'hr',
    value: 72,
    unit: '/min',
    status: 'final',
    interpretation: 'H',
    time: 1795685400,
  };
  const full = (count: number) =>
    read({
      device: 'd',
      readings: Array(count).fill({ ...reading, referenceRange: { low: 50, high: 120 } }),
    });
  t.equal(full(20_000).events[0]?.observations.length, 20_000);
  const bare = Array(20_001).fill({ code: 'hr', value: 72 });
  t.same(read({ device: 'd', readings: bare }).reject, { code: 'too-large', reason: 'Over 20000 readings.' });
});

t.test('device alarms - a state that is over is no beginning', async (t) => {
  const raised = (alarm: object) => {
    const { events } = read({ device: 'd', alarm: { text: 'LOW', ...alarm }, time: '2026-11-23T08:15:00Z' });
    return events.at(-1)?.alarm?.raised !== undefined;
  };
  t.same([{}, { state: 'active' }, { state: 'inactive' }, { state: 'latched' }].map(raised), [
    true,
    true,
    false,
    false,
  ]);
  t.same(raised({ state: 'latched', phase: 'start' }), true, 'the phase says it');
});
