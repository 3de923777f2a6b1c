/** Appointments: who has them, what is asked for, where they stand. */
import t from 'tap';
import { toBundle, toBundleText } from '../../proto/fhir/bundle.ts';
import { problemsOf } from '../fhir/validator.ts';
import { classify } from '../prioritize/kit.ts';
import { eventOf as event, eventsOf as events } from './context.ts';
import { seg } from './samples.ts';

const pid = 'PID|1||7^^^H^MR';

t.test('schedule - each of two patients has the appointment and its resources [HL7 10.4, SIU_S12]', (t) => {
  const found = events(
    'SIU^S12',
    'SCH|P1|F1|||||||||^^M30^202603200900',
    'NTE|1||come early',
    pid,
    'PID|2||8^^^H^MR',
    'RGS|1',
    seg('AIS', { 1: '1', 3: 'X^Y' }),
    'NTE|1||bring it',
  );
  t.equal(found.length, 2);
  for (const one of found) {
    t.match(one.schedule, { filler: { value: 'F1' }, resources: [{ code: { text: 'Y' } }] });
    t.same([one.status, one.times?.observed?.value], ['booked', '2026-03-20T09:00:00+01:00']);
    t.same(
      one.notes.map(({ text }) => text),
      ['come early', 'bring it'],
    );
  }
  const apart = events('SIU^S12', 'SCH|P1|F1', pid, 'SCH|P2|F2', 'PID|2||8^^^H^MR');
  t.equal(apart.at(-1)?.schedule?.filler?.value, 'F2');
  t.end();
});

t.test('schedule - a request says what it asks for and why [HL7 10.3]', (t) => {
  const asked = (trigger: string) => event(`SRM^${trigger}`, 'ARQ|P1|F1||||ILL^Is ill^L', pid);
  for (const [trigger, action] of [
    ['S01', 'book'],
    ['S02', 'reschedule'],
    ['S03', 'modify'],
    ['S04', 'cancel'],
    ['S05', 'discontinue'],
    ['S06', 'delete'],
  ] as const) {
    const { status, schedule } = asked(trigger);
    t.match([status, schedule?.action], ['requested', action]);
    t.match(schedule?.eventReason, { text: 'Is ill' });
  }
  t.equal(event('SIU^S15', 'SCH|P1|F1', pid).schedule?.action, 'cancel');
  t.end();
});

t.test('schedule - SCH-25 is read as systems spell it, and what it says else is not booked', (t) => {
  const status = (trigger: string, said: string) =>
    event(`SIU^${trigger}`, seg('SCH', { 1: 'P1', 25: said }), pid);
  for (const [said, means] of [
    ['Canceled', 'cancelled'],
    ['^Canceled', 'cancelled'],
    ['3^Canceled', 'cancelled'],
    ['No Show', 'noshow'],
    ['Completed', 'completed'],
    ['Checked Out', 'completed'],
    ['Checked In', 'in-progress'],
    ['Scheduled', 'booked'],
    ['Left without seen', 'unknown'],
    ['', 'booked'],
  ] as const) {
    const found = status('S14', said);
    t.equal(found.status, means, said);
    t.same(
      found.provenance?.remarks,
      means === 'unknown' ? ['SCH-25: not a status that is known'] : [],
      said,
    );
  }
  t.equal(status('S12', 'Left without seen').status, 'booked', 'as the trigger event says');
  for (const trigger of ['S12', 'S14', 'S23']) {
    const blocked = status(trigger, 'Blocked^^HL70278');
    t.same([blocked.status, blocked.provenance?.remarks], ['unknown', []], 'the time is, and nobody has it');
  }
  t.equal(status('S14', 'Dc').status, 'cancelled', 'discontinued, as table 0278 spells it');
  t.end();
});

t.test(
  'schedule - a resource is needed after the start of the appointment; whom to call is a contact',
  (t) => {
    const { schedule } = event(
      'SIU^S12',
      seg('SCH', { 1: 'P1', 11: '^^^202603200900', 16: '9^CALL' }),
      pid,
      seg('AIS', { 1: '1', 3: 'X', 5: '15', 6: 'min' }),
      seg('AIP', { 1: '1', 3: '5^A', 7: '1', 8: 'H' }),
      seg('AIL', { 1: '1', 3: 'W', 7: '1', 8: 'weeks' }),
    );
    t.match(schedule?.resources, [
      { start: { value: '2026-03-20T09:15:00+01:00' }, offset: '15', offsetUnit: 'min' },
      { start: { value: '2026-03-20T10:00:00+01:00' } },
      { start: undefined, offset: '1' },
    ]);
    t.match(schedule?.participants, [{ role: 'contact' }]);
    t.end();
  },
);

