/** Payload templates: the JSON of the corpus in our words, what a template can say, and where it ends. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { type Meaning, reclassifies } from '../../gateway/meaning.ts';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { deliveredParts, type Normalized } from '../../gateway/normalize/outcome.ts';
import { ClinicalEvent, type Code, type Observation } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { projectRoot } from '../kit/paths.ts';

const iomt = compileMeaning(
  readFileSync(path.join(projectRoot, 'test/normalize/iomt-templates.yaml'), 'utf8'),
  1,
);

function run(meaning: Meaning, source: string, payload: unknown, topic = `${source}/ward/mon-7`): Normalized {
  const raw = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const record = JournalRecord.fromPartial({
    source,
    topic,
    protocol: 'mqtt',
    raw,
    capturedAtUs: 1_795_000_000_000_000n,
  });
  const made = normalize(record, meaning.contextFor(record));
  for (const event of made.events) ClinicalEvent.encode(event).finish();
  return made;
}

/** A config of one source `s` with one template `p`. */
function template(yaml: string, more = ''): Meaning {
  const indented = yaml.trim().replace(/^/gm, '    ');
  return compileMeaning(
    `sources: { s: { listener: mqtt, payloads: [p] } }\npayloads:\n  p:\n${indented}\n${more}`,
    1,
  );
}

const codesOf = (code: Code | undefined): string[] => (code?.codings ?? []).map((one) => one.code);
const read = (one: Observation): unknown[] => [one.value, one.unit, ...codesOf(one.code)];

const corpus = path.resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'mqtt/ms-iomt');
const skip = existsSync(corpus) ? false : `no corpus at ${corpus}`;
const file = (name: string): Buffer => readFileSync(path.join(corpus, name));

interface FhirMapping {
  typeName: string;
  codes: { code: string }[];
  value?: { unit?: string; valueName: string };
  components?: { codes: { code: string }[]; value: { unit?: string; valueName: string } }[];
}

/** What the corpus expects: codes and unit of a value by its name. */
function expected(mapping: FhirMapping): Map<string, { codes: string[]; unit: string }> {
  const values = new Map<string, { codes: string[]; unit: string }>();
  const add = ({ codes, value }: Pick<FhirMapping, 'codes' | 'value'>): void => {
    if (value === undefined) return;
    const mended = codes.map(({ code }) =>
      value.valueName === 'diastolic' && code === '8867-4' ? '8462-4' : code,
    );
    values.set(value.valueName, { codes: mended, unit: value.unit ?? '' });
  };
  add(mapping);
  mapping.components?.forEach(add);
  return values;
}

t.test(
  'iomt generator pairs - device, patient, encounter, time, correlation, values, codes, units',
  { skip },
  async (t) => {
    for (const [name, panel] of [
      ['HeartRate', []],
      ['BloodPressure', ['85354-9', '75367002']],
    ] as const) {
      const sent = JSON.parse(file(`generator-testinput/deviceData_${name}.json`).toString()) as {
        time: string;
        values: Record<string, number>;
      };
      const { template: mapping } = JSON.parse(
        file(`generator-expected/fhirMapping_${name}.json`).toString(),
      ) as {
        template: FhirMapping;
      };
      const { events, reject } = run(iomt, 'generated', file(`generator-testinput/deviceData_${name}.json`));
      t.equal(reject, undefined);
      t.equal(events.length, 1);
      t.match(events[0], {
        kind: 'device-observation',
        device: { identifiers: [{ value: 'TestDeviceId' }] },
        patient: { identifiers: [{ value: 'TestPatientId' }] },
        encounter: { identifiers: [{ value: 'TestEncounter' }] },
        identifiers: [{ value: 'TestCorrelation', type: 'correlation' }],
        times: { observed: { value: sent.time.replace('Z', '+00:00') } },
        deviceAssociation: { basis: 'explicit-message' },
      });
      t.same(codesOf(events[0]?.order?.service), panel, 'the panel');
      const wanted = [...expected(mapping)].map(([value, { codes, unit }]) => [
        String(sent.values[value]),
        unit,
        ...codes,
      ]);
      t.same(events[0]?.observations.map(read), wanted, name);
    }
  },
);

