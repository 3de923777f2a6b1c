/** A request about an appointment that is there is not that appointment [HL7 10.3]. */
import t from 'tap';
import { only, resources } from '../normalize/told.ts';

t.test('fhir appointment request - who asks to cancel leaves the appointment what it was', async (t) => {
  const arq = `ARQ|AP1^EPIC|FA1^CADENCE||||CX^Per patient^L${'|'.repeat(6)}STAT${'|'.repeat(3)}1^ASK^ANN`;
  for (const [trigger, text] of [
    ['S02', 'reschedule appointment'],
    ['S03', 'modify appointment'],
    ['S04', 'cancel appointment'],
    ['S05', 'discontinue appointment'],
    ['S06', 'delete appointment'],
  ] as const) {
    const all = resources(`SRM^${trigger}`, arq, 'NTE|1||please');
    t.same(only('Appointment', all), [], trigger);
    t.match(
      only('Task', all),
      [
        {
          status: 'requested',
          intent: 'order',
          priority: 'stat',
          code: { text },
          focus: { type: 'Appointment', identifier: { value: 'FA1', assigner: { display: 'CADENCE' } } },
          for: { type: 'Patient' },
          authoredOn: '2026-11-23T08:15:00+01:00',
          requester: { display: 'ANN ASK' },
          reasonCode: { text: 'Per patient' },
          note: [{ text: 'please' }],
          input: [{ type: { text: 'number' }, valueIdentifier: { value: 'AP1' } }],
        },
      ],
      trigger,
    );
  }
});

t.test('fhir appointment request - how it is to be, and what of it is to go', async (t) => {
  const arq = 'ARQ|AP1^EPIC||||||R^Routine^L|FU^Follow up^L|30|min|20261201100000^20261205';
  const [asked] = only('Task', resources('SRM^S02', arq, 'RGS|1', 'AIS|1||EKG^ECG^L', 'AIL|1||4W^1'));
  t.match(asked, {
    focus: { identifier: { value: 'AP1' } },
    reasonCode: { text: 'Routine' },
    input: [
      { type: { text: 'time' }, valuePeriod: { start: '2026-12-01T10:00:00+01:00', end: '2026-12-05' } },
      { type: { text: 'duration' }, valueString: '30 min' },
      { type: { text: 'type' }, valueCodeableConcept: { text: 'Follow up' } },
      { type: { text: 'service' }, valueCodeableConcept: { text: 'ECG' } },
      { type: { text: 'location' }, valueReference: { type: 'Location' } },
    ],
  });
  const [gone] = only('Task', resources('SRM^S09', 'ARQ|AP1^EPIC|FA1^C', 'RGS|1', 'AIP|1||900^R^R'));
  t.match(gone, {
    code: { text: 'cancel-resource appointment' },
    input: [
      { valueIdentifier: { value: 'AP1' } },
      { type: { text: 'person' }, valueReference: { display: 'R R' } },
    ],
  });
});

t.test('fhir appointment request - one that is asked for, or told of, is an appointment', async (t) => {
  t.match(only('Appointment', resources('SRM^S01', 'ARQ|AP1^EPIC')), [{ identifier: [{ value: 'AP1' }] }]);
  for (const trigger of ['S13', 'S14', 'S15']) {
    const all = resources(`SIU^${trigger}`, 'SCH|AP1^EPIC|FA1^C');
    t.equal(only('Appointment', all).length, 1, trigger);
    t.same(only('Task', all), [], trigger);
  }
});

t.test('fhir appointment - how urgent it is', async (t) => {
  const told = (...segments: string[]) =>
    only('Appointment', resources('SIU^S12', 'SCH|AP1^EPIC|FA1^C', ...segments))[0];
  const tq1 = (priority: string) => `TQ1|1||||||20261201093000||${priority}`;
  t.match(told(tq1('S^Stat^HL70485')), { priority: 1 });
  t.match(told(tq1('R'), tq1('A')), { priority: 2 });
  t.match(told(tq1('SOF^sofort^99X^S^Stat^HL70485')), { priority: 1 });
  t.match(told(tq1('R')), { priority: 5 });
  t.notOk('priority' in (told(tq1('')) ?? {}));
  t.match(only('Appointment', resources('SRM^S01', `ARQ|AP1${'|'.repeat(11)}U`)), [{ priority: 3 }]);
});
