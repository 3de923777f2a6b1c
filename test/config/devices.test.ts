/** `payloads` and `devices` of a config: what is refused, where, and what to write instead. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compilePayloadPredicate } from '../../proto/config/cel-payload.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { parsePath } from '../../proto/config/json-path.ts';
import { projectRoot } from '../kit/paths.ts';

const observation = '    observations: [{ code: { system: "urn:x", code: a }, value: $.a }]\n';
const payload = (lines: string): string => `payloads:\n  p:\n${lines}`;

/** [what, text, path, line, column, message, hint] */
const rows: [string, string, string, number, number, string, string][] = [
  [
    'a path that does not begin as one',
    payload(`    device: deviceId\n${observation}`),
    'payloads.p.device',
    3,
    13,
    'this is not a path',
    'begin with $. (the payload), @. (the item) or topic[ (a level of the topic)',
  ],
  [
    'the second path of a list',
    payload(`    device: [$.d, $.x..]\n${observation}`),
    'payloads.p.device[1]',
    3,
    23,
    'a name is expected here',
    "put other names in quotes: ['odd name']",
  ],
  [
    'a bracket inside the long form',
    payload(`    device: { from: "$.a[b]" }\n${observation}`),
    'payloads.p.device.from',
    3,
    26,
    'this is not understood in [ ]',
    "write [0], [*], ['name'] or [?@.name]",
  ],
  [
    'a code that looks around in a condition',
    payload(`    device: $.d\n    observations:\n      - code: { from: "$.q[?@..x]" }\n        value: $.a\n`),
    'payloads.p.observations[0].code.from',
    5,
    30,
    'a condition looks at names and positions only',
    'write @.name or @[0]',
  ],
  [
    'items of the topic',
    payload(`    each: topic[1]\n    device: $.d\n${observation}`),
    'payloads.p.each',
    3,
    11,
    'a level of the topic has no items',
    'begin with $. or @.',
  ],
  [
    'a path with brackets in a list, without quotes',
    payload(`    device: $.d\n    time: [$.a[0].b, "@.t"]\n${observation}`),
    '',
    4,
    12,
    'a path with [ ] wants quotes inside { } and [ ]',
    'write "$.a[0].b"',
  ],
  [
    'a path with brackets in a map, without quotes, and much behind it',
    payload(
      `    device: $.d\n    observations:\n      - code: { from: $.c[?@.a == "x"].v, system: X }\n        value: "@.v"\n        unit: "%"\n      - code: { from: "@.c" }\n        value: $.channels[*]\n`,
    ),
    '',
    5,
    23,
    'a path with [ ] wants quotes inside { } and [ ]',
    `write '$.c[?@.a == "x"].v'`,
  ],
  [
    'a slice',
    payload(`    each: $.channels[0:2]\n    device: $.d\n${observation}`),
    'payloads.p.each',
    3,
    23,
    'slices are not taken',
    'write [*] for all of them, or [0] for one',
  ],
  [
    'several entries in one bracket',
    payload(`    each: $.channels[0,1]\n    device: $.d\n${observation}`),
    'payloads.p.each',
    3,
    23,
    'several entries in one [ ] are not taken',
    'write [*] and a condition, or a list of paths where one may stand',
  ],
  [
    'an order in a condition',
    payload(`    each: $.channels[?@.a > 1]\n    device: $.d\n${observation}`),
    'payloads.p.each',
    3,
    27,
    'a condition of a path knows == and != only',
    'compare numbers in `when`: double(text("@.name")) > 1.0',
  ],
  [
    'a regular expression in a condition',
    payload(`    each: $.channels[?@.a =~ /x/]\n    device: $.d\n${observation}`),
    'payloads.p.each',
    3,
    27,
    'regular expressions are not taken',
    'a condition of a path knows == and !=, and &&, || and ! between them',
  ],
  [
    'a path in a predicate',
    payload(`    device: $.d\n    when: $.mode == "run"\n${observation}`),
    'payloads.p.when',
    4,
    11,
    '$ is not expected here',
    'a value of the payload is text("$.mode")',
  ],
  [
    'a path without quotes in a predicate',
    payload(`    device: $.d\n    when: text(@.mode) == "run"\n${observation}`),
    'payloads.p.when',
    4,
    16,
    '@ is not expected here',
    'put the path in quotes: text("@.mode")',
  ],
  [
    'two forms of a code in one',
    payload(
      '    device: $.d\n    observations:\n      - code: { system: "urn:x", code: a, from: $.c }\n        value: $.a\n',
    ),
    'payloads.p.observations[0].code.from',
    5,
    43,
    'does not go with the other keys here',
    'write { system, code, display } or { from, system, display }',
  ],
  [
    'a declared patient without a system',
    'devices:\n  k:\n    identifier: { value: a }\n    patient: { value: "1" }\n',
    'devices.k.patient.system',
    4,
    5,
    'missing',
    'for example: urn:oid:2.16.756.5.30.1.123',
  ],
  [
    'a function that is not there',
    payload(`    device: $.d\n    when: presnt("$.y")\n${observation}`),
    'payloads.p.when',
    4,
    11,
    'there is no function presnt here',
    'did you mean "present"?',
  ],
  [
    'a path inside a predicate, on its own line',
    payload(
      `    device: $.d\n    when: >-\n      present("$.y") &&\n      text("@.x[") == "a"\n${observation}`,
    ),
    'payloads.p.when',
    6,
    16,
    'this is not understood in [ ]',
    "write [0], [*], ['name'] or [?@.name]",
  ],
  [
    'a predicate that compares text with a number',
    payload(`    device: $.d\n    when: text("@.x") > 1.0\n${observation}`),
    'payloads.p.when',
    4,
    11,
    '> does not work between string and double',
    'values are text: write double(…)',
  ],
  [
    'a predicate that is no condition',
    payload(`    device: $.d\n    when: text("@.x")\n${observation}`),
    'payloads.p.when',
    4,
    11,
    'the predicate gives string, not true or false',
    'compare it with something: … == "hr"',
  ],
  [
    'an event in a predicate over a payload',
    payload(`    device: $.d\n    when: event.kind == "x"\n${observation}`),
    'payloads.p.when',
    4,
    11,
    'there is no event',
    'put a text in quotes; a value of the payload is text("@.name")',
  ],
  [
    'a unit that is not UCUM',
    payload(
      '    device: $.d\n    observations:\n      - code: { system: "urn:x", code: a }\n        value: $.a\n        unit: { text: mmHg, ucum: mmHg }\n',
    ),
    'payloads.p.observations[0].unit.ucum',
    7,
    35,
    '"mmHg" is not a UCUM unit',
    'case counts; for example: mg/dL, mmol/L, 10*9/L, mm[Hg]',
  ],
  [
    'a template that reads nothing',
    payload('    device: $.d\n'),
    'payloads.p',
    2,
    3,
    'the template reads nothing',
    'add observations, or an alarm',
  ],
  [
    'an alarm without a name',
    payload('    device: $.d\n    alarm: { priority: high }\n'),
    'payloads.p.alarm',
    4,
    5,
    'the alarm has no name',
    'add id, code or text',
  ],
  [
    'a source with an unknown template',
    `sources: { s: { listener: mqtt, payloads: [q] } }\n${payload(`    device: $.d\n${observation}`)}`,
    'sources.s.payloads[0]',
    1,
    44,
    'there is no payload template "q"',
    'did you mean "p"?',
  ],
  [
    'templates for a source of HL7 v2',
    `sources: { s: { listener: mqtt, kind: hl7v2, payloads: [p] } }\n${payload(`    device: $.d\n${observation}`)}`,
    'sources.s.payloads',
    1,
    46,
    'payload templates read JSON, not HL7 v2',
    'remove them',
  ],
  [
    'a device of which nothing is declared',
    'devices: { d: { identifier: { value: x } } }',
    'devices.d',
    1,
    12,
    'nothing is declared of the device',
    'add a patient or a location',
  ],
  [
    'a time without an offset',
    'devices: { d: { identifier: { value: x }, location: { bed: "4" }, since: 2026-11-23T08:15 } }',
    'devices.d.since',
    1,
    74,
    '"2026-11-23T08:15" is not a date and time with an offset',
    'for example: 2026-11-23T08:15:00+01:00',
  ],
  [
    'a device that is declared twice for one time',
    [
      'devices:',
      '  a: { identifier: { value: x }, location: { bed: "4" }, until: "2026-12-01T00:00:00Z" }',
      '  b: { identifier: { value: x }, location: { bed: "5" }, since: "2026-11-01T00:00:00Z" }',
    ].join('\n'),
    'devices.b',
    3,
    3,
    'the entry "a" declares the same device for the same time',
    'give the earlier one an `until`',
  ],
  [
    'a declaration that ends before it begins',
    'devices: { d: { identifier: { value: x }, location: { bed: "4" }, since: "2026-11-02T00:00:00Z", until: "2026-11-01T00:00:00Z" } }',
    'devices.d.until',
    1,
    105,
    'it ends before it begins',
    'write a later time',
  ],
];