t.test(
  'iomt health templates - each member of the corpus template has its codes and unit',
  { skip },
  async (t) => {
    const { template: contents } = JSON.parse(
      file('templates/healthkitOnFhir__devicecontent.json').toString(),
    ) as {
      template: {
        template: { typeName: string; values: { valueExpression: string; valueName: string }[] };
      }[];
    };
    const { template: mappings } = JSON.parse(
      file('templates/healthkitOnFhir__fhirmapping.json').toString(),
    ) as {
      template: { template: FhirMapping }[];
    };
    t.equal(contents.length, 17);
    for (const { template: content } of contents) {
      const mapping = mappings.find((one) => one.template.typeName === content.typeName);
      if (mapping === undefined) throw new Error(`the corpus maps no ${content.typeName}`);
      const members = content.values.map(({ valueExpression }) => valueExpression.slice(2));
      const texts = members.map((member, i) => `"${member}": ${i + 12}.50`);
      const time = '2026-11-23T08:15:00Z';
      const payload = `{"deviceId": "phone-1", "endDate": "${time}", "measurementdatetime": "${time}", ${texts.join(', ')}}`;
      const { events, reject } = run(iomt, 'health', payload);
      t.equal(reject, undefined, content.typeName);
      t.match(events, [
        {
          device: { identifiers: [{ value: 'phone-1' }] },
          times: { observed: { value: '2026-11-23T08:15:00+00:00' } },
        },
      ]);
      const values = expected(mapping.template);
      const wanted = content.values.map(({ valueName }, i) => [
        `${i + 12}.50`,
        values.get(valueName)?.unit,
        ...(values.get(valueName)?.codes ?? []),
      ]);
      t.same(events[0]?.observations.map(read).sort(), wanted.sort(), content.typeName);
    }
  },
);

t.test('iomt basic templates - values keep their text, coded values their code', { skip }, async (t) => {
  const { template: mappings } = JSON.parse(file('templates/fhirmapping.json').toString()) as {
    template: { template: FhirMapping & { value?: { codes?: { code: string }[] } } }[];
  };
  for (const { template: mapping } of mappings) {
    const members = [...expected(mapping).keys()].map((name) => (name === 'hr' ? 'heartrate' : name));
    const texts = members.map((member, i) => `"${member}": ${i + 7}.40`);
    const { events } = run(
      iomt,
      'basic',
      `{"deviceid": "d", "patientid": "p", "measurementdatetime": "2026-11-23T08:15:00+01:00", ${texts.join(', ')}}`,
    );
    t.match(events, [
      { device: { identifiers: [{ value: 'd' }] }, patient: { identifiers: [{ value: 'p' }] } },
    ]);
    const coded = mapping.value?.codes;
    if (coded !== undefined) {
      t.same(
        codesOf(events[0]?.observations[0]?.valueCode),
        coded.map(({ code }) => code),
        mapping.typeName,
      );
      t.same(
        codesOf(events[0]?.observations[0]?.code),
        mapping.codes.map(({ code }) => code),
      );
      continue;
    }
    const wanted = [...expected(mapping).values()].map(({ codes, unit }, i) => [
      `${i + 7}.40`,
      unit,
      ...codes,
    ]);
    t.same(events[0]?.observations.map(read), wanted, mapping.typeName);
  }
});

t.test(
  'iomt payloads - an object anywhere, several of them in an array, two templates on one',
  { skip },
  async (t) => {
    const at = (name: string): Normalized =>
      run(
        iomt,
        'matched',
        file(`template-unit-tests/data_Documentation_CalculatedFunction_${name}_Payload.json`),
      );
    const told = ({ events, reject }: Normalized): unknown[] => {
      t.equal(reject, undefined);
      return events.map((event) => [
        event.device?.identifiers[0]?.value,
        event.times?.observed?.value,
        ...event.observations.map((one) => `${one.value} ${one.unit}`),
      ]);
    };
    const moment = (hour: string): string => `2019-02-01T${hour}:46:01.8750000+00:00`;
    t.same(told(at('HeartRate')), [['device123', moment('22'), '78 count/min']]);
    t.same(told(at('BloodPressure')), [['device123', moment('22'), '123 mmHg', '87 mmHg']]);
    t.same(told(at('MultipleMeasurements')), [
      ['device123', moment('22'), '78 count/min'],
      ['device123', moment('22'), '2 count'],
    ]);
    t.same(told(at('MultipleMeasurements_FromArray')), [
      ['device123', moment('20'), '78 count/min'],
      ['device123', moment('21'), '81 count/min'],
      ['device123', moment('22'), '72 count/min'],
    ]);
  },
);

