/** What stands once in a message by the standard, and several times in some: each is an event of its own, of its own patient. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';

function read(type: string, ...segments: string[]) {
  const head = `MSH|^~\\&|A|HOSP|B|HOSP|20261120101500+0100||${type}|1|P|2.5`;
  return normalizeHl7v2(er7(head, ...segments), testContext());
}

function events(type: string, ...segments: string[]): ClinicalEvent[] {
  const { events, reject } = read(type, ...segments);
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

const numberOf = ({ patient }: ClinicalEvent) => patient?.identifiers[0]?.value;
const ann = 'PID|1||7^^^HOSP^MR||Beck^Ann';
const ben = 'PID|1||8^^^HOSP^MR||Carr^Ben';

const sch = (number: string, day: string, status: string): string =>
  `SCH|P${number}|F${number}|||||||60|min|^^60^${day}090000||||||||||||||${status}`;

const appointmentsOf = (found: readonly ClinicalEvent[]) =>
  found.map((one) => [
    numberOf(one),
    one.schedule?.placer?.value,
    one.status,
    one.schedule?.period?.start?.value.slice(0, 10),
    one.schedule?.resources.map(({ location }) => location?.pointOfCare),
  ]);

t.test('several in one - each SCH with its own patient is an appointment of that one', (t) => {
  const found = events(
    'SIU^S12',
    sch('1', '20261201', 'Booked'),
    ann,
    'AIL|1|A|R1',
    sch('2', '20261202', 'Cancelled'),
    ben,
    'AIL|1|A|R2',
  );
  t.same(appointmentsOf(found), [
    ['7', 'P1', 'booked', '2026-12-01', ['R1']],
    ['8', 'P2', 'cancelled', '2026-12-02', ['R2']],
  ]);
  t.end();
});

t.test('several in one - two SCH of one patient are two appointments', (t) => {
  const found = events(
    'SIU^S12',
    sch('1', '20261201', 'Booked'),
    ann,
    'PV1|1|O|CL',
    'AIL|1|A|R1',
    sch('2', '20261202', 'Booked'),
    'AIL|1|A|R2',
  );
  t.same(appointmentsOf(found), [
    ['7', 'P1', 'booked', '2026-12-01', ['R1']],
    ['7', 'P2', 'booked', '2026-12-02', ['R2']],
  ]);
  t.equal(found[1]?.encounter?.location?.pointOfCare, 'CL');
  t.end();
});

t.test(
  'several in one - behind a group visit the next SCH is no appointment of the last of the group',
  (t) => {
    const found = events(
      'SIU^S12',
      sch('1', '20261201', 'Booked'),
      ann,
      ben,
      'AIL|1|A|R1',
      sch('2', '20261202', 'Cancelled'),
      'PID|1||9^^^HOSP^MR||Dorn^Cy',
      'AIL|1|A|R2',
    );
    t.same(appointmentsOf(found), [
      ['7', 'P1', 'booked', '2026-12-01', ['R1']],
      ['8', 'P1', 'booked', '2026-12-01', ['R1']],
      ['9', 'P2', 'cancelled', '2026-12-02', ['R2']],
    ]);
    t.end();
  },
);

t.test(
  'several in one - where each PID stands before its SCH, two of one patient are both that one’s',
  (t) => {
    const found = events(
      'SIU^S12',
      ann,
      sch('1', '20261201', 'Booked'),
      sch('2', '20261202', 'Booked'),
      ben,
      sch('3', '20261203', 'Booked'),
    );
    t.same(
      appointmentsOf(found).map(([patient, placer]) => [patient, placer]),
      [
        ['7', 'P1'],
        ['7', 'P2'],
        ['8', 'P3'],
      ],
    );
    t.end();
  },
);

t.test('several in one - resources before their SCH are those of its appointment', (t) => {
  const found = events('SIU^S12', ann, 'AIL|1|A|R1', sch('1', '20261201', 'Booked'));
  t.same(appointmentsOf(found), [['7', 'P1', 'booked', '2026-12-01', ['R1']]]);
  t.end();
});

t.test('several in one - each RF1 is a referral, of the patient behind it', (t) => {
  const rf1 = (number: string, status: string, priority: string): string =>
    `RF1|${status}|${priority}|MED||OUT|${number}^CL`;
  const found = events(
    'REF^I12',
    rf1('R1', 'P', 'S'),
    'PRD|RT|First^Doc',
    ann,
    rf1('R2', 'A', 'R'),
    'PRD|RT|Second^Doc',
    ben,
    rf1('R3', 'R', 'R'),
  );
  t.same(
    found.map((one) => [
      numberOf(one),
      one.referral?.originating?.value,
      one.status,
      one.referral?.participants.map(({ person }) => person?.name?.family),
    ]),
    [
      ['7', 'R1', 'requested', ['First']],
      ['8', 'R2', 'accepted', ['Second']],
      ['8', 'R3', 'rejected', []],
    ],
  );
  t.end();
});

t.test('several in one - entries are of the master file that they stand behind', (t) => {
  const found = events(
    'MFN^M02',
    'MFI|PRA^Practitioner||UPD',
    'MFE|MAD|1||D1^HOSP|CWE',
    'MFI|LOC^Location||UPD',
    'MFE|MDL|2||L2^HOSP|CWE',
  );
  t.same(
    found.map(({ masterFile }) => [masterFile?.identifier?.text, masterFile?.entries]),
    [
      ['Practitioner', ['D1^HOSP']],
      ['Location', ['L2^HOSP']],
    ],
  );
  t.end();
});

t.test('several in one - of a third patient in a link nothing is told of the other two', (t) => {
  const [found, ...others] = events(
    'ADT^A24',
    'EVN||20261120101500',
    ann,
    ben,
    'PV1|1|I|X',
    'PID|1||9^^^HOSP^MR||Dorn^Cy',
    'PV1|1|O|Y',
  );
  t.same(others, []);
  t.equal(found?.merge?.other?.identifiers[0]?.value, '8');
  t.same(found?.merge?.other?.names.length, 1);
  t.match(found?.merge?.otherEncounter, { class: 'I', location: { pointOfCare: 'X' } });
  t.match(found?.provenance?.remarks, [
    'PID: a third patient of one link, left out with what stands behind',
    'PV1: of the third patient, left out',
  ]);
  t.end();
});

t.test('several in one - orders before the first of several patients are nobody’s, and not told', (t) => {
  const orders = (number: string): string[] => [`ORC|NW|${number}`, `OBR|1|${number}||K^Kalium^L`];
  const { events, reject } = read('ORM^O01', ...orders('P1'), ann, ...orders('P2'), ben);
  t.same(events, []);
  t.match(reject, { code: 'not-understood', reason: /^PID: orders stand before the first/ });
  // Of one patient it can be nobody else.
  const one = read('ORM^O01', ...orders('P1'), ann, ...orders('P2')).events;
  t.same(one.map(numberOf), ['7', '7']);
  t.end();
});

t.test('several in one - each EVN is of the patient behind it', (t) => {
  const found = events(
    'ADT^A08',
    'EVN||20261120101500||R1',
    ann,
    'PV1|1|I|W',
    'EVN||20261120111500||R2',
    ben,
    'PV1|1|I|X',
  );
  t.same(
    found.map((one) => [
      numberOf(one),
      one.encounter?.location?.pointOfCare,
      one.movement?.reason,
      one.movement?.recorded?.value.slice(11, 16),
    ]),
    [
      ['7', 'W', 'R1', '10:15'],
      ['8', 'X', 'R2', '11:15'],
    ],
  );
  t.end();
});

t.test(
  'several in one - of two visits behind both patients of a link one is left out, with a remark',
  (t) => {
    const [found] = events('ADT^A24', ann, ben, 'PV1|1|I|X', 'PV1|1|O|Y');
    t.equal(found?.merge?.otherEncounter?.location?.pointOfCare, 'X');
    t.match(found?.provenance?.remarks, ['PV1: a further visit of the second patient, left out']);
    t.end();
  },
);

t.test('several in one - a resource between the patients and their SCH is of the appointment', (t) => {
  const found = events('SIU^S12', ann, ben, 'AIL|1|A|R1', sch('1', '20261201', 'Booked'));
  t.same(appointmentsOf(found)[1], ['8', 'P1', 'booked', '2026-12-01', ['R1']]);
  t.end();
});

t.test('several in one - each bed has its own status', (t) => {
  const found = events('ADT^A20', 'EVN||20261120101500', 'NPU|W^1^1|K', 'NPU|W^1^2|U', 'NPU|W^1^3|O');
  t.same(
    found.map(({ encounter, movement }) => [
      encounter?.location?.bed,
      encounter?.bedStatus?.codings[0]?.code,
      movement?.recorded?.value.slice(0, 10),
    ]),
    [
      ['1', 'K', '2026-11-20'],
      ['2', 'U', '2026-11-20'],
      ['3', 'O', '2026-11-20'],
    ],
  );
  t.end();
});

t.test('several in one - what only adds to another segment and comes twice has a remark', (t) => {
  const further = (type: string, ...segments: string[]) =>
    events(type, ...segments)
      .flatMap(({ provenance }) => provenance?.remarks ?? [])
      .filter((one) => one.endsWith(': a further one, which stands for the one before'))
      .map((one) => one.slice(0, 3));
  t.same(further('ADT^A31', ann, 'PD1||||D1^Doc', 'PD1|||||||||||Y'), ['PD1']);
  t.same(further('ADT^A08', ann, 'PV1|1|I', 'PV2||P', 'PV2||S'), ['PV2']);
  t.same(further('BAR^P12', ann, 'PV1|1|I', 'PV2||P', 'PV1|2|I', 'PV2||S'), []);
  t.same(further('ADT^A08', 'EVN||20261120', 'EVN||20261121', ann), ['EVN']);
  t.same(further('MFN^M02', 'MFI|PRA', 'MFI|LOC', 'MFE|MAD|1||L1|CE'), ['MFI']);
  t.same(further('OMS^O05', ann, 'ORC|NW|1', 'RQD|1|G', 'RQ1|1', 'RQ1|2', 'RQD|2|H', 'RQ1|3'), ['RQ1']);
  t.same(further('VXU^V04', ann, 'ORC|RE||1', 'RXA|0|1|2026||03^MMR^CVX', 'RXR|IM', 'RXR|SC'), ['RXR']);
  t.end();
});