for (const [what, text, path, line, column, message, hint] of rows) {
  t.test(`config devices - ${what} is refused in its place`, async (t) => {
    t.same(checkConfig(text).problems, [{ path, line, column, message, hint }]);
  });
}

t.test('config devices - words of a device may be anything, also the name of a key', async (t) => {
  const words =
    '    observations: [{ code: { from: $.c }, value: $.a, status: { from: $.s, words: { each: final, from: partial } } }]\n';
  t.same(checkConfig(payload(`    device: $.d\n${words}`)).problems, undefined);
});

t.test('config devices - a device may move: one declaration ends when the next begins', async (t) => {
  const moved = [
    'devices:',
    '  a: { identifier: { value: x }, location: { bed: "4" }, until: "2026-12-01T00:00:00Z" }',
    '  b: { identifier: { value: x }, location: { bed: "5" }, since: "2026-12-01T00:00:00Z" }',
  ].join('\n');
  t.same(checkConfig(moved).problems, undefined);
});

t.test('config devices - the examples of the site config and of the README are right', async (t) => {
  const text = readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8');
  const [head = '', example = '', rest = ''] = text.split(/^(?=# payloads:|# A code table)/m);
  const site = [
    head.replace(/^ {2}# pumps:.*\n(?: {2}# {3}.*\n)+/m, (source) => source.replaceAll(/^ {2}# /gm, '  ')),
    example.replace(/^# ((?:payloads|devices):$| {2})/gm, '$1'),
    rest,
  ].join('');
  const read = checkConfig(site);
  t.same(read.problems, undefined);
  if (read.problems === undefined) {
    t.same(read.config.sources.pumps?.payloads, ['pump']);
    t.equal(read.config.payloads.pump?.observations.length, 2);
    t.same(Object.keys(read.config.devices), ['kit-7']);
  }
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
  const templates = blocks.filter((yaml) => yaml.includes('payloads:'));
  t.equal(templates.length, 1);
  for (const yaml of templates) t.same(checkConfig(yaml).problems, undefined);
});

t.test('paths - what is understood', async (t) => {
  const good = [
    '$',
    '@',
    '$.a.b-c[0][-1][*].*',
    "$['odd name']..x..*",
    '$.a[?@.b]',
    '$.a[?(@.b == "x" || !@.c) && @["d e"][0] != -1.5]',
    '$.a[?@.b == null && @.c == true]',
    'topic[0]',
    '$.größe',
  ];
  for (const path of good) t.equal(parsePath(path).problem, undefined, path);
});

t.test('paths - what is not, and at which character', async (t) => {
  const bad: [string, number][] = [
    ['', 0],
    ['a', 0],
    ['$a', 1],
    ['$.', 1],
    ['$.a[', 3],
    ['$.a[1', 4],
    ['$.a[1:2]', 5],
    ["$['a", 2],
    ['$.a[?b]', 5],
    ['$.a[?@.b ==]', 11],
    ['$.a[?@.b[*]]', 8],
    ['$.a[?(@.b]', 9],
    ['topic[-1]', 8],
    ['topic[0].a', 8],
    [`$${'.a'.repeat(17)}`, 34],
    [`$.a[?${'!'.repeat(20)}@.b]`, 10],
    [`$.${'a'.repeat(300)}`, 0],
  ];
  for (const [path, offset] of bad) t.equal(parsePath(path).problem?.offset, offset, path);
});

t.test('payload predicates - a text that is no number does not hold, and does not throw', async (t) => {
  const { predicate } = compilePayloadPredicate('double(text("@.v")) > 1.0') as {
    predicate: { test(reader: object): boolean };
  };
  const reader = (value: string): object => ({ topic: '', text: () => value, present: () => true });
  t.equal(predicate.test(reader('2.5')), true);
  t.equal(predicate.test(reader('0.5')), false);
  t.equal(predicate.test(reader('x')), false);
});