t.test(
  'iomt payloads - the envelopes of a hub: device and time from outside the body, the first that is there',
  { skip },
  async (t) => {
    const hub = run(iomt, 'hub', file('template-unit-tests/data_IotHubPayloadExample.json'));
    t.match(hub.events, [
      {
        device: { identifiers: [{ value: 'ev-d795-1d04-55ae' }] },
        times: { observed: { value: '2019-01-30T22:45:02.6073744+00:00' } },
        observations: [{ value: '203', unit: 'count/min', unitCode: { codings: [{ code: '/min' }] } }],
      },
    ]);
    const later = {
      Body: { patientActiveTime: 5 },
      SystemProperties: { 'iothub-connection-device-id': 'b', 'iothub-enqueuedtime': '2019-02-01T22:46:01Z' },
    };
    t.match(run(iomt, 'hub', later).events, [
      {
        times: { observed: { value: '2019-02-01T22:46:01+00:00' } },
        observations: [{ code: { codings: [{ code: 'activeTime' }] } }],
      },
    ]);
    const central = run(iomt, 'central', file('template-unit-tests/data_IotCentralPayloadExample.json'));
    t.match(central.events[0], { device: { identifiers: [{ value: '1vzb5ghlsg1' }] }, patient: undefined });
    t.same(central.events[0]?.observations.map(read), [
      ['13', 'breaths/minute', '9279-1'],
      ['7', 'mmHg', '8462-4'],
      ['71', 'mmHg', '8480-6', '271649006'],
      ['running', '', 'activity'],
    ]);
  },
);

t.test('payload templates - a coded value when its condition holds, a text beside it', async (t) => {
  const { events } = run(iomt, 'alarms', {
    device: 'd',
    date: '2026-11-23T08:15:00Z',
    alarm: true,
    reason: 'low battery',
  });
  t.match(events[0]?.observations, [
    { value: 'Alarm Event', valueType: 'CWE', valueCode: { codings: [{ code: 'alarmEvent' }] } },
    { value: 'low battery', valueType: 'ST', code: { codings: [{ code: 'reasonText' }] } },
  ]);
  t.equal(run(iomt, 'alarms', { device: 'd', reason: 'x' }).events[0]?.observations.length, 1);
});

t.test(
  'payload templates - readings of a list: code, unit, status, flags, range and time from each',
  async (t) => {
    const meaning = template(
      `
device: { from: "topic[2]", system: WARD }
patient: { from: $.pat.mrn, system: HOSP, type: MR }
location: { unit: "topic[1]", bed: $.bed }
time: $.at
observations:
  - each: $.values[?@.quality != "bad" && !(@.simulated == true)]
    code: { from: "@.name", system: ACME }
    value: "@.v"
    unit: { from: "@.u" }
    status: { from: "@.s", words: { V: final, P: preliminary } }
    interpretation: "@.flags[*]"
    referenceRange: "@.range"
    time: "@.t"`,
      'identity: { authorities: { HOSP: "urn:oid:1.2.3" } }\ncodes: { c: { from: ACME, to: "http://loinc.org", map: { hr: 8867-4 } } }',
    );
    const { events, reject } = run(
      meaning,
      's',
      `{"pat": {"mrn": 4711}, "bed": "4", "at": 1795421700, "values": [
      {"name": "hr", "v": 72.0, "u": "bpm", "s": "V", "flags": ["H", "A"], "range": "60-100", "t": "2026-11-23T08:14:00Z"},
      {"name": "rr", "v": "<5", "s": "P"},
      {"name": "t1", "v": 1, "quality": "bad"},
      {"name": "t2", "v": 2, "simulated": true}]}`,
    );
    t.equal(reject, undefined);
    t.match(events, [
      {
        status: 'unknown',
        device: {
          identifiers: [{ value: 'mon-7', system: 'urn:hilum:s:WARD' }],
          location: { pointOfCare: 'ward', bed: '4' },
          path: 's/ward/mon-7',
        },
        patient: { identifiers: [{ value: '4711', system: 'urn:oid:1.2.3', type: 'MR' }] },
        times: { observed: { value: '2026-11-23T08:15:00+00:00' } },
        provenance: { rules: ['payload/p', 'c'] },
      },
    ]);
    t.match(events[0]?.observations, [
      {
        value: '72.0',
        unit: 'bpm',
        unitCode: { codings: [{ code: '/min', mapped: true }] },
        status: 'final',
        interpretation: 'H',
        interpretations: ['H', 'A'],
        referenceRange: '60-100',
        valueType: 'NM',
        effective: { value: '2026-11-23T08:14:00+00:00' },
        code: {
          codings: [
            { code: 'hr', mapped: false },
            { code: '8867-4', mapped: true },
          ],
        },
      },
      { value: '<5', status: 'preliminary', valueType: 'ST', effective: undefined },
    ]);
    t.equal(events[0]?.observations.length, 2, 'what the condition leaves out is not read');
  },
);

