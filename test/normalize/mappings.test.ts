/** Mappings of a config: field by field over the built-in ones, from any segment, bounded and named when they fail. */
import t from 'tap';
import { meaningOf, understand } from '../../gateway/meaning.ts';
import { readForm } from '../../gateway/normalize/hl7v2/date-form.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { parseLocation, parseTarget } from '../../proto/config/mapping-paths.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7 } from './context.ts';

function made(mappings: string, raw: Buffer, source = 'lab') {
  const text = `site: { zone: Europe/Berlin }\nsources: { lab: { listener: mllp }, adt: { listener: adt } }\n${mappings}`;
  const checked = checkConfig(text);
  if (checked.problems !== undefined) throw new Error(JSON.stringify(checked.problems));
  const record = JournalRecord.fromPartial({ source, protocol: 'mllp', raw, capturedAtUs: 1n });
  return understand(record, meaningOf(checked.config, 7));
}

const report = er7(
  'MSH|^~\\&|LAB||||20260301081500+0100||ORU^R01|M1|P|2.5.1',
  'PID|1||4711||MUSTER^ERIKA||19640812|F',
  'ZPI|1|B-77|31.12.1999',
  'PV1|1|I|W1^12^B',
  'ORC|RE|P1|F1',
  'OBR|1|P1|F1|K^Potassium^99LAB',
  'ZOR|first',
  'OBX|1|NM|K^Potassium^99LAB||7.40^corrected 7.45|mmol/L||||||F',
  'ZBX|1|Analyzer A|2823-3^Potassium^LN',
  'OBX|2|NM|NA^Sodium^99LAB||140|mmol/L|||||F',
  'ORC|RE|P2|F2',
  'OBR|2|P2|F2|GLU^Glucose^99LAB',
  'ZOR|second',
  'OBX|1|NM|GLU^Glucose^99LAB||5.5|mmol/L|||||F',
  'ZBX|2|Analyzer B|',
);

t.test('mapping - an observation reads its own OBX and the Z segment behind it', async (t) => {
  const { events } = made(
    `mappings:
  analyzer:
    source: lab
    set:
      observation.performingOrganization: ZBX-2
      observation.value: OBX-5.2
      observation.code: ZBX-3
`,
    report,
  );
  const [first, second] = events;
  t.match(first?.observations, [
    {
      performingOrganization: 'Analyzer A',
      value: 'corrected 7.45',
      code: { codings: [{ system: 'http://loinc.org', code: '2823-3' }] },
    },
    { performingOrganization: '', value: '140', code: { codings: [{ code: 'NA' }] } },
  ]);
  t.match(
    second?.observations,
    [{ performingOrganization: 'Analyzer B', value: '5.5', code: { codings: [{ code: 'GLU' }] } }],
    'what is empty sets nothing',
  );
  t.ok(first?.provenance?.rules.includes('mapping/analyzer'));
  t.match(first?.provenance?.mappingVersion, /^builtin@\d+\+config@7$/);
});

t.test('mapping - an event reads its own order, then what is said of its patient', async (t) => {
  const { events } = made(
    `mappings:
  zetas:
    set:
      extensions.batch: ZPI-2
      extensions.order: ZOR-1
      patient.deceasedAt: { from: ZPI-3, date: DD.MM.YYYY }
      "patient.identifiers[+]": { fields: { value: ZPI-2, system: { const: "urn:example:batch" }, type: { const: BN } } }
      "order.orderNotes[+]": { const: "checked" }
      order.priority: { from: [ZOR-9, ZOR-1], case: upper, map: { FIRST: S } }
`,
    report,
  );
  t.match(events[0]?.extensions, [
    { name: 'batch', value: 'B-77' },
    { name: 'order', value: 'first' },
  ]);
  t.match(events[1]?.extensions, [
    { name: 'batch', value: 'B-77' },
    { name: 'order', value: 'second' },
  ]);
  for (const { patient } of events) {
    t.match(patient?.deceasedAt, { value: '1999-12-31', precision: 'day' });
    t.match(patient?.identifiers, [
      { value: '4711' },
      { value: 'B-77', system: 'urn:example:batch', type: 'BN' },
    ]);
    t.equal(patient?.identifiers.length, 2, 'the patient that two events share is set once in each');
  }
  t.equal(events[0]?.order?.priority, 'S', 'upper case, then the map');
  t.equal(events[0]?.class, 'stat', 'classes come after the mappings');
  t.equal(events[1]?.order?.priority, 'SECOND', 'a word that the map has not stays itself');
  t.same(events[1]?.order?.orderNotes, ['checked']);
});

t.test('mapping - a predicate and the source say where it holds', async (t) => {
  const mappings = `mappings:
  glucose-only: { when: 'event.order.service.text == "Glucose"', set: { extensions.x: { const: here } } }
  adt-only: { source: adt, set: { extensions.y: { const: here } } }
`;
  const { events } = made(mappings, report);
  t.same(
    events.map(({ extensions }) => extensions.map(({ name }) => name)),
    [[], ['x']],
  );
  const adt = er7('MSH|^~\\&|ADT||||20260301||ADT^A01|M1|P|2.5', 'PID|1||4711', 'PV1|1|I');
  t.same(made(mappings, adt, 'adt').events[0]?.extensions, [{ name: 'y', value: 'here' }]);
});

