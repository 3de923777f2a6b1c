import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

function event(trigger: string, ...segments: string[]): ClinicalEvent | undefined {
  const head = `MSH|^~\\&|ADT|HOSP|X|HOSP|20261123081500||ADT^${trigger}|1|P|2.5`;
  const { events, reject } = normalizeHl7v2(er7(head, ...segments), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events[0];
}

const patient = 'PID|1||7^^^HOSP^MR||A^B';
const visit = `PV1|1|I|W2${'|'.repeat(16)}V1${'|'.repeat(25)}20261101080000`;
const ended = `${visit}|20261123070000`;

t.test('movements - the time of the visit is that of an event only where it begins or ends it', (t) => {
  const begun = '2026-11-01T08:00:00+01:00';
  const recorded = '2026-11-23T08:00:00+01:00';
  for (const trigger of ['A01', 'A04', 'A05', 'A06']) {
    t.equal(event(trigger, 'EVN||20261123080000', patient, visit)?.times?.observed?.value, begun, trigger);
  }
  for (const trigger of ['A02', 'A08', 'A11', 'A12', 'A13', 'A21', 'A54', 'Z99']) {
    t.equal(event(trigger, 'EVN||20261123080000', patient, visit)?.times?.observed?.value, recorded, trigger);
  }
  const left = event('A03', 'EVN||20261123080000', patient, ended);
  t.equal(left?.times?.observed?.value, '2026-11-23T07:00:00+01:00');
  const told = event('A02', 'EVN||20261123080000||||20261122230000', patient, visit);
  t.equal(told?.times?.observed?.value, '2026-11-22T23:00:00+01:00', 'EVN-6 counts first');
  t.match(told?.encounter?.period, { start: { value: begun } });
  t.end();
});

t.test('movements - who survives is not retired', (t) => {
  const changed = event('A50', 'EVN||20261123', patient, 'MRG|7^^^HOSP^MR||||V8^^^HOSP^VN', visit);
  t.match(changed?.merge, { action: 'change-identifier', retiredVisits: [{ value: 'V8' }] });
  t.same(changed?.merge?.retired, []);
  const merged = event(
    'A40',
    'EVN||20261123',
    `PID|1||7^^^HOSP^MR~S1^^^MPI||A^B`,
    'MRG|8^^^HOSP^MR~S1^^^MPI',
  );
  t.same(
    merged?.merge?.retired.map(({ value }) => value),
    ['8'],
  );
  t.end();
});

t.test('movements - a movement has its own number and what is done to it [IHE ITI-31]', (t) => {
  const zbe = 'ZBE|M1^KIS~M2^KIS|20261120090000|20261121|UPDATE|Y|A02|CAR^^^^^^UF^^^12|Station 3|HMS';
  const found = event('Z99', 'EVN||20261123080000', patient, visit, zbe);
  t.match(found, {
    kind: 'admission',
    movement: {
      action: 'update',
      identifiers: [{ value: 'M1', assigner: 'KIS' }, { value: 'M2' }],
      period: { start: { value: '2026-11-20T09:00:00+01:00' }, end: { value: '2026-11-21' } },
      change: 'UPDATE',
      historic: 'Y',
      originalTrigger: 'A02',
      wards: [{ name: 'CAR', identifiers: [{ value: '12', type: 'UF' }] }, { name: 'Station 3' }],
    },
    times: { observed: { value: '2026-11-20T09:00:00+01:00' } },
  });
  const cancelled = event(
    'Z99',
    'EVN||20261123080000',
    patient,
    visit,
    'ZBE|M1|20261120090000||CANCEL|Y|A02',
  );
  t.equal(cancelled?.status, 'cancelled');
  const deleted = event('Z99', 'EVN||20261123080000', patient, visit, 'ZBE|M1|20261120090000||DELETE');
  t.equal(deleted?.status, 'cancelled', 'as the German profile says it');
  t.end();
});

t.test('movements - each of two patients has his own', (t) => {
  const head = 'MSH|^~\\&|ADT|HOSP|X|HOSP|20261123081500||ADT^A17|1|P|2.5';
  const other = 'PID|2||8^^^HOSP^MR||C^D';
  const raw = er7(
    head,
    'EVN||20261123080000',
    patient,
    visit,
    'ZBE|M1|20261120',
    other,
    visit,
    'ZBE|M2|20261121',
  );
  t.match(normalizeHl7v2(raw, testContext()).events, [
    { movement: { identifiers: [{ value: 'M1' }], period: { start: { value: '2026-11-20' } } } },
    { movement: { identifiers: [{ value: 'M2' }], period: { start: { value: '2026-11-21' } } } },
  ]);
  t.equal(normalizeHl7v2(raw, testContext()).events[1]?.movement?.identifiers.length, 1);
  t.end();
});

t.test('movements - a bed has its place and its status, without a patient [HL7 3.3.20]', (t) => {
  t.match(event('A20', 'EVN||20261123080000', 'NPU|W1^2^3^HOSP|U^Unoccupied^HL70116'), {
    kind: 'admission',
    patient: undefined,
    movement: { action: 'bed-status' },
    encounter: { location: { pointOfCare: 'W1', bed: '3' }, bedStatus: { text: 'Unoccupied' } },
    times: { observed: { value: '2026-11-23T08:00:00+01:00' } },
  });
  t.end();
});

for (const trigger of ['A24', 'A37']) {
  t.test(`movements - what follows the second patient of ${trigger} is his [HL7 3.3.24, 3.3.37]`, (t) => {
    const found = event(
      trigger,
      'EVN||20261123',
      patient,
      'PD1||||1^GP^ONE',
      visit,
      'PID|2||8^^^HOSP^MR||C^D|||||||||||||ACC8',
      'PD1||||2^GP^TWO||||||||Y',
      'PV1|1|O|CLINIC||||77^ARZT||||||||||||V8',
      'DB1|1|PT|D8',
      'AL1|1|DA|PEN',
    );
    t.match(found, {
      patient: {
        identifiers: [{ value: '7' }],
        generalPractitioners: [{ name: { given: ['ONE'] } }],
        flags: [],
      },
      encounter: { class: 'I', identifiers: [{ value: 'V1' }] },
      merge: {
        other: {
          identifiers: [{ value: '8' }, { value: 'D8' }],
          account: { value: 'ACC8' },
          generalPractitioners: [{ name: { given: ['TWO'] } }],
          flags: ['PD1-12=Y'],
        },
        otherEncounter: { class: 'O', location: { pointOfCare: 'CLINIC' }, identifiers: [{ value: 'V8' }] },
      },
      provenance: { remarks: ['AL1: of the second patient, left out'] },
    });
    t.equal(found?.patient?.identifiers.length, 1);
    t.equal(found?.patient?.generalPractitioners.length, 1);
    t.same([found?.furtherEncounters, found?.allergies], [[], []]);
    t.same(
      [found?.merge?.retired, found?.merge?.retiredAccounts, found?.merge?.priorNames],
      [[], [], []],
      'nobody is retired',
    );
    t.end();
  });
}

t.test('movements - nobody is retired by a move; it says from whom [HL7 3.3.44, 3.3.45]', (t) => {
  for (const trigger of ['A43', 'A44', 'A45']) {
    const { merge } = event(trigger, 'EVN||20261123', patient, 'MRG|9^^^HOSP^MR||ACC9||V9', visit) ?? {};
    t.match(merge, { action: 'move', retired: [], movedFrom: [{ value: '9' }] }, trigger);
    t.equal(merge?.retired.length, 0);
    t.match(merge, { retiredAccounts: [{ value: 'ACC9' }], retiredVisits: [{ value: 'V9' }] });
  }
  const named = event('A24', 'EVN||20261123', patient, 'MRG|9^^^HOSP^MR||||||X^Y');
  t.match(named?.merge, { retired: [], other: { identifiers: [{ value: '9' }], names: [{ family: 'X' }] } });
  t.end();
});

t.test('movements - a ZBE before the EVN is told, and so is the EVN', (t) => {
  const found = event(
    'A02',
    'ZBE|M1^KIS|20261120090000||CANCEL|N',
    'EVN||20261123080000||R1',
    patient,
    visit,
  );
  t.match(found, {
    status: 'cancelled',
    movement: {
      identifiers: [{ value: 'M1' }],
      change: 'CANCEL',
      reason: 'R1',
      recorded: { value: '2026-11-23T08:00:00+01:00' },
    },
  });
  t.end();
});

t.test('a link - PV1 and PV2 behind the second patient are of his visit', async (t) => {
  const other = ['PID|2||9^^^HOSP^MR||X^Y', 'PV1|1|I|W9', 'PV2|||FALL^Fall^L'];
  const found = event('A24', 'EVN||20261123', patient, 'PV1|1|I|W1', ...other);
  t.match(found?.merge?.otherEncounter, { location: { pointOfCare: 'W9' }, admitReason: { text: 'Fall' } });
  t.match(found?.encounter, { location: { pointOfCare: 'W1' }, admitReason: undefined });
});