t.test('payload templates - an alarm with the words of the device in ours', async (t) => {
  const meaning = template(`
each: $.alarms[*]
device: $.id
time: $.at
alarm:
  id: "@.no"
  code: { from: "@.code", system: ACME }
  text: "@.msg"
  priority: { from: "@.level", words: { "1": high, "2": medium } }
  phase: { from: "@.state", words: { on: start, off: end } }
  type: technical
  time: "@.t"`);
  const { events } = run(meaning, 's', {
    id: 'pump-3',
    at: '2026-11-23T08:15:00Z',
    alarms: [
      { no: 'A7', code: 'OCC', msg: 'Occlusion', level: 1, state: 'on' },
      { no: 'A7', code: 'OCC', msg: 'Occlusion', level: 9, state: 'off', t: '2026-11-23T08:16:00Z' },
    ],
  });
  t.match(
    events.map(({ kind, alarm }) => ({ kind, alarm })),
    [
      {
        kind: 'device-alarm',
        alarm: {
          identifier: { value: 'A7' },
          text: 'Occlusion',
          priority: 'high',
          phase: 'start',
          type: 'technical',
          raised: { value: '2026-11-23T08:15:00+00:00' },
        },
      },
      {
        alarm: {
          priority: '',
          phase: 'end',
          raised: undefined,
          updated: { value: '2026-11-23T08:16:00+00:00' },
        },
      },
    ],
  );
  t.same(events[1]?.provenance?.remarks, ['alarm priority: not a known word']);
});

t.test(
  'payload templates - an alarm needs no name where its condition or its priority says it',
  async (t) => {
    const of = (when: string) =>
      template(`
device: $.id
observations:
  - { code: { system: "urn:x", code: hr }, value: $.hr }
alarm:${when}
  code: { from: $.code, system: ACME }
  text: $.msg
  priority: { from: $.level, words: { "1": high } }`);
    const made = (when: string, payload: object) =>
      run(of(when), 's', { id: 'd', hr: 1, ...payload }).events.map(({ alarm, provenance }) => [
        alarm?.priority,
        alarm?.text,
        provenance?.remarks.length,
      ]);
    const quiet = [undefined, undefined, 0];
    t.same(made('', {}), [quiet]);
    t.same(made('', { level: 1 }), [quiet, ['high', '', 1]]);
    t.match(made('\n  when: present("$.on")', { on: 1 }), [[undefined], ['', '', 1]]);
    t.same(made('', { code: 'E17' })[1], ['', '', 0], 'its code is no text of it');
  },
);

t.test('payload templates - an object where a value is expected leaves a remark', async (t) => {
  const meaning = template(`
device: $.id
observations:
  - { code: { system: "urn:x", code: t }, value: $.t, unit: { from: $.u }, interpretation: $.f }`);
  const made = (more: object) => {
    const [event] = run(meaning, 's', { id: 'd', t: 98.6, ...more }).events;
    return [event?.observations[0]?.unit, event?.provenance?.remarks.length];
  };
  t.same(made({ u: '[degF]', f: 'H' }), ['[degF]', 0]);
  t.same(made({}), ['', 0]);
  t.same(made({ u: null, f: [] }), ['', 0]);
  t.same(made({ u: { code: '[degF]' } }), ['', 1]);
  t.same(made({ u: 'Cel', f: { code: 'HH' } }), ['Cel', 1]);
});