t.test(
  'mapping - one that fails costs its record and says mapping, field and place, never content',
  async (t) => {
    const { events, reject } = made(
      'mappings: { dates: { set: { patient.birthDate: { from: ZPI-3, date: YYYY-MM-DD } } } }',
      report,
    );
    t.same(events, []);
    t.same(reject, {
      code: 'mapping-failed',
      reason: 'Mapping dates: patient.birthDate from ZPI-3: not a date of the form YYYY-MM-DD.',
    });
    const none = er7('MSH|^~\\&|A||||20260301||ADT^A01|M1|P|2.5', 'PID|1||4711', 'ZPI|1||31.02.1999');
    const impossible = made(
      'mappings: { d: { set: { patient.birthDate: { from: ZPI-3, date: DD.MM.YYYY } } } }',
      none,
    );
    t.match(impossible.reject?.reason, /^Mapping d: patient\.birthDate from ZPI-3: /);
    t.notMatch(impossible.reject?.reason, /31|1999/);
  },
);

t.test('mapping - two patients in one message keep their own', async (t) => {
  const two = er7(
    'MSH|^~\\&|LAB||||20260301||ORU^R01|M1|P|2.5.1',
    'PID|1||1',
    'ZPI|1|one',
    'OBR|1||F1|A',
    'OBX|1|ST|A||x',
    'PID|2||2',
    'ZPI|1|two',
    'OBR|1||F2|B',
    'OBX|1|ST|B||y',
    'PID|3||3',
    'OBR|1||F3|C',
    'OBX|1|ST|C||z',
  );
  const { events } = made('mappings: { z: { set: { extensions.z: ZPI-2 } } }', two);
  t.same(
    events.map(({ patient, extensions }) => [patient?.identifiers[0]?.value, extensions[0]?.value ?? '']),
    [
      ['1', 'one'],
      ['2', 'two'],
      ['3', ''],
    ],
  );
});

t.test(
  'mapping check - fields, places, predicates and sources are refused at their line and column',
  async (t) => {
    const problemOf = (yaml: string) =>
      checkConfig(`sources: { lab: { listener: a } }\nmappings:\n  m:\n${yaml}`).problems?.map(
        ({ line, column, message, hint }) => `${line}:${column} ${message}; ${hint}`,
      ) ?? [];
    t.same(problemOf('    set: { observation.value: OBX-5 }'), []);
    t.same(problemOf('    set: { observation.valeu: OBX-5 }'), [
      '4:12 Observation has no field "valeu"; did you mean "value"?',
    ]);
    t.match(problemOf('    set: { observation.value: OBX.5 }'), [
      /^4:31 "OBX\.5" is not a place in a message/,
    ]);
    t.match(problemOf('    set: { observation.value: { from: [OBX-5, ZBX] } }'), [
      /^4:47 "ZBX" is not a place/,
    ]);
    t.match(problemOf('    set: { patient.identifiers: PID-3 }'), [
      /identifiers is a list; write patient\.identifiers\[\+\]/,
    ]);
    t.match(problemOf('    set: { "patient.identifiers[+]": PID-3 }'), [
      /Identifier is made of several fields/,
    ]);
    t.match(problemOf('    set: { "patient.identifiers[+]": { fields: { vale: PID-3 } } }'), [
      /did you mean "value"/,
    ]);
    t.match(problemOf('    set: { observations: OBX-5 }'), [/write observation\.…/]);
    t.match(problemOf('    set: { class: ZBX-1 }'), [/class is not for a mapping to set/]);
    t.match(problemOf('    set: { order.service: { const: x } }'), [/a code is read from a place/]);
    t.match(problemOf('    source: lap\n    set: { order.priority: ZBX-1 }'), [
      /^4:13 there is no source "lap"; did you mean "lab"/,
    ]);
    t.match(problemOf('    when: event.knd == ""\n    set: { order.priority: ZBX-1 }'), [
      /^4:17 .*did you mean "kind"/,
    ]);
    t.match(problemOf('    when: event.class == "stat"\n    set: { order.priority: ZBX-1 }'), [
      /event\.class is not known here/,
    ]);
    t.match(problemOf('    set: {}'), [/nothing is set/]);
  },
);

t.test('mapping notation - a place and a field say what they say, and nothing else', async (t) => {
  t.match(parseLocation('PID-3[2].4.1'), {
    location: { segment: 'PID', nth: 1, field: 3, repetition: 2, component: 4, subcomponent: 1 },
  });
  t.match(parseLocation('ZBX[2]-3'), { location: { nth: 2, component: 1, subcomponent: 0 } });
  for (const text of [
    '',
    'PID',
    'PID-0',
    'pid-3',
    'PID-3.0',
    'PID-3.1.2.3',
    'PID-3 ',
    'PIDX-3',
    'PID-1000',
  ]) {
    t.ok(parseLocation(text).problem, text);
  }
  t.match(parseTarget('encounter.location.bed'), {
    target: { steps: ['encounter', 'location', 'bed'], type: 'string' },
  });
  for (const text of [
    '',
    'extensions',
    'extensions.a.b',
    'observation',
    'patient.__proto__',
    'constructor',
    'times.capturedAtUs',
  ]) {
    t.ok(parseTarget(text).problem, text);
  }
  t.equal(readForm('01.02.2026 07:05', 'DD.MM.YYYY HH:mm'), '202602010705');
  t.equal(readForm('1.2.2026', 'DD.MM.YYYY'), undefined);
  t.equal(readForm('01.02.2026x', 'DD.MM.YYYY'), undefined);
});
