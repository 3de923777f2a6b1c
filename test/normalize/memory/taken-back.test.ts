/** What ADT takes back again: a field by "", a merge by A37, a stay by an end whose time is known to the day. */
import t from 'tap';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { type Adt, adt, lab } from './adt.ts';
import { Rows, take } from './site.ts';

const id = (value: string) => `${value}^^^HOSP&1.2.3&ISO^MR`;
const lies: Partial<Adt> = { class: 'I', location: 'ICU^1^4', visit: 'V1^^^HOSP&1.2.3&ISO' };

class Ward {
  readonly rows = new Rows();
  #sequence = 0;

  take(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    const [event] = take(this.rows, this.#sequence, raw, source);
    if (event === undefined) throw new Error('no event');
    return event;
  }

  adt(trigger: string, patient: string, of: Partial<Adt> = {}): ClinicalEvent {
    return this.take(adt({ trigger, ids: id(patient), ...of }), 'adt');
  }

  /** What a result that says nothing itself is completed with: name, birth date, sex, visit, bed. */
  known(patient: string): (string | undefined)[] {
    const { context, identityConflicts } = this.take(lab({ ids: id(patient) }), 'lab');
    const { patient: person, encounter } = context ?? {};
    return [
      person?.names[0]?.family,
      person?.birthDate,
      person?.gender,
      encounter?.identifiers[0]?.value,
      encounter?.location?.bed,
      ...identityConflicts.map(({ field }) => field),
    ];
  }

  device(): (string | undefined)[] {
    const reading = {
      device: 'm1',
      time: '2026-11-23T12:00:00+01:00',
      location: { unit: 'ICU', room: '1', bed: '4' },
    };
    const { deviceAssociation } = this.take(
      Buffer.from(JSON.stringify({ ...reading, heartRate: 72 })),
      'ward',
    );
    return [deviceAssociation?.basis, ...(deviceAssociation?.candidates ?? []).map(({ value }) => value)];
  }
}

t.test('adt - what "" takes back completes nothing any more [HL7 2.5.3]', async (t) => {
  const ward = new Ward();
  const said = { name: 'DOE^JANE', birthDate: '19800101', sex: 'F' };
  ward.adt('A01', 'A', { ...lies, ...said, attending: '77^WHO' });
  t.same(ward.known('A'), ['DOE', '1980-01-01', 'female', 'V1', '4']);
  ward.adt('A08', 'A', { at: '0910', class: 'I', location: '""', visit: lies.visit ?? '' });
  t.same(ward.known('A'), ['DOE', '1980-01-01', 'female', 'V1', undefined], 'the bed');
  t.same(ward.device(), ['unassigned'], 'nobody lies in it');
  ward.adt('A08', 'A', { at: '0920', name: '""', birthDate: '""', sex: '""' });
  t.same(ward.known('A').slice(0, 3), [undefined, undefined, undefined], 'what the person is');
  const again = ward.adt('A08', 'A', { at: '0930', ...said, birthDate: '19810101', sex: 'M' });
  t.same(again.identityConflicts, [], 'what was taken back contradicts nothing');
});

t.test('adt - of two patients in one message each takes back what is its own', async (t) => {
  const ward = new Ward();
  ward.adt('A01', 'A', { ...lies, sex: 'F' });
  ward.adt('A01', 'B', { ...lies, location: 'ICU^1^5', visit: 'V2^^^HOSP&1.2.3&ISO', sex: 'F' });
  const pid = (patient: string, sex: string) => `PID|1||${id(patient)}|||||${sex}`;
  ward.take(
    er7(
      'MSH|^~\\&|ADT|HOSP|||202611230930+0100||ADT^A17|S|P|2.5.1',
      'EVN|A17|202611230930+0100',
      pid('A', ''),
      `PV1|1|I|ICU^1^5||||||||||||||||${lies.visit}`,
      pid('B', '""'),
      'PV1|1|I|ICU^1^4||||||||||||||||V2^^^HOSP&1.2.3&ISO',
    ),
    'adt',
  );
  t.equal(ward.known('A')[2], 'female');
  t.notOk(ward.known('B')[2]);
});

t.test('adt - two that are parted again do not both lie where one of them lies', async (t) => {
  const merged = () => {
    const ward = new Ward();
    ward.adt('A28', 'B', { at: '0800', name: 'BETA^B' });
    ward.adt('A01', 'A', { at: '0810', ...lies, name: 'ALPHA^A' });
    ward.adt('A40', 'B', { at: '0900', mrg: id('A') });
    t.equal(ward.known('B')[4], '4', 'while they are one');
    return ward;
  };
  const parted = merged();
  parted.adt('A37', 'B', { at: '1000', other: id('A') });
  t.same(parted.known('A').slice(3), ['V1', '4']);
  t.same(parted.known('B').slice(3), [undefined, undefined]);
  t.same(parted.device(), ['derived-location', 'A']);
  const moved = merged();
  moved.adt('A02', 'B', { at: '0930', ...lies, location: 'ICU^1^9' });
  moved.adt('A37', 'A', { at: '1000', other: id('B') });
  t.same(moved.known('A').slice(3), [undefined, undefined], 'the bed before is not the bed now');
  t.same(moved.known('B').slice(3), [undefined, undefined], 'nobody knows whose it is');
  const left = merged();
  left.adt('A03', 'B', { at: '0930', ...lies });
  left.adt('A37', 'B', { at: '1000', other: id('A') });
  t.same(left.known('A').slice(3), [undefined, undefined], 'the one who lay there has left');
  left.adt('A08', 'A', { at: '1010', ...lies, location: 'ICU^1^7' });
  t.same(left.known('A').slice(3), ['V1', '7'], 'ADT says more');
});

t.test('adt - a patient whose number changes lies where they lay', async (t) => {
  const ward = new Ward();
  ward.adt('A01', 'A', { at: '0810', ...lies });
  ward.adt('A47', 'B', { at: '0900', mrg: id('A') });
  t.same(ward.known('B').slice(3), ['V1', '4']);
});

t.test('adt - an end that was entered "today" is not older than the admission of this morning', async (t) => {
  const ward = new Ward();
  ward.adt('A01', 'A', { at: '0810', ...lies });
  ward.take(
    er7(
      'MSH|^~\\&|ADT|HOSP|||202611231200+0100||ADT^A03|E|P|2.5.1',
      'EVN|A03|20261123',
      `PID|1||${id('A')}`,
      `PV1|1|I|ICU^1^4||||||||||||||||${lies.visit}`,
    ),
    'adt',
  );
  t.same(ward.known('A').slice(3), [undefined, undefined]);
  t.same(ward.device(), ['unassigned']);
});

t.test('adt - one that comes late changes nothing of what others are compared with', async (t) => {
  for (const [name, late] of [
    ['taken back', { birthDate: '""', sex: '""' }],
    ['said otherwise', { birthDate: '19800202', sex: 'M' }],
  ] as const) {
    const ward = new Ward();
    const conflictsOf = (of: { birthDate: string; sex: string }) =>
      ward.take(lab({ ids: id('A'), ...of }), 'lab').identityConflicts.map(({ field }) => field);
    ward.adt('A01', 'A', { at: '1000', ...lies, birthDate: '19700101', sex: 'F' });
    ward.adt('A08', 'A', { at: '0900', ...late });
    t.same(conflictsOf({ birthDate: '19800202', sex: 'M' }), ['birth-date', 'sex'], name);
    t.same(conflictsOf({ birthDate: '19700101', sex: 'F' }), [], name);
    ward.adt('A08', 'A', { at: '1100', birthDate: '""', sex: '""' });
    t.same(conflictsOf({ birthDate: '19800202', sex: 'M' }), [], `${name}, and taken back later`);
  }
});
