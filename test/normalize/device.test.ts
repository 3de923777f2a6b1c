import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { normalizeDevice } from '../../gateway/normalize/device/index.ts';
import { ucumOf, vitalOf, vitals } from '../../gateway/normalize/device/vitals.ts';
import type { NormalizeContext, Normalized } from '../../gateway/normalize/outcome.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';

const context: NormalizeContext = {
  source: 'icu',
  protocol: 'mqtt',
  zone: 'Europe/Zurich',
  topic: 'devices/mon-12/vitals',
  capturedAtUs: 1_795_000_000_000_000n,
  attachmentBytesMax: 1024,
  limits: { segmentsMax: 10_000, fieldBytesMax: 32 * 1024 },
  codes: {
    lookup: (system, code) =>
      code === 'xPressure'
        ? { system: 'http://loinc.org', code: '1-1', display: 'X', table: system }
        : undefined,
    policy: () => undefined,
  },
  units: testContext().units,
  authorities: new Map([['HOSP', 'urn:oid:1.2.3']]),
};
const read = (payload: unknown): Normalized =>
  normalizeDevice(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), context);
const local = 'urn:hilum:icu';
const mdc = 'urn:iso:std:iso:11073:10101';

t.test('device readings - the shape with many readings becomes one event', async (t) => {
  const { events, reject } = read({
    device: 'mon-12',
    patient: { id: '4711', system: 'urn:oid:9.9', type: 'MR' },
    location: { unit: 'ICU', room: '', bed: '4' },
    time: '2026-11-23T08:15:00+01:00',
    readings: [
      { code: 'heartRate', value: '72', unit: '/min', status: 'final', interpretation: 'H' },
      { code: 'spo2', value: '97', unit: '%', status: 'final' },
    ],
  });
  t.equal(reject, undefined);
  t.equal(events.length, 1);
  t.match(events[0], {
    kind: 'device-observation',
    status: 'final',
    patient: { identifiers: [{ system: 'urn:oid:9.9', value: '4711', type: 'MR' }] },
    device: {
      identifiers: [{ system: local, value: 'mon-12' }],
      location: { pointOfCare: 'ICU', bed: '4' },
      path: 'devices/mon-12/vitals',
    },
    times: {
      observed: { value: '2026-11-23T08:15:00+01:00', precision: 'second', offset: '+01:00', assumed: '' },
      capturedAtUs: context.capturedAtUs,
    },
    provenance: {
      source: 'icu',
      protocol: 'mqtt',
      topic: context.topic,
      rules: ['device/vitals'],
      remarks: [],
    },
    observations: [
      {
        value: '72',
        unit: '/min',
        status: 'final',
        interpretation: 'H',
        valueType: 'NM',
        code: {
          text: 'heartRate',
          codings: [
            { system: local, code: 'heartRate', mapped: false },
            { system: mdc, code: '147842', display: 'MDC_ECG_HEART_RATE', mapped: true },
            { system: 'http://loinc.org', code: '8867-4', mapped: true },
          ],
        },
      },
      { value: '97', unit: '%', interpretation: '' },
    ],
  });
  ClinicalEvent.encode(events[0] as ClinicalEvent).finish();
});

t.test('device numbers - keep their text', async (t) => {
  const texts = ['7.40', '97.0', '-0', '1e400', '0.1234567890123456789', '12345678901234567890', '1E+2'];
  for (const text of texts) {
    const { events } = read(`{"device":"d","heartRate":${text},"readings":[{"code":"ph","value":${text}}]}`);
    t.same(
      events[0]?.observations.map((o) => [o.value, o.valueType]),
      [
        [text, 'NM'],
        [text, 'NM'],
      ],
      text,
    );
  }
  t.equal(
    read({ device: 'd', readings: [{ code: 'x', value: '<0.01' }] }).events[0]?.observations[0]?.valueType,
    'ST',
  );
});

