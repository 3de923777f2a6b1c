/** What capture guesses of a device payload is the class that the built-in rules give its events. */
import t from 'tap';
import { guessClass } from '../../gateway/capture/mqtt/urgency.ts';
import { isVital, meaningOf, understand } from '../../gateway/meaning.ts';
import { criticalFlags } from '../../gateway/prioritize/defaults.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { below, type Random, seededRandom, seedOfThisRun } from '../kit/random.ts';

const meaning = meaningOf(configSchema.parse({}), 0);

/** Undefined: there is no event. */
function classOf(topic: string, text: string): string | undefined {
  const raw = Buffer.from(text);
  const sha256 = Buffer.alloc(32);
  const record = JournalRecord.fromPartial({
    ...{ source: 'x', protocol: 'mqtt', raw, sha256, topic, capturedAtUs: 1_767_225_600_000_000n },
  });
  const { events, lane } = understand(record, meaning);
  return events.length === 0 ? undefined : lane;
}

const guessOf = (topic: string, text: string, isHint = false) =>
  guessClass(topic, Buffer.from(text), { isHint, isVital });

const reading = (interpretation: unknown) => ({
  device: 'd',
  readings: [{ code: 'heartRate', value: '1', interpretation }],
});
const alarm = (said: unknown) => ({ device: 'd', alarm: said });
/** 10 KB that no look at the beginning sees through. */
const many = Array.from({ length: 200 }, (_, n) => ({ code: `c${n}`, value: n, unit: '/min' }));

const rows: [string, unknown][] = [
  ...[...criticalFlags, 'critical', ' hh ', 'A,HH', 'HH^Critical', 'A^HH'].map((flag): [string, unknown] => [
    'stat',
    reading(flag),
  ]),
  ...['H', 'N', '>', '<', 'HU', 'LU', '++', 'HHH', '', true, null, 7].map((flag): [string, unknown] => [
    'routine',
    reading(flag),
  ]),
  ['stat', reading(['H', 'HH'])],
  ['stat', reading({ code: 'HH' })],
  ['stat', reading({ coding: [{ code: 'HH' }] })],
  ['stat', { device: 'd', heartRate: { value: 200, interpretation: 'HH' } }],
  ['stat', { device: 'd', values: { heartRate: { value: 200, interpretation: 'HH' } } }],
  ['stat', [{ device: 'd', heartRate: 70 }, reading('HH')]],
  ['stat', { device: 'd', readings: [...many, { code: 'x', value: 1, interpretation: 'HH' }] }],
  ['stat', { device: 'd', readings: many, alarm: { id: '1', priority: 'high', phase: 'start' } }],
  ['stat', alarm({ id: '1', priority: 'high', phase: 'end' })],
  ['stat', alarm({ id: '1', priority: ' High ' })],
  ['stat', alarm({ priority: { value: 'high' } })],
  ['stat', alarm({ code: 'x', priority: 'PH' })],
  [
    'stat',
    {
      device: 'd',
      alarms: [
        { id: '1', priority: 'low' },
        { id: '2', priority: 'high' },
      ],
    },
  ],
  ['urgent', alarm({ code: 'x', priority: 'medium' })],
  ['urgent', alarm({ code: 'x', priority: 'crisis' })],
  ['urgent', alarm({ code: 'x', priority: ['high', 'low'] })],
  ...['LEADS OFF', 'OFF', 'NO', 'none of them'].map((text): [string, unknown] => ['urgent', alarm(text)]),
  ['urgent', alarm({ active: true })],
  [
    'urgent',
    { ...alarm({ code: 'x', priority: 'medium' }), readings: [{ code: 'x', value: 1, priority: 'high' }] },
  ],
  ['routine', alarm({ code: 'x', priority: 'low' })],
  ['routine', alarm({ code: 'x', priority: 'none' })],
  ...[null, false, '', [], 0, 'none', ' None', 'FALSE', ['none', ' ']].map((none): [string, unknown] => [
    'routine',
    { ...reading('H'), alarm: none },
  ]),
  ['routine', { device: 'd', heartRate: 70, alarmLimitHigh: 120 }],
  ['stat', { device: 'd', heartRate: { value: 'off', interpretation: 'HH' } }],
  ['routine', { device: 'd', heartRate: 70, note: { value: 'off', interpretation: 'HH' } }],
];

