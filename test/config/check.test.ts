import { createHash } from 'node:crypto';
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { budgetMs } from '../../proto/config/duration.ts';
import { warningsOf } from '../../proto/config/warnings.ts';

const good = `
site: { zone: Europe/Berlin }
sources:
  lab: { listener: mllp, reviewed: false, accept: { processingIds: [P] } }
  vitals: { listener: mqtt, kind: device, topics: [devices/+/vitals, 'alarms/#'] }
codes:
  glucose:
    from: 99LAB
    to: http://loinc.org
    map: { 007: 2345-7, GLU: { code: 2345-7, display: Glucose } }
identity: { authorities: { HOSP: 'urn:oid:2.16.840.1.113883.3.1' } }
classes:
  - { name: icu, when: event.encounter.location.pointOfCare == "ICU", class: urgent }
budgets: { stat: 2s }
destinations: { ehr: { type: mllp, address: 'ehr.example.org:2575' } }
routes:
  results: { when: event.kind == "observation", sources: [lab], to: ehr }
`;

const rule = (when: string): string => `classes:\n  - name: icu\n    when: ${when}\n    class: stat\n`;

/** [what, text, path, line, column, message, hint] */
const rows: [string, string, string, number, number, string, string][] = [
  [
    'a typo in a key',
    'sources:\n  lab:\n    listner: mllp\n',
    'sources.lab.listner',
    3,
    5,
    'unknown key',
    'did you mean "listener"?',
  ],
  [
    'an unknown listener',
    'sources: { lab: { listener: mlp } }',
    'sources.lab.listener',
    1,
    29,
    'there is no listener "mlp"',
    'did you mean "mllp"?',
  ],
  [
    'an unknown listener far from any',
    'sources: { lab: { listener: serial } }',
    'sources.lab.listener',
    1,
    29,
    'there is no listener "serial"',
    'there are: mllp, mqtt',
  ],
  [
    'a listener that belongs to another',
    'sources: { a: { listener: mllp }, b: { listener: mllp } }',
    'sources.b.listener',
    1,
    50,
    'the listener "mllp" already belongs to the source "a"',
    'give each its own listener, or topics',
  ],
  [
    'a zone that is not IANA',
    'site: { zone: Europe/Berln }',
    'site.zone',
    1,
    15,
    '"Europe/Berln" is not an IANA time zone',
    'did you mean "Europe/Berlin"?',
  ],
  [
    'a charset that is none',
    'sources: { a: { listener: mllp, charset: WINDOWS-12151 } }',
    'sources.a.charset',
    1,
    42,
    '"WINDOWS-12151" is not a charset',
    'did you mean "WINDOWS-1251"?',
  ],
  [
    'an offset as a zone',
    "site: { zone: '+01:00' }",
    'site.zone',
    1,
    15,
    '"+01:00" is not an IANA time zone',
    'for example: Europe/Berlin',
  ],
  [
    'a duration without a unit',
    "budgets: { stat: '5' }",
    'budgets.stat',
    1,
    18,
    '"5" is not a duration',
    'write a whole number from 1 on and ms, s, m, h or d: 30s',
  ],
  [
    'a timeout that no timer waits for',
    "destinations: { ehr: { type: mllp, address: 'h:1', timeout: 30d } }",
    'destinations.ehr.timeout',
    1,
    61,
    'a timeout is at most 24d',
    'no timer waits longer',
  ],
  [
    'a number as a duration',
    'budgets: { stat: 5 }',
    'budgets.stat',
    1,
    18,
    'expected text, found the number 5',
    'for example: 30s',
  ],
  [
    'budgets out of order',
    'budgets: { stat: 1m }',
    'budgets.urgent',
    1,
    10,
    '30s is shorter than the budget of stat (1m)',
    'stat ≤ urgent ≤ routine ≤ bulk',
  ],
  [
    'an unknown class',
    'sources: { lab: { listener: mllp, class: sta } }',
    'sources.lab.class',
    1,
    42,
    '"sta" is not allowed',
    'did you mean "stat"? allowed: stat, urgent, routine, bulk',
  ],
  [
    'a topic filter with # inside',
    'sources: { a: { listener: mqtt, topics: [a/#/b] } }',
    'sources.a.topics[0]',
    1,
    42,
    '"a/#/b" is not a topic filter',
    '+ stands for one whole level, # for the rest at the end',
  ],
  [
    'an address without a port',
    'destinations: { e: { type: mllp, address: ehr } }',
    'destinations.e.address',
    1,
    43,
    '"ehr" is not host:port',
    'for example: ehr.example.org:2575',
  ],
  [
    'a route to an unknown destination',
    'routes: { r: { to: ehr } }',
    'routes.r.to',
    1,
    20,
    'there is no destination "ehr"',
    'define the destination first',
  ],
  [
    'a route to a list with an unknown destination',
    "destinations: { ehr: { type: mllp, address: 'x:1' } }\nroutes: { r: { to: [ehr, her] } }",
    'routes.r.to[1]',
    2,
    26,
    'there is no destination "her"',
    'did you mean "ehr"?',
  ],
  ['a route to nobody', 'routes: { r: { to: [] } }', 'routes.r.to', 1, 20, 'must be at least 1 entry', ''],
  [
    'a route from an unknown source',
    "destinations: { ehr: { type: mllp, address: 'x:1' } }\nroutes: { r: { to: ehr, sources: [lab] } }",
    'routes.r.sources[0]',
    2,
    35,
    'there is no source "lab"',
    'define the source first',
  ],
  [
    'a code in two tables',
    'codes:\n  a: { from: L, to: http://loinc.org, map: { X: 1-1 } }\n  b: { from: L, to: http://loinc.org, map: { X: 1-2 } }\n',
    'codes.b.map.X',
    3,
    46,
    'the code "X" of "L" is mapped by the table "a" too',
    'remove one of the two',
  ],
  [
    'a rule name that stands twice',
    "classes: [{ name: a, when: 'true', class: stat }, { name: a, when: 'true', class: bulk }]",
    'classes[1].name',
    1,
    59,
    'there is a rule "a" already',
    'an event says which rule gave its class: choose another name',
  ],
  [
    'an unknown field',
    rule('event.encounter.location.pointOfCar == "ICU"'),
    'classes[0].when',
    3,
    36,
    'there is no field "pointOfCar" on Location',
    'did you mean "pointOfCare"?',
  ],
  [
    'an unknown field on a later line',
    rule('>\n      event.kind == "observation" &&\n      event.encouter.class == "E"'),
    'classes[0].when',
    5,
    13,
    'there is no field "encouter" on event',
    'did you mean "encounter"?',
  ],
  [
    'an unknown field in quotes with escapes',
    rule('"event.kind == \\"order\\" && event.statu == \'x\'"'),
    'classes[0].when',
    3,
    45,
    'there is no field "statu" on event',
    'did you mean "status"?',
  ],
  [
    'a type error',
    rule('event.order.priority == 5'),
    'classes[0].when',
    3,
    11,
    '== does not work between string and int',
    'put the number in quotes',
  ],
  [
    'a comparison of text with a number',
    rule('event.observations.exists(o, o.value > 5.0)'),
    'classes[0].when',
    3,
    40,
    '> does not work between string and double',
    'values are text: write double(…)',
  ],
  [
    'a syntax error',
    rule('event.kind = "order"'),
    'classes[0].when',
    3,
    22,
    '= is not expected here',
    'write ==',
  ],
  [
    'a word of another language',
    rule('event.kind == "order" and true'),
    'classes[0].when',
    3,
    33,
    'and is not expected here',
    'write &&',
  ],
  [
    'a predicate that ends too early',
    rule('event.kind =='),
    'classes[0].when',
    3,
    24,
    'the predicate ends too early',
    'write the other side of the operator',
  ],
  [
    'a predicate that is no question',
    rule('event.kind'),
    'classes[0].when',
    3,
    11,
    'the predicate gives string, not true or false',
    'compare it with something: … == "ICU"',
  ],
  [
    'a predicate that is a number',
    rule('5'),
    'classes[0].when',
    3,
    11,
    'expected text, found the number 5',
    'put it in quotes',
  ],
  [
    'a predicate on its own result',
    rule('event.class == "stat"'),
    'classes[0].when',
    3,
    11,
    'event.class is not known here',
    'these rules are what gives the class',
  ],
  [
    'a kind that does not exist',
    rule('event.kind == "observations"'),
    'classes[0].when',
    3,
    25,
    'it is never "observations"',
    'did you mean "observation"?',
  ],
  [
    'a status as the message has it',
    rule('event.observations.exists(o, o.status == "F")'),
    'classes[0].when',
    3,
    52,
    'it is never "F"',
    'allowed: registered, preliminary, partial, final, corrected, cancelled, entered-in-error, unknown',
  ],
  [
    'a regular expression',
    rule('event.kind.matches("a+")'),
    'classes[0].when',
    3,
    22,
    'there is no function matches here',
    'use startsWith, endsWith or contains; a regular expression can take unbounded time',
  ],
  [
    'a predicate below rules:',
    `classes:\n  defaults: false\n  rules: [{ name: a, when: event.foo, class: stat }]`,
    'classes.rules[0].when',
    3,
    34,
    'there is no field "foo" on event',
    'there are: ',
  ],
  [
    'a topic of a listener that has none',
    'sources:\n  lab: { listener: mllp, topics: [a/b] }',
    'sources.lab.topics',
    2,
    26,
    'the listener "mllp" is MLLP and hears no topics',
    'name an MQTT listener, or leave it out',
  ],
  [
    'a duration without its unit',
    'enrichment: { maxAge: { patient: 90 } }',
    'enrichment.maxAge.patient',
    1,
    34,
    'expected text, found the number 90',
    'for example: 30s',
  ],
  [
    'a code without quotes',
    'codes: { glucose: { from: L, to: http://loinc.org, map: { GLU: 718 } } }',
    'codes.glucose.map.GLU',
    1,
    64,
    'expected text or a mapping of keys, found the number 718',
    'put it in quotes',
  ],
];