t.test('payload templates - a truth value and a blank text identify nobody', async (t) => {
  const meaning = template(`
device: $.id
patient: $.mrn
observations:
  - { code: { system: "urn:x", code: hr }, value: $.hr }`);
  for (const mrn of [false, ' ']) {
    const { events } = run(meaning, 's', { id: 'd', hr: 1, mrn });
    t.equal(events[0]?.patient, undefined);
    t.match(events[0]?.provenance?.remarks, ['a truth value or a blank where an identifier should be']);
    t.match(run(meaning, 's', { id: mrn, hr: 1 }).reject, { reason: /which device/ });
  }
});

t.test(
  'payload templates - the whole is not passed over where another template takes its parts',
  async (t) => {
    const two = compileMeaning(
      `
sources: { s: { listener: mqtt, payloads: [whole, parts] } }
payloads:
  whole: { when: present("$.a"), device: $.d, observations: [{ code: { system: "urn:x", code: a }, value: $.a }] }
  parts: { each: "$.list[*]", device: $.d, observations: [{ code: { system: "urn:x", code: v }, value: "@.v" }] }
`,
      1,
    );
    const { events } = run(two, 's', { d: 'd', list: [{ v: 1 }, { v: 2 }] });
    t.equal(events.length, 2);
    t.same(events[0]?.provenance?.remarks, []);
    t.same(
      run(two, 's', { d: 'd', a: 0, list: [{ v: 1 }] }).events.map(({ provenance }) => provenance?.rules[0]),
      ['payload/whole', 'payload/parts'],
    );
  },
);

t.test('payload templates - what capture cannot guess makes the order strict', async (t) => {
  const plain = 'device: $.d\nobservations: [{ code: { system: "urn:x", code: a }, value: $.a }]';
  t.equal(reclassifies(template(plain).config), false);
  t.equal(reclassifies(template(`${plain}\nalarm: { text: $.msg }`).config), true);
  t.equal(
    reclassifies(template(plain.replace('value: $.a', 'value: $.a, interpretation: $.f')).config),
    true,
  );
});

t.test('payload templates - an item that lacks what is required costs itself alone', async (t) => {
  const meaning = template(`
each: $.list[*]
device: "@.d"
observations: [{ code: { system: "urn:x", code: a }, value: "@.a" }, { code: { system: "urn:x", code: b }, value: "@.b", required: false }]`);
  const { events, reject } = run(meaning, 's', {
    list: [
      { d: '1', a: 1 },
      { d: '2', b: 'SECRET' },
      { d: '3', a: 3, b: 4 },
    ],
  });
  t.same(
    events.map((event) => event.device?.identifiers[0]?.value),
    ['1', '3'],
  );
  t.same(reject, {
    code: 'not-understood',
    reason: 'Payload template "p", item 2: observations[0] has no value (@.a).',
  });
  const nameless = run(meaning, 's', { list: [{ a: 1 }] });
  t.same(nameless.reject?.reason, 'Payload template "p", item 1: it does not say which device it is from.');
});

/** A record again, as a replay reads it: without what went out of it before. */
function again(meaning: Meaning, payload: unknown, before: Normalized): Normalized {
  const record = JournalRecord.fromPartial({
    source: 's',
    topic: 's/1',
    protocol: 'mqtt',
    raw: Buffer.from(JSON.stringify(payload)),
    replays: 1,
    deliveredParts: deliveredParts(before),
  });
  return normalize(record, meaning.contextFor(record));
}

const said = ({ events }: Normalized): string[] =>
  events.map(
    ({ device, observations, alarm }) =>
      `${device?.identifiers[0]?.value} ${observations.map(({ value }) => value).join()}${alarm ? 'alarm' : ''}`,
  );

t.test(
  'payload templates - what went out of a payload does not go out again, under another config either',
  async (t) => {
    const items = (each: string, required: boolean) =>
      template(
        `
each: ${each}
device: "@.d"
observations: [{ code: { system: "urn:x", code: a }, value: "@.a", required: ${required} }, { code: { system: "urn:x", code: b }, value: "@.b", required: false }]
alarm: { text: "@.alarm" }`,
      );
    const payload = {
      list: [
        { d: '1', a: 1 },
        { d: '2', b: 2 },
        { d: '3', a: 3, alarm: 'x' },
      ],
      one: { d: '4', a: 4 },
    };
    const first = run(items('$.list[*]', true), 's', payload);
    t.same(said(first), ['1 1', '3 3', '3 alarm']);
    t.ok(first.reject);
    const same = again(items('$.list[*]', true), payload, first);
    t.same([same.events, same.reject], [[], first.reject], 'under the same one');
    t.same(said(again(items('$.list[*]', false), payload, first)), ['2 2']);
    const others = again(items('$..[?(@.d)]', false), payload, first);
    t.same(said(others).sort(), ['2 2', '4 4'], 'also where it selects others');
  },
);

