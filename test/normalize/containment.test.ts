/** Containment over several OBRs of one patient: IHE PCD-01 with a report a minute, PCD-04 with evidence. */
import t from 'tap';
import { compileDevices } from '../../gateway/normalize/association.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';

const eui64 = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680';
const header = 'MSH|^~\\&|GW^00A0^EUI-64|W1|||20261120101530-0500||ORU^R01^ORU_R01|M1|P|2.6';
const obr = (n: number): string =>
  `OBR|${n}|P${n}^GW|F${n}^GW|182777000^monitoring^SCT|||2026112010150${n}-0500`;
const mds = (name: string, place = '1.0.0.0'): string =>
  `OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|${place}|||||||X|||||||${name}^^0019FF00000000${name.slice(-2)}^EUI-64`;
const vmd = 'OBX|2||69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC|1.1.0.0|||||||X|||||||OXI-3^ACME';
const channel = 'OBX|3||69643^MDC_DEV_ANALY_SAT_O2_CHAN^MDC|1.1.1.0|||||||X';
const heart = (place = '1.1.1.147842', equipment = ''): string =>
  `OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|${place}|80|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||||||${equipment}`;

function run(lines: readonly string[], devices = '{}'): ClinicalEvent[] {
  const config = configSchema.parse({ devices: JSON.parse(devices) });
  const raw = er7(header, ...lines);
  const context = testContext({ devices: compileDevices(config) });
  const { events, reject } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), context);
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

const told = (event: ClinicalEvent | undefined) => [
  event?.device?.identifiers[0]?.value,
  event?.device?.components.map(({ path }) => path).join(' '),
  event?.observations.at(-1)?.devicePath,
];

const minutes = [obr(1), mds('MON-12'), vmd, channel, heart(), obr(2), heart(), obr(3), heart('1.2.1.5')];

t.test(
  'containment - holds for the OBRs of its patient that follow, as far as their rows are below it',
  async (t) => {
    const events = run(['PID|||4711^^^HOSP^MR', ...minutes]);
    t.same(events.map(told), [
      ['MON-12', '1 1.1 1.1.1', '1.1.1'],
      ['MON-12', '1 1.1 1.1.1', '1.1.1'],
      ['MON-12', '1', '1'],
    ]);
    t.same(events[1]?.device, events[0]?.device);
    t.not(events[1]?.device?.components[0], events[0]?.device?.components[0], 'each event has its own');
    const types = toBundle(events[1] as ClinicalEvent).entry.map(({ resource }) => resource.resourceType);
    t.ok(types.includes('Device'));
  },
);

t.test('containment - and with it whose the device is', async (t) => {
  const devices = JSON.stringify({
    mon12: {
      identifier: { system: eui64, value: '0019FF0000000012' },
      patient: { system: 'urn:hilum:x', value: 'PAT1', type: 'MR' },
      since: '2026-01-01T00:00:00Z',
    },
  });
  t.same(
    run(minutes, devices).map(({ deviceAssociation, patient }) => [
      deviceAssociation?.basis,
      patient?.identifiers[0]?.value,
    ]),
    [
      ['declared', 'PAT1'],
      ['declared', 'PAT1'],
      ['declared', 'PAT1'],
    ],
  );
});

t.test('containment - a later row adds to it or takes a place, with all that was below', async (t) => {
  const pump = 'OBX|1||69985^MDC_DEV_PUMP_INFUS_VMD^MDC|1.2.0.0|||||||X';
  const events = run([
    ...minutes,
    obr(4),
    pump,
    heart('1.2.1.1'),
    obr(5),
    mds('VENT-77'),
    heart(),
    obr(6),
    heart(),
  ]);
  t.same(events.slice(3).map(told), [
    ['MON-12', '1 1.2', '1.2'],
    ['VENT-77', '1', '1'],
    ['VENT-77', '1', '1'],
  ]);
});

t.test('containment - the same row again changes nothing', async (t) => {
  const events = run([
    obr(1),
    mds('MON-12'),
    vmd,
    channel,
    heart(),
    obr(2),
    mds('MON-12'),
    heart(),
    obr(3),
    heart(),
  ]);
  t.same(events.slice(1).map(told), [
    ['MON-12', '1.1 1.1.1 1', '1.1.1'],
    ['MON-12', '1 1.1 1.1.1', '1.1.1'],
  ]);
});

t.test(
  'containment - is not that of another device, another patient, or a row without a place',
  async (t) => {
    const none = [undefined, undefined, ''];
    t.same(told(run([...minutes.slice(0, 5), obr(2), heart('2.1.1.1')])[1]), none, 'another MDS');
    t.same(told(run([...minutes.slice(0, 5), obr(2), heart('')])[1]), none);
    t.same(told(run([...minutes.slice(0, 5), obr(2), heart('1.1.1.5', 'B-9^ACME')])[1]), ['B-9', '', '']);
    t.same(told(run([...minutes.slice(0, 5), obr(2), heart('1.1.1.5', 'OXI-3^ACME')])[1])[1], '1 1.1 1.1.1');
    const two = ['PID|||4711^^^HOSP^MR', ...minutes.slice(0, 5), 'PID|||4712^^^HOSP^MR', obr(2), heart()];
    t.same(told(run(two)[1]), none, 'another patient');
    const both = [obr(1), mds('MON-12'), heart(), obr(2), mds('VENT-77', '2.0.0.0'), heart('2.1.1.1')];
    t.same(told(run(both)[1]), ['VENT-77', '2', '2']);
  },
);