for (const [what, text, path, line, column, message, hint] of rows) {
  t.test(`config - ${what} is refused at its place`, async (t) => {
    const { problems } = checkConfig(text, { listeners: { mllp: 'mllp', mqtt: 'mqtt' } });
    t.equal(problems?.length, 1);
    const [found] = problems ?? [];
    t.same({ ...found, hint: '' }, { path, line, column, message, hint: '' });
    if (hint.endsWith(': ')) t.ok(found?.hint.startsWith(hint));
    else t.equal(found?.hint, hint);
  });
}

t.test('config - a segment that HL7 does not have is told before the push', async (t) => {
  const yaml =
    'mappings: { kit: { set: { extensions.kit: ZBX-3, extensions.x: [PDI-3], observation.value: OBX-5 } } }';
  const { config } = checkConfig(yaml.replace('[PDI-3]', '{ from: [PDI-3] }'));
  if (config === undefined) throw new Error('not accepted');
  t.same(warningsOf(config), [
    'The mapping "kit" reads extensions.x from PDI-3: HL7 has no segment PDI; did you mean PID?',
  ]);
});

t.test('config - a good one is accepted with the hash of its text', async (t) => {
  const result = checkConfig(good, { listeners: { mllp: 'mllp', mqtt: 'mqtt' } });
  if (result.problems !== undefined) throw new Error(JSON.stringify(result.problems));
  t.same(result.hash, createHash('sha256').update(good).digest());
  const { config } = result;
  t.equal(config.sources.lab?.repeatWindow, '15m');
  t.equal(config.sources.vitals?.reviewed, true);
  t.same(config.codes.glucose?.map['007'], { code: '2345-7', display: '' });
  t.same(config.codes.glucose?.map.GLU, { code: '2345-7', display: 'Glucose' });
  t.same(config.routes.results, {
    when: 'event.kind == "observation"',
    sources: ['lab'],
    to: ['ehr'],
    send: 'original',
  });
  t.match(config.destinations.ehr, { tls: false, timeout: '30s', order: 'source' });
  t.match(config.classes, { defaults: true, rules: [{ name: 'icu' }] });
  t.equal(budgetMs(config, 'stat'), 2_000);
  t.equal(budgetMs(config, 'bulk'), 3_600_000);
});

