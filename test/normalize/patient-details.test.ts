/** What is said of a patient, a visit, a contact or a procedure beside who and where they are. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { events, only, remarksOf, resources } from './told.ts';

t.test('patient - an advance directive is told of the patient and of the visit [PD1-15, PV2-45]', (t) => {
  const said = [
    `PD1|${'|'.repeat(14)}DNR^Do not resuscitate^HL70435~LW^Living will`,
    'PV1|1|I',
    `PV2|${'|'.repeat(44)}DNR^Do not resuscitate^HL70435`,
  ];
  const [event] = events('ADT^A01', ...said);
  t.match(event?.patient?.advanceDirectives, [{ codings: [{ code: 'DNR' }] }, { codings: [{ code: 'LW' }] }]);
  t.match(event?.encounter?.advanceDirectives, [{ codings: [{ code: 'DNR' }] }]);
  const all = resources('ADT^A01', ...said);
  const url = 'urn:hilum:extension:advance-directive';
  const dnr = { url, valueCodeableConcept: { text: 'Do not resuscitate' } };
  t.match(only('Patient', all)[0]?.extension, [dnr, { url, valueCodeableConcept: { text: 'Living will' } }]);
  t.match(only('Encounter', all)[0]?.extension, [dnr]);
  t.end();
});

t.test(
  'access - restrictions are told of the message, the patient and the visit [ARV, PD1-11, PV2-22]',
  (t) => {
    const head = 'MSH|^~\\&|ADT|HOSP|X|HOSP|20261120101500||ADT^A01|1|P|2.8';
    const arv = (what: string) =>
      `ARV|1|A|R^${what}^HL70717|VIP^VIP^HL70719~EMP|no relatives~no press|20261101&20261201`;
    const raw = er7(
      head,
      arv('message'),
      'EVN||20261120',
      'PID|1||7^^^HOSP^MR',
      `PD1|${'|'.repeat(10)}N|Y`,
      arv('patient'),
      'PV1|1|I',
      `PV2|${'|'.repeat(21)}Y`,
      arv('visit'),
    );
    const [event, ...others] = normalizeHl7v2(raw, testContext()).events;
    t.same(others, []);
    t.match(
      event?.accessRestrictions,
      ['message', 'patient', 'visit'].map((what) => ({
        what,
        action: { codings: [{ code: 'A' }] },
        value: { text: what },
        reasons: [{ text: 'VIP' }, { codings: [{ code: 'EMP' }] }],
        instructions: ['no relatives', 'no press'],
      })),
    );
    t.same(event?.patient?.flags, ['PD1-11=N', 'PD1-12=Y']);
    t.same(event?.encounter?.flags, ['PV2-22=Y']);
    const security = (labels: readonly string[]) => ({
      meta: { security: labels.map((display) => ({ display })) },
    });
    const all = toBundle(event as ClinicalEvent).entry.map(({ resource }) => resource);
    t.match(only('Patient', all), [security(['message', 'patient', 'restricted'])]);
    t.match(only('Encounter', all), [security(['message', 'visit', 'restricted'])]);
    t.match(only('Provenance', all), [security(['message'])]);
    const freed = resources('ADT^A08', 'ARV|2|D|HIV', 'PV1|1|I').map(({ meta }) =>
      Object.keys(meta as object),
    );
    t.same(freed, [['source'], ['source'], ['source']]);
    const order = `ORC|NW|1||||||||||||||||||||||||||R^Restricted^HL70177`;
    t.match(only('ServiceRequest', resources('ORM^O01', order, 'OBR|1|1||A')), [security(['Restricted'])]);
    t.match(only('MedicationRequest', resources('RDE^O11', order, 'RXE||A^B^L|5||mg')), [
      security(['Restricted']),
    ]);
    const orders = events(
      'ORM^O01',
      'ARV|1|A|R',
      'PV1|1|I',
      'ORC|NW|1',
      'OBR|1|1||A',
      'ORC|NW|2',
      'OBR|2|2||B',
    );
    t.same(
      orders.map(({ accessRestrictions }) => accessRestrictions.map(({ what }) => what)),
      [['patient'], ['patient']],
    );
    t.end();
  },
);

t.test('contacts - who has ended, and a number that has, say so; what a number is for is kept', (t) => {
  const said = ['NK1|1|DOE^OLD|SPO||7160000^EMR^PH|||20100101|20200101', `PV1|1|I`];
  const [event] = events('ADT^A31', ...said);
  t.match(event?.relatedPersons[0], {
    period: { start: { value: '2010-01-01' }, end: { value: '2020-01-01' } },
    telecoms: [{ value: '7160000', use: '', sentUse: 'EMR' }],
  });
  t.match(only('RelatedPerson', resources('ADT^A31', ...said))[0], {
    period: { start: '2010-01-01', end: '2020-01-01' },
    telecom: [{ value: '7160000' }],
  });
  const number = '7161^PRN^PH^^^^^^^^^^20200101^20210101^^^^2~7162^PRN^CP^^^^^^^^^^20220101^^^^^1~7163^BPN';
  const raw = er7(
    'MSH|^~\\&|ADT|HOSP|X|HOSP|20261120101500||ADT^A31|1|P|2.7',
    `PID|1||7^^^HOSP^MR||||||||||${number}`,
  );
  t.match(normalizeHl7v2(raw, testContext()).events[0]?.patient?.telecoms, [
    { value: '7161', use: 'home', sentUse: 'PRN', start: '2020-01-01', end: '2021-01-01', preference: '2' },
    { value: '7162', use: 'mobile', start: '2022-01-01', end: '', preference: '1' },
    { value: '7163', use: '', sentUse: 'BPN', system: 'pager' },
  ]);
  const kin = `NK1|1|DOE^J|SPO||${number}`;
  const [person] = only('RelatedPerson', resources('ADT^A31', kin));
  t.match(person?.telecom, [
    { use: 'home', rank: 2, period: { start: '2020-01-01', end: '2021-01-01' } },
    { use: 'mobile', rank: 1, period: { start: '2022-01-01' } },
    { system: 'pager' },
  ]);
  const numbers = (person?.telecom ?? []) as object[];
  t.notOk('use' in (numbers[2] ?? {}), 'a pager is not at home');
  t.end();
});

t.test('procedure - its side, its modifiers and what it was done for [PR1-15, PR1-16]', (t) => {
  const said = `PR1|1||0SR^Hip replacement^I10P||20261120||||||||||M16.1^Coxarthrosis^I10|LT^Left side~50`;
  const [event] = events('ADT^A08', said);
  t.match(event?.procedures, [
    {
      modifiers: [{ text: 'Left side' }, { codings: [{ code: '50' }] }],
      diagnosis: { codings: [{ code: 'M16.1' }] },
    },
  ]);
  t.match(only('Procedure', resources('ADT^A08', said)), [
    { code: { text: 'Hip replacement, Left side, 50' }, reasonCode: [{ text: 'Coxarthrosis' }] },
  ]);
  t.end();
});

t.test('patient - a birth date with an unknown month is its year, and what cannot be read is kept', (t) => {
  const born = (said: string) =>
    normalizeHl7v2(
      er7('MSH|^~\\&|ADT|HOSP|X|HOSP|20261120||ADT^A31|1|P|2.5', `PID|1||7^^^HOSP^MR||||${said}`),
      testContext(),
    ).events[0];
  t.match(born('198000'), {
    patient: { birthDate: '1980', birthDateOriginal: '198000' },
    provenance: { remarks: ['PID-7: a time in another form'] },
  });
  for (const said of ['03/15/1980', '15.03.1980', '19480230', '000000'])
    t.match(born(said), {
      patient: { birthDate: '', birthDateOriginal: said },
      provenance: { remarks: ['PID-7: not a time'] },
    });
  t.match(born('19800315'), { patient: { birthDate: '1980-03-15', birthDateOriginal: '' } });
  t.end();
});

t.test('movement - its nature, and a second one of the same patient is remarked [ITI-31 ZBE-9]', (t) => {
  const one = 'ZBE|M1^K|20261119||UPDATE|Y|A01|||HMS';
  const found = events('ADT^A08', 'PV1|1|I', one);
  t.match(found[0]?.movement, { nature: 'HMS' });
  t.same(remarksOf(found), []);
  const two = events('ADT^A08', 'PV1|1|I', one, 'ZBE|M2^K|20261120||UPDATE|N|A02');
  t.match(two[0]?.movement, { identifiers: [{ value: 'M2' }], historic: 'N' });
  t.same(remarksOf(two), ['ZBE: a further movement of the patient, which stands for the one before']);
  t.end();
});

t.test(
  'patient - where he stands in a registry, and since when he is protected [PD1-13, 16, 17, 18]',
  (t) => {
    const pd1 = 'PD1|||||||||||02^Reminder^HL70215|Y|20261101|||M^Moved^HL70441|20261102|20261103';
    for (const type of ['VXU^V04', 'ADT^A08']) {
      const [event] = events(type, pd1, 'PV1|1|O', 'ORC|RE|1|2', 'RXA|0|1|20261126|20261126|03^MMR^CVX|0.5');
      t.match(
        event?.patient,
        {
          registryStatus: { text: 'Moved', codings: [{ code: 'M' }] },
          registrySince: { value: '2026-11-02' },
          protectionSince: { value: '2026-11-01' },
          publicitySince: { value: '2026-11-03' },
          flags: ['PD1-11=02', 'PD1-12=Y'],
        },
        type,
      );
    }
    t.end();
  },
);

t.test('patient - a living will and whether organs may be taken are told as sent [PD1-7, PD1-8]', (t) => {
  const [event] = events('ADT^A31', `PD1|${'|'.repeat(6)}F|Y`);
  t.same(event?.patient?.flags, ['PD1-7=F', 'PD1-8=Y']);
  t.end();
});