t.test(
  'device readings - the flat form: known names get their unit, unknown numbers stay local',
  async (t) => {
    const { events } = read(
      '{"device":"mon-12","time":"2026-11-23T08:15:00","heartRate":72,"spo2":97.0,"xPressure":{"value":1.50,"unit":"mmHg"},"firmware":"v2","ok":true}',
    );
    const [event] = events;
    t.same(
      event?.observations.map((o) => [o.code?.text, o.value, o.unit]),
      [
        ['heartRate', '72', '/min'],
        ['spo2', '97.0', '%'],
        ['xPressure', '1.50', 'mmHg'],
      ],
    );
    t.match(event?.observations[2], {
      code: {
        codings: [
          { system: local, code: 'xPressure' },
          { system: 'http://loinc.org', code: '1-1', mapped: true },
        ],
      },
      unitCode: { codings: [{ code: 'mm[Hg]', mapped: true }] },
      status: 'unknown',
    });
    t.match(event?.times?.observed, { value: '2026-11-23T08:15:00+01:00', assumed: 'Europe/Zurich' });
    t.same(event?.provenance?.remarks, ['members that are no readings: 2'], 'counted, not named');
    t.equal(event?.patient, undefined);
  },
);

t.test('device readings - codes by MDC, LOINC, alias and in other spellings', async (t) => {
  for (const name of ['heartRate', 'heart_rate', 'HR', '147842', 'MDC_ECG_HEART_RATE', '8867-4']) {
    t.equal(vitalOf(name)?.name, 'heartRate', name);
  }
  const { events } = read({
    device: 'd',
    readings: [
      { code: { code: '150456', system: mdc, display: 'SpO2' }, value: 97 },
      { code: { code: 'heartRate', system: 'ACME' }, value: 60 },
      { code: 'glucose', value: 5.5, unit: 'mmol/L' },
      { code: 'glucose', value: 99 },
    ],
  });
  const codings = events[0]?.observations.map((o) => o.code?.codings.map((c) => `${c.system}|${c.code}`));
  t.same(codings?.[0], [`${mdc}|150456`, 'http://loinc.org|59408-5'], 'once, not twice');
  t.same(codings?.[1], ['urn:hilum:icu:ACME|heartRate'], 'a code of another system is not ours');
  t.ok(codings?.[2]?.includes('http://loinc.org|14743-9'), 'substance concentration');
  t.ok(codings?.[3]?.includes('http://loinc.org|41653-7'), 'mass concentration');
});

t.test('device vitals - names, codes and units of the table are single and known', async (t) => {
  t.ok(vitals.length >= 25);
  for (const key of ['name', 'mdc', 'mdcName'] as const) {
    t.equal(new Set(vitals.map((one) => one[key])).size, vitals.length, key);
  }
  const loincs = vitals.map((one) => one.loinc).filter((code) => code !== '');
  t.equal(new Set(loincs).size, loincs.length);
  for (const code of loincs) t.ok(loincChecks(code), `${code} has the right check digit`);
  for (const one of vitals) t.equal(ucumOf(one.unit), one.unit, one.unit);
});

