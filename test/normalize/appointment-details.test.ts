/** What an appointment says beside its time and its resources, and what of a time that is no instant is left. */
import t from 'tap';
import { seg } from './samples.ts';
import { events, only, resources } from './told.ts';

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

t.test('appointment - what a service needs, and what may take its place [AIS-9, AIS-11, AIS-12]', (t) => {
  const said = [
    seg('SCH', { 1: 'AP1', 5: 'MAIN^Main book^L', 11: '^^^202612010930+0100', 25: 'Booked' }),
    'RGS|1',
    seg('AIS', { 1: '1', 3: 'MRI^MRI^L', 9: 'No', 11: 'C^With contrast^L~Q^Quiet^L', 12: 'PREP^Fasting^L' }),
    'NTE|1||brings a key',
    seg('AIG', { 1: '1', 3: 'S1^Scanner^L', 6: '2', 7: 'h^hour^UCUM', 5: 'G^Scanners^L', 13: 'Yes' }),
    seg('AIL', { 1: '1', 3: 'RAD^R2', 5: 'ROOMS', 11: 'Confirm' }),
    seg('AIP', { 1: '1', 3: '900^R^R', 5: 'DOCS', 11: 'Notify' }),
  ];
  const [event] = events('SIU^S12', ...said);
  t.match(event?.schedule, {
    scheduleId: { text: 'Main book' },
    resources: [
      {
        supplements: [{ text: 'With contrast' }, { text: 'Quiet' }, { text: 'Fasting' }],
        substitution: { codings: [{ code: 'No' }] },
      },
      {
        group: { text: 'Scanners' },
        quantity: '2',
        quantityUnit: 'h',
        substitution: { codings: [{ code: 'Yes' }] },
      },
      { group: { codings: [{ code: 'ROOMS' }] }, substitution: { codings: [{ code: 'Confirm' }] } },
      { group: { codings: [{ code: 'DOCS' }] }, substitution: { codings: [{ code: 'Notify' }] } },
    ],
  });
  t.match(only('Appointment', resources('SIU^S12', ...said)), [
    { comment: 'MRI: With contrast, Quiet, Fasting\nbrings a key' },
  ]);
  t.end();
});

t.test('appointment - who asks, is contacted and enters it has an address and a place [SCH, ARQ]', (t) => {
  const sch = seg('SCH', {
    1: 'AP1',
    12: '1^REQ^RAY',
    14: '1 Street^^Town',
    15: 'CLIN^2',
    16: '2^CONT^CORA~3^CONT^CYD',
    18: '2 Street^^Town',
    19: 'CLIN^3',
    20: '4^ENT^EVA',
    22: 'DESK^1',
  });
  t.match(events('SIU^S12', sch)[0]?.schedule?.participants, [
    {
      role: 'ordering',
      person: { identifiers: [{ value: '1' }] },
      addresses: [{ line: ['1 Street'] }],
      location: { pointOfCare: 'CLIN', room: '2' },
    },
    { role: 'contact', person: { identifiers: [{ value: '2' }] }, addresses: [] },
    { role: 'contact', person: { identifiers: [{ value: '3' }] }, addresses: [] },
    { role: 'contact', person: undefined, addresses: [{ line: ['2 Street'] }], location: { room: '3' } },
    { role: 'entering', location: { pointOfCare: 'DESK' } },
  ]);
  const arq = seg('ARQ', {
    1: 'AP1',
    5: 'MAIN',
    15: '1^REQ^RAY',
    17: '1 Street',
    18: 'CLIN^2',
    19: '4^ENT^EVA',
    20: '^WPN^PH^^^555^3',
    21: 'DESK^1',
  });
  t.match(events('SRM^S01', arq)[0]?.schedule, {
    scheduleId: { codings: [{ code: 'MAIN' }] },
    participants: [
      { role: 'ordering', addresses: [{ line: ['1 Street'] }], location: { room: '2' } },
      { role: 'entering', person: { identifiers: [{ value: '4' }] }, location: { pointOfCare: 'DESK' } },
    ],
    contacts: [{ value: /555/ }],
  });
  t.end();
});
