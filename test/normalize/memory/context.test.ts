/** What the site's own ADT said completes events that do not say it, in a block of its own, with its age. */
import t from 'tap';
import { censusNeed, markCensus } from '../../../gateway/normalize/memory/census.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { type Adt, adt, type Lab, lab } from './adt.ts';
import { about, epoch, Rows, take, usualLimits } from './site.ts';

const id = '4711^^^HOSP&1.2.3&ISO^MR';
const day = 86_400;

class Ward {
  readonly rows = new Rows();
  limits: typeof usualLimits | undefined = usualLimits;
  /** Added to the second at which the next record is captured. */
  later = 0;
  censusEnd = false;
  #sequence = 0;

  adt(of: Partial<Adt> & { trigger: string }): ClinicalEvent {
    return this.take(adt({ ids: id, ...of }), 'adt');
  }

  lab(of: Partial<Lab> = {}): ClinicalEvent {
    return this.take(lab({ ids: id, ...of }), 'lab');
  }

  take(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    const one = about(this.#sequence, source, this.limits);
    const later = {
      ...one,
      enrichment: this.limits,
      censusEnd: this.censusEnd,
      capturedAtUs: one.capturedAtUs + BigInt(this.later) * 1_000_000n,
    };
    const [event] = take(this.rows, this.#sequence, raw, source, later);
    if (event === undefined) throw new Error('no event');
    return event;
  }
}

const admitted: Partial<Adt> & { trigger: string } = {
  trigger: 'A01',
  ids: `${id}~E9^^^HEALTH&1.2.9&ISO^PI`,
  name: 'DOE^JANE',
  birthDate: '19800101',
  sex: 'F',
  class: 'I',
  location: 'ICU^1^4^HOSP',
  attending: '77^WHO^DOCTOR',
  visit: 'V1^^^HOSP&1.2.3&ISO',
  admitted: '0800',
};

t.test(
  'context - a bare result gets patient and stay from ADT, marked, and nothing is mixed in',
  async (t) => {
    const ward = new Ward();
    const admission = ward.adt(admitted);
    t.equal(admission.context, undefined, 'ADT is what others are completed from');
    ward.later = 100;
    const event = ward.lab();
    t.match(event.context, {
      patient: {
        identifiers: [{ value: 'E9' }],
        names: [{ family: 'DOE', given: ['JANE'] }],
        birthDate: '1980-01-01',
        gender: 'female',
        administrativeSex: 'F',
      },
      encounter: {
        identifiers: [{ value: 'V1' }],
        class: 'I',
        location: { pointOfCare: 'ICU', room: '1', bed: '4' },
        participants: [{ role: 'attending', person: { name: { family: 'WHO' } } }],
      },
      incomplete: false,
    });
    t.equal(
      event.context?.patient?.identifiers.length,
      1,
      'the number that the message says is not repeated',
    );
    t.same(
      event.enriched.map(({ path }) => path),
      [
        'context.patient.identifiers',
        'context.patient.names',
        'context.patient.birthDate',
        'context.patient.gender',
        'context.encounter.identifiers',
        'context.encounter.class',
        'context.encounter.location',
        'context.encounter.participants',
      ],
    );
    for (const { source, ageS, record } of event.enriched)
      t.match({ source, ageS, record }, { source: 'adt', ageS: 101n, record: { epoch, sequence: 1n } });
    t.same([event.patient?.names, event.patient?.birthDate, event.encounter], [[], '', undefined]);
    t.ok(event.provenance?.rules.includes('memory/context'));
  },
);

t.test('context - what the message says itself is not added', async (t) => {
  const ward = new Ward();
  ward.adt({ ...admitted, ids: id });
  const own = ward.lab({ name: 'ROE^JANE', birthDate: '19800101', sex: 'F', visit: 'V1^^^HOSP&1.2.3&ISO' });
  t.equal(own.context?.patient, undefined);
  t.same(own.context?.encounter?.identifiers, []);
  t.equal(own.context?.encounter?.location?.bed, '4');
});

t.test('context - past its age it is left out, each kind by its own limit', async (t) => {
  const ward = new Ward();
  ward.adt(admitted);
  ward.later = 7 * day;
  t.equal(ward.lab().context?.encounter, undefined, 'a second too old');
  t.ok(ward.lab().context?.patient);
  ward.later = 91 * day;
  t.equal(ward.lab().context, undefined);
  ward.later = 7 * day - 10;
  t.ok(ward.lab().context?.encounter);
});

t.test('context - switched off, nothing is added and nothing is incomplete', async (t) => {
  const ward = new Ward();
  ward.limits = undefined;
  ward.adt(admitted);
  const event = ward.lab();
  t.same([event.context, event.enriched], [undefined, []]);
  t.equal(ward.lab({ ids: 'X' }).context, undefined);
});

t.test(
  'context - incomplete until ADT spoke of the patient and a stay, or a census was loaded',
  async (t) => {
    const ward = new Ward();
    const incomplete = { patient: undefined, encounter: undefined, incomplete: true };
    t.same(ward.lab().context, incomplete);
    ward.limits = { ...usualLimits, census: true };
    t.equal(ward.lab().context, undefined);
    ward.limits = usualLimits;
    ward.adt({ trigger: 'A28', ids: id });
    t.same(ward.lab().context, incomplete, 'a person may be known long before anybody told where they lie');
    ward.adt({ trigger: 'A31', ids: id, name: 'DOE^JANE' });
    t.match(ward.lab().context, { patient: { names: [{ family: 'DOE' }] }, incomplete: true });
    ward.adt({ trigger: 'A03', ids: id });
    t.match(ward.lab().context, { encounter: undefined, incomplete: false }, 'gone, and that is known');
  },
);

t.test(
  'context - with the last message of a census everybody is known, until people are forgotten',
  async (t) => {
    const ward = new Ward();
    ward.censusEnd = true;
    ward.adt(admitted);
    ward.censusEnd = false;
    t.equal(ward.lab({ ids: 'X' }).context, undefined);
    ward.adt({ trigger: 'A28', ids: id });
    t.equal(ward.lab({ ids: 'X' }).context, undefined);
    ward.rows.name([censusNeed]);
    markCensus(ward.rows, undefined);
    t.match(ward.lab({ ids: 'X' }).context, { incomplete: true });
  },
);

t.test('context - nobody is completed with an identifier that was retired', async (t) => {
  const ward = new Ward();
  const enterprise = 'E9^^^HEALTH&1.2.9&ISO^PI';
  ward.adt(admitted);
  const identifiers = () =>
    ward.lab({ ids: enterprise }).context?.patient?.identifiers.map(({ value }) => value);
  t.same(identifiers(), ['4711']);
  ward.adt({ trigger: 'A40', ids: '9000^^^HOSP&1.2.3&ISO^MR', mrg: id });
  t.notOk(identifiers()?.includes('4711'), 'the merge does not name the enterprise number');
  ward.adt({ trigger: 'A08', ids: `9000^^^HOSP&1.2.3&ISO^MR~${enterprise}`, at: '0930' });
  t.same(identifiers(), ['9000']);
});

t.test('context - the stay follows the movements', async (t) => {
  const place = (ward: Ward) => ward.lab().context?.encounter?.location?.pointOfCare;
  const ward = new Ward();
  ward.adt(admitted);
  ward.adt({ trigger: 'A02', at: '0910', class: 'I', location: 'WARD^2^1', visit: 'V1^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), 'WARD');
  t.equal(ward.lab().context?.encounter?.participants.length, 1, 'who attends was not said again');
  ward.adt({ ...admitted, trigger: 'A02', at: '0905' });
  t.equal(place(ward), 'WARD', 'an older movement that came late changes nothing');
  ward.adt({ trigger: 'A12', at: '0920', class: 'I', location: 'ICU^1^4' });
  t.equal(place(ward), 'ICU');
  ward.adt({ trigger: 'A03', at: '0930', class: 'O', location: 'DAY^1', visit: 'V9^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), 'ICU', 'the end of another visit');
  ward.adt({ trigger: 'A04', at: '0935', class: 'O', location: 'DAY^1', visit: 'V9^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), 'ICU', 'an outpatient visit of somebody who lies here');
  ward.adt({ trigger: 'A03', at: '0940', class: 'I', location: 'ICU^1^4', visit: 'V1^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), undefined, 'discharged');
  ward.adt({ trigger: 'A08', at: '0941', class: 'I', location: 'ICU^1^4', visit: 'V1^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), undefined, 'an update does not begin it again');
  ward.adt({ trigger: 'A13', at: '0950', class: 'I', location: 'ICU^1^4', visit: 'V1^^^HOSP&1.2.3&ISO' });
  t.equal(place(ward), 'ICU', 'the discharge was cancelled');
  ward.adt({ trigger: 'A11', at: '0955', class: 'I' });
  t.equal(place(ward), undefined, 'the admission was cancelled');
});

t.test('context - a result of another visit, or from before the stay, gets no stay', async (t) => {
  const ward = new Ward();
  ward.adt(admitted);
  t.equal(ward.lab({ visit: 'V0^^^HOSP&1.2.3&ISO' }).context?.encounter, undefined);
  t.equal(ward.lab({ observed: '0700' }).context?.encounter, undefined);
  t.ok(ward.lab({ observed: '0801' }).context?.encounter);
});

t.test('context - where the identity is in conflict nothing is added', async (t) => {
  const ward = new Ward();
  ward.adt(admitted);
  const event = ward.lab({ birthDate: '19990909' });
  t.equal(event.identityConflicts.length, 1);
  t.equal(event.context, undefined);
  const other = '4712^^^HOSP&1.2.3&ISO^MR';
  ward.adt({ ...admitted, ids: other, birthDate: '19500505' });
  t.equal(ward.lab({ ids: `${id}~${other}` }).context, undefined, 'two numbers of two people');
});

t.test(
  'context - the stay of who came in unknown goes to the known patient, whose last one has ended',
  async (t) => {
    const ward = new Ward();
    const known = '9000^^^HOSP&1.2.3&ISO^MR';
    ward.adt({ ...admitted, ids: known, visit: 'V0^^^HOSP&1.2.3&ISO', at: '0700' });
    ward.adt({ trigger: 'A03', ids: known, visit: 'V0^^^HOSP&1.2.3&ISO', at: '0730' });
    ward.adt({ ...admitted, ids: id, at: '0800' });
    ward.adt({ trigger: 'A40', ids: known, mrg: id, at: '0815' });
    t.equal(ward.lab({ ids: known }).context?.encounter?.location?.bed, '4');
    ward.adt({ trigger: 'A03', ids: known, visit: 'V1^^^HOSP&1.2.3&ISO', at: '0900' });
    const later = '9001^^^HOSP&1.2.3&ISO^MR';
    ward.adt({ ...admitted, ids: later, birthDate: '', sex: '', at: '0845' });
    ward.adt({ trigger: 'A40', ids: known, mrg: later, at: '0915' });
    t.equal(ward.lab({ ids: known }).context?.encounter, undefined, 'what ended since stays ended');
  },
);

t.test(
  'context - under a retired identifier it is that of the surviving patient, who keeps the stay',
  async (t) => {
    const ward = new Ward();
    const survivor = '9000^^^HOSP&1.2.3&ISO^MR';
    ward.adt(admitted);
    ward.adt({
      trigger: 'A40',
      ids: survivor,
      name: 'DOE^JANE^Q',
      birthDate: '19800101',
      mrg: id,
      at: '0915',
    });
    for (const ids of [id, survivor]) {
      const { context } = ward.lab({ ids });
      t.same(context?.patient?.names[0]?.given, ['JANE', 'Q']);
      t.equal(context?.encounter?.location?.bed, '4');
    }
  },
);

t.test(
  'context - an earlier movement that is told late is not where the patient is [IHE ITI-31]',
  async (t) => {
    const ward = new Ward();
    ward.adt(admitted);
    ward.adt({ ...admitted, trigger: 'A02', location: 'W2^2^2^HOSP', at: '0910' });
    const late = { location: 'ICU^1^4^HOSP', at: '0920', begun: '0800', original: 'A01' };
    ward.adt({ ...admitted, trigger: 'Z99', ...late, change: 'UPDATE', historic: 'Y' });
    t.match(ward.lab().context?.encounter?.location, { pointOfCare: 'W2' });
    ward.adt({ ...admitted, trigger: 'Z99', ...late, at: '0930', change: 'UPDATE', historic: 'N' });
    t.match(
      ward.lab().context?.encounter?.location,
      { pointOfCare: 'ICU' },
      'the current one that is corrected',
    );
  },
);

t.test(
  'context - a visit that is moved is the stay of the patient whom it is moved to [HL7 3.3.45]',
  async (t) => {
    const ward = new Ward();
    ward.adt(admitted);
    const other = '4712^^^HOSP&1.2.3&ISO^MR';
    const visit = admitted.visit as string;
    ward.adt({ trigger: 'A45', ids: other, mrg: id, mrgVisit: visit, at: '0910' });
    t.match(ward.lab({ ids: other }).context?.encounter, { identifiers: [{ value: 'V1' }], class: 'I' });
    t.equal(ward.lab({ ids: id }).context?.encounter, undefined);
  },
);

t.test('context - who lies in a bed does not move for an outpatient visit [HL7 table 0004]', async (t) => {
  for (const lies of ['I', 'B', 'E']) {
    const ward = new Ward();
    ward.adt({ ...admitted, class: lies });
    const clinic = { location: 'CLINIC', visit: 'V2^^^HOSP&1.2.3&ISO' };
    ward.adt({ ...admitted, ...clinic, trigger: 'A04', class: 'O', at: '0910' });
    t.match(ward.lab().context?.encounter, { class: lies, location: { pointOfCare: 'ICU' } });
  }
  const ward = new Ward();
  ward.adt({ ...admitted, class: 'E' });
  ward.adt({ ...admitted, trigger: 'A04', class: 'E', location: 'ED2', visit: 'V3^^^HOSP', at: '0910' });
  t.match(
    ward.lab().context?.encounter?.location,
    { pointOfCare: 'ED2' },
    'who comes again to the emergency',
  );
});
