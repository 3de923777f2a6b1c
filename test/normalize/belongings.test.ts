/** To whom or to what a person, a diagnosis or a row belongs, by what stands before it. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import type { Participant } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { events, only, resources } from './told.ts';

const people = (of: readonly Participant[] | undefined) =>
  (of ?? []).map(({ role, person }) => `${role} ${person?.identifiers[0]?.value ?? ''}`);

const weight = 'OBX|1|NM|29463-7^Weight^LN||88|kg|||||F';

t.test('people - a ROL behind a result, an allergy or a diagnosis acts in the visit [HL7 15.4.7]', (t) => {
  const attending = 'ROL|1|AD|AT^Attending^HL70443|8^ATT^PAT';
  for (const [type, ...before] of [
    ['ADT^A01', weight],
    ['ADT^A08', weight, weight],
    ['ADT^A01', weight, 'AL1|1||PCN', 'DG1|1||I10^HTN^I10'],
    ['BAR^P01', weight],
  ] as const) {
    const [event] = events(type, 'PV1|1|I|4W', ...before, attending);
    t.same(people(event?.encounter?.participants), ['attending 8'], `${type} ${before.length}`);
    for (const { performers } of event?.observations ?? []) t.same(performers, []);
  }
  const all = resources('ADT^A01', 'PV1|1|I|4W', weight, attending);
  t.equal(only('Observation', all)[0]?.performer, undefined);
  t.match(only('Encounter', all), [{ participant: [{ type: [{ coding: [{ code: 'ATND' }] }] }] }]);
  t.end();
});

t.test(
  'people - a PRT behind a result is its own, behind an allergy or a diagnosis it is of the visit',
  (t) => {
    const [event] = events(
      'ADT^A08',
      'PV1|1|I',
      weight,
      'PRT||AD||PO|5^NURSE^N',
      'ROL|1|AD|AT|8^DOC^E',
      weight,
      'IAM|1||PCN',
      'PRT||AD||AUT|9^DOC^D',
      weight,
      'DG1|1||I10^HTN^I10',
      'PRT||AD||CP|7^DOC^F',
    );
    t.same(
      event?.observations.map(({ performers }) => people(performers)),
      [['performing 5'], [], []],
    );
    t.same(people(event?.encounter?.participants), ['attending 8', 'originating 9', 'consulting 7']);
    t.end();
  },
);

t.test(
  'people - a ROL behind the results of a problem is of the problem, with orders it stays the row’s',
  (t) => {
    const [problem] = events('PPR^PC1', 'PV1|1|I', 'PRB|AD|20261126|1^HTN^SCT', weight, 'ROL|1|AD|AT|8^D^E');
    t.same(people(problem?.conditions[0]?.participants), ['attending 8']);
    t.equal(problem?.encounter?.participants.length, 0);
    const [report] = events('ORU^R01', 'OBR|1|P1|F1|A^A^L', weight, 'ROL|1|AD|PO|8^D^E');
    t.same(people(report?.observations[0]?.performers), ['performing 8']);
    t.end();
  },
);

t.test('people - behind the patient they are of the patient, and make no visit [HL7 3.3.31, 15.4.7]', (t) => {
  const gp = (action = 'AD', until = '') =>
    `ROL|1|${action}|PP^Primary^HL70443|7^Gp^A|2020|${until}|||||1 High St^^Ely|^WPN^PH^^^^5551|W1`;
  const said = [gp(), 'ROL|2|AD|CP|8^Doc^B'];
  const [event] = events('ADT^A31', 'PD1||||7^Gp', ...said);
  t.equal(event?.encounter, undefined);
  t.same(people(event?.patient?.participants), ['primary-care 7', 'consulting 8']);
  t.match(event?.patient?.participants[0], {
    addresses: [{ line: ['1 High St'], city: 'Ely' }],
    telecoms: [{ value: '5551' }],
    location: { pointOfCare: 'W1' },
  });
  const all = resources('ADT^A31', ...said);
  t.same(only('Encounter', all), []);
  t.match(only('Patient', all), [{ generalPractitioner: [{ display: 'A Gp' }] }]);

  const practitioners = (...segments: string[]) =>
    events('ADT^A31', ...segments)[0]?.patient?.generalPractitioners.map(({ name }) => name?.family);
  t.same(practitioners(gp()), ['Gp']);
  t.same(practitioners('PD1||||7^Gp^A', gp()), ['Gp'], 'whom PD1-4 names, too');
  t.same(practitioners('PD1||||6^Other', gp()), ['Other', 'Gp']);
  t.same(practitioners(gp('DE')), [], 'is taken out [table 0287]');
  t.same(practitioners(gp('UP', '20251231')), [], 'is not any more');
  t.same(practitioners(gp('UP', '20271231')), ['Gp']);

  const [visit] = events('ADT^A01', ...said, 'PV1|1|I|W1||||9^Att', gp().replace('7^Gp', '5^Gq'));
  t.same(people(visit?.patient?.participants), ['primary-care 7']);
  t.same(people(visit?.encounter?.participants), ['consulting 8', 'attending 9', 'primary-care 5']);
  t.same(visit?.patient?.generalPractitioners.length, 1);
  t.end();
});

t.test('visits - of two in one message each has its own diagnoses, procedures and results [BAR_P01]', (t) => {
  const said = [
    'PV1|1|I|||||||||||||||||V1^^^HOSP^VN',
    weight,
    'AL1|1|DA|1^Pen^L',
    'DG1|1||A41.9^Sepsis^I10C|||F',
    'DRG|T60A^Sepsis^L',
    'PR1|1||5A1955Z^Vent^I10P||20261102',
    'NK1|1|A^Kin',
    'GT1|1||A^Pays',
    'IN1|1|P1^Plan',
    'PV1|2|O|||||||||||||||||V2^^^HOSP^VN',
    weight,
    'AL1|1|DA|2^Ibu^L',
    'DG1|1||M54.5^Back pain^I10C|||F',
    'DRG|I68C^Back^L',
    'PR1|1||97110^PT^CPT4||20261115',
    'NK1|1|B^Kin',
    'GT1|1||B^Pays',
    'IN2||||||MC2',
    'PV1|3|O|||||||||||||||||V3^^^HOSP^VN',
    'DG1|1||I10^HTN^I10C|||F',
  ];
  const [event] = events('BAR^P01', ...said);
  const second = 'furtherEncounters[0]';
  const { conditions = [], procedures = [], observations = [], allergies = [] } = event ?? {};
  t.same(
    event?.relatedPersons.map(({ ofEncounter }) => ofEncounter),
    ['', '', second, second],
  );
  t.same(
    event?.coverages.map(({ ofEncounter, identifiers }) => [ofEncounter, identifiers[0]?.value]),
    [
      ['', undefined],
      [second, 'MC2'],
    ],
    'IN2 of the second visit is none of the first one’s',
  );
  t.same(
    conditions.map(({ ofEncounter }) => ofEncounter),
    ['', second, 'furtherEncounters[1]'],
  );
  for (const list of [procedures, observations, allergies, event?.diagnosisGroups ?? []])
    t.same(
      list.map(({ ofEncounter }) => ofEncounter),
      ['', second],
    );
  const all = resources('BAR^P01', ...said);
  const visits = only('Encounter', all).map(({ id }) => ({ reference: `urn:uuid:${id}` }));
  t.equal(visits.length, 3);
  for (const type of ['Procedure', 'Observation', 'AllergyIntolerance'])
    t.match(
      only(type, all).map(({ encounter }) => encounter),
      visits.slice(0, 2),
      type,
    );
  t.match(
    only('Condition', all).map(({ encounter }) => encounter),
    visits,
  );
  t.end();
});

t.test('people - a PRT before any patient is of every order [OPL_O37]', (t) => {
  const said = [
    'MSH|^~\\&|APP|FAC|HIE|HOSP|20261126101500+0100||OPL^O37^OPL_O37|1|P|2.8',
    'PRT|1|AD||OP^Ordering Provider^HL70912|9^DOC^DON',
    'PRT|2|AD||EP|8^DOC^EVE',
    'ORC|NW|W1^E',
    'OBR|1|W1^E||625-4^Stool culture^LN',
    'PRT|1|AD||CP|7^DOC^CAL',
    'ORC|NW|W2^E',
    'OBR|1|W2^E||6463-4^Culture^LN',
  ];
  const made = normalizeHl7v2(er7(...said), testContext()).events;
  t.same(
    made.map(({ order }) => people(order?.participants)),
    [
      ['ordering 9', 'entering 8', 'consulting 7'],
      ['ordering 9', 'entering 8'],
    ],
  );
  for (const event of made) {
    t.equal(event.encounter, undefined);
    const request = toBundle(event).entry.find(({ resource }) => resource.resourceType === 'ServiceRequest');
    t.ok(request?.resource.requester);
    t.notOk(toBundle(event).entry.some(({ resource }) => resource.resourceType === 'Encounter'));
  }
  const [named] = events('OML^O21', 'PRT|1|AD||AT|9^DOC^DON', 'ORC|NW|W1', 'OBR|1|W1||A^A^L');
  t.same(people(named?.patient?.participants), ['attending 9'], 'behind a patient it is of the patient');
  t.equal(named?.encounter, undefined, 'and makes no visit');
  t.end();
});
