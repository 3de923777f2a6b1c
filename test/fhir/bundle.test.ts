/** Every event is a valid FHIR R4 Bundle, and the judges of that do find what is not. */
import t, { type Test } from 'tap';
import { toBundle, toBundleText } from '../../proto/fhir/bundle.ts';
import { ClinicalEvent, DeviceAssociation } from '../../proto/gen/hilum/v1/event.ts';
import { seededRandom, seedOfThisRun } from '../kit/random.ts';
import { randomEvent } from '../kit/random-event.ts';
import { corpusPresent } from '../normalize/corpus-outcomes.ts';
import { corpusEvents, type Named, sampleEvents } from './events.ts';
import { problemsOf } from './validator.ts';

const kinds = [
  'admission',
  'observation',
  'order',
  'document',
  'schedule',
  'medication',
  'immunization',
  'charge',
  'referral',
  'problem',
  'master-file',
  'merge',
  'device-observation',
  'device-alarm',
  'device-silence',
];
const skip = corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)';

t.test('fhir bundle - every event of the corpus is valid FHIR R4', { skip }, async (t) => {
  const events = corpusEvents();
  t.ok(events.length > 400, `${events.length} events`);
  allValid(t, events);
});

/** With all that a config can add: a critical mark, fields of a site's own, a device's bed and who lies in it. */
function decorated({ name, event }: Named): Named {
  const copy = ClinicalEvent.decode(ClinicalEvent.encode(event).finish());
  for (const observation of copy.observations)
    observation.critical = { rule: 'low', why: 'below 2.5 mmol/L' };
  copy.extensions = [
    { name: 'kit', value: '4711' },
    { name: 'empty', value: '' },
  ];
  if (copy.device !== undefined)
    copy.deviceAssociation = DeviceAssociation.fromPartial({
      basis: 'derived-location',
      since: { value: '2026-11-23T08:15:00+01:00', precision: 'second' },
      ageS: 5_000_000_000n,
      candidates: [{ system: 'urn:oid:1.2', value: '7' }, {}],
      location: { pointOfCare: 'ICU', bed: '4' },
      declaredBy: 'monitor-4',
    });
  return { name: `${name} decorated`, event: copy };
}

t.test('fhir bundle - with all that a config can add they are valid as well', async (t) => {
  allValid(t, sampleEvents().map(decorated));
  if (skip === false) allValid(t, corpusEvents().map(decorated));
});

t.test('fhir bundle - what a rule found critical stands beside what was sent, marked as ours', async (t) => {
  const [named] = sampleEvents().filter(({ event }) => event.observations[0]?.interpretations.includes('H'));
  const event = named?.event as ClinicalEvent;
  const of = (one: ClinicalEvent) =>
    toBundle(one).entry.find(({ resource }) => resource.resourceType === 'Observation')?.resource
      .interpretation as object[];
  const sent = of(event);
  t.ok(sent.length > 0);
  t.same(of(decorated({ name: '', event }).event), [
    ...sent,
    {
      extension: [
        {
          url: 'urn:hilum:extension:critical',
          extension: [
            { url: 'rule', valueString: 'low' },
            { url: 'why', valueString: 'below 2.5 mmol/L' },
          ],
        },
      ],
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
          code: 'AA',
          display: 'Critical abnormal',
        },
      ],
      text: 'critical: low: below 2.5 mmol/L',
    },
  ]);
});

t.test('fhir bundle - who may lie in the bed is told of the device, and is nobody else', async (t) => {
  const [named] = sampleEvents().filter(
    ({ event }) => event.kind === 'device-alarm' && event.patient === undefined,
  );
  const bundle = toBundle(decorated(named as Named).event);
  const device = bundle.entry.find(({ resource }) => resource.resourceType === 'Device')?.resource;
  t.match(device?.extension, [
    {
      url: 'urn:hilum:extension:device-association',
      extension: [
        { url: 'basis', valueCode: 'derived-location' },
        { url: 'since', valueDateTime: '2026-11-23T08:15:00+01:00' },
        { url: 'age', valueDuration: { code: 's' } },
        { url: 'candidate', valueIdentifier: { system: 'urn:oid:1.2', value: '7' } },
        { url: 'location', valueReference: { type: 'Location', display: 'ICU / 4' } },
        { url: 'declaredBy', valueString: 'monitor-4' },
      ],
    },
  ]);
  t.match(toBundleText(decorated(named as Named).event), '"value":5000000000');
  t.equal(device?.patient, undefined);
  t.notOk(bundle.entry.some(({ resource }) => resource.resourceType === 'Patient'));
  const provenance = bundle.entry.find(({ resource }) => resource.resourceType === 'Provenance')?.resource;
  t.same(provenance?.extension, [
    {
      url: 'urn:hilum:extension:site',
      extension: [
        { url: 'name', valueString: 'kit' },
        { url: 'value', valueString: '4711' },
      ],
    },
  ]);
});

