/** Identity: merges followed, refused and undone, and what contradicts itself [HL7 3.3, CONTRACT: never silently]. */
import t from 'tap';
import type { ClinicalEvent, Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom, seedOfThisRun } from '../../kit/random.ts';
import { type Adt, adt, type Lab, lab } from './adt.ts';
import { epoch, Rows, take } from './site.ts';

const cx = (value: string, authority = 'HOSP') => `${value}^^^${authority}&1.2.${authority.length}&ISO^MR`;
const values = (identifiers: readonly Identifier[] | undefined) =>
  (identifiers ?? []).map(({ value }) => value).sort();

class Hospital {
  readonly rows = new Rows();
  #sequence = 0;

  adt(of: Adt, source = 'adt'): ClinicalEvent {
    return this.#one(adt(of), source);
  }

  lab(of: Lab, source = 'lab'): ClinicalEvent {
    return this.#one(lab(of), source);
  }

  merge(from: string, into: string, trigger = 'A40'): ClinicalEvent {
    return this.adt({ trigger, ids: cx(into), mrg: cx(from) });
  }

  get sequence(): bigint {
    return BigInt(this.#sequence);
  }

  #one(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    return this.again(this.#sequence, raw, source);
  }

  /** A record of which the rows may know already. */
  again(sequence: number, raw: Buffer, source: string): ClinicalEvent {
    const [event, ...more] = take(this.rows, sequence, raw, source);
    if (event === undefined || more.length > 0) throw new Error('not one event');
    return event;
  }
}

t.test(
  'merge - a later event under the retired identifier says what survives, and keeps what it said',
  async (t) => {
    for (const trigger of ['A18', 'A30', 'A34', 'A36', 'A39', 'A40', 'A47']) {
      const site = new Hospital();
      const before = site.lab({ ids: cx('A') });
      t.same(before.identityLinks, [], 'nothing is known before');
      const merge = site.merge('A', 'B', trigger);
      t.same(merge.identityLinks, [], `${trigger}: the merge is about the survivor`);
      const late = site.lab({ ids: cx('A') });
      t.same(values(late.patient?.identifiers), ['A'], 'what was said stays');
      t.match(late.identityLinks, [
        {
          what: 'patient',
          said: [{ value: 'A' }],
          surviving: [{ value: 'B', system: 'urn:oid:1.2.4' }],
          merge: { epoch, sequence: 2n },
          kind: trigger === 'A47' ? 'change-identifier' : 'merge',
          trigger,
          source: 'adt',
          addedAtCentre: false,
          further: [],
        },
      ]);
      t.equal(late.identityLinks.length, 1);
      t.ok(late.provenance?.rules.includes('memory/identity'));
      t.same(site.lab({ ids: cx('B') }).identityLinks, [], 'the survivor is nobody else');
    }
  },
);

t.test('merge - A into B into C is followed to C, whatever the order of the merges', async (t) => {
  for (const backwards of [false, true]) {
    const site = new Hospital();
    const merges: [string, string][] = [
      ['A', 'B'],
      ['B', 'C'],
    ];
    if (backwards) merges.reverse();
    for (const [from, into] of merges) site.merge(from, into);
    const [link] = site.lab({ ids: cx('A') }).identityLinks;
    t.same(values(link?.surviving), ['C']);
    const [first, second] = backwards ? [2n, 1n] : [1n, 2n];
    t.match(link, { merge: { sequence: first }, further: [{ sequence: second }] });
    t.same(values(site.lab({ ids: cx('B') }).identityLinks[0]?.surviving), ['C']);
  }
});

t.test('merge - one that leads back to itself is refused and says by which record', async (t) => {
  const site = new Hospital();
  site.merge('A', 'B');
  site.merge('B', 'C');
  const refused = site.merge('C', 'A');
  t.match(refused.identityConflicts, [
    { field: 'merge-circle', identifier: { value: 'C' }, record: { sequence: 3n }, other: { sequence: 2n } },
  ]);
  t.same(values(refused.merge?.retired), ['C'], 'it is delivered as it is');
  t.same(values(site.lab({ ids: cx('A') }).identityLinks[0]?.surviving), ['C'], 'and not followed');
  t.same(site.lab({ ids: cx('C') }).identityLinks, []);
  t.same(site.merge('D', 'D').identityConflicts, [], 'a merge into itself says nothing');
  t.same(site.lab({ ids: cx('D') }).identityLinks, []);
});

