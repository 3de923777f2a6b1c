/** What an appointment says beside its time and its resources, and what of a time that is no instant is left. */
import t from 'tap';
import { seg } from './samples.ts';
import { only, resources } from './told.ts';

t.test('appointment - one that is known to the day is in FHIR on that day [SCH-11, TQ1-7]', (t) => {
  const day = { requestedPeriod: [{ start: '2026-12-01' }] };
  for (const [name, said] of Object.entries({
    'SCH-11': [seg('SCH', { 1: 'AP1', 11: '^^^20261201', 25: 'Booked' })],
    'TQ1-7': [seg('SCH', { 1: 'AP1', 25: 'Booked' }), 'TQ1|1||||||20261201|20261201'],
  })) {
    const [one] = only('Appointment', resources('SIU^S12', ...said));
    t.match(one, day, name);
    t.equal(one?.start, undefined, `${name}: no hour is made up`);
  }
  const timed = seg('SCH', { 1: 'AP1', 11: '^^^202612010930+0100', 25: 'Booked' });
  t.equal(only('Appointment', resources('SIU^S12', timed))[0]?.requestedPeriod, undefined);
  t.end();
});

t.test('appointment - one and a half hours are as long as ninety minutes [SCH-9, SCH-10]', (t) => {
  for (const [amount, unit] of [
    ['1.5', 'HR'],
    ['90', 'MIN'],
    ['5400', 'S'],
    ['0.0625', 'D'],
  ] as const) {
    const said = seg('SCH', { 1: 'AP1', 9: amount, 10: unit, 11: '^^^202612010930+0100', 25: 'Booked' });
    t.match(
      only('Appointment', resources('SIU^S12', said)),
      [{ minutesDuration: 90, end: '2026-12-01T10:00:00.000Z' }],
      `${amount} ${unit}`,
    );
  }
  t.end();
});