t.test('payload templates - of an item that several take each gives its own once', async (t) => {
  const both = (required: boolean) =>
    compileMeaning(
      `sources: { s: { listener: mqtt, payloads: [p, q] } }
payloads:
  p: { device: $.d, observations: [{ code: { system: "urn:x", code: a }, value: $.a }] }
  q: { device: $.d, observations: [{ code: { system: "urn:x", code: b }, value: $.b, required: ${required} }, { code: { system: "urn:x", code: c }, value: $.c, required: false }] }
`,
      1,
    );
  const payload = { d: '1', a: 1, c: 3 };
  const first = run(both(true), 's', payload);
  t.same(said(first), ['1 1']);
  const second = again(both(false), payload, first);
  t.same([said(second), second.reject], [['1 3'], undefined]);
});

t.test('payload templates - what the built-in shape gave does not come again from a template', async (t) => {
  const payload = [{ device: '1', heartRate: 61 }, { heartRate: 62 }];
  const none = compileMeaning('sources: { s: { listener: mqtt } }', 1);
  const first = run(none, 's', payload);
  t.same(said(first), ['1 61']);
  const second = again(
    template(
      'each: $[*]\ndevice: topic[1]\nobservations: [{ code: { system: "urn:x", code: a }, value: "@.heartRate" }]',
    ),
    payload,
    first,
  );
  t.same([said(second), second.reject], [['1 62'], undefined]);
});

t.test('payload templates - what no template takes is tried as vitals, and is told', async (t) => {
  const meaning = template(`
each: $.list[*]
when: text("@.type") == "a" && double(text("@.v")) > 1.0
device: $.d
observations: [{ code: { system: "urn:x", code: a }, value: "@.v" }]`);
  t.match(run(meaning, 's', { device: 'd', heartRate: 72 }).events, [
    { provenance: { rules: ['device/vitals'] } },
  ]);
  t.match(run(meaning, 's', { other: 1 }).reject, {
    code: 'not-understood',
    reason: /^No payload template \(p\) took it\. Not the vitals shape/,
  });
  const some = run(meaning, 's', {
    d: 'd',
    list: [
      { type: 'a', v: 2 },
      { type: 'b', v: 2 },
      { type: 'a', v: 'x' },
    ],
  });
  t.equal(some.events.length, 1);
  t.same(some.events[0]?.provenance?.remarks, ['items that no payload template took: 2']);
  t.equal(
    run(iomt, 'elsewhere', { deviceid: 'd', heartrate: 1 }).events.length,
    0,
    'a source has only its own templates',
  );
});

t.test(
  'payload templates - a payload that explodes is refused, with the name of the template and what to do',
  async (t) => {
    const wide = { a: Array.from({ length: 900 }, (_, i) => ({ id: i, list: [i] })) };
    const square = template(`
each: $.a[*]
device: $.d
observations: [{ code: { system: "urn:x", code: a }, value: "$..id" }]`);
    const cases: [string, Meaning, unknown, RegExp][] = [
      [
        'every item looks everywhere',
        square,
        { d: 'd', ...wide },
        /looked at more than 500000 values|more than 20000/,
      ],
      [
        'items within items within items',
        template(
          'each: "$..*..*..*"\ndevice: $.d\nobservations: [{ code: { system: "urn:x", code: a }, value: "@.id" }]',
        ),
        { d: 'd', ...wide },
        /more than 1000 items/,
      ],
      [
        'a predicate that looks everywhere for each item',
        template(
          'each: $.a[*]\nwhen: text("$..nothing") == "x"\ndevice: $.d\nobservations: [{ code: { system: "urn:x", code: a }, value: "@.id" }]',
        ),
        { d: 'd', ...wide },
        /looked at more than 500000 values/,
      ],
      [
        'more items than a record may have',
        template(
          'each: $.a[*]\ndevice: $.d\nobservations: [{ code: { system: "urn:x", code: a }, value: "@" }]',
        ),
        { d: 'd', a: Array.from({ length: 1_001 }, (_, i) => i) },
        /more than 1000 items/,
      ],
      [
        'a long text that every item repeats',
        template(
          'each: $.a[*]\ndevice: $.d\nobservations: [{ code: { system: "urn:x", code: a }, value: "@.id" }]',
        ),
        { d: 'd'.repeat(100_000), ...wide },
        /would hold more than 16777216 characters/,
      ],
    ];
    for (const [what, meaning, payload, reason] of cases) {
      const { events, reject } = run(meaning, 's', payload);
      t.equal(events.length, 0, what);
      t.equal(reject?.code, 'mapping-failed', what);
      t.match(reject?.reason, reason, what);
      t.match(
        reject?.reason,
        /^The payload template "p" was too much for this payload: .* Narrow its paths .*or send less at once\.$/,
      );
    }
  },
);

