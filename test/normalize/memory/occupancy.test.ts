/** Device ↔ patient by the bed: a candidate with its age, never identity, and nobody where two could be meant. */
import t from 'tap';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { type Adt, adt } from './adt.ts';
import { about, Rows, take, usualLimits } from './site.ts';

const id = (value: string) => `${value}^^^HOSP&1.2.3&ISO^MR`;

class Icu {
  readonly rows = new Rows();
  later = 0;
  #sequence = 0;

  adt(trigger: string, patient: string, of: Partial<Adt> = {}): void {
    this.#take(adt({ trigger, ids: id(patient), class: 'I', ...of }), 'adt');
  }

  device(at = '1000', bed = '4', more: object = {}): ClinicalEvent {
    const time = `2026-11-23T${at.slice(0, 2)}:${at.slice(2)}:00+01:00`;
    const location = { unit: 'ICU', room: '1', bed };
    return this.#take(
      Buffer.from(JSON.stringify({ device: 'm1', time, location, heartRate: 72, ...more })),
      'ward',
    );
  }

  #take(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    const one = about(this.#sequence, source);
    const capturedAtUs = one.capturedAtUs + BigInt(this.later) * 1_000_000n;
    const [event] = take(this.rows, this.#sequence, raw, source, { ...one, capturedAtUs });
    if (event === undefined) throw new Error('no event');
    return event;
  }
}

const basis = ({ deviceAssociation }: ClinicalEvent) => [
  deviceAssociation?.basis,
  ...(deviceAssociation?.candidates ?? []).map(({ value }) => value),
];

t.test('occupancy - who lies in the bed is a candidate with an age, and not the patient', async (t) => {
  const icu = new Icu();
  t.same(basis(icu.device()), ['unassigned']);
  icu.adt('A01', 'A', { location: 'ICU^1^4', admitted: '0800' });
  icu.later = 60;
  const event = icu.device();
  t.match(event.deviceAssociation, {
    basis: 'derived-location',
    ageS: 61n,
    candidates: [{ value: 'A', system: 'urn:oid:1.2.3' }],
    since: { value: '2026-11-23T08:00:00+01:00' },
    location: { bed: '4' },
  });
  t.equal(event.patient, undefined);
  t.equal(event.context, undefined, 'nothing is known of a patient whom nobody named');
  t.ok(event.provenance?.rules.includes('memory/occupancy'));
  t.same(basis(icu.device('1000', '5')), ['unassigned'], 'another bed');
  t.same(basis(icu.device('0730')), ['unassigned'], 'measured before the stay');
  icu.later = usualLimits.encounterS + 60;
  t.same(basis(icu.device()), ['unassigned'], 'too long ago');
});

t.test('occupancy - it follows the movements', async (t) => {
  const icu = new Icu();
  icu.adt('A01', 'A', { location: 'ICU^1^4' });
  icu.adt('A02', 'A', { location: 'ICU^1^5', at: '0910' });
  t.same(basis(icu.device('1000', '4')), ['unassigned']);
  t.same(basis(icu.device('1000', '5')), ['derived-location', 'A']);
  icu.adt('A03', 'A', { location: 'ICU^1^5', at: '0920' });
  t.same(basis(icu.device('1000', '5')), ['unassigned']);
  icu.adt('A04', 'B', { location: 'ICU^1^4', class: 'O', at: '0930' });
  t.same(basis(icu.device('1000', '4')), ['unassigned'], 'an outpatient lies nowhere');
});

t.test('occupancy - two in one bed are nobody until the first has left', async (t) => {
  const icu = new Icu();
  icu.adt('A01', 'A', { location: 'ICU^1^4' });
  icu.adt('A01', 'B', { location: 'ICU^1^4', at: '0905' });
  const event = icu.device();
  t.same(basis(event), ['unassigned']);
  t.same(event.provenance?.remarks, ['device: more than one patient is said to lie in its bed']);
  icu.adt('A02', 'A', { location: 'WARD^2^1', at: '0910', prior: 'ICU^1^4' });
  t.same(basis(icu.device()), ['derived-location', 'B']);
});

t.test('occupancy - an overdue movement leaves nobody, until it happens or is cancelled', async (t) => {
  const icu = new Icu();
  icu.adt('A01', 'A', { location: 'ICU^1^4' });
  icu.adt('A16', 'A', { location: 'ICU^1^4', at: '0910', planned: '0930' });
  t.same(basis(icu.device('0925')), ['derived-location', 'A']);
  t.same(basis(icu.device('0931')), ['unassigned']);
  icu.adt('A25', 'A', { location: 'ICU^1^4', at: '0935' });
  t.same(basis(icu.device('0940')), ['derived-location', 'A']);
});