t.test('merge - an identifier that is merged a second time, into somebody else, is flagged', async (t) => {
  const site = new Hospital();
  site.merge('A', 'B');
  const again = site.merge('A', 'C');
  t.match(again.identityConflicts, [
    { field: 'merge-again', identifier: { value: 'A' }, other: { sequence: 1n } },
  ]);
  t.same(values(site.lab({ ids: cx('A') }).identityLinks[0]?.surviving), ['C'], 'the newer one is followed');
  const agreed = new Hospital();
  agreed.merge('A', 'B');
  agreed.merge('B', 'C');
  t.same(agreed.merge('A', 'C').identityConflicts, [], 'C is where A led to anyway');
});

t.test('merge - an identifier that both patients share is not retired', async (t) => {
  const site = new Hospital();
  const shared = cx('E1', 'ENTERPRISE');
  site.adt({ trigger: 'A40', ids: `${cx('B')}~${shared}`, mrg: `${cx('A')}~${shared}` });
  t.same(site.lab({ ids: shared }).identityLinks, []);
  const late = site.lab({ ids: `${cx('A')}~${shared}` });
  t.equal(late.identityLinks.length, 1);
  t.same(values(late.identityLinks[0]?.said), ['A']);
  t.same(values(late.identityLinks[0]?.surviving), ['B', 'E1'], 'the survivor is known by both');
  t.same(values(site.lab({ ids: cx('A') }).identityLinks[0]?.surviving), ['B', 'E1']);
});

t.test('merge - identifiers that one record retired together have one link', async (t) => {
  const site = new Hospital();
  const two = `${cx('A1')}~${cx('A2')}`;
  site.adt({ trigger: 'A40', ids: cx('B'), mrg: two });
  const { identityLinks } = site.lab({ ids: two });
  t.equal(identityLinks.length, 1);
  t.same(values(identityLinks[0]?.said), ['A1', 'A2']);
});

t.test('merge - an identifier without an authority belongs to its source', async (t) => {
  const site = new Hospital();
  site.adt({ trigger: 'A40', ids: 'B', mrg: 'A' }, 'adt');
  t.same(site.lab({ ids: 'A' }, 'lab').identityLinks, [], 'another source’s A is somebody else');
  const [link] = site.lab({ ids: 'A' }, 'adt').identityLinks;
  t.match(link, {
    said: [{ system: 'urn:hilum:adt' }],
    surviving: [{ value: 'B', system: 'urn:hilum:adt' }],
  });
});

t.test('merge - a number that is no patient’s (SSN, account) retires nobody', async (t) => {
  const site = new Hospital();
  site.adt({ trigger: 'A40', ids: '2^^^HOSP^SS', mrg: '1^^^HOSP^SS' }, 'adt');
  t.same(site.lab({ ids: '1^^^HOSP^MR' }, 'adt').identityLinks, []);
  t.same(site.lab({ ids: '1^^^HOSP^SS' }, 'adt').identityLinks, []);
});

t.test('unlink - A24 links without retiring, A37 undoes it, and a merge as well', async (t) => {
  const site = new Hospital();
  site.adt({ trigger: 'A24', ids: cx('A'), other: cx('B') });
  for (const [one, other] of [
    ['A', 'B'],
    ['B', 'A'],
  ] as const) {
    const { identityLinks } = site.lab({ ids: cx(one) });
    t.match(identityLinks, [
      { kind: 'link', surviving: [], linked: [{ value: other }], merge: { sequence: 1n } },
    ]);
  }
  site.adt({ trigger: 'A37', ids: cx('B'), other: cx('A') });
  t.same(site.lab({ ids: cx('A') }).identityLinks, []);
  site.merge('A', 'B');
  t.equal(site.lab({ ids: cx('A') }).identityLinks.length, 1);
  site.adt({ trigger: 'A37', ids: cx('A'), other: cx('B') });
  t.same(site.lab({ ids: cx('A') }).identityLinks, []);
  t.same(site.merge('B', 'A').identityConflicts, [], 'the other way round is no circle any more');
  t.same(values(site.lab({ ids: cx('B') }).identityLinks[0]?.surviving), ['A']);
});