t.test('config - the centre, which does not know the listeners, accepts any', async (t) => {
  t.equal(checkConfig('sources: { lab: { listener: serial } }').problems, undefined);
});

t.test('config - {} is a config', async (t) => {
  t.match(checkConfig('{}'), {
    config: { site: { zone: 'UTC' }, classes: { defaults: true, rules: [] }, routes: {} },
  });
});

t.test(
  'check - units that are none, pairs that cannot be converted and weights without need are refused',
  async (t) => {
    const one = (rest: string) => `units: { convert: { glu: { code: 2345-7, ${rest} } } }`;
    const rows: [string, string, RegExp, RegExp][] = [
      ['units: { map: { MG: MG/DL } }', 'units.map.MG', /"MG\/DL" is not a UCUM unit/, /case counts/],
      [
        one('from: mg/dl, to: mmol/Liter'),
        'units.convert.glu.to',
        /"mmol\/Liter" is not a UCUM unit/,
        /case counts/,
      ],
      [one('from: mg/dL, to: mmol/L'), 'units.convert.glu.from', /needs molecularWeight/, /^$/],
      [
        one('from: [g/L, mm], to: mg/L'),
        'units.convert.glu.from[1]',
        /mm cannot be converted to mg\/L/,
        /^$/,
      ],
      [one("from: '[IU]/mL', to: '[IU]/L'"), 'units.convert.glu.from', /cannot be converted/, /^$/],
      [
        one('from: mg/dL, to: g/L, molecularWeight: 180'),
        'units.convert.glu.molecularWeight',
        /no unit here/,
        /remove/,
      ],
      [
        one('from: [mg/dL, mg/dL], to: g/L'),
        'units.convert.glu.from[1]',
        /"glu" converts mg\/dL/,
        /remove one/,
      ],
    ];
    for (const [text, path, message, hint] of rows) {
      const [problem] = checkConfig(text).problems ?? [];
      t.match(problem, { path, message, hint }, text);
    }
    const good = checkConfig(one('from: [mg/dL, g/L], to: mmol/L, molecularWeight: 180.156'));
    t.equal(good.problems, undefined);
  },
);

for (const [what, yaml, told] of [
  [
    'ages the wrong way round',
    'critical: { k: { code: 2823-3, unit: mmol/L, above: "6.0", age: { from: 2y, to: 28d } } }',
    { path: 'critical.k.age.from', message: 'nobody is 2y or older and not yet 28d' },
  ],
  [
    'a code that is mapped to nothing',
    'codes: { a: { from: L, to: "http://loinc.org", map: { K: "" } } }',
    { path: 'codes.a.map.K', message: 'has no code: write what it means, or remove the line' },
  ],
  [
    'a molecular weight of nothing',
    'units: { convert: { g: { code: 2345-7, from: mg/dL, to: mmol/L, molecularWeight: 0 } } }',
    { path: 'units.convert.g.molecularWeight', message: 'must be above 0' },
  ],
] as const)
  t.test(`check - ${what}`, async (t) => {
    t.match(checkConfig(yaml).problems, [told]);
  });