t.test('device guess - it is the class of the events, wherever in the payload that is said', async (t) => {
  for (const [expected, payload] of rows) {
    const texts = [JSON.stringify(payload), JSON.stringify(payload, null, 2)];
    const escaped = texts[0]?.replaceAll('"interpretation"', '"\\u0069nterpretation"') ?? '';
    for (const text of [...texts, escaped]) {
      const told = text.length > 300 ? `${text.slice(0, 60)}…` : text;
      const guessed = { guess: guessOf('devices/a', text), class: classOf('devices/a', text) };
      // A^HH says A.
      const wanted = text.includes('A^HH') ? 'routine' : expected;
      t.same(guessed, { guess: wanted, class: wanted }, told);
    }
  }
});

t.test(
  'device guess - a topic is no verdict where the built-in rules decide, and a hint elsewhere',
  async (t) => {
    const text = JSON.stringify({ device: 'd', heartRate: 70 });
    t.same([guessOf('devices/a/alarms', text), classOf('devices/a/alarms', text)], ['routine', 'routine']);
    t.equal(guessOf('devices/a/alarms', text, true), 'urgent');
    t.equal(guessOf('devices/a', '{"alarms":[{"sev":3}]}', true), 'urgent');
  },
);

t.test('device guess - HL7 v2 over MQTT is guessed as HL7 v2', async (t) => {
  const text =
    'MSH|^~\\&|M|W|||20260101||ORU^R01|1|P|2.5\rPID|1||7\rOBR|1|||X\rOBX|1|NM|K^K^L||9|mmol/L||HH|||F';
  t.same([guessOf('devices/a', text), classOf('devices/a', text)], ['stat', 'stat']);
});

t.test('device guess - it is the class of the events of any payload that has some', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`HILUM_SEED=${seed}`);
  const random = seededRandom(seed);
  let compared = 0;
  for (let n = 0; n < 4_000; n += 1) {
    const text = JSON.stringify(
      below(random, 5) === 0 ? [payload(random), payload(random)] : payload(random),
    );
    const found = classOf('devices/a', text);
    if (found === undefined) continue;
    compared += 1;
    if (guessOf('devices/a', text) !== found) t.equal(guessOf('devices/a', text), found, text);
  }
  t.ok(compared > 1_000, `${compared} compared`);
});

function payload(random: Random): unknown {
  const members: [string, unknown][] = [['device', 'd']];
  const member = ['readings', 'values', 'heartRate', 'alarm', 'alarms', 'note', 'x'];
  for (let n = below(random, 4); n >= 0; n -= 1)
    members.push([member[below(random, member.length)] ?? '', value(random, 3)]);
  return Object.fromEntries(members);
}

function value(random: Random, depth: number): unknown {
  const one = <T>(of: readonly T[]) => of[below(random, of.length)] as T;
  const kind = depth === 0 ? 0 : below(random, 4);
  if (kind === 1) return Array.from({ length: below(random, 3) }, () => value(random, depth - 1));
  if (kind >= 2) {
    const names = [
      'code',
      'name',
      'value',
      'interpretation',
      'priority',
      'phase',
      'id',
      'text',
      'state',
      'type',
    ];
    return Object.fromEntries(
      Array.from({ length: below(random, 5) }, () => [one(names), value(random, depth - 1)]),
    );
  }
  const scalars = [
    'HH',
    'H',
    'high',
    'low',
    'medium',
    'none',
    'PH',
    'start',
    'x',
    '',
    ' ',
    '7',
    7,
    0,
    true,
    false,
    null,
  ];
  return one(scalars);
}