t.test('fhir bundle - what came late, and who a retired patient is now, can be seen', async (t) => {
  const event = sample('oru');
  const of = (one: ClinicalEvent, type: string) =>
    toBundle(one).entry.find(({ resource }) => resource.resourceType === type)?.resource;
  for (const type of ['Observation', 'DiagnosticReport']) t.equal(of(event, type)?.extension, undefined);
  t.equal(of(event, 'Patient')?.link, undefined);
  const id = (value: string) => ({ system: 'urn:oid:1.2', value });
  const late = ClinicalEvent.fromPartial({
    ...event,
    superseded: true,
    observations: event.observations.map((one) => ({ ...one, superseded: true })),
    identityLinks: [
      { what: 'patient', kind: 'merge', said: [id('1')], surviving: [id('2')] },
      { what: 'patient', kind: 'link', said: [id('1')], linked: [id('3')] },
      { what: 'patient', kind: 'merge', said: [id('1')], surviving: [id('4')], undoneBy: { sequence: 1n } },
      { what: 'visit', kind: 'merge', said: [id('5')], surviving: [id('6')] },
    ],
  });
  allValid(t, [{ name: 'late', event: late }]);
  const mark = [{ url: 'urn:hilum:extension:superseded', valueBoolean: true }];
  for (const type of ['Observation', 'DiagnosticReport']) t.same(of(late, type)?.extension, mark, type);
  t.same(of(late, 'Patient')?.link, [
    { other: { type: 'Patient', identifier: id('2') }, type: 'replaced-by' },
    { other: { type: 'Patient', identifier: id('3') }, type: 'seealso' },
  ]);
});

t.test('fhir bundle - every event of our samples is valid FHIR R4', async (t) => {
  const events = sampleEvents();
  const seen = new Set(events.map(({ event }) => event.kind));
  for (const kind of kinds) if (kind !== 'device-silence') t.ok(seen.has(kind), kind);
  allValid(t, events);
});

function allValid(t: Test, events: readonly Named[]): void {
  const types = new Map<string, number>();
  for (const { name, event } of events) {
    const problems = problemsOf(toBundleText(event));
    if (problems.length > 0) t.fail(name, { problems: problems.slice(0, 5) });
    for (const { resource } of toBundle(event).entry) {
      types.set(resource.resourceType, (types.get(resource.resourceType) ?? 0) + 1);
    }
  }
  t.comment(`${events.length} bundles: ${[...types].map(([type, count]) => `${type} ${count}`).join(', ')}`);
  t.pass('all were looked at');
}

t.test('fhir bundle - an empty event, and one of every kind without a body, are valid', async (t) => {
  t.same(problemsOf(toBundleText(ClinicalEvent.fromPartial({ id: 'a' }))), []);
  for (const kind of kinds) {
    const event = ClinicalEvent.fromPartial({
      id: 'a',
      kind,
      order: {},
      document: {},
      schedule: {},
      medication: {},
      immunization: {},
      charge: { items: [{}] },
      alarm: {},
      device: {},
      encounter: {},
      patient: {},
      allergies: [{}],
      conditions: [{}, { type: 'goal' }],
      procedures: [{}],
      coverages: [{}],
      relatedPersons: [{}],
      observations: [{}],
      referral: {},
      masterFile: {},
      provenance: {},
      notes: [{}, { text: 'said' }],
    });
    t.same(problemsOf(toBundleText(event)), [], kind);
  }
});

const seed = seedOfThisRun();