t.test(
  'account and visit - merged ones are followed by their number, the patient is not retired',
  async (t) => {
    const site = new Hospital();
    site.adt({
      trigger: 'A41',
      ids: cx('A'),
      account: 'ACC2^^^HOSP&1.2.4&ISO',
      mrg: cx('A'),
      mrgAccount: 'ACC1^^^HOSP&1.2.4&ISO',
    });
    site.adt({
      trigger: 'A42',
      ids: cx('A'),
      visit: 'V2^^^HOSP&1.2.4&ISO',
      mrg: cx('A'),
      mrgVisit: 'V1^^^HOSP&1.2.4&ISO',
    });
    const late = site.lab({ ids: cx('A'), account: 'ACC1^^^HOSP&1.2.4&ISO', visit: 'V1^^^HOSP&1.2.4&ISO' });
    t.same(
      late.identityLinks.map(({ what, said, surviving, merge }) => [
        what,
        values(said),
        values(surviving),
        merge?.sequence,
      ]),
      [
        ['account', ['ACC1'], ['ACC2'], 1n],
        ['visit', ['V1'], ['V2'], 2n],
      ],
    );
  },
);

t.test('move - a visit, an account, an identifier keeps its number and changes its patient', async (t) => {
  const site = new Hospital();
  const [visit, account] = ['V1^^^HOSP&1.2.4&ISO', 'ACC1^^^HOSP&1.2.4&ISO'];
  site.adt({ trigger: 'A45', ids: cx('B'), visit, mrg: cx('A'), mrgVisit: visit });
  site.adt({ trigger: 'A44', ids: cx('B'), account, mrg: cx('A'), mrgAccount: account });
  const enterprise = (value: string) => cx(value, 'ENTERPRISE');
  site.adt({ trigger: 'A43', ids: `${cx('M')}~${enterprise('E2')}`, mrg: cx('M') });
  const moved = site.lab({ ids: cx('A'), visit, account });
  t.same(
    moved.identityLinks.map(({ what, kind, said, surviving, patient }) => [
      what,
      kind,
      values(said),
      values(surviving),
      values(patient),
    ]),
    [
      ['account', 'move', ['ACC1'], [], ['B']],
      ['visit', 'move', ['V1'], [], ['B']],
    ],
  );
  const [link] = site.lab({ ids: cx('M') }).identityLinks;
  t.match(link, { what: 'patient', kind: 'move', surviving: [] });
  t.same(values(link?.patient), ['E2', 'M']);
});

t.test('merge - a record that comes again gives the same answer and changes nothing', async (t) => {
  const site = new Hospital();
  site.adt({ trigger: 'A01', ids: cx('A'), birthDate: '19800101', class: 'I', location: 'W^1^1' });
  const conflicting = { ids: cx('A'), birthDate: '19810101' };
  const first = site.lab(conflicting);
  site.merge('A', 'B');
  const rows = new Map(site.rows.rows);
  t.same(site.again(3, adt({ trigger: 'A40', ids: cx('B'), mrg: cx('A') }), 'adt').identityConflicts, []);
  t.same(new Map(site.rows.rows), rows);
  t.same(site.again(2, lab(conflicting), 'lab').identityConflicts, first.identityConflicts);
  const changed = { trigger: 'A08', ids: cx('B'), birthDate: '19790101' };
  site.adt({ trigger: 'A08', ids: cx('B'), birthDate: '19800101' });
  const flagged = site.adt(changed);
  t.equal(flagged.identityConflicts.length, 1);
  t.same(site.again(5, adt(changed), 'adt').identityConflicts, flagged.identityConflicts);
});