t.test('schedule - a start that is counted is as fine as it has to be, and none where there is none', (t) => {
  const startOf = (start: string, offset: string, unit: string) =>
    event(
      'SIU^S12',
      seg('SCH', { 1: 'P1', 11: `^^^${start}` }),
      pid,
      seg('AIS', { 1: '1', 3: 'X', 5: offset, 6: unit }),
    ).schedule?.resources[0]?.start;
  t.match(startOf('2026032009', '30', 'min'), { value: '2026-03-20T09:30:00+01:00', precision: 'minute' });
  t.match(startOf('20260320090030.123', '5', 's'), {
    value: '2026-03-20T09:00:35.123+01:00',
    precision: 'fraction',
  });
  t.equal(startOf('99991231235959', '5', 'D'), undefined, 'beyond the last year that can be written');
  t.equal(startOf('20260320', '30', 'min'), undefined, 'a day has no start to count from');
  t.end();
});

t.test(
  'schedule - the times that are wished for are not when it takes place; a request says its priority',
  (t) => {
    const asked = (window: string, priority: string) =>
      event(
        'SRM^S01',
        `ARQ|A1^E||||||R^Routine|CHK|30|min|${window}|${priority}`,
        pid,
        'RGS|1',
        'AIS|1|A|EKG^ECG^L',
      );
    const one = asked('20261201100000^20261205~20261210^20261211', 'STAT^x^HL70');
    t.match(one.schedule, {
      period: undefined,
      priority: { codings: [{ code: 'STAT' }] },
      requestedPeriods: [
        { start: { value: '2026-12-01T10:00:00+01:00' }, end: { value: '2026-12-05' } },
        { start: { value: '2026-12-10' }, end: { value: '2026-12-11' } },
      ],
    });
    const appointment = toBundle(one).entry.find(({ resource }) => resource.resourceType === 'Appointment');
    t.match(appointment?.resource, {
      status: 'proposed',
      minutesDuration: 30,
      requestedPeriod: [
        { start: '2026-12-01T10:00:00+01:00', end: '2026-12-05' },
        { start: '2026-12-10', end: '2026-12-11' },
      ],
      start: undefined,
      end: undefined,
    });
    t.same(problemsOf(toBundleText(one)), []);
    t.equal(classify('{}')(one).class, 'stat');
    t.equal(classify('{}')(asked('20261201', 'R')).class, 'routine');
    t.equal(classify('{}')(asked('20261201', '')).class, 'routine');
    t.end();
  },
);

const at = (value: string) => ({ value: `${value}:00+01:00` });

