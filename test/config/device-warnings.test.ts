/** What a config of devices may say and most likely does not mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import { projectRoot } from '../kit/paths.ts';

const of = (yaml: string): string[] => {
  const { config, problems } = checkConfig(yaml);
  return config === undefined ? [JSON.stringify(problems)] : warningsOf(config);
};
const observations = 'observations: [{ code: { system: "urn:x", code: a }, value: $.a }]';
const site = (template: string, topics = '[devices/#]', more = ''): string =>
  `sources:\n  s: { listener: mqtt, topics: ${topics}, payloads: [p] }\n${more}payloads:\n  p: { device: $.d, ${template} }\n`;

t.test('device warnings - an alarm with a fixed code and no condition comes of every item', async (t) => {
  const alarm = (text: string) => of(site(`${observations}, alarm: ${text}`));
  const code = 'code: { system: "urn:x", code: a }';
  const told = [
    'The alarm of the payload template "p" has a code that stands in the template and no "when", so every item becomes an alarm: add a "when" that says which, or read the code from the payload (from).',
  ];
  t.same(alarm(`{ ${code} }`), told);
  t.same(alarm(`{ ${code}, id: $.id, priority: { from: $.p } }`), told);
  t.same(alarm(`{ ${code}, when: 'present("$.alarm")' }`), []);
  t.same(alarm('{ code: { from: $.c } }'), []);
  t.same(of(site(`each: "$.alarms[*]", alarm: { ${code} }`)), [], 'the items are alarms');
});

t.test('device warnings - a level of the topic that no topic of the source has', async (t) => {
  const told = (source: string, level: number) =>
    `The payload template "p" reads topic[${level}], which no topic of the source "${source}" has: the first level is topic[0], and a topic has at most 8.`;
  const level = (n: number) => `time: "topic[${n}]", ${observations}`;
  t.same(of(site(level(5), '[devices/pumps/a]')), [told('s', 5)]);
  t.same(of(site(level(2), '[devices/pumps/a]')), []);
  t.same(of(site(level(2), '[devices/x, devices/+/a]')), []);
  t.same(of(site(level(7))), []);
  t.same(of(site(level(8))), [told('s', 8)]);
  t.same(of(site(`when: 'text("topic[3]") == "x"', ${observations}`, '[a/b/c]')), [told('s', 3)]);
  const two = '  whole: { listener: other, payloads: [p] }\n';
  t.same(of(site(level(3), '[a/b]', two)), [told('s', 3)], 'per source');
});

t.test('device warnings - topic filters that hear nothing', async (t) => {
  t.same(of(site(observations, '[devices/a/b/c/d/e/f/g/h, x]')), [
    'The topic filter "devices/a/b/c/d/e/f/g/h" of the source "s" has 9 levels, and a topic at most 8: it hears nothing.',
  ]);
  t.same(of(site(observations, '[devices/a/b/c/d/e/f/g/#]')), []);
  const two = (a: string, b: string, listener = 'mqtt') =>
    of(`sources:\n  a: { listener: mqtt, topics: [${a}] }\n  b: { listener: ${listener}, topics: [${b}] }\n`);
  const told = (b: string, a: string) => [
    `The topic filter "${b}" of the source "b" hears nothing: all that it matches goes to the source "a" ("${a}"), which stands before it.`,
  ];
  t.same(two('devices/#', 'devices/#'), told('devices/#', 'devices/#'));
  t.same(two('devices/#', 'devices/pumps/+'), told('devices/pumps/+', 'devices/#'));
  t.same(two('devices/pumps/+', 'devices/#'), []);
  t.same(two('devices/+', 'devices/a/b'), []);
  t.same(two('devices/+', 'devices/#'), []);
  t.same(two('devices/#', 'devices/#', 'other'), []);
});

t.test('device warnings - a template that no source names, a condition that reads nothing', async (t) => {
  t.same(of(`sources:\n  s: { listener: mqtt }\npayloads:\n  p: { device: $.d, ${observations} }\n`), [
    'No source names the payload template "p": add it to the payloads of a source, or remove it.',
  ]);
  const never = (place: string) => [
    `The "when" of ${place} reads nothing of the payload and never holds: compare a value, as in text("@.type") == "hr".`,
  ];
  t.same(of(site(`when: "false", ${observations}`)), never('the payload template "p"'));
  t.same(of(site(`when: '"a" == "b"', ${observations}`)), never('the payload template "p"'));
  t.same(of(site(`when: "true", ${observations}`)), []);
  t.same(of(site(`when: 'topic == "x"', ${observations}`)), []);
  t.same(
    of(site(`${observations}, alarm: { when: "false", text: $.t }`)),
    never('the alarm of the payload template "p"'),
  );
  t.same(
    of(site('observations: [{ when: "false", code: { system: "urn:x", code: a }, value: $.a }]')),
    never('observations[0] of the payload template "p"'),
  );
});

t.test('device warnings - the example of the site config has none', async (t) => {
  t.same(of(readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8')), []);
});
