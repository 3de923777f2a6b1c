/** What an author slips on: each is refused where it stands, with what to write, or told before a push. */
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { warningsOf } from '../../proto/config/warnings.ts';

function refused(text: string): string[] {
  return (checkConfig(text).problems ?? []).map(({ message, hint }) => `${message}; ${hint}`);
}

function told(text: string): string[] {
  const { config, problems } = checkConfig(text);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return warningsOf(config);
}

const rule = (when: string) => `classes: { rules: [{ name: r, when: ${when}, class: urgent }] }\n`;

t.test('config - a predicate that holds for no event is told as that alone', async (t) => {
  const never = ['The class rule "r" never holds, whatever the event: correct its condition, or remove it.'];
  for (const when of [
    'false',
    '1 / 0 == 1',
    '!(true || event.status == "final")',
    'event.kind == "order" && event.kind == "observation"',
    'event.kind in ["order", "merge"] && event.kind == "admission" && event.status == "final"',
    'event.kind == "order" ? false : event.kind == "order"',
  ])
    t.same(told(rule(`'${when}'`)), never, when);
  for (const when of [
    'event.kind == "order" || event.kind == "observation"',
    'event.kind != "order" && event.kind != "observation"',
    'event.status == "final" || false',
    'event.kind in [] || event.kind == event.status',
  ])
    t.notMatch(told(rule(`'${when}'`)).join(), /never holds/, when);
  t.match(
    told(`destinations: { ehr: { type: mllp, address: "ehr:2576" } }
routes: { r: { to: ehr, when: "false" } }
`),
    [/^routes\.r\.when never holds/],
  );
});

t.test('config - what a word processor makes of quotes is named', async (t) => {
  for (const when of ['event.kind == “order”', 'event.kind == ‘order’', 'event.kind == «order»'])
    t.match(refused(rule(`'${when}'`)), [/is not expected here; write " or '$/], when);
});

t.test(
  'config - what is indented too little, or stands in the place of keys, is told what to write',
  async (t) => {
    t.match(refused('sources:\n  lab:\nlistener: mllp\n'), [
      'has no value; write what belongs to it below, indented further (listener: …), or remove the key',
      /^unknown key/,
    ]);
    t.same(refused('sources: { lab: mllp }\n'), [
      'expected a mapping of keys, found text; write { listener: … }, or the keys below it, indented further',
    ]);
    t.match(refused('sources:\n  - listener: mllp\n'), [/found a list; write \{ name: … \}/]);
  },
);

t.test('config - numbers as other programs write them are told as ours', async (t) => {
  const weight = (text: string) =>
    refused(
      `units: { convert: { g: { code: "2345-7", from: mg/dL, to: mmol/L, molecularWeight: ${text} } } }\n`,
    );
  t.same(weight('"180.156"'), ['expected a number, found text; write it without quotes: 180.156']);
  t.same(weight('180,156'), ['unknown key; a number has a point, no comma: 180.156']);
  t.same(refused('limits: { segmentsMax: 10_000 }\n'), [
    'expected a number, found text; write it in one piece: 10000',
  ]);
});

t.test('config - what is most likely not meant is told, and runs as before an upgrade', async (t) => {
  const device = (since: string) =>
    told(`devices: { k: { identifier: { value: k }, location: { unit: ICU }, since: ${since} } }\n`).filter(
      (line) => line.includes('since'),
    );
  t.same(device('2026-02-31T10:00:00Z'), ['devices.k.since: there is no 2026-02-31: correct the day.']);
  t.same(device('2028-02-29T23:30:00-05:00'), []);
  const address = (text: string) =>
    told(`destinations: { e: { type: mllp, address: "${text}" } }\n`).filter((line) => /address/.test(line));
  t.match(address('10.1.1.300:2576'), [/10\.1\.1\.300 is not an IP address/]);
  for (const any of ['0.0.0.0:2576', '[::]:2576']) t.match(address(any), [/is where a program listens/], any);
  for (const right of ['10.1.1.30:2576', '[::1]:2576', 'ehr-0.example.org:2576']) t.same(address(right), []);
  const authority = (text: string) => told(`identity: { authorities: { HOSP: "${text}" } }\n`);
  for (const bad of ['urn:oid:9.16', 'urn:oid:2.16.x', 'urn:oid:2.016.1', 'URN:OID:2.16.1'])
    t.match(authority(bad), [/^identity\.authorities\.HOSP: .* is not an OID/], bad);
  for (const right of ['urn:oid:2.16.840.1.113883.19.5', 'https://hospital.example/mrn', 'urn:uuid:x'])
    t.same(authority(right), [], right);
  t.same(refused('identity: { authorities: { HOSP: 2.16.840.1.113883.19.5 } }\n'), [
    '"2.16.840.1.113883.19.5" is not a URI; write urn:oid:2.16.840.1.113883.19.5',
  ]);
  const weight = (text: string) =>
    told(
      `units: { convert: { g: { code: "2345-7", from: mg/dL, to: mmol/L, molecularWeight: ${text} } } }\n`,
    );
  t.match(weight('0.180156'), [/molecularWeight: it is in g\/mol, and nothing weighs less than 1/]);
  t.same(weight('180.156'), []);
});

t.test('config - a character that cannot be seen in a name is told by its number', async (t) => {
  t.match(refused('sources: { lab: { listener: "mllp\u200b" } }\n'), [/cannot be seen \(U\+200B\)/]);
  t.notMatch(refused('sources: { "my lab": { listener: mllp } }\n').join(), /cannot be seen/);
});

t.test('config - units that are UCUM and none of a hospital are told', async (t) => {
  const map = (unit: string) => told(`units: { map: { x: "${unit}" } }\n`);
  for (const odd of ['Mg/dL', 'ml/H', 'Mmol/L', 'C'])
    t.match(map(odd), [/^units\.map\.x: .* is UCUM, and no unit that a hospital measures in/], odd);
  for (const right of [
    'mg/dL',
    '10*9/L',
    '10^9/L',
    '1',
    '%',
    'mm[Hg]',
    '[IU]/L',
    '{INR}',
    'ug{FEU}/mL',
    'mL/min/{1.73_m2}',
  ])
    t.same(map(right), [], right);
  t.match(told('critical: { k: { code: "2823-3", unit: Mmol/L, above: "6" } }\n'), [
    /^critical\.k\.unit: Mmol\/L/,
  ]);
});

t.test('config - what changes nothing is told', async (t) => {
  t.same(
    told(`sources: { p: { listener: mqtt, topics: ["a/#"], charset: WINDOWS-1251, accept: { versions: ["2.5"] } } }
codes: { t: { from: L, to: http://loinc.org, map: {} }, kept: { from: L2, to: http://loinc.org, unmapped: keep, map: {} } }
units: { map: { "mg/dl ": mg/dL }, convert: { g: { code: "2345-7", from: [g/L, mg/dL], to: mg/dL } } }
destinations: { ehr: { type: mllp, address: "ehr:2576" } }
`),
    [
      'sources.p.charset has no effect: a source with topics brings JSON, and this is of HL7 v2.',
      'sources.p.accept.versions has no effect: a source with topics brings JSON, and this is of HL7 v2.',
      'destinations.ehr: no route leads there, so it gets nothing new.',
      'codes.t.map: there is no entry, so the table changes nothing.',
      'units.map["mg/dl "]: what is sent never has a blank at its ends: remove it here.',
      'units.convert.g: from mg/dL to mg/dL nothing is to convert: remove it from "from".',
    ],
  );
});