t.test(
  'occupancy - a merged patient is told as whom they were merged into, and leaves under that number',
  async (t) => {
    const icu = new Icu();
    icu.adt('A01', 'A', { location: 'ICU^1^4' });
    icu.adt('A40', 'B', { mrg: id('A'), at: '0905' });
    t.same(basis(icu.device()), ['derived-location', 'B']);
    icu.adt('A02', 'B', { location: 'ICU^1^5', at: '0910' });
    t.same(basis(icu.device('1000', '4')), ['unassigned']);
    t.same(basis(icu.device('1000', '5')), ['derived-location', 'B']);
  },
);

t.test('occupancy - a patient whom the message names is left alone', async (t) => {
  const icu = new Icu();
  icu.adt('A01', 'A', { location: 'ICU^1^4' });
  t.same(basis(icu.device('1000', '4', { patient: 'P9' })), ['explicit-message']);
});

t.test(
  'occupancy - what is entered or corrected of an earlier movement moves nobody [IHE ITI-31]',
  async (t) => {
    for (const [trigger, change] of [
      ['Z99', 'UPDATE'],
      ['A02', 'INSERT'],
      ['A12', 'CANCEL'],
      ['A03', 'INSERT'],
    ] as const) {
      const icu = new Icu();
      icu.adt('A01', 'A', { location: 'ICU^1^4' });
      icu.adt('A02', 'A', { location: 'ICU^1^5', at: '0910' });
      icu.adt(trigger, 'A', { location: 'ICU^1^4', at: '0920', begun: '0900', change, historic: 'Y' });
      t.same(basis(icu.device('1000', '5')), ['derived-location', 'A'], `${trigger} ${change}`);
      t.same(basis(icu.device('1000', '4')), ['unassigned'], `${trigger} ${change}`);
    }
  },
);

t.test(
  'occupancy - who was transferred lies there since the transfer, not since the admission',
  async (t) => {
    for (const [said, at, since] of [
      [{}, '0905', '09:05'],
      [{ begun: '0900' }, '0905', '09:00'],
      [{ begun: '0900', occurred: '0855' }, '0905', '08:55'],
    ] as const) {
      const icu = new Icu();
      icu.adt('A01', 'B', { location: 'ICU^1^5', at: '0700' });
      icu.adt('A03', 'B', { location: 'ICU^1^5', at: '0830' });
      icu.adt('A01', 'A', { location: 'ICU^1^4', admitted: '0600', at: '0800' });
      icu.adt('A02', 'A', { location: 'ICU^1^5', admitted: '0600', at, ...said });
      t.same(basis(icu.device('0810', '5')), ['unassigned'], 'B lay there');
      const event = icu.device('0930', '5');
      t.same(basis(event), ['derived-location', 'A']);
      t.equal(event.deviceAssociation?.since?.value, `2026-11-23T${since}:00+01:00`);
      icu.adt('A08', 'A', { location: 'ICU^1^5', admitted: '0600', at: '0940' });
      t.equal(icu.device('0950', '5').deviceAssociation?.since?.value, `2026-11-23T${since}:00+01:00`);
    }
    const icu = new Icu();
    icu.adt('A01', 'A', { location: 'ED^1^1', class: 'E', admitted: '0600', at: '0800' });
    icu.adt('A06', 'A', { location: 'ICU^1^4', admitted: '0600', at: '0905' });
    t.match(icu.device('0930').deviceAssociation?.since, { value: '2026-11-23T09:05:00+01:00' });
  },
);

t.test(
  'occupancy - the bed of a visit that is moved to another patient is that patient’s [HL7 3.3.45]',
  async (t) => {
    const icu = new Icu();
    const visit = 'V1^^^HOSP&1.2.4&ISO';
    icu.adt('A01', 'A', { location: 'ICU^1^4', visit });
    icu.adt('A45', 'B', { mrg: id('A'), mrgVisit: 'V9^^^HOSP&1.2.4&ISO', visit, at: '0905' });
    t.same(basis(icu.device()), ['derived-location', 'A'], 'another visit');
    icu.adt('A45', 'B', { mrg: id('A'), mrgVisit: visit, visit, at: '0910' });
    t.same(basis(icu.device()), ['derived-location', 'B']);
    icu.adt('A03', 'B', { location: 'ICU^1^4', visit, at: '0920' });
    t.same(basis(icu.device()), ['unassigned']);
  },
);

t.test('occupancy - nobody lies in the bed of who is on leave [HL7 3.3.21]', async (t) => {
  const icu = new Icu();
  icu.adt('A01', 'A', { location: 'ICU^1^4' });
  icu.adt('A21', 'A', { location: 'ICU^1^4', at: '0910' });
  icu.adt('A54', 'A', { location: 'ICU^1^4', at: '0911' });
  const event = icu.device('0930');
  t.same(basis(event), ['unassigned']);
  t.same(event.provenance?.remarks, ['device: the patient of its bed is on leave']);
  icu.adt('A22', 'A', { location: 'ICU^1^4', at: '0940' });
  t.same(basis(icu.device('0950')), ['derived-location', 'A']);
});