t.test('payload fuzz - whatever comes, the templates give events or a reason', async (t) => {
  const seed = Number(process.env.HILUM_SEED ?? Date.now() % 1_000_000_000);
  t.comment(`seed ${seed}: replay with HILUM_SEED`);
  let state = seed | 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const names = [
    'Body',
    'deviceId',
    'heartRate',
    'steps',
    'systolic',
    'diastolic',
    'endDate',
    'list',
    '__proto__',
  ];
  const value = (depth: number): unknown => {
    const kind = random(depth > 4 ? 5 : 8);
    if (kind === 0) return random(1_000) / 10;
    if (kind === 1) return ['', 'a', '72', '2026-11-23T08:15:00Z', '9'.repeat(300)][random(5)];
    if (kind === 2) return null;
    if (kind === 3) return random(2) === 0;
    if (kind === 4) return 'device123';
    if (kind === 5) return Array.from({ length: random(4) }, () => value(depth + 1));
    return Object.fromEntries(
      Array.from({ length: random(6) }, () => [names[random(names.length)], value(depth + 1)]),
    );
  };
  let made = 0;
  for (let round = 0; round < 5_000; round++) {
    const { events, reject } = run(iomt, 'matched', value(0));
    made += events.length;
    if (reject?.reason === 'The built-in mapping failed on this message.')
      t.fail(`seed ${seed}, round ${round}: it threw`);
    if (events.length === 0 && !reject?.reason)
      t.fail(`seed ${seed}, round ${round}: neither events nor a reason`);
  }
  t.ok(made > 0, `${made} events`);
});

t.test('payload alarms - inactivation has several words, or a list of them', async (t) => {
  const meaning = template(`
device: $.d
alarm: { id: $.id, inactivation: { from: $.i, words: { mute: audio-off } }, priority: { from: $.p } }`);
  for (const [i, expected] of [
    ['audio-paused alarm-off', 'audio-paused alarm-off'],
    [['AUDIO_PAUSED', 'alarm-off'], 'audio-paused alarm-off'],
    [['mute', 'alert-acknowledged alarm-paused'], 'audio-off alert-acknowledged alarm-paused'],
    ['audio paused', 'audio-paused'],
    ['mute', 'audio-off'],
  ] as const) {
    const { events } = run(meaning, 's', { d: 'x', id: 7, i, p: 'PH' });
    t.match(events[0]?.alarm, { inactivation: expected, priority: 'high' });
    t.same(events[0]?.provenance?.remarks, []);
  }
  const { events } = run(meaning, 's', { d: 'x', id: 7, i: ['alarm-off', 'mauve', { code: 'x' }] });
  t.equal(events[0]?.alarm?.inactivation, 'alarm-off');
  t.same(events[0]?.provenance?.remarks, [
    'an object or a list where a path of the template expects a value',
    'alarm inactivation: not a known word',
  ]);
});

t.test('payload alarms - a text that is false is no alarm', async (t) => {
  const meaning = template(`
device: $.d
observations: [{ code: { system: urn:x, code: hr }, value: $.hr }]
alarm: { text: [$.m, $.n], priority: { from: $.p } }`);
  const texts = (payload: object) =>
    run(meaning, 's', { d: 'x', hr: 72, ...payload }).events.map(({ alarm }) => alarm?.text);
  for (const m of [false, null, '']) t.same(texts({ m }), [undefined], String(m));
  t.same(texts({ m: false, n: 'Leads off' }), [undefined, 'Leads off'], 'the next path has it');
  t.same(texts({ m: 'Leads off' }), [undefined, 'Leads off']);
});