t.test(`fhir bundle - 100 events that no message would give are valid (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const event = { ...randomEvent(random), id: `random.${round}`, kind: kinds[round % kinds.length] ?? '' };
    const problems = problemsOf(toBundleText(event));
    if (problems.length > 0) t.fail(`round ${round} of seed ${seed}`, { problems: problems.slice(0, 5) });
  }
  t.pass('all were looked at');
});

t.test('fhir bundle - the same event gives the same bundle, another event other UUIDs', async (t) => {
  const make = (id: string): string => toBundleText({ ...sample('oru'), id });
  t.equal(make('g.1.stat.1'), make('g.1.stat.1'));
  const ids = (text: string): Set<string> => new Set(text.match(/urn:uuid:[0-9a-f-]+/g));
  const others = ids(make('g.1.stat.2'));
  t.same(
    [...ids(make('g.1.stat.1'))].filter((one) => others.has(one)),
    [],
  );
});

t.test('fhir bundle - provenance targets every resource and names event, record and mapping', async (t) => {
  const bundle = toBundle(sample('oru'));
  const provenance = bundle.entry.find(({ resource }) => resource.resourceType === 'Provenance')?.resource;
  t.equal((provenance?.target as unknown[] | undefined)?.length, bundle.entry.length - 1);
  const text = JSON.stringify(provenance);
  t.match(text, 'urn:hilum:mapping:builtin@1');
  t.match(text, 'ab'.repeat(32));
  t.match(text, sample('oru').id);
  for (const { resource } of bundle.entry) {
    t.match(resource, { meta: { source: `urn:hilum:event:${sample('oru').id}` } });
  }
});

t.test('fhir bundle - a report, its results, its order and its specimen refer to each other', async (t) => {
  const bundle = toBundle(sample('oulSpecimen'));
  const of = (type: string): { fullUrl: string; resource: Record<string, unknown> }[] =>
    bundle.entry.filter(({ resource }) => resource.resourceType === type);
  const to = (type: string): object => ({ reference: of(type)[0]?.fullUrl });
  t.match(of('DiagnosticReport')[0]?.resource, {
    basedOn: [to('ServiceRequest')],
    specimen: [to('Specimen')],
    result: of('Observation').map(({ fullUrl }) => ({ reference: fullUrl })),
    subject: to('Patient'),
  });
  for (const { resource } of of('Observation')) {
    t.match(resource, { basedOn: [to('ServiceRequest')], specimen: to('Specimen'), subject: to('Patient') });
  }
  t.match(of('Specimen')[0]?.resource, { subject: to('Patient') });
});

// The judges: each change makes a valid bundle invalid, and is found.
const damages: Record<string, (text: string) => string> = {
  'a code outside its required binding': (text) => text.replace('"status":"final"', '"status":"done"'),
  'a missing status': (text) => text.replace('"status":"final",', ''),
  'an element that the resource does not have': (text) => text.replace('"gender"', '"sex"'),
  'a reference that leads nowhere': (text) =>
    text.replace(/"reference":"urn:uuid:./, '"reference":"urn:uuid:x'),
  'a reference to the wrong type': (text) => text.replace('"type":"Patient"', '"type":"Practitioner"'),
  'a list where there is one': (text) => text.replace(/"birthDate":("[^"]*")/, '"birthDate":[$1]'),
  'one where there is a list': (text) => text.replace(/"given":\[("[^"]*")[^\]]*\]/, '"given":$1'),
  'an empty list': (text) => text.replace(/"given":\[[^\]]*\]/, '"given":[]'),
  'an empty string': (text) => text.replace(/"family":"[^"]*"/, '"family":""'),
  'a number as text': (text) => text.replace('"value":7.40', '"value":"7.40"'),
  'a time without an offset': (text) => text.replace(/("effectiveDateTime":"[^"+]*)\+01:00"/, '$1"'),
  'a day that does not exist': (text) => text.replace(/"birthDate":"[^"]*"/, '"birthDate":"1964-02-30"'),
  'a code with two spaces': (text) => text.replace('"code":"718-7"', '"code":"718  7"'),
  'a URI with a space': (text) =>
    text.replace('"system":"urn:hilum:lab:HOSP"', '"system":"urn:hilum:lab: HOSP"'),
  'a fullUrl that stands twice': (text) => text.replace(/(\{"fullUrl":.*?\}),(?=\{"fullUrl")/, '$1,$1,'),
};

t.test('fhir bundle - what is not valid is found', async (t) => {
  const valid = toBundleText(sample('oru'));
  t.same(problemsOf(valid), []);
  for (const [name, damage] of Object.entries(damages)) {
    const broken = damage(valid);
    t.not(broken, valid, `${name}: something was changed`);
    t.not(problemsOf(broken).length, 0, name);
  }
});

function sample(name: string): ClinicalEvent {
  const found = sampleEvents().find((one) => one.name === `${name} #1`);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return found.event;
}
