/** Several alarms in one OBR: each is told, none hides another. */
import t from 'tap';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';

function run(...rows: string[]): ClinicalEvent[] {
  const raw = er7(
    'MSH|^~\\&|GW^00A0^EUI-64|W1|||20261123081500+0100||ORU^R40^ORU_R40|M1|P|2.6',
    'PID|||4711^^^HOSP^MR||MUSTER^ERIKA',
    'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
    ...rows,
  );
  const { events, reject } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  for (const event of events) ClinicalEvent.encode(event).finish();
  return events;
}

const told = (events: readonly ClinicalEvent[]) =>
  events.map(({ alarm }) => [
    alarm?.text.replace('MDC_EVT_', ''),
    alarm?.phase,
    alarm?.priority,
    alarm?.evidence.length,
  ]);
const apart = (events: readonly ClinicalEvent[]) =>
  events.map(({ provenance }) => provenance?.remarks.some((one) => /several alarms/.test(one)));

const mds = 'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME';
const alarm = (word: string, place: string, flags = ''): string =>
  `OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|${place}|${word === 'LO' ? 196670 : 196648}^MDC_EVT_${word}^MDC|||${flags}|||R`;
const phase = (word: string, place: string): string =>
  `OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|${place}|${word}||||||R`;
const priority = (word: string, place: string): string =>
  `OBX|3|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|${place}|${word}||||||R`;
const heart = (place: string): string =>
  `OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|${place}|140|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R`;

t.test('alarms apart - a group of rows for each place in OBX-4', async (t) => {
  const events = run(
    mds,
    alarm('LO', '1.1.1.1'),
    phase('end', '1.1.1.1.1'),
    priority('PL', '1.1.1.1.2'),
    alarm('HI', '1.2.1.1'),
    phase('start', '1.2.1.1.1'),
    priority('PH', '1.2.1.1.2'),
    heart('1.2.1.1.3'),
  );
  t.same(told(events), [
    ['LO', 'end', 'low', 0],
    ['HI', 'start', 'high', 1],
  ]);
  t.same(apart(events), [true, true]);
  t.same(
    events.map(({ alarm, device, patient }) => [
      alarm?.identifier?.value,
      alarm?.devicePath,
      device?.identifiers[0]?.value,
      patient?.identifiers[0]?.value,
    ]),
    [
      ['A-1', '1', 'MON-12', '4711'],
      ['A-1', '1', 'MON-12', '4711'],
    ],
  );
  t.equal(events[0]?.alarm?.raised, undefined);
  t.equal(events[1]?.alarm?.raised?.value, '2026-11-23T08:15:00+01:00');
});

t.test('alarms apart - in whatever order and depth the rows stand', async (t) => {
  const pair = [
    ['LO', 'end', 'low', 0],
    ['HI', 'start', 'high', 0],
  ];
  const flagged = run(alarm('LO', '1.1.1.1', 'PL~ST'), alarm('HI', '1.2.1.1', 'PH~SP'));
  t.same(told(flagged), [
    ['LO', '', 'low', 0],
    ['HI', '', 'high', 0],
  ]);
  t.same(
    flagged.map((event) => event.alarm?.type),
    ['technical', 'physiological'],
  );
  const facets = [phase('start', '1.2.1.1.2'), priority('PH', '1.2.1.1.3'), phase('end', '1.1.1.1.2')];
  t.same(
    told(run(alarm('LO', '1.1.1.1.1'), alarm('HI', '1.2.1.1.1'), ...facets, priority('PL', '1.1.1.1.3'))),
    pair,
  );
  const beside = [alarm('LO', '1.1.1.1', 'PL'), phase('end', '1.1.1.2'), alarm('HI', '1.1.1.3', 'PH')];
  t.same(told(run(...beside, phase('start', '1.1.1.4'))), pair, 'in one channel');
  const below = [alarm('LO', '1.1.1.1'), priority('PL', '1.1.1.1.1'), phase('end', '1.1.1.1.2')];
  t.same(told(run(...below, alarm('HI', '1.1.1.2', 'PH'), phase('start', '1.1.1.2.1'))), pair);
});

t.test('alarms apart - an event that is evidence of the alarm stays with it', async (t) => {
  const one = [alarm('LO', '1.1.1.1.1', 'PL~SP'), alarm('HI', '1.1.1.1.2'), phase('start', '1.1.1.1.3')];
  t.same(told(run(...one)), [['LO', 'start', 'low', 1]]);
  t.same(apart(run(...one)), [false]);
});

t.test('alarms apart - those in one place are one, as urgent as the most urgent of them', async (t) => {
  const events = run(alarm('LO', '1.1.1.1', 'PL~ST'), alarm('HI', '1.1.1.1', 'PH~SP'));
  t.same(told(events), [['LO', '', 'high', 1]]);
  t.match(events[0]?.provenance?.remarks, [
    'OBX-4: another alarm in the place of the first one, told as its evidence',
  ]);
});

t.test('alarms apart - without end they are refused', async (t) => {
  const rows = Array.from({ length: 9_000 }, (_, at) => alarm('LO', `1.${at + 1}.1.1`, 'PL'));
  const long = `NTE|1||${'x'.repeat(20_000)}`;
  t.throws(() => run(long, ...rows), /so many orders/);
});