t.test('payload reasons - an entry without a code costs itself alone where it is not required', async (t) => {
  const of = (required: boolean) =>
    template(`
device: $.d
observations: [{ each: "$.r[*]", code: { from: "@.c", system: X }, value: "@.v", required: ${required} }]`);
  const payload = { d: 'x', r: [{ c: 'hr', v: 72 }, { v: 5 }, { c: 'rr', v: 12 }] };
  const { events, reject } = run(of(false), 's', payload);
  t.equal(reject, undefined);
  t.same(
    events[0]?.observations.map(({ value }) => value),
    ['72', '12'],
  );
  t.same(events[0]?.provenance?.remarks, ['observations[0], entry 2: has no code']);
  t.equal(
    run(of(true), 's', payload).reject?.reason,
    'Payload template "p", item 1: observations[0], entry 2 has no code.',
  );
  t.equal(
    run(of(true), 's', { d: 'x', r: [{ c: 'hr', v: 72 }, { c: 'rr' }] }).reject?.reason,
    'Payload template "p", item 1: observations[0], entry 2 has no value (@.v).',
  );
});

t.test('payload reasons - say what was looked for and what was found', async (t) => {
  const meaning = template(`
device: $.d
observations: [{ code: { system: urn:x, code: hr }, value: [$.v, $.vs, $.vb] }]`);
  const reason = (payload: object) => run(meaning, 's', { d: 'x', ...payload }).reject?.reason;
  t.equal(reason({}), 'Payload template "p", item 1: observations[0] has no value ($.v, $.vs, $.vb).');
  t.equal(
    reason({ v: [1] }),
    'Payload template "p", item 1: observations[0] has an object or a list for its value ($.v, $.vs, $.vb).',
  );
  const alarms = template(`
each: $.a[*]
device: $.d
alarm: { when: 'text("@.on") == "1"', text: "@.t" }`);
  const made = run(alarms, 's', {
    d: 'x',
    a: [
      { t: 'A', on: 1 },
      { t: 'B', on: 0 },
    ],
  });
  t.equal(made.events.length, 1);
  t.equal(
    made.reject?.reason,
    'Payload template "p", item 2: the condition of its alarm does not hold, and nothing else that the template reads has a value.',
  );
});

t.test('payload reasons - a condition that cannot be worked out is told', async (t) => {
  const meaning = template(`
when: double(text("$.v")) > 5.0
device: $.d
observations: [{ code: { system: urn:x, code: hr }, value: $.v }]`);
  t.equal(run(meaning, 's', { d: 'x', v: 10 }).events.length, 1);
  t.equal(
    run(meaning, 's', { d: 'x', v: 'n/a' }).reject?.reason,
    'No payload template (p) took it. The `when` of p could not be worked out (a text that is no number?). Not the vitals shape: missing `device`, and `readings`, a vital by its name, or `alarm`.',
  );
  t.notMatch(run(meaning, 's', { d: 'x', v: 1 }).reject?.reason, /worked out/);
  const inside = template(`
device: $.d
observations:
  - { when: 'double(text("$.v")) > 5.0', code: { system: urn:x, code: hr }, value: $.v, required: false }
  - { code: { system: urn:x, code: rr }, value: $.w }`);
  t.same(run(inside, 's', { d: 'x', v: 'n/a', w: 1 }).events[0]?.provenance?.remarks, [
    'observations[0]: its `when` could not be worked out',
  ]);
});

t.test(
  'a path - takes a place of a list, from its end too, and what meets one of several conditions',
  (t) => {
    const meaning = template(`
device: $.d
observations:
  - { code: { code: first, system: urn:x }, value: '$.list[0]' }
  - { code: { code: last, system: urn:x }, value: '$.list[-1]' }
  - { code: { code: chosen, system: urn:x }, value: "$.rows[?@.k == 'a' || @.n == 7].v" }
`);
    const told = (payload: unknown) =>
      run(meaning, 's', payload).events[0]?.observations.map(({ value }) => value);
    const rows = [
      { k: 'b', v: 1 },
      { k: 'c', n: 7, v: 2 },
    ];
    t.same(told({ d: 'm', list: [10, 20, 30], rows }), ['10', '30', '2']);
    t.same(told({ d: 'm', list: [10], rows: [{ k: 'a', v: 3 }] }), ['10', '10', '3']);
    t.end();
  },
);