t.test('schedule - of several TQ1 the first is the period, and all are kept [HL7 4.5.4]', (t) => {
  const found = event(
    'SIU^S12',
    'SCH|P1|F1|||||||30|min',
    'TQ1|1||||||202612010900|202612010930||||S',
    'TQ1|2||||||202612080900|202612080930',
    pid,
  );
  t.match(found.schedule?.period, { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:30') });
  t.match(found.schedule?.timings, [
    { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:30'), conjunction: 'S' },
    { start: at('2026-12-08T09:00'), end: at('2026-12-08T09:30') },
  ]);
  t.match(found.times?.observed, at('2026-12-01T09:00'));
  t.same(found.provenance?.remarks, []);
  t.end();
});

t.test('schedule - every repetition of SCH-11 is kept, the first is the period', (t) => {
  const timings = '^^30^202612010900^202612010930~^^30^202612080900^202612080930';
  const { schedule } = event('SIU^S12', `SCH|P1|F1|||||||30|min|${timings}`, pid);
  t.match(schedule?.period, { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:30') });
  t.match(schedule?.timings, [{ start: at('2026-12-01T09:00') }, { start: at('2026-12-08T09:00') }]);
  const asked = event(
    'SRM^S01',
    seg('ARQ', { 1: 'P1', 11: '202612010900^202612011200', 13: 'Q1W', 14: 'W4' }),
    pid,
  ).schedule;
  t.match(asked?.requestedPeriods, [{ start: at('2026-12-01T09:00'), end: at('2026-12-01T12:00') }]);
  t.match(asked?.timings, [{ repeat: 'Q1W', duration: 'W4' }]);
  t.end();
});

t.test(
  'schedule - where TQ1 and SCH-11 are both there TQ1 stands, and what it leaves open is not of another time',
  (t) => {
    const both = (tq1: string) =>
      event('SIU^S13', 'SCH|P1|F1|||||||30|min|^^30^202612010900^202612010930', tq1, pid);
    const moved = both('TQ1|1||||||202612021000');
    t.match(moved.schedule?.period, { start: at('2026-12-02T10:00'), end: undefined });
    t.equal(moved.schedule?.timings.length, 1);
    t.same(moved.provenance?.remarks, ['TQ1-7: another time than in SCH-11, and stands']);
    const same = both('TQ1|1||||||20261201090000');
    t.match(same.schedule?.period, { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:30') });
    t.same(same.provenance?.remarks, []);
    t.match(both('TQ1|1||||||20261201').schedule?.period, { start: at('2026-12-01T09:00') }, 'a day of it');
    const ends = both('TQ1|1|||||||202612010945');
    t.match(ends.schedule?.period, { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:45') });
    t.end();
  },
);

t.test('schedule - a series begins with its first occurrence, and keeps its pattern, count and end', (t) => {
  const of = (...segments: string[]) => event('SIU^S12', ...segments, pid).schedule;
  const weekly = 'TQ1|1||Q1W||||202612010900|202612220930|||||30^min|4';
  const both = of('SCH|P1|F1|||||||30|min|^^30^202612010900^202612010930', weekly);
  t.match(both?.period, { start: at('2026-12-01T09:00'), end: at('2026-12-01T09:30') });
  t.match(both?.timings, [
    { repeat: 'Q1W', occurrences: '4', end: at('2026-12-22T09:30'), occurrenceDuration: '30^min' },
  ]);
  const alone = of('SCH|P1|F1', weekly);
  t.match(alone?.period, { start: at('2026-12-01T09:00'), end: undefined });
  t.match(alone, { duration: '30', durationUnit: 'min' }, 'so long each time, not the series');
  const old = of('SCH|P1|F1|||||||||1^Q1W&0900^W4^202612010900^202612220930^R~1^^^202612080900^202612080930');
  t.match(old?.period, { start: at('2026-12-01T09:00'), end: undefined });
  t.match(old?.timings, [
    { repeat: 'Q1W&0900', duration: 'W4' },
    { start: at('2026-12-08T09:00'), end: at('2026-12-08T09:30') },
  ]);
  t.equal(old?.duration, '');
  const ends = (repeat: string) =>
    of('SCH|P1|F1', `TQ1|1||${repeat}||||202612010900|202612010930|||||||4`)?.period?.end?.value;
  t.equal(ends('Q1W'), '2026-12-01T09:30:00+01:00', 'no series of weeks ends on the day it begins');
  t.equal(ends('Q2H'), undefined);
  t.equal(ends('ONCE'), '2026-12-01T09:30:00+01:00');
  t.end();
});

t.test(
  'schedule - a resource that says no action of its own has the one of its group [HL7 10.6.3.2]',
  (t) => {
    const { schedule } = event(
      'SIU^S22',
      'SCH|P1|F1',
      pid,
      'RGS|1|D',
      'AIP|1||9^DR^ONE',
      'AIL|1|U|RAD',
      'RGS|2',
      'AIP|1||10^DR^TWO',
      'RGS|3|A',
      'AIS|1||X',
    );
    t.same(
      schedule?.resources.map(({ action }) => action),
      ['D', 'U', '', 'A'],
    );
    t.end();
  },
);

t.test('schedule - every number of the appointment is kept, and those of the one that it is part of', (t) => {
  const { schedule } = event(
    'SIU^S12',
    seg('SCH', { 1: 'P1^A~P1b^B', 2: 'F1~F2', 23: 'PP1^EPIC', 24: 'PF1^EPIC' }),
    pid,
  );
  t.match(schedule, {
    placer: { value: 'P1', assigner: 'A' },
    filler: { value: 'F1' },
    alternates: [
      { value: 'P1b', type: 'PLAC', assigner: 'B' },
      { value: 'F2', type: 'FILL' },
    ],
    parents: [
      { value: 'PP1', type: 'PLAC', assigner: 'EPIC' },
      { value: 'PF1', type: 'FILL' },
    ],
  });
  const asked = event('SRM^S01', seg('ARQ', { 1: 'P1~P2', 22: 'PP1', 23: 'PF1', 24: 'O1', 25: 'L1' }), pid);
  t.match(asked.schedule, { alternates: [{ value: 'P2' }], parents: [{ value: 'PP1' }, { value: 'PF1' }] });
  t.match(asked.identifiers, [
    { value: 'O1', type: 'PLAC' },
    { value: 'L1', type: 'FILL' },
  ]);
  t.end();
});