/** LOINC's check digit is Luhn's over the number before the dash. */
function loincChecks(code: string): boolean {
  const [number = '', check] = code.split('-');
  let sum = 0;
  [...number].reverse().forEach((digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return (10 - (sum % 10)) % 10 === Number(check);
}

t.test('device alarms - become device-alarm events beside the readings', async (t) => {
  const { events } = read({
    device: { id: 'mon-12', system: 'urn:oid:1.1', model: 'M1', manufacturer: 'ACME', type: 'monitor' },
    battery: '80%',
    time: '2026-11-23T08:15:00Z',
    heartRate: 20,
    alarm: {
      id: 'a-1',
      code: 'ASYSTOLE',
      priority: 'HIGH',
      phase: 'start',
      state: 'active',
      text: 'Asystole',
      type: 'physiological',
    },
    alarms: ['Lead off', { priority: 'mauve', text: 'x' }],
  });
  t.same(
    events.map((event) => event.kind),
    ['device-observation', 'device-alarm', 'device-alarm', 'device-alarm'],
  );
  t.match(events[1], {
    alarm: {
      identifier: { system: local, value: 'a-1' },
      code: { text: 'ASYSTOLE' },
      priority: 'high',
      phase: 'start',
      state: 'active',
      type: 'physiological',
      text: 'Asystole',
      raised: { value: '2026-11-23T08:15:00+00:00' },
    },
    device: { model: 'M1', manufacturer: 'ACME', battery: '80%', type: { text: 'monitor' } },
  });
  t.match(events[3], {
    alarm: { priority: '' },
    provenance: { remarks: ['alarm priority: not a known word'] },
  });
});

t.test('device identifiers - of the source unless the authority is known', async (t) => {
  const patients: [unknown, object][] = [
    ['4711', { system: local, value: '4711', assigner: '' }],
    [4711, { system: local, value: '4711' }],
    [
      { id: '4711', system: 'HOSP' },
      { system: 'urn:oid:1.2.3', assigner: 'HOSP' },
    ],
    [{ id: '4711', system: 'WARD' }, { system: 'urn:hilum:icu:WARD' }],
    [
      { identifiers: [{ value: '4711', system: 'http://x.org/mrn', type: 'MR' }] },
      { system: 'http://x.org/mrn' },
    ],
  ];
  for (const [patient, identifier] of patients) {
    const { events } = read({ device: 'd', heartRate: 1, patient, encounter: 'V1' });
    t.match(events[0]?.patient?.identifiers, [identifier]);
    t.match(events[0]?.encounter?.identifiers, [{ system: local, value: 'V1' }]);
  }
});

t.test('device times - offset, assumed zone, date, epoch, nonsense', async (t) => {
  const cases: [unknown, object][] = [
    [
      '2026-07-01T12:00:00.250Z',
      { value: '2026-07-01T12:00:00.250+00:00', precision: 'fraction', original: '' },
    ],
    [
      '2026-07-01 12:00',
      { value: '2026-07-01T12:00:00+02:00', precision: 'minute', assumed: 'Europe/Zurich' },
    ],
    ['2026-10-25T02:30:00', { ambiguity: 'fold', assumed: 'Europe/Zurich' }],
    ['2026-03-29T02:30:00', { ambiguity: 'gap' }],
    ['2026-11-23', { value: '2026-11-23', precision: 'day', offset: '' }],
    [1_795_421_700, { value: '2026-11-23T08:15:00+00:00', precision: 'second', original: '1795421700' }],
    [1_795_421_700_123, { value: '2026-11-23T08:15:00.123+00:00', precision: 'fraction' }],
    ['2026-13-45T00:00:00Z', { value: '', original: '2026-13-45T00:00:00Z' }],
    [12, { value: '', original: '12' }],
    ['20260701120000123456', { value: '', original: '20260701120000123456' }],
  ];
  for (const [time, observed] of cases) {
    const { events } = read({ device: 'd', heartRate: 1, time });
    t.match(events[0]?.times?.observed, observed, String(time));
  }
});

t.test('device batches - the good objects are delivered, the first bad one is named', async (t) => {
  const { events, reject } = read([
    { device: 'a', heartRate: 1 },
    { heartRate: 2 },
    { device: 'c', spo2: 3 },
  ]);
  t.equal(events.length, 2);
  t.same(reject, { code: 'not-understood', reason: 'Object 2: Not the vitals shape: missing `device`.' });
});

t.test('device rejects - say why, never what', async (t) => {
  const deep = '['.repeat(100) + ']'.repeat(100);
  const cases: [string | Buffer, string, RegExp][] = [
    ['', 'nothing-in-it', /empty/],
    ['offline', 'unreadable', /a value was expected at character 0/],
    [Buffer.from([0xff, 0xfe, 1, 2]), 'unreadable', /not UTF-8/],
    [deep, 'too-large', /more than 32 levels/],
    ['{"device":"d","heartRate":1,"heartRate":2}', 'unreadable', /occurs twice/],
    ['{"device":"d","heartRate":1}x', 'unreadable', /after the value/],
    ['{"device":"d","heartRate":01}', 'unreadable', /comma/],
    ['{"device":"\\ud800","heartRate":1}', 'unreadable', /half a character/],
    ['42', 'not-understood', /not an object/],
    ['{"secret":"SECRET"}', 'not-understood', /missing `device`, and `readings`/],
    ['{"device":"d"}', 'not-understood', /missing `readings`/],
    ['{"device":"d","readings":[{"code":"x","value":null}]}', 'nothing-in-it', /without a reading/],
  ];
  for (const [payload, code, reason] of cases) {
    const out = normalizeDevice(Buffer.from(payload as string), context);
    t.equal(out.events.length, 0);
    t.equal(out.reject?.code, code, out.reject?.reason ?? '');
    t.match(out.reject?.reason, reason);
    t.notMatch(out.reject?.reason, /SECRET|secret/);
  }
  t.equal(read('\ufeff{"device":"d","heartRate":1}').events.length, 1, 'a byte order mark is no harm');
});

const corpus = path.resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'mqtt/ms-iomt');
const skip = existsSync(corpus) ? false : `no corpus at ${corpus}`;

t.test('device corpus - each IoMT payload gives events or a reason', { skip }, async (t) => {
  const files = readdirSync(corpus, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const outcomes: Record<string, number> = {};
  for (const file of files) {
    const { events, reject } = normalizeDevice(readFileSync(path.join(file.parentPath, file.name)), context);
    if (events.length === 0 && !reject?.reason) t.fail(`${file.name}: neither events nor a reason`);
    const outcome = reject?.code ?? events.map((event) => event.kind).join(' ');
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  t.ok(files.length > 60);
  t.comment(JSON.stringify(outcomes));
  const rate = normalizeDevice(
    readFileSync(path.join(corpus, 'generator-testinput/deviceData_HeartRate.json')),
    context,
  );
  t.match(rate.events[0], {
    times: { observed: { value: '2022-07-01T12:00:00+00:00' } },
    patient: { identifiers: [{ value: 'TestPatientId' }] },
    observations: [{ value: '66', code: { codings: [{ code: 'beatsPerMinute' }] } }],
  });
});

t.test('device fuzz - never throws, and gives events or a reason', async (t) => {
  const seed = Number(process.env.HILUM_SEED ?? Date.now() % 1_000_000_000);
  t.comment(`seed ${seed}: replay with HILUM_SEED`);
  let state = seed | 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const names = [
    'device',
    'patient',
    'time',
    'readings',
    'values',
    'alarm',
    'alarms',
    'heartRate',
    'x',
    'location',
    '__proto__',
  ];
  const value = (depth: number): unknown => {
    switch (random(depth > 3 ? 6 : 9)) {
      case 0:
        return random(1_000) / 10;
      case 1:
        return ['', 'a', '72', '2026-11-23T08:15:00Z', '\u0000', '9'.repeat(300)][random(6)];
      case 2:
        return null;
      case 3:
        return random(2) === 0;
      case 4:
        return { code: 'heartRate', value: random(99), unit: '/min' };
      case 5:
        return { id: 'i', system: ['urn:x', 'A', ''][random(3)] };
      case 6:
        return Array.from({ length: random(4) }, () => value(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: random(6) }, () => [names[random(names.length)], value(depth + 1)]),
        );
    }
  };
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(
      JSON.stringify({ ...(value(0) as object), ...(random(2) ? { device: 'd' } : {}) }),
    );
    for (let flips = random(3); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
    let out: Normalized;
    try {
      out = normalizeDevice(bytes, context);
      for (const event of out.events) ClinicalEvent.encode(event).finish();
    } catch (error) {
      t.fail(`seed ${seed}, round ${i}`, { found: `${error} ${bytes.toString('hex')}` });
      return;
    }
    if (out.events.length === 0 && !out.reject?.reason) t.fail(`seed ${seed}, round ${i}: neither`);
  }
  t.pass('20000 rounds');
});