t.test(
  'conflict - another birth date under the same identifier is flagged with both records, without values',
  async (t) => {
    const site = new Hospital();
    site.lab({ ids: cx('A'), birthDate: '19800101', sex: 'F' });
    t.same(
      site.lab({ ids: cx('A'), birthDate: '1980', sex: 'U' }).identityConflicts,
      [],
      'less precise is not other',
    );
    const event = site.lab({ ids: cx('A'), birthDate: '19900101', sex: 'M' });
    t.match(event.identityConflicts, [
      {
        field: 'birth-date',
        identifier: { value: 'A' },
        record: { epoch, sequence: 3n },
        other: { epoch, sequence: 1n },
      },
      { field: 'sex', record: { sequence: 3n }, other: { sequence: 1n }, otherSource: 'lab' },
    ]);
    t.notOk(
      JSON.stringify(event.identityConflicts, (_, one) =>
        typeof one === 'bigint' ? String(one) : one,
      ).includes('1980'),
    );
    t.equal(event.patient?.birthDate, '1990-01-01', 'what was said stays');
    t.equal(
      site.lab({ ids: cx('A'), birthDate: '19800101' }).identityConflicts.length,
      1,
      'neither is right by itself',
    );
  },
);

t.test(
  'conflict - ADT settles it: the change is flagged once, what contradicts it later each time',
  async (t) => {
    const site = new Hospital();
    site.adt({ trigger: 'A04', ids: cx('A'), birthDate: '19800101' });
    t.equal(site.lab({ ids: cx('A'), birthDate: '19800110' }).identityConflicts.length, 1);
    t.equal(site.adt({ trigger: 'A08', ids: cx('A'), birthDate: '19800110' }).identityConflicts.length, 1);
    t.same(site.adt({ trigger: 'A08', ids: cx('A'), birthDate: '19800110' }).identityConflicts, []);
    t.same(site.lab({ ids: cx('A'), birthDate: '19800110' }).identityConflicts, []);
    const old = site.lab({ ids: cx('A'), birthDate: '19800101' });
    t.match(old.identityConflicts, [{ field: 'birth-date', other: { sequence: 3n }, otherSource: 'adt' }]);
    t.equal(site.lab({ ids: cx('A'), birthDate: '19800101' }).identityConflicts.length, 1);
  },
);

t.test(
  'conflict - two patients with different birth dates that are merged are flagged, and merged',
  async (t) => {
    const site = new Hospital();
    site.adt({ trigger: 'A04', ids: cx('A'), birthDate: '19800101' });
    site.adt({ trigger: 'A04', ids: cx('B'), birthDate: '19500101' });
    const merge = site.merge('A', 'B');
    t.match(merge.identityConflicts, [
      { field: 'birth-date', identifier: { value: 'A' }, other: { sequence: 1n } },
    ]);
    const late = site.lab({ ids: cx('A'), birthDate: '19800101' });
    t.same(values(late.identityLinks[0]?.surviving), ['B']);
    t.match(late.identityConflicts, [
      { field: 'birth-date', identifier: { value: 'A' }, other: { sequence: 2n } },
    ]);
  },
);

t.test(
  'order - the corrected result of a merged patient is of the same order, whichever number it comes under',
  async (t) => {
    for (const [first, second] of [
      ['A', 'B'],
      ['B', 'A'],
    ] as const) {
      const site = new Hospital();
      if (first === 'B') site.merge('A', 'B');
      site.lab({ ids: cx(first), status: 'P', observed: '1000' });
      if (first === 'A') site.merge('A', 'B');
      const final = site.lab({ ids: cx(second), status: 'F', observed: '1100' });
      t.match(final.supersessions, [{ what: 'order', status: 'preliminary' }, { what: 'observations[0]' }]);
      t.same(final.provenance?.remarks, []);
    }
    const others = new Hospital();
    others.lab({ ids: cx('A'), status: 'P' });
    t.same(
      others.lab({ ids: cx('B'), status: 'F' }).supersessions,
      [],
      'without a merge it is another patient',
    );
  },
);