t.test('containment - what a row says of its device is said of that row', async (t) => {
  const identifiers = (...rows: string[]) => {
    const [event] = run([obr(1), ...rows]);
    return [
      event?.device?.identifiers.map(({ value }) => value),
      event?.observations.map(({ equipment }) => equipment[0]?.value),
    ];
  };
  const [one, other] = [heart('1.1.1.1', 'MON-12'), heart('2.1.1.1', 'VENT-3')];
  t.same(identifiers(one, other), [undefined, ['MON-12', 'VENT-3']], 'two devices are not one');
  t.same(identifiers(one, heart('1.1.1.2')), [['MON-12'], ['MON-12', undefined]]);
  t.same(identifiers(one, heart('1.1.1.2', 'MON-12^ACME')), [
    ['MON-12', 'MON-12'],
    ['MON-12', 'MON-12'],
  ]);
  t.same(
    identifiers(mds('MON-12').replace(/MON-12\^.*/, ''), one, heart('1.1.1.2', 'VENT-3')),
    [[], [undefined, 'MON-12', 'VENT-3']],
    'of an MDS without a number',
  );
  t.same(
    identifiers(mds('MON-12'), heart('1.1.1.2', 'VENT-3'))[0],
    ['MON-12', '0019FF0000000012'],
    'an MDS stays what it is',
  );
});

t.test('containment - a patient that is declared for one device is not that of another', async (t) => {
  const declared = (patients: Record<string, string>, ...rows: string[]) => {
    const entries = Object.entries(patients).map(([value, patient]) => [
      value.toLowerCase(),
      {
        identifier: { value },
        patient: { system: 'urn:hilum:x', value: patient },
        since: '2026-01-01T00:00:00Z',
      },
    ]);
    const [event] = run([obr(1), ...rows], JSON.stringify(Object.fromEntries(entries)));
    const { basis, declaredBy } = event?.deviceAssociation ?? {};
    return [basis, declaredBy, event?.patient?.identifiers[0]?.value];
  };
  const [one, other] = [heart('1.1.1.1', 'MON-12'), heart('2.1.1.1', 'VENT-3')];
  const none = ['unassigned', '', undefined];
  t.same(declared({ 'VENT-3': '777' }, one, other), none);
  t.same(declared({ 'VENT-3': '777', 'MON-12': '778' }, one, other), none);
  t.same(declared({ 'VENT-3': '777', 'MON-12': '777' }, one, other), ['declared', 'mon-12', '777']);
  t.same(declared({ 'VENT-3': '777' }, other), ['declared', 'vent-3', '777']);
  const two = [mds('MON-12'), heart('1.1.1.1'), mds('VENT-3', '2.0.0.0'), heart('2.1.1.1')];
  t.same(declared({ 'MON-12': '777' }, ...two), ['unassigned', 'mon-12', undefined]);
  t.same(declared({ 'MON-12': '777', 'VENT-3': '777' }, ...two), ['declared', 'mon-12', '777']);
  const unnamed = [
    mds('MON-12'),
    heart(),
    mds('VENT-3', '2.0.0.0').replace(/VENT-3\^.*/, ''),
    heart('2.1.1.1'),
  ];
  t.same(declared({ 'MON-12': '777' }, ...unnamed), ['unassigned', 'mon-12', undefined]);
  const hub = [
    mds('MON-12'),
    heart(),
    mds('HUB', '2.0.0.0'),
    'OBX|9|ST|67886^MDC_ATTR_ID_SOFT^MDC|2.0.0.1|v2||||||R',
  ];
  t.same(declared({ 'MON-12': '777' }, ...hub)[2], '777', 'nothing was measured with the other');
});

t.test('containment - the evidence of an alarm is of its device', async (t) => {
  const alarm = [
    'OBR|1||A1^GW|196616^MDC_EVT_ALARM^MDC|||20261120101500-0500',
    mds('MON-12'),
    'OBX|2|ST|196670^MDC_EVT_LO^MDC|1.1.1.1.1|SpO2 low|||PH~SP|||F',
  ];
  const events = run([...alarm, obr(2), heart()]);
  t.same(
    events.map(({ kind }) => kind),
    ['device-alarm', 'device-observation'],
  );
  t.same(told(events[1]), ['MON-12', '1', '1']);
});

t.test('containment - that is repeated without end is refused', async (t) => {
  const long = mds('MON-12').replace('MULTI_PARAM', 'X'.repeat(1_000_000));
  const reports = Array.from({ length: 100 }, (_, at) => [`OBR|${at + 2}||F${at}`, heart()]).flat();
  const raw = er7(header, obr(1), long, heart(), ...reports);
  const { events, reject } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  t.same([events.length, reject?.code], [0, 'too-large']);
});
