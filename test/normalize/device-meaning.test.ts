/** What device JSON says beside the letter of the shape, and what nobody may read into it. */
import t from 'tap';
import { compilePayloads } from '../../gateway/normalize/device/template.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import type { Normalized } from '../../gateway/normalize/outcome.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { testContext } from './context.ts';

const at = '2026-11-23T08:15:00Z';

function read(payload: unknown, over: Parameters<typeof testContext>[0] = {}): Normalized {
  const context = testContext({ source: 'icu', protocol: 'mqtt', topic: 'devices/d', ...over });
  const raw = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return normalize(JournalRecord.fromPartial({ protocol: 'mqtt', raw }), context);
}

t.test('device alarms - a state that nobody understood may be its end, and is no beginning', async (t) => {
  const config = configSchema.parse({
    sources: { icu: { listener: 'mqtt', payloads: ['one'] } },
    payloads: {
      one: {
        device: '$.device',
        alarm: { text: '$.alarm.text', state: { from: '$.alarm.state' }, time: '$.time' },
      },
    },
  });
  const payloads = compilePayloads(config).get('icu') ?? [];
  for (const over of [{}, { payloads }]) {
    const raised = (state?: unknown) =>
      read({ device: 'd', time: at, alarm: { text: 'LOW', state } }, over).events[0]?.alarm?.raised?.value;
    t.ok(raised(), 'nobody said a state');
    t.ok(raised('active'));
    for (const state of ['resolved', 'acknowledged', 'off', 3]) t.notOk(raised(state), String(state));
  }
});

t.test('device alarms - `active` is the state, as a truth value', async (t) => {
  const alarmIn = (alarm: object) => read({ device: 'd', time: at, alarm }).events[0];
  const on = alarmIn({ code: 'LOW', active: true });
  t.match(on, { alarm: { state: 'active' }, provenance: { remarks: [] } });
  t.ok(on?.alarm?.raised);
  const off = alarmIn({ code: 'LOW', active: false });
  t.match(off, { alarm: { state: 'inactive' }, provenance: { remarks: [] } });
  t.equal(off?.alarm?.raised, undefined, 'it is over, and does not begin');
  t.equal(
    alarmIn({ code: 'LOW', active: false, state: 'latched' })?.alarm?.state,
    'latched',
    'a word says more',
  );
  t.match(alarmIn({ active: true })?.provenance?.remarks, ['alarm: without code, text and id']);
  const odd = alarmIn({ code: 'LOW', active: 'perhaps' });
  t.match(odd?.provenance?.remarks, ['alarm state: not a known word']);
  t.equal(odd?.alarm?.raised, undefined);
});

t.test('device units - a bare number that is none in the unit of its name has no unit', async (t) => {
  const cases: [string, unknown, string][] = [
    ['temp', 98.6, ''],
    ['temp', '36.70', 'Cel'],
    ['temp', '36,7', 'Cel'],
    ['temp', -1, 'Cel'],
    ['spo2', 0.97, ''],
    ['spo2', 97, '%'],
    ['spo2', 0, '%'],
    ['fio2', '0.21', ''],
    ['glucose', 5.4, ''],
    ['glucose', '<5.4', ''],
    ['glucose', 54, 'mg/dL'],
    ['height', 1.75, ''],
    ['tidalVolume', 0.45, ''],
    ['heartRate', 0.5, '/min'],
  ];
  for (const [name, value, unit] of cases) {
    const [event] = read({ device: 'd', [name]: value }).events;
    const [found] = event?.observations ?? [];
    t.match(
      found,
      { value: String(value), unit, unitCode: unit === '' ? undefined : {} },
      `${name} ${value}`,
    );
    const told = unit === '' ? ['reading 1: no number in the unit of the name, and no unit beside it'] : [];
    t.same(event?.provenance?.remarks, told, `${name} ${value}`);
    t.match(JSON.stringify(found?.code), '11073:10101', 'its name says what it is all the same');
  }
  const [glucose] = read({ device: 'd', glucose: 5.4 }).events[0]?.observations ?? [];
  t.notMatch(JSON.stringify(glucose?.code), 'loinc', 'whose code depends on the unit');
  const [said] = read({ device: 'd', temp: { value: 98.6, unit: 'Cel' } }).events[0]?.observations ?? [];
  t.equal(said?.unit, 'Cel', 'what was sent is what was sent');
});

t.test(
  'device members - patientId, encounterId and timestamp are what they say, and no readings',
  async (t) => {
    const { events } = read({
      deviceId: 'd',
      patientId: 4711,
      encounterId: 'V1',
      timestamp: 1_795_421_700,
      hr: 70,
    });
    t.match(events, [
      {
        patient: { identifiers: [{ value: '4711' }] },
        encounter: { identifiers: [{ value: 'V1' }] },
        times: { observed: { value: '2026-11-23T08:15:00+00:00' } },
        provenance: { remarks: [] },
      },
    ]);
    t.equal(events[0]?.observations.length, 1);
    const both = read({ device: 'd', hr: 70, patient: { id: '1', system: 'HOSP' }, patientId: '2' })
      .events[0];
    t.same(
      both?.patient?.identifiers.map(({ value }) => value),
      ['1', '2'],
    );
    const own = read({
      device: 'd',
      readings: [{ code: 'hr', value: 70, timestamp: at }],
      alarm: { text: 'LOW', timestamp: at },
    });
    t.match(own.events[0]?.observations[0]?.effective, { value: '2026-11-23T08:15:00+00:00' });
    t.match(own.events[1]?.alarm?.raised, { value: '2026-11-23T08:15:00+00:00' });
  },
);

t.test('device readings - a blood pressure in one text stays one', async (t) => {
  const { events } = read({ device: 'd', bloodPressure: '120/80' });
  t.match(events[0]?.observations, [
    { value: '120/80', valueType: 'ST', unit: '', code: { codings: [{}, { code: '150020' }] } },
  ]);
});

t.test('device reasons - a vital without a value is nothing, not another shape', async (t) => {
  for (const hr of [null, [70, 71], { value: null }])
    t.same(
      read({ device: 'd', hr }).reject,
      { code: 'nothing-in-it', reason: 'The vitals shape without a reading that has a value.' },
      JSON.stringify(hr),
    );
});