t.test('merge - whatever is merged and parted, a walk ends at somebody who is not retired', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round += 1) {
    const site = new Hospital();
    const people = ['A', 'B', 'C', 'D', 'E', 'F'];
    /** The model: retired → surviving. */
    const into = new Map<string, string>();
    const end = (one: string): string => {
      const next = into.get(one);
      return next === undefined ? one : end(next);
    };
    const passes = (one: string, by: string): boolean => {
      const next = into.get(one);
      return next !== undefined && (next === by || passes(next, by));
    };
    for (let step = 0; step < 12; step += 1) {
      const from = people[below(random, people.length)] as string;
      const to = people[below(random, people.length)] as string;
      if (from === to) continue;
      if (below(random, 4) === 0) {
        site.adt({ trigger: 'A37', ids: cx(from), other: cx(to) });
        if (into.get(from) === to) into.delete(from);
        if (into.get(to) === from) into.delete(to);
      } else {
        const { identityConflicts } = site.merge(from, to);
        const circle = passes(to, from);
        t.equal(
          identityConflicts.some(({ field }) => field === 'merge-circle'),
          circle,
          `round ${round}`,
        );
        if (!circle) into.set(from, to);
      }
      for (const one of people) {
        const [link] = site.lab({ ids: cx(one) }).identityLinks;
        const expected = into.has(one) ? [end(one)] : [];
        if (JSON.stringify(values(link?.surviving)) !== JSON.stringify(expected))
          t.same(values(link?.surviving), expected, `round ${round}, step ${step}: ${one}`);
      }
    }
  }
  t.pass('every walk ended where the model says');
});

t.test(
  'change of class - the account and the visit that end are retired, as the event says [HL7 3.3.6]',
  async (t) => {
    const site = new Hospital();
    const number = (value: string) => `${value}^^^HOSP&1.2.4&ISO`;
    const event = site.adt({
      trigger: 'A06',
      ids: cx('A'),
      account: number('ACC2'),
      visit: number('V2'),
      mrg: cx('Z'),
      mrgAccount: number('ACC1'),
      mrgVisit: number('V1'),
    });
    t.match(event.merge, {
      movedFrom: [{ value: 'Z' }],
      retiredAccounts: [{ value: 'ACC1' }],
      retiredVisits: [{ value: 'V1' }],
    });
    t.equal(event.merge?.retired.length, 0);
    t.ok(event.provenance?.remarks.some((one) => one.startsWith('MRG-1: ')));
    const links = site.lab({ ids: cx('A'), visit: number('V1'), account: number('ACC1') }).identityLinks;
    t.same(
      links.map(({ what, said, surviving }) => [what, values(said), values(surviving)]),
      [
        ['account', ['ACC1'], ['ACC2']],
        ['visit', ['V1'], ['V2']],
      ],
    );
  },
);

t.test(
  'merge - a retired number that is listed with its end is followed, and completes nobody',
  async (t) => {
    const site = new Hospital();
    site.adt({ trigger: 'A28', ids: cx('A'), name: 'DOE^JANE' });
    const merge = site.adt({
      trigger: 'A40',
      ids: `${cx('B')}~${cx('A')}^^^20261123`,
      mrg: cx('A'),
      name: 'DOE^J',
    });
    t.same(merge.identityConflicts, []);
    const late = site.lab({ ids: cx('A') });
    t.match(late.identityLinks, [{ what: 'patient', kind: 'merge', said: [{ value: 'A' }] }]);
    t.same(values(late.identityLinks[0]?.surviving), ['B']);
    const under = site.lab({ ids: cx('B') });
    t.same(under.identityLinks, []);
    t.notOk(
      values(under.context?.patient?.identifiers).includes('A'),
      'the retired number is told of nobody',
    );
  },
);
